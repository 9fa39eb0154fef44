"""The ticker: a process that sleeps until the next step is due and fires it then.

It speaks only SQL, so that a lost broker makes nothing late. Any number may run, beside Celery's tick too: who fires a
step is decided by the rows (`slas.tick`). Nothing is kept in memory; killed, it loses nothing.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import socket
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
from django.db import DatabaseError, InterfaceError, connection

from slas.bell import CHANNEL
from slas.tick import seconds_to_next, tick
from slas.watch import beat, leave, look

logger = logging.getLogger(__name__)

LONGEST_SLEEP_S = 1.0
# Auditing is the workers' task and takes a while; this process does it only where nobody else does.
AUDIT_EVERY = timedelta(minutes=3)
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 5.0


class Ticker:
    """One ticker. `stop` may be called from a signal handler; `run` then returns within a moment."""

    def __init__(self) -> None:
        self.name = f"ticker@{socket.gethostname()} {os.getpid()}"
        self.stopping = False
        self._listening: psycopg.Connection[Any] | None = None
        self._wakes, self._wake = socket.socketpair()
        for end in (self._wakes, self._wake):
            end.setblocking(False)

    def stop(self) -> None:
        """Let `run` come back as soon as the batch that is being fired is stored."""
        self.stopping = True
        self._wake.send(b".")

    def run(self) -> None:
        """Fire steps as they fall due until told to stop. A lost database is waited for, ever more patiently."""
        logger.info("The ticker begins")
        pause = FIRST_PAUSE_S
        while not self.stopping:
            try:
                self._round()
                pause = FIRST_PAUSE_S
            except (DatabaseError, InterfaceError, psycopg.Error) as error:
                logger.warning("The ticker has lost the database (%s); it tries again", type(error).__name__)
                self._hang_up()
                self._sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE_S)
        self._say_goodbye()
        logger.info("The ticker ends")

    def _round(self) -> None:
        """Fire what is due, then sleep until the next step, a bell, or a second is over."""
        self._listen()  # before looking, so that no step can be stored unseen between the look and the sleep
        tick(stopping=lambda: self.stopping, with_help=True)
        if not self.stopping:
            beat(self.name, "ticker")
            self._watch()
            soonest = seconds_to_next()
            self._sleep(LONGEST_SLEEP_S if soonest is None else min(max(soonest, 0.0), LONGEST_SLEEP_S))

    def _watch(self) -> None:
        """Look after the clocks, too. What goes wrong there must keep no step from being fired."""
        try:
            look(audit_every=AUDIT_EVERY)
        except (DatabaseError, InterfaceError, psycopg.Error):
            raise
        except Exception:
            logger.exception("The clocks could not be watched; steps go on being fired")

    def _listen(self) -> None:
        """Have a connection of its own that hears the bell, whatever pool the settings put before the database."""
        if self._listening is None:
            parameters = connection.get_connection_params()
            kept = {name: value for name, value in parameters.items() if name not in {"cursor_factory", "context"}}
            self._listening = psycopg.connect(**kept, autocommit=True, connect_timeout=10)
            self._listening.execute(f"LISTEN {CHANNEL}")

    def _sleep(self, seconds: float) -> None:
        """Sleep until the time is over, the bell rings, or somebody says stop."""
        heard: list[Any] = [self._wakes, *([self._listening] if self._listening is not None else [])]
        ready, _writable, _failed = select.select(heard, [], [], seconds)
        if self._listening is not None and self._listening in ready:
            for _notice in self._listening.notifies(timeout=0):
                pass  # one look is enough for all of them

    def _hang_up(self) -> None:
        for close in (connection.close, *([self._listening.close] if self._listening is not None else [])):
            _quietly(close)
        self._listening = None

    def _say_goodbye(self) -> None:
        _quietly(lambda: leave(self.name))
        self._hang_up()


def _quietly(deed: Callable[[], object]) -> None:
    try:
        deed()
    except (DatabaseError, InterfaceError, psycopg.Error) as error:
        logger.debug("The database is away: %s", error)


def run() -> None:
    """Run a ticker until SIGTERM or SIGINT."""
    ticker = Ticker()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ticker.stop())
    ticker.run()

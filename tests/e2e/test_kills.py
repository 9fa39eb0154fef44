"""Whoever is killed, and however often: every step fires, and none twice (sla.md §8, property 22).

`ITSM_KILLS` and `ITSM_KILL_TIMERS` set how many kills and due timers (50 and 10,000 where they are not given).
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clockwork import Clockwork, fill, make_due
from tests.e2e.product import ON_ONE_WORKER
from tests.setup.conftest import until

pytestmark = ON_ONE_WORKER

KILLS = int(os.environ.get("ITSM_KILLS", "50"))
TIMERS = int(os.environ.get("ITSM_KILL_TIMERS", "10000"))
BETWEEN_S = 0.6

LEFT = "SELECT count(*) FROM slas_stepdue WHERE fire_at <= now()"
# Breaches that are not exactly one event of the clocks, one in the ticket's log, and one notice for the one who leads,
# or the entry in the outbox that becomes it: handing on ten thousand takes longer than firing them.
WRONG = """
SELECT t.id, t.due_at, count(DISTINCT e.id), count(DISTINCT v.id), count(DISTINCT n.id) + count(DISTINCT o.id)
  FROM slas_timer t
  LEFT JOIN slas_slaevent e ON e.timer_id = t.id AND e.kind = 'breached'
  LEFT JOIN tickets_ticketevent v ON v.ticket_id = t.ticket_id AND v.code = 'sla.breached'
       AND v.data ->> 'metric' = t.metric AND v.at = t.due_at
  LEFT JOIN notifications_notice n ON n.event_id = v.id
  LEFT JOIN tickets_outboxentry o ON o.event_id = v.id
 WHERE t.due_at <= now()
 GROUP BY t.id, t.due_at
HAVING (count(DISTINCT e.id), count(DISTINCT v.id), count(DISTINCT n.id) + count(DISTINCT o.id))
       IS DISTINCT FROM (1, 1, 1)
"""
COUNTS = """
SELECT (SELECT count(*) FROM slas_timer WHERE breached_at = due_at), (SELECT count(*) FROM slas_slaevent),
       (SELECT count(*) FROM tickets_ticketevent WHERE code LIKE 'sla.%%'),
       (SELECT count(*) FROM (SELECT event_id, address FROM notifications_mail GROUP BY 1, 2 HAVING count(*) > 1) m),
       (SELECT count(*) FROM tickets_outboxentry WHERE parked_at IS NOT NULL)
"""


@pytest.fixture
def clockwork() -> Iterator[Clockwork]:
    """Servers of their own with the cast's desk, and nothing that watches yet."""
    data = Path(tempfile.mkdtemp(prefix="clockwork"))
    data.chmod(0o711)
    try:
        with Clockwork(data) as one:
            yield one
    finally:
        shutil.rmtree(data, ignore_errors=True)


def test_p22_killed_at_random_nothing_is_missed_and_nothing_happens_twice(clockwork: Clockwork) -> None:
    fill(clockwork.sql, TIMERS)
    make_due(clockwork.sql, TIMERS, after=5, spread=KILLS * BETWEEN_S)
    chance = random.Random(22)
    kinds = {
        clockwork.start(kind, copy): (kind, copy) for kind in ("ticker", "worker for timers") for copy in ("", "2")
    }
    kinds[clockwork.start("beat")] = ("beat", "")
    killed = dict.fromkeys([*kinds, "valkey"], 0)
    for _kill in range(KILLS):
        time.sleep(BETWEEN_S * chance.uniform(0.5, 1.5))
        victim = chance.choice([*kinds, "valkey"])
        if victim == "valkey":
            clockwork.kill_server(victim)
            time.sleep(0.2)
            clockwork.heal()
        else:
            assert clockwork.kill(victim) in (-signal.SIGKILL, 0, 1)  # one that found no broker may just have ended
            clockwork.start(*kinds[victim])
        killed[victim] += 1
    assert sum(killed.values()) >= KILLS
    until(lambda: clockwork.sql(LEFT) == [(0,)], f"all fired; killed were {killed}")
    for name in kinds:
        clockwork.kill(name, signal.SIGTERM)
    assert clockwork.sql(COUNTS) == [(TIMERS, TIMERS, TIMERS, 0, 0)]
    assert clockwork.sql(WRONG) == []
    ((told,),) = clockwork.sql("SELECT count(*) FROM notifications_notice")
    assert told > 0
    assert "is whole" in clockwork.python("-m", "django", "verify_events")
    assert clockwork.sql("SELECT details FROM slas_alarm WHERE kind = 'different'") == []

"""Workers that are killed with SIGKILL in the middle of a target, several at once, and beside people: exactly once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.db.models import Count

from incidents.actions import open_incident
from itsm.tickets import spreading
from itsm.tickets.actions import comment, lock
from itsm.tickets.models import Comment, TicketEvent
from itsm.tickets.spreading import register_effect, spread
from tests.cast import as_, make_cast

pytestmark = [pytest.mark.servers, pytest.mark.django_db(transaction=True)]

ROOT = Path(__file__).resolve().parents[2]
TARGETS = 40
WORKER = """
import django; django.setup()
import os, signal, sys
from itsm.tickets import spreading
from itsm.tickets.actions import comment

left = int(sys.argv[1])

def deed(ticket, *, actor, data):
    global left
    comment(ticket, data["body"], actor=actor, visibility="internal")
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

spreading.register_effect("test.killed", deed)
spreading.AT_ONCE = 5
while spreading.work(30): pass
"""


def worker(dies_after: int) -> subprocess.Popen[bytes]:
    """Start a worker on the tests' database that is killed after so many verbs, before its row is written."""
    base, _slash, rest = os.environ["DATABASE_URL"].rpartition("/")
    _name, mark, query = rest.partition("?")
    environment = os.environ | {
        "DATABASE_URL": f"{base}/{connection.settings_dict['NAME']}{mark}{query}",
        "DJANGO_SETTINGS_MODULE": "itsm.settings",
    }
    return subprocess.Popen([sys.executable, "-c", WORKER, str(dies_after)], cwd=ROOT, env=environment)


def test_killed_workers_lose_and_double_nothing(transactional_db: None) -> None:
    cast = make_cast()
    source, *targets = (
        open_incident(actor=as_(cast.anna), title=f"No. {number}", requester=cast.rita) for number in range(TARGETS + 1)
    )
    register_effect("test.killed", lambda ticket, *, actor, data: None)
    try:
        with transaction.atomic():
            made = spread(source, "test.killed", [one.pk for one in targets], actor=as_(cast.anna), data={"body": "x"})
    finally:
        spreading._effects.pop("test.killed", None)
    for dies_after in (1, 7):
        killed = worker(dies_after)
        assert killed.wait(60) == -signal.SIGKILL
    assert 0 < made.done < TARGETS
    assert Comment.objects.count() == made.done, "a verb stands without its row, or a row without its verb"
    together = [worker(7), worker(7)]
    assert [one.wait(60) for one in together] == [-signal.SIGKILL, -signal.SIGKILL]
    assert Comment.objects.count() == made.done < TARGETS
    assert worker(TARGETS + 1).wait(60) == 0
    assert (made.done, made.skipped, made.failed, made.is_finished) == (TARGETS, 0, 0, True)
    notes = TicketEvent.objects.filter(code="ticket.noted")
    assert Comment.objects.count() == notes.count() == TARGETS
    assert not notes.values("ticket").annotate(n=Count("pk")).filter(n__gt=1).exists()


def test_a_ticket_that_somebody_has_in_hand_holds_nobody_up(transactional_db: None) -> None:
    cast = make_cast()
    source, held, free = (open_incident(actor=as_(cast.anna), title=name, requester=cast.rita) for name in "abc")
    did: list[int] = []

    def work() -> None:
        did.append(spreading.work())
        connection.close()

    def worker_elsewhere() -> None:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join(60)

    register_effect(
        "test.note", lambda ticket, *, actor, data: comment(ticket, "x", actor=actor, visibility="internal")
    )
    try:
        with transaction.atomic():
            spread(source, "test.note", [held.pk, free.pk], actor=as_(cast.anna), data={})
        with transaction.atomic():
            lock(held)
            worker_elsewhere()
            assert list(Comment.objects.values_list("ticket", flat=True)) == [free.pk]
        worker_elsewhere()
    finally:
        spreading._effects.pop("test.note", None)
    assert list(Comment.objects.order_by("pk").values_list("ticket", flat=True)) == [free.pk, held.pk]
    assert did == [1, 1]

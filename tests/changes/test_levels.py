"""Service levels attach to changes: clocks run, rest while a change is on hold, stop when it is closed, and can be made
anew from the log."""

from __future__ import annotations

import pytest

from changes.actions import perform
from changes.models import Change
from changes.statuses import ChangeType, Status
from itsm.notifications.models import Mail, Notice
from itsm.tickets.actors import SYSTEM
from itsm.tickets.outbox import dispatch
from slas.actions import GoalSpec, install_defaults, save_policy
from slas.models import BusinessCalendar, EscalationChain, Timer
from slas.models.timers import State
from tests.cast import Cast, as_
from tests.changes.conftest import CLOSING, WAYS, Maker


@pytest.fixture
def policy(cast: Cast) -> None:
    """Emergencies are to be closed within a day; the clock rests while they are on hold."""
    install_defaults()
    always = BusinessCalendar.objects.get(name="24×7")
    chain = EscalationChain.objects.get(name="Standard escalation")
    save_policy(
        "Emergencies",
        metric="resolution",
        condition={
            "all": [
                {"field": "kind", "op": "eq", "value": "change"},
                {"field": "change_type", "op": "eq", "value": "emergency"},
            ]
        },
        pause_condition={"field": "held", "op": "eq", "value": True},
        goals=[GoalSpec(86400, always, chain=chain)],
        order=1,
        actor=as_(cast.ada),
    )


def timer_of(change: Change) -> Timer:
    """Return the one clock of the change."""
    return Timer.objects.get(ticket=change.pk)


def test_the_clock_follows_the_change(maker: Maker, cast: Cast, policy: None) -> None:
    assert not Timer.objects.filter(ticket=maker.open().pk).exists()  # the rule asks for emergencies
    change = maker.at(ChangeType.EMERGENCY, Status.SCHEDULED)
    assert timer_of(change).state == State.RUNNING
    change = perform(change, "hold", actor=as_(cast.anna), fields={"reason": "A part is missing."})
    assert timer_of(change).state == State.PAUSED
    change = perform(change, "resume", actor=as_(cast.anna))
    assert timer_of(change).state == State.RUNNING
    for move in ("start", "finish"):
        change = perform(change, move, actor=as_(cast.anna))
        assert timer_of(change).state == State.RUNNING
    change = perform(change, "close", actor=as_(cast.anna), fields=CLOSING)
    timer = timer_of(change)
    assert timer.state not in (State.RUNNING, State.PAUSED)
    assert timer.breached_at is None


def test_a_cancelled_change_cancels_its_clock(maker: Maker, cast: Cast, policy: None) -> None:
    change = maker.open(ChangeType.EMERGENCY)
    perform(change, "cancel", actor=as_(cast.anna), fields={"reason": "Not needed."})
    assert timer_of(change).state == State.CANCELLED


def test_the_requester_is_told_once_at_each_stage(maker: Maker, cast: Cast) -> None:
    change = maker.open(requester=cast.carl)
    for move in WAYS[ChangeType.NORMAL]:
        change = perform(change, move, actor=SYSTEM, fields=CLOSING if move == "close" else {})
    while dispatch():
        pass
    told = list(
        Mail.objects.filter(ticket=change.ticket_ptr, user=cast.carl).order_by("pk").values_list("kind", flat=True)
    )
    assert told == ["change_received", "change_scheduled", "change_started", "change_finished"]
    outside = maker.open(requester=cast.rita)
    perform(outside, "cancel", actor=SYSTEM, fields={"reason": "Not needed."})
    while dispatch():
        pass
    assert not Mail.objects.filter(ticket=outside.ticket_ptr, user=cast.rita).exists()  # changes are of the desk
    assert not Notice.objects.filter(ticket=outside.ticket_ptr, user=cast.rita).exists()

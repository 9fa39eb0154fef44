"""Property 24 of the specification: notices for hours only go out in the recipient's hours; effects do not wait."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.actions import open_incident
from itsm.accounts.models import User
from itsm.notifications.actions import notices_for
from itsm.notifications.hours import Hours
from itsm.notifications.manners import MAIL, Manner
from itsm.notifications.models import ContactPreference, Mail, Notice
from itsm.tickets.clock import db_now
from itsm.tickets.models import TicketEvent
from itsm.tickets.outbox import dispatch
from slas.tick import tick
from tests.cast import Cast, as_
from tests.slas.conftest import move_back
from tests.slas.test_escalations import at, chain, notify

ZONES = ["UTC", "Europe/London", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Kathmandu"]
FIRST = datetime(2020, 1, 1, tzinfo=UTC)
INSTANTS = st.integers(0, 8 * 365 * 86_400_000_000).map(lambda us: FIRST + timedelta(microseconds=us))
HOURS = st.builds(
    Hours,
    st.sampled_from(ZONES).map(ZoneInfo),
    st.integers(0, 1439),
    st.integers(0, 1440),
    st.frozensets(st.integers(0, 6), min_size=1),
)


def in_hours(hours: Hours, instant: datetime) -> bool:
    """The plain reading: what the clock on the recipient's wall shows. Not asked within a repeated or missing hour."""
    local = instant.astimezone(hours.zone)
    minute = local.hour * 60 + local.minute
    today, before = local.weekday() in hours.days, (local.weekday() - 1) % 7 in hours.days
    if hours.end > hours.start:
        return today and hours.start <= minute < hours.end
    return (today and minute >= hours.start) or (before and minute < hours.end)


def is_plain(hours: Hours, instant: datetime) -> bool:
    """Whether no clock change lies within a day and a half."""
    near = [(instant + timedelta(hours=h)).astimezone(hours.zone).utcoffset() for h in (-36, -12, 0, 12, 36)]
    return len(set(near)) == 1


@given(HOURS, INSTANTS)
def test_p24_first_instant_is_in_the_recipients_hours_and_none_before_it_is(hours: Hours, instant: datetime) -> None:
    found = hours.first(instant)
    assert found >= instant
    assert hours.hold(found)
    if found > instant:
        assert not hours.hold(instant)
        assert not hours.hold(found - timedelta(microseconds=1))
        between = instant + (found - instant) / 2
        assert not hours.hold(between)
        if is_plain(hours, found):
            wall = found.astimezone(hours.zone)
            assert (wall.hour * 60 + wall.minute, wall.second, wall.microsecond) == (hours.start, 0, 0)
    else:
        assert found == instant
    assert hours.first(found) == found


@given(HOURS, INSTANTS)
def test_p24_hours_are_those_on_the_recipients_wall(hours: Hours, instant: datetime) -> None:
    if is_plain(hours, instant):
        assert hours.hold(instant) == in_hours(hours, instant)


@given(HOURS, INSTANTS, st.booleans(), st.booleans(), st.booleans(), st.booleans(), st.integers(0, 120))
def test_p24_no_way_is_used_outside_the_hours_unless_it_may(
    hours: Hours, now: datetime, urgent: bool, only: bool, holds: bool, breaks: bool, wait: int
) -> None:
    user = User(time_zone=hours.zone.key)
    chosen = ContactPreference(
        user=user,
        hours_from=hours.start,
        hours_to=hours.end,
        days=sorted(hours.days),
        holds_back=holds,
        urgent_breaks_through=breaks,
        wait_minutes=wait,
    )
    ways = Manner(user, chosen).ways(now, urgent=urgent, in_hours=only)
    held = only or (holds and not (urgent and breaks))
    for way in ways.values():
        assert way.at >= now
        assert not held or hours.hold(way.at)
    if not held:
        assert min(way.at for way in ways.values()) == now
    assert not ways[MAIL].unless_read or wait


@pytest.mark.parametrize(
    ("zone", "instant", "first"),
    [
        # Hours from 01:30 on the night in which 01:00-02:00 is missing begin at 02:30 summer time.
        ("Europe/London", datetime(2026, 3, 29, 0, tzinfo=UTC), datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
        # In the repeated hour the first 01:30 counts.
        ("Europe/London", datetime(2026, 10, 25, 0, tzinfo=UTC), datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        ("Australia/Lord_Howe", datetime(2026, 4, 4, 14, tzinfo=UTC), datetime(2026, 4, 4, 14, 30, tzinfo=UTC)),
    ],
)
def test_p24_clock_changes(zone: str, instant: datetime, first: datetime) -> None:
    assert Hours(ZoneInfo(zone), 90, 1080, frozenset(range(7))).first(instant) == first


def hours_to_come(cast: Cast, **more: Any) -> datetime:
    """Let Ben's hours begin three hours from now, and return that instant."""
    begin = (db_now() + timedelta(hours=3)).replace(second=0, microsecond=0)
    minute = begin.hour * 60 + begin.minute
    ContactPreference.objects.create(
        user=cast.ben, hours_from=minute, hours_to=(minute + 60) % 1440, days=list(range(7)), **more
    )
    return begin


def hand_out() -> None:
    while dispatch(100):
        pass


def test_p24_notice_waits_for_the_hours_and_the_deed_does_not(cast: Cast) -> None:
    begin = hours_to_come(cast)
    chain(at(50, notify(who=["assignee"], in_hours=True), {"do": "raise_priority"}))
    incident = open_incident(actor=as_(cast.anna), title="Printer", requester=cast.rita, assignee=cast.ben)
    hand_out()
    move_back(incident, timedelta(hours=4, seconds=1))
    tick()
    priority = incident.priority
    incident.refresh_from_db()
    assert incident.priority == priority - 1
    event = TicketEvent.objects.get(ticket_id=incident.pk, code="sla.warned")
    assert db_now() - datetime.fromisoformat(event.data["detected_at"]) < timedelta(minutes=1)
    hand_out()
    assert Mail.objects.get(event=event).next_attempt_at == begin
    assert Notice.objects.get(event=event).created_at == begin
    assert not notices_for(cast.ben).filter(event=event).exists()


@pytest.mark.parametrize(("breaks", "waits"), [(True, False), (False, True)])
def test_p24_urgent_breaks_through_where_the_person_lets_it(cast: Cast, breaks: bool, waits: bool) -> None:
    begin = hours_to_come(cast, holds_back=True, urgent_breaks_through=breaks)
    chain(at(50, notify(who=["assignee"])))
    incident = open_incident(actor=as_(cast.anna), title="Printer", requester=cast.rita, assignee=cast.ben)
    hand_out()
    assert Mail.objects.get(user=cast.ben, kind="assigned").next_attempt_at == begin  # not urgent: waits
    move_back(incident, timedelta(hours=4, seconds=1))
    tick()
    hand_out()
    mail = Mail.objects.get(user=cast.ben, kind="sla_warned")
    assert (mail.next_attempt_at == begin) is waits
    assert notices_for(cast.ben).filter(event=mail.event).exists() is not waits

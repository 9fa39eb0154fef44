"""Shifts as iCalendar (RFC 5545). A shift keeps its UID as long as it is the same turn, so that calendars move it."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from icalendar import Calendar, Event, vText

from itsm.accounts.models import User
from itsm.notifications.addresses import mail_domain
from slas.models import Rota, RotaFeed, RotaLevel, RotaOverride
from slas.oncall import Shift
from slas.rotas import people_named, schedule_of, shifts_of

BACK = timedelta(days=30)
AHEAD = timedelta(days=180)


def feed_calendar(feed: RotaFeed, now: datetime) -> bytes:
    """Return the feed's shifts from 30 days back to 180 days ahead as an iCalendar object in UTF-8."""
    start, end = _midnight(now) - BACK, _midnight(now) + AHEAD
    if feed.rota is not None:
        shifts = [(feed.rota, shift) for shift in schedule_of(feed.rota, start, end).all_shifts(start, end)]
        title = feed.rota.name
    else:
        shifts = [(one.rota, one.shift) for one in shifts_of(feed.owner, start, end)]
        title = _("On call: %(name)s") % {"name": feed.owner.display_name}
    people = people_named(shift.person for _rota, shift in shifts)
    covers = {shift.on_call.cover for _rota, shift in shifts if shift.on_call.cover is not None}
    made = dict(RotaOverride.objects.filter(pk__in=covers).values_list("pk", "created_at"))
    calendar = Calendar()
    calendar.add("prodid", "-//Service desk//On call//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    # The library knows no type for this one: as text, a line break or comma in a name stays within the value.
    calendar.add("x-wr-calname", vText(title))
    calendar.add("refresh-interval", timedelta(hours=1), parameters={"VALUE": "DURATION"})
    for rota, shift in shifts:
        calendar.add_component(_event(rota, shift, people.get(shift.person), made.get(shift.on_call.cover or 0)))
    return bytes(calendar.to_ical())


def content_tag(body: bytes) -> str:
    """Return a short text that stands for the content, whenever it was made."""
    return hashlib.sha256(body).hexdigest()[:32]


def _midnight(now: datetime) -> datetime:
    """Whole days, so that the first and last shift are cut at the same place all day long."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def _event(rota: Rota, shift: Shift, person: User | None, covered_at: datetime | None) -> Event:
    name = person.display_name if person else "?"
    event = Event()
    event.add("uid", shift_uid(rota, shift))
    # When this shift last changed: a reader that asks every hour sees the same bytes while nothing does.
    event.add("dtstamp", max(rota.updated_at, covered_at) if covered_at else rota.updated_at)
    event.add("dtstart", shift.start)
    event.add("dtend", shift.end)
    event.add("summary", f"{name} · {rota.name}" + (f" ({RotaLevel(shift.level).label})" if shift.level > 1 else ""))
    event.add("transp", "TRANSPARENT")
    return event


def shift_uid(rota: Rota, shift: Shift) -> str:
    """Return the id of the shift: what it is of and when it begins, not who has it."""
    said = f"{rota.public_id} {shift.level} {shift.start.isoformat()}"
    return f"{hashlib.sha256(said.encode()).hexdigest()[:32]}@{mail_domain()}"

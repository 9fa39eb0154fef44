"""The change calendar as iCalendar (RFC 5545). A change keeps its UID, so that calendars move it; so does a window."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import Q
from django.utils.translation import gettext as _
from icalendar import Calendar, Event, vText

from changes.models import CalendarFeed, Change, ChangeWindow
from changes.models.change import span
from changes.schedule.looking import Filters, bands_between
from changes.statuses import ChangeType, Status
from itsm.notifications.addresses import absolute, mail_domain, ticket_path

BACK = timedelta(days=30)
AHEAD = timedelta(days=180)
MOST = 2000


def feed_calendar(feed: CalendarFeed, now: datetime) -> bytes:
    """Return planned changes and windows from 30 days back to 180 days ahead as an iCalendar object in UTF-8."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    start, end = midnight - BACK, midnight + AHEAD
    calendar = Calendar()
    calendar.add("prodid", "-//Service desk//Changes//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    # The library knows no type for this one: as text, a line break or comma in a name stays within the value.
    calendar.add("x-wr-calname", vText(feed_title(feed)))
    calendar.add("refresh-interval", timedelta(hours=1), parameters={"VALUE": "DURATION"})
    for change in _changes(feed, start, end):
        calendar.add_component(_event(change, feed))
    for event in _windows(feed, start, end):
        calendar.add_component(event)
    return bytes(calendar.to_ical())


def feed_title(feed: CalendarFeed) -> str:
    """Return what the feed holds, in words."""
    parts = [str(one) for one in (feed.team, feed.service) if one is not None]
    if feed.is_mine:
        parts.insert(0, _("mine"))
    return _("Changes") + (f": {', '.join(parts)}" if parts else "")


def content_tag(body: bytes) -> str:
    """Return a short text that stands for the content, whenever it was made."""
    return hashlib.sha256(body).hexdigest()[:32]


def _changes(feed: CalendarFeed, start: datetime, end: datetime) -> list[Change]:
    rows = (
        Change.objects.visible_to(feed.owner)
        .filter(planned_start__isnull=False)
        .alias(span=span())
        .filter(span__overlap=DateTimeTZRange(start, end))
        .select_related("service", "assignee", "team")
    )
    if feed.team is not None:
        rows = rows.filter(team=feed.team)
    if feed.service is not None:
        rows = rows.filter(Q(service=feed.service) | Q(affected_rows__service=feed.service)).distinct()
    if feed.is_mine:
        rows = rows.filter(Q(assignee=feed.owner) | Q(requester=feed.owner))
    return list(rows.order_by("planned_start", "pk")[:MOST])


def _event(change: Change, feed: CalendarFeed) -> Event:
    event = Event()
    event.add("uid", f"{change.public_id}@{mail_domain()}")
    # A reader that asks every hour sees the same bytes while nothing changes.
    event.add("dtstamp", change.updated_at)
    event.add("sequence", change.version)
    event.add("dtstart", change.planned_start)
    event.add("dtend", change.planned_end)
    event.add("summary", f"{change.number} {change.title}")
    who = [str(one) for one in (change.service, change.team, change.assignee) if one is not None]
    words = [ChangeType(change.change_type).label, change.status_label, *who]
    event.add("description", " · ".join(str(one) for one in words))
    event.add("url", absolute(ticket_path(change, feed.owner)))
    event.add("status", "CANCELLED" if change.status == Status.CANCELLED else _certainty(change))
    event.add("transp", "OPAQUE" if change.assignee_id == feed.owner_id else "TRANSPARENT")
    return event


def _certainty(change: Change) -> str:
    return "TENTATIVE" if change.status in (Status.NEW, Status.ASSESS, Status.AUTHORISE) else "CONFIRMED"


def _windows(feed: CalendarFeed, start: datetime, end: datetime) -> list[Event]:
    rows = ChangeWindow.objects.filter(is_active=True).values_list("pk", "public_id", "updated_at")
    known = {pk: (ref, changed) for pk, ref, changed in rows}
    found = []
    for band in bands_between(start, end, Filters(service=feed.service))[:MOST]:
        if band.window.pk not in known:  # switched off at this moment
            continue
        ref, changed = known[band.window.pk]
        event = Event()
        said = f"{ref} {band.start.isoformat()}"
        event.add("uid", f"{hashlib.sha256(said.encode()).hexdigest()[:32]}@{mail_domain()}")
        event.add("dtstamp", changed)
        event.add("dtstart", band.start)
        event.add("dtend", band.end)
        kind = _("Freeze") if band.is_freeze else _("Maintenance")
        event.add("summary", f"{kind}: {band.window.name}")
        event.add("transp", "TRANSPARENT")
        found.append(event)
    return found

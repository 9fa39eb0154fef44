"""The automatic timeline: the events of the incident in words, with what somebody made of them beside."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from incidents.major.models import MajorEntry
from itsm.accounts.models import User
from itsm.tickets.events import event_type, people_in, words_of
from itsm.tickets.models import Comment, TicketEvent, Visibility

QUOTED = 300
# The commander's own record-keeping, which is not part of what happened.
LEFT_OUT = frozenset(
    {
        "incident.major_timeline_added",
        "incident.major_timeline_edited",
        "incident.major_decision",
        "incident.major_review_saved",
        "incident.major_review_done",
        "incident.major_review_reopened",
        "incident.major_plan_saved",
        "incident.children_told",
        "incident.outage_changed",
    }
)
JOINED = "incident.child_added"


@dataclass
class Line:
    """A line of the timeline. `original`: what the event says, where somebody says it otherwise."""

    ref: str
    at: datetime
    text: str
    who: str = ""
    icon: str = "point"
    original: str = ""
    is_hidden: bool = False
    is_decision: bool = False
    is_own: bool = False

    @property
    def said(self) -> str:
        """What it says as a sentence of its own: an event's words are made to follow the person's name."""
        return capfirst(self.text)

    @property
    def is_edited(self) -> bool:
        """Whether it says something else than its event."""
        return bool(self.original) and self.original != self.text


def timeline_of(incident: Any) -> list[Line]:
    """Return all lines, hidden ones too, oldest first. Takes four queries, however much happened.

    Incidents that became part of this one with nothing else between are one line.
    """
    found = (
        TicketEvent.objects.filter(ticket_id=incident.pk).exclude(code__in=LEFT_OUT).exclude(code__startswith="sla.")
    )
    events = list(found.select_related("actor").order_by("seq"))
    sent = {event.data.get("comment") for event in events if event.code == "incident.major_update_sent"}
    events = [event for event in events if event.code != "ticket.commented" or event.data.get("comment") not in sent]
    entries = list(MajorEntry.objects.filter(incident_id=incident.pk).select_related("by"))
    over = {entry.event_id: entry for entry in entries if entry.event_id is not None}
    names = _names(events)
    quotes = _quotes(incident, events)
    lines = [
        Line(entry.public_id, entry.at, entry.text, str(entry.by or ""), is_hidden=entry.is_hidden,
             is_decision=entry.is_decision, is_own=True, icon="gavel" if entry.is_decision else "pencil")
        for entry in entries
        if entry.event_id is None
    ]  # fmt: skip
    for first, count in _grouped(events):
        words = _words(first, count, names, quotes)
        entry = over.get(first.pk)
        line = Line(f"event-{first.seq}", first.at, words, _actor(first), event_type(first.code).icon)
        if entry is not None:
            line.is_hidden = entry.is_hidden
            if entry.text:
                line.text, line.original = entry.text, words
        lines.append(line)
    lines.sort(key=lambda line: line.at)
    return lines


def original_words(event: TicketEvent) -> str:
    """Return what the timeline says of an event by itself."""
    ticket = event.ticket
    events = list(TicketEvent.objects.filter(ticket_id=ticket.pk, seq__gte=event.seq).order_by("seq")[:2000])
    kept = [one for one in events if one.code not in LEFT_OUT and not one.code.startswith("sla.")]
    count = 0
    for one in kept:
        if one.code != JOINED:
            break
        count += 1
    return _words(event, max(count, 1), _names([event]), _quotes(ticket, [event]))


def _grouped(events: list[TicketEvent]) -> list[tuple[TicketEvent, int]]:
    groups: list[tuple[TicketEvent, int]] = []
    for event in events:
        if event.code == JOINED and groups and groups[-1][0].code == JOINED:
            groups[-1] = (groups[-1][0], groups[-1][1] + 1)
        else:
            groups.append((event, 1))
    return groups


def _names(events: list[TicketEvent]) -> dict[int, str]:
    wanted = set().union(*(people_in(event.data) for event in events)) if events else set()
    return dict(User.objects.filter(pk__in=wanted).values_list("pk", "display_name")) if wanted else {}


def _quotes(ticket: Any, events: list[TicketEvent]) -> dict[str, str]:
    """Return what was said to requesters, by the comment's id; never a work note."""
    refs = [event.data["comment"] for event in events if event.code == "ticket.commented" and event.data.get("comment")]
    found = Comment.objects.filter(ticket_id=ticket.pk, visibility=Visibility.PUBLIC, public_id__in=refs)
    return dict(found.values_list("public_id", "body"))


def _words(event: TicketEvent, count: int, names: dict[int, str], quotes: dict[str, str]) -> str:
    if event.code == JOINED and count > 1:
        return ngettext("%(count)d incident became part of this", "%(count)d incidents became part of this", count) % {
            "count": count
        }
    words = words_of(event.code, event.data, names, inside=True)
    quote = " ".join(quotes.get(str(event.data.get("comment", "")), "").split())
    if not quote:
        return words
    short = quote if len(quote) <= QUOTED else quote[: QUOTED - 1] + "…"
    return _("%(words)s: “%(quote)s”") % {"words": words, "quote": short}


def _actor(event: TicketEvent) -> str:
    return str(event.actor) if event.actor is not None else _("The system")

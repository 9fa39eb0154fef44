"""The whole event log of an ticket in words, for the desk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from itsm.accounts.models import User
from itsm.tickets.events import FIELD_LABELS, event_type, people_in, value_label
from itsm.tickets.models import TicketEvent

TEXT_SHOWN = 200
ON_A_PAGE = 200
MOST_HAPPENINGS = 5


@dataclass(frozen=True)
class Row:
    """One event: who did what when, by which road, and each changed field with its old and new value."""

    seq: int
    at: datetime
    actor: User | None
    text: str
    icon: str
    channel: str
    internal: bool
    changes: list[tuple[str, str, str]]


def history_rows(ticket: Any, viewer: User, *, before: int | None = None) -> tuple[list[Row], int | None]:
    """Return up to 200 events that the viewer may read, newest first, and the next page's `before` (None: no more).

    Takes two queries.
    """
    found = TicketEvent.objects.visible_to(viewer).filter(ticket_id=ticket.pk).select_related("actor")
    if before is not None:
        found = found.filter(seq__lt=before)
    events = list(found.order_by("-seq")[: ON_A_PAGE + 1])
    older = events[ON_A_PAGE - 1].seq if len(events) > ON_A_PAGE else None
    events = events[:ON_A_PAGE]
    wanted = set().union(*(people_in(event.data) for event in events)) if events else set()
    names = dict(User.objects.filter(pk__in=wanted).values_list("pk", "display_name")) if wanted else {}
    return [_row(event, names) for event in events], older


def happenings(ticket: Any, seen: int, viewer: User) -> list[Row]:
    """Return up to five changes by others, messages aside, after the event with that number, oldest first."""
    found = TicketEvent.objects.visible_to(viewer).filter(ticket_id=ticket.pk, seq__gt=seen).exclude(actor=viewer)
    events = list(found.exclude(data__has_key="comment").select_related("actor").order_by("-seq")[:MOST_HAPPENINGS])
    wanted = set().union(*(people_in(event.data) for event in events)) if events else set()
    names = dict(User.objects.filter(pk__in=wanted).values_list("pk", "display_name")) if wanted else {}
    return [_row(event, names) for event in reversed(events)]


def _row(event: TicketEvent, names: Mapping[int, str]) -> Row:
    known = event_type(event.code)
    changes: Mapping[str, Any] = event.data.get("changes", {})
    return Row(
        seq=event.seq,
        at=event.at,
        actor=event.actor,
        # What a plain change says is in its table of values already.
        text=_("changed") if event.code == "ticket.updated" else known.wording(event.data, names),
        icon=known.icon,
        channel=event.get_channel_display(),
        internal=event.internal,
        changes=[
            (_label(name), _short(value_label(name, old, names)), _short(value_label(name, new, names)))
            for name, (old, new) in changes.items()
        ],
    )


def _label(name: str) -> str:
    return _(FIELD_LABELS[name]) if name in FIELD_LABELS else name.replace("_", " ")


def _short(text: str) -> str:
    return text if len(text) <= TEXT_SHOWN else text[: TEXT_SHOWN - 1] + "…"

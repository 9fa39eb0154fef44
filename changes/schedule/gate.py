"""The gate that collisions put before the moves of a change (CH-7, CH-8)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from changes.gates import Lack
from changes.models import CollisionKind, CollisionSettings, Conflict, Weight
from changes.schedule.words import conflict_words, stretch

ASKS = frozenset({"request_approval", "request_authorisation", "schedule", "assessed", "authorised"})
# Once a change is scheduled it has its slot: only a freeze that was declared since still stops it.
AT_START = frozenset({CollisionKind.FREEZE})


def against(change: Any, move: str, at: datetime) -> Iterator[Lack]:
    """Yield the collisions that block the move and that no change manager has waved through. One query, or two."""
    if move not in ASKS and move != "start":
        return
    rows = [row for row in blocking(change, at) if move in ASKS or row.kind in AT_START]
    for row in rows:
        yield Lack("", f"{conflict_words(row)} {stretch(row.starts_at, row.ends_at)}.")
    if rows:
        yield Lack("", _("Plan another time, or ask a change manager to let it go on, with a reason."))


def blocking(change: Any, at: datetime) -> list[Conflict]:
    """Return the collisions that block the change at the instant, in order of time. Asked once of each object: a page
    asks for every move, and a verb has a fresh one."""
    found: list[Conflict] | None = getattr(change, "_blocking", None)
    if found is None:
        rows = Conflict.objects.current().with_words().filter(change=change.pk, overridden_at__isnull=True)
        standing = list(rows)
        settings = CollisionSettings.current() if standing else None
        found = [row for row in standing if settings is not None and row.weight(settings) == Weight.BLOCK]
        change._blocking = found
    return [row for row in found if row.ends_at > at]

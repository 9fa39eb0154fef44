"""The panel of a change's page: in what it collides, and the next free slots."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from changes.actions.editing import frozen_reason
from changes.models import Change, CollisionSettings, Conflict, Weight
from changes.schedule.facts import LIVE
from changes.schedule.slots import free_slots, length_of
from changes.schedule.words import conflict_words
from itsm.accounts.roles import Permission
from itsm.tickets.clock import db_now

SLOTS = 5


def conflict_rows(change: Change) -> list[dict[str, Any]]:
    """Return the collisions of the change that stand, the heaviest first, each with its words. Two queries."""
    settings = CollisionSettings.current()
    rows = Conflict.objects.current().with_words().filter(change=change.pk)
    found = [{"row": row, "words": conflict_words(row), "weight": row.weight(settings)} for row in rows]
    order = {Weight.BLOCK: 0, Weight.WARN: 1, Weight.NOTE: 2}
    return sorted(found, key=lambda one: (bool(one["row"].overridden_at), order[one["weight"]]))


def panel_context(request: HttpRequest, ticket: Any) -> dict[str, Any] | None:
    """Return what the panel shows; None for a change that has been made, or has no window and no service to plan by."""
    if ticket.status not in LIVE:
        return None
    user: Any = request.user
    now = db_now()
    works = user.may(Permission.WORK_TICKETS)
    may_plan = works and not _is_frozen(ticket)
    conflicts = conflict_rows(ticket)
    blocked = any(one["weight"] == Weight.BLOCK and not one["row"].overridden_at for one in conflicts)
    slots = free_slots(ticket, after=now, count=SLOTS) if may_plan else []
    return {
        "conflicts": conflicts,
        "slots": slots,
        "may_plan": may_plan,
        "minutes": int(length_of(ticket).total_seconds() // 60),
        "is_blocked": blocked,
        "may_override": blocked and user.may(Permission.MANAGE_CHANGES),
        "count": sum(1 for one in conflicts if not one["row"].overridden_at) or None,
    }


def _is_frozen(change: Change) -> bool:
    """Whether its planned window cannot be moved as it stands; a scheduled standard change can be."""
    return bool(frozen_reason(change)) and not (change.change_type == "standard" and change.status == "scheduled")

"""What every verb does first: lock, compare the version, ask the rule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from itsm.tickets.actors import Actor
from itsm.tickets.errors import IllegalMove, Stale
from itsm.tickets.moves import Move, check_move, clean_fields
from itsm.tickets.rules import require

_RELATED = ("requester", "opened_by", "assignee", "team", "service", "category")


def lock(ticket: Any) -> Any:
    """Return the ticket as its kind (an incident, …), read anew with its row locked until the transaction ends.

    The row of the ticket itself is what is locked; the service-level tick takes the same lock. What the caller already
    loaded of its people, team, service and category is carried over where the row still names the same: joining them
    anew would cost more than the rest of the verb, mostly in planning.
    """
    # The ticket first: the tick holds that row when a deed of it asks for the child's, and must not find it taken.
    # `no_key`: a row that names this ticket (a link from another one) need not wait, so that two links cannot cross.
    rows = ticket.kind_info.model.objects.select_for_update(of=("ticket_ptr", "self"), no_key=True)
    locked = rows.get(pk=ticket.pk)
    for name in _RELATED:
        if not ticket._meta.get_field(name).is_cached(ticket):
            continue
        known = getattr(ticket, name)
        if known is not None and known.pk == getattr(locked, f"{name}_id"):
            setattr(locked, name, known)
    return locked


def begin(ticket: Any, rule: str, *, actor: Actor, version: int | None = None) -> Any:
    """Return the locked ticket on which the actor may do what the rule names.

    Raises:
        Refused: the rule says no.
        Stale: `version` is given and is not the current one.
    """
    locked = lock(ticket)
    require(rule, actor, locked)
    _check_version(locked, version)
    return locked


def begin_move(
    ticket: Any, move: Move, *, actor: Actor, fields: Mapping[str, Any], version: int | None = None
) -> tuple[Any, dict[str, Any]]:
    """Return the locked ticket and the move's checked values.

    Raises:
        IllegalMove, Refused: the state or the rule does not allow the move.
        Stale: `version` is given and is not the current one.
        Invalid: the values do not fit.
    """
    locked = lock(ticket)
    check_move(locked, move, actor)
    _check_version(locked, version)
    return locked, clean_fields(move, fields, actor.user)


def _check_version(ticket: Any, version: int | None) -> None:
    if version is not None and version != ticket.version:
        raise Stale(seen=version, current=ticket.version)


def check_not_terminal(ticket: Any) -> None:
    """Refuse to change a ticket whose life is over.

    Raises:
        IllegalMove: it is closed or cancelled.
    """
    if ticket.status in ticket.kind_info.terminal_statuses:
        raise IllegalMove(
            _("This ticket is %(status)s and can no longer be changed.") % {"status": ticket.status_label}
        )

"""Changing a ticket's fields: details, owner, priority."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext as _

from itsm.accounts.models import Team, User
from itsm.tickets.actions.base import begin, check_not_terminal
from itsm.tickets.actions.opening import check_level, matrix_priority
from itsm.tickets.actors import Actor
from itsm.tickets.errors import Invalid
from itsm.tickets.log import write
from itsm.tickets.models import Priority
from itsm.tickets.models.ticket import TEXT_MAX, TITLE_MAX
from itsm.tickets.querysets import sees_all_tickets
from itsm.tickets.rules import works_tickets
from itsm.tickets.texts import clean_text


class _Unset:
    """Stands for “not given”, where None means “nobody”."""

    def __bool__(self) -> bool:
        return False


UNSET: Final = _Unset()

EDITABLE = frozenset(
    {"title", "description", "impact", "urgency", "category", "service", "requester", "external_id", "custom"}
)


@transaction.atomic
def update(ticket: Any, changes: Mapping[str, Any], *, actor: Actor, version: int | None = None) -> Any:
    """Set details of the ticket and return it. Impact or urgency set the priority anew from the matrix.

    A call that changes nothing writes nothing.

    Raises:
        Invalid, Refused, Stale, IllegalMove (a closed ticket is not edited).
    """
    locked = begin(ticket, "ticket.edit", actor=actor, version=version)
    check_not_terminal(locked)
    values = _checked(changes)
    if "requester" in values and locked.kind_info.desk_only and not sees_all_tickets(values["requester"]):
        raise Invalid({"requester": _("Only people of the service desk can ask for this.")})
    if {"impact", "urgency"} & values.keys():
        impact, urgency = values.get("impact", locked.impact), values.get("urgency", locked.urgency)
        if (impact, urgency) != (locked.impact, locked.urgency):
            values["priority"] = matrix_priority(impact, urgency)
            values["priority_reason"] = ""
    values = {name: value for name, value in values.items() if getattr(locked, name) != value}
    if values:
        write(locked, "ticket.updated", actor=actor, changes=values)
    return locked


def _checked(changes: Mapping[str, Any]) -> dict[str, Any]:
    problems = {name: _("This cannot be changed here.") for name in changes if name not in EDITABLE}
    values: dict[str, Any] = {}
    for name, value in changes.items():
        try:
            if name == "title":
                values[name] = clean_text(value, name, TITLE_MAX, required=True, one_line=True)
            elif name == "description":
                values[name] = clean_text(value, name, TEXT_MAX)
            elif name == "external_id":
                values[name] = clean_text(value, name, 100, one_line=True)
            elif name in {"impact", "urgency"}:
                values[name] = check_level(value, name)
            elif name == "requester" and value is None:
                problems[name] = _("A ticket needs a requester.")
            elif name in EDITABLE:
                values[name] = value
        except Invalid as error:
            problems.update(error.fields)
    if problems:
        raise Invalid(problems)
    return values


@transaction.atomic
def assign(
    ticket: Any,
    *,
    actor: Actor,
    team: Team | _Unset | None = UNSET,
    assignee: User | _Unset | None = UNSET,
    version: int | None = None,
) -> Any:
    """Give the ticket to a team, a person, both, or (None) take it from them; return it.

    A person outside the new team stays only when named in the same call, or where the ticket cannot be without one.
    Each change of team after the first counts as a reassignment. A call that changes nothing writes nothing.

    Raises:
        Invalid: the person cannot work on tickets, or the ticket's kind keeps what would be taken away. Refused, Stale,
            IllegalMove.
    """
    locked = begin(ticket, "ticket.assign", actor=actor, version=version)
    check_not_terminal(locked)
    changes: dict[str, Any] = {}
    keeps = locked.kind_info.keeps(locked)
    taken = {name for name, value in (("team", team), ("assignee", assignee)) if value is None} & keeps
    if taken:
        raise Invalid(
            {
                name: _("This cannot be left empty while it is %(status)s. Choose somebody else instead.")
                % {"status": locked.status_label}
                for name in sorted(taken)
            }
        )
    if not isinstance(assignee, _Unset) and assignee != locked.assignee:
        if assignee is not None and actor.at is None and not works_tickets(Actor(assignee, actor.channel), locked):
            raise Invalid({"assignee": _("%(name)s does not work on tickets.") % {"name": assignee}})
        changes["assignee"] = assignee
    if not isinstance(team, _Unset) and team != locked.team:
        if team is not None and not team.is_active:
            raise Invalid({"team": _("The team %(name)s is no longer active.") % {"name": team}})
        changes["team"] = team
        leaves = isinstance(assignee, _Unset) and locked.assignee is not None and "assignee" not in keeps
        if leaves and locked.assignee is not None and team is not None:
            stays = team.members.filter(pk=locked.assignee.pk).exists()
            changes.update({} if stays else {"assignee": None})
    if not changes:
        return locked
    if is_reassignment(locked, changes):
        changes["reassignment_count"] = locked.reassignment_count + 1
    write(locked, "ticket.assigned", actor=actor, changes=changes)
    return locked


def is_reassignment(ticket: Any, changes: Mapping[str, Any]) -> bool:
    """Return whether the change takes the ticket from one team to another.

    The first team does not count, nor does a new person: a bounce is a change of group after the first (domain rule
    2.10), which is also how ServiceNow counts (checked against 11,317 incidents of a real desk, `docs/replay.md`).
    """
    return ticket.team is not None and changes.get("team") is not None


@transaction.atomic
def override_priority(ticket: Any, priority: int, *, reason: str, actor: Actor, version: int | None = None) -> Any:
    """Set the priority against the matrix, with a reason, and return the ticket (feature INC-2).

    Raises:
        Invalid: no such priority, or no reason. Refused, Stale, IllegalMove.
    """
    locked = begin(ticket, "ticket.override_priority", actor=actor, version=version)
    check_not_terminal(locked)
    if isinstance(priority, bool) or priority not in Priority.values:
        raise Invalid({"priority": _("Choose a priority from 1 (critical) to 5 (planning).")})
    said = clean_text(reason, "reason", 500, required=True, one_line=True)
    if priority != locked.priority or said != locked.priority_reason:
        write(
            locked,
            "ticket.priority_overridden",
            actor=actor,
            changes={"priority": priority, "priority_reason": said},
            data={"reason": said},
        )
    return locked

"""Finding who is told by an escalation, at the instant at which it fires."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from itsm.accounts.models import Team, User
from itsm.accounts.roles import Permission
from itsm.tickets.querysets import sees_all_tickets
from slas.actions.orders import (
    ASSIGNEE,
    NOTIFY,
    REQUESTER_MANAGER,
    ROLES,
    TEAM,
    TEAM_LEAD,
    Action,
    actions_of,
    later_actions,
)
from slas.recording import Fired
from slas.rotas import person_on_call

NOBODY: dict[str, Any] = {"users": [], "team": None, "role": ""}


class Recipients:
    """Finds who is told. What many tickets share is asked for once; never answers with nobody while there is an
    administrator."""

    def __init__(self) -> None:
        self._members: dict[int, list[int]] = {}
        self._leads: dict[int, list[int]] = {}
        self._on_call: dict[tuple[int, int], list[int]] = {}
        self._holders: dict[str, list[int]] = {}
        self._active: dict[int, bool] = {}
        self._rulers: list[int] | None = None
        self._of_steps: dict[tuple[Any, ...], dict[str, Any]] = {}

    def of_step(self, ticket: Any, step: Fired, together: Sequence[Fired], now: datetime) -> dict[str, Any]:
        """Return whom a step tells, and with it those that it speaks for, as `find` does.

        Tickets with the same team and assignee have the same answer, and are asked about once: in a storm most do.
        """
        timer = step.timer
        steps = timer.chain_version.steps if timer.chain_version is not None else []
        if together or _names_a_manager(steps):
            orders = [action for one in (*together, step) for action in actions_of(one)]
            return self.find(ticket, orders, now, later_actions(step))
        taken_over = timer.acknowledged_by_id if timer.acknowledged_at is not None else None
        key = (timer.chain_version_id, step.step, step.is_breach, taken_over, ticket.team_id, ticket.assignee_id)
        if key not in self._of_steps:
            self._of_steps[key] = self.find(ticket, actions_of(step), now, later_actions(step))
        return self._of_steps[key]

    def find(
        self, ticket: Any, actions: Iterable[Action], now: datetime, later: Iterable[Sequence[Action]] = ()
    ) -> dict[str, Any]:
        """Return whom the notices among the actions name: `{"users": ids, "team": id or None, "role": "…|…"}`.

        `in_hours` lists those who are told in their hours only, `outside` those who do not use the desk and so are told
        less. Where none of them is anybody (`no_recipient`), the
        people of the next of the `later` steps that names somebody are told at once, and the team: its members, else
        its lead, else the administrators.
        """
        orders = [action for action in actions if action["do"] == NOTIFY]
        users, team_id, in_hours = self._named(ticket, orders, now)
        found: dict[str, Any] = {"role": "|".join(_roles_of(orders))}
        outside = _outside(ticket, orders)
        if outside:
            found["outside"] = outside
        if not users and not outside:
            found["no_recipient"] = True
            for following in later:
                users, team_id, _hours = self._named(ticket, [one for one in following if one["do"] == NOTIFY], now)
                if users:
                    break
            fallback = self.fallback(ticket)
            team_id = team_id or (ticket.team_id if self._members_of(ticket.team) else None)
            users = list(dict.fromkeys([*users, *fallback]))
        elif in_hours:
            found["in_hours"] = in_hours
        return {"users": users, "team": team_id, **found}

    def fallback(self, ticket: Any) -> list[int]:
        """Return who is told when nobody else is: the team's members, its lead, or the administrators."""
        return self._members_of(ticket.team) or self._lead_of(ticket.team) or self._administrators()

    def _named(self, ticket: Any, orders: Iterable[Action], now: datetime) -> tuple[list[int], int | None, list[int]]:
        """Return the people, the team whose mailbox is told too, and who of them is told in their hours only."""
        at_once: list[int] = []
        in_hours: list[int] = []
        team_id: int | None = None
        for action in orders:
            people = [one for role in ROLES if role in action.get("who", ()) for one in self._people(ticket, role)]
            people += [pk for pk in action.get("people", ()) if self._is_active(pk)]
            people += [pk for role in action.get("roles", ()) for pk in self._holders_of(role)]
            people += [pk for rota, level in action.get("on_call", ()) for pk in self._on_call_of(rota, level, now)]
            (in_hours if action.get("in_hours") else at_once).extend(people)
            if TEAM in action.get("who", ()) and ticket.team_id is not None:
                team_id = ticket.team_id
        users = list(dict.fromkeys([*at_once, *in_hours]))
        return users, team_id, [pk for pk in dict.fromkeys(in_hours) if pk not in set(at_once)]

    def _people(self, ticket: Any, role: str) -> list[int]:
        if role == TEAM:
            return self._members_of(ticket.team)
        if role == TEAM_LEAD:
            return self._lead_of(ticket.team)
        person = ticket.assignee if role == ASSIGNEE else None
        if role == REQUESTER_MANAGER:
            person = ticket.requester.manager
            # What is internal is told to people of the desk only; others: `_outside`.
            person = person if person is not None and sees_all_tickets(person) else None
        return [person.pk] if person is not None and person.is_active else []

    def _members_of(self, team: Team | None) -> list[int]:
        if team is None:
            return []
        if team.pk not in self._members:
            members = team.members.filter(is_active=True).order_by("pk")
            self._members[team.pk] = list(members.values_list("pk", flat=True))
        return self._members[team.pk]

    def _lead_of(self, team: Team | None) -> list[int]:
        if team is None:
            return []
        if team.pk not in self._leads:
            self._leads[team.pk] = [team.lead.pk] if team.lead is not None and team.lead.is_active else []
        return self._leads[team.pk]

    def _on_call_of(self, rota: int, level: int, now: datetime) -> list[int]:
        if (rota, level) not in self._on_call:
            found = person_on_call(rota, level, now)
            self._on_call[rota, level] = [found.pk] if found is not None else []
        return self._on_call[rota, level]

    def _holders_of(self, role: str) -> list[int]:
        if role not in self._holders:
            people = User.objects.active().filter(roles__contains=[role]).order_by("pk")
            self._holders[role] = [person.pk for person in people if sees_all_tickets(person)]
        return self._holders[role]

    def _is_active(self, pk: int) -> bool:
        if pk not in self._active:
            self._active[pk] = User.objects.active().filter(pk=pk).exists()
        return self._active[pk]

    def _administrators(self) -> list[int]:
        if self._rulers is None:
            rulers = User.objects.with_permission(Permission.MANAGE_DESK).order_by("pk")
            self._rulers = list(rulers.values_list("pk", flat=True))
        return self._rulers


def _roles_of(orders: Iterable[Action]) -> list[str]:
    wanted = {role for action in orders for role in action.get("who", ())}
    named = [role for role in ROLES if role in wanted]
    for kind in ("people", "roles", "on_call"):
        named += [kind] if any(action.get(kind) for action in orders) else []
    return named


def _names_a_manager(steps: Iterable[Mapping[str, Any]]) -> bool:
    return any(REQUESTER_MANAGER in action.get("who", ()) for step in steps for action in step["actions"])


def _outside(ticket: Any, orders: Iterable[Action]) -> list[int]:
    """The requester's manager, where a step names them and they do not use the desk."""
    if not any(REQUESTER_MANAGER in action.get("who", ()) for action in orders):
        return []
    person = ticket.requester.manager
    return [person.pk] if person is not None and person.is_active and not sees_all_tickets(person) else []

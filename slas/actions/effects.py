"""What a step of a chain sets in motion: an event in the ticket's log, from which the notices go out, and deeds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext as _

from itsm.accounts.models import Team, User
from itsm.accounts.roles import Permission
from itsm.tickets.actions import assign, override_priority
from itsm.tickets.actors import SYSTEM, Actor
from itsm.tickets.errors import VerbError
from itsm.tickets.log import Entry, write_many
from slas.models import BREACH, EventKind
from slas.recording import Fired
from slas.steps import code_of

NOTIFY, ASSIGN_TEAM, RAISE_PRIORITY = "notify", "assign_team", "raise_priority"
ASSIGNEE, TEAM_LEAD, TEAM = "assignee", "team_lead", "team"
ROLES = (ASSIGNEE, TEAM_LEAD, TEAM)
HIGHEST_PRIORITY = 1
NOBODY: Mapping[str, Any] = {"users": [], "team": None, "role": ""}
# A breach always reaches somebody, also where a chain names nobody.
UNNAMED_BREACH: tuple[Mapping[str, Any], ...] = ({"do": NOTIFY, "who": [ASSIGNEE]},)


class Recipients:
    """Finds who is told. Teams are asked for once; never answers with nobody while there is an administrator."""

    def __init__(self) -> None:
        self._members: dict[int, list[int]] = {}
        self._rulers: list[int] | None = None

    def find(self, ticket: Any, who: Iterable[str]) -> dict[str, Any]:
        """Return `{"users": ids, "team": id or None, "role": "assignee|team_lead"}` for these roles on the ticket.

        Where none of them is anybody: the team's members; where there are none either: the administrators.
        """
        wanted = [role for role in ROLES if role in set(who)]
        users: list[int] = []
        team_id: int | None = None
        for role in wanted:
            if role == TEAM and ticket.team_id is not None:
                team_id = ticket.team_id
            users += self._people(ticket, role)
        if not users:
            users = self._people(ticket, TEAM)
            team_id = ticket.team_id if users else team_id
        return {
            "users": list(dict.fromkeys(users or self._administrators())),
            "team": team_id,
            "role": "|".join(wanted),
        }

    def _people(self, ticket: Any, role: str) -> list[int]:
        if role == TEAM:
            return self._members_of(ticket.team)
        person = ticket.assignee if role == ASSIGNEE else ticket.team.lead if ticket.team else None
        return [person.pk] if person is not None and person.is_active else []

    def _members_of(self, team: Team | None) -> list[int]:
        if team is None:
            return []
        if team.pk not in self._members:
            members = team.members.filter(is_active=True).order_by("pk")
            self._members[team.pk] = list(members.values_list("pk", flat=True))
        return self._members[team.pk]

    def _administrators(self) -> list[int]:
        if self._rulers is None:
            rulers = User.objects.with_permission(Permission.MANAGE_DESK).order_by("pk")
            self._rulers = list(rulers.values_list("pk", flat=True))
        return self._rulers


class Effects:
    """Carries out, on one locked ticket, what steps that were recorded ask for.

    `tell` writes the events only. `carry_out` first does what the chain orders on the ticket (another team, a higher
    priority). A verb of a person that finds overdue steps tells and leaves the deeds: somebody is at work on it.
    """

    def __init__(
        self, ticket: Any, *, actor: Actor, detected_at: datetime, recipients: Recipients | None = None
    ) -> None:
        self.ticket = ticket
        self.actor = actor
        self.detected_at = detected_at
        self.recipients = recipients or Recipients()

    def entries(self, happened: Iterable[Fired]) -> list[Entry]:
        """Return the event of each step, in order, for `write_many`. Of what an import brought only breaches are noted,
        for nobody."""
        found = []
        for step in happened:
            if step.told:
                found.append(self._entry(step, {"notify": self._notify(step)}))
            elif step.step == BREACH:
                found.append(self._entry(step, {"imported": True, "notify": NOBODY}))
        return found

    def tell(self, happened: Iterable[Fired]) -> None:
        """Write an event for each step and do nothing else."""
        write_many(self.entries(happened))

    def carry_out(self, happened: Iterable[Fired]) -> None:
        """Do on the ticket what each step's chain orders, then write its event."""
        for step in happened:
            if not step.told:
                self.tell([step])
                continue
            notify = self._notify(step)
            deeds = [found for action in actions_of(step) if (found := self._do(step, action)) is not None]
            write_many([self._entry(step, {"notify": notify, **({"deeds": deeds} if deeds else {})})])

    def _notify(self, step: Fired) -> dict[str, Any]:
        who: list[str] = []
        for action in actions_of(step):
            if action["do"] == NOTIFY:
                who += action["who"]
        return self.recipients.find(self.ticket, who)

    def _do(self, step: Fired, action: Mapping[str, Any]) -> dict[str, Any] | None:
        """Do one deed by its verb and return what became of it; None for what is no deed or is so already."""
        if action["do"] == NOTIFY:
            return None
        before = (self.ticket.team_id, self.ticket.priority)
        try:
            if action["do"] == ASSIGN_TEAM:
                team = Team.objects.filter(pk=action["team"]).first()
                if team is None:
                    return {"do": ASSIGN_TEAM, "failed": _("The team no longer exists.")}
                self.ticket = assign(self.ticket, actor=SYSTEM, team=team)
            elif self.ticket.priority > HIGHEST_PRIORITY:
                reason = _("%(percent)d %% of the %(metric)s target is used.") % {
                    "percent": step.step,
                    "metric": step.timer.get_metric_display(),
                }
                priority = self.ticket.priority - 1
                self.ticket = override_priority(self.ticket, priority, reason=reason, actor=SYSTEM)
        except VerbError as error:
            return {"do": action["do"], "failed": error.message}
        return {"do": action["do"]} if (self.ticket.team_id, self.ticket.priority) != before else None

    def _entry(self, step: Fired, more: Mapping[str, Any]) -> Entry:
        timer = step.timer
        data = {
            "metric": timer.metric,
            "policy": timer.policy.name,
            "percent": step.step,
            "target_s": timer.target_s,
            "due_at": step.due_at.astimezone(UTC).isoformat() if step.due_at else None,
            "detected_at": max(self.detected_at, step.at).astimezone(UTC).isoformat(),
            **({"retroactive": True} if step.retroactive else {}),
            **more,
        }
        actor = replace(self.actor, at=step.at) if self.actor.at is not None else SYSTEM
        return Entry(self.ticket, f"sla.{step.kind}", actor, step.at, data)


def has_deeds(step: Fired) -> bool:
    """Return whether the step's chain orders more than telling somebody."""
    return step.told and any(action["do"] != NOTIFY for action in actions_of(step))


def actions_of(step: Fired) -> list[Mapping[str, Any]]:
    """Return what the timer's chain orders at this step."""
    chain = step.timer.chain_version
    steps = chain.steps if chain is not None else []
    listed: list[Mapping[str, Any]] = next((one["actions"] for one in steps if code_of(one) == step.step), [])
    if step.kind == EventKind.BREACHED and not any(action["do"] == NOTIFY for action in listed):
        return [*listed, *UNNAMED_BREACH]
    return listed

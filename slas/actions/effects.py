"""What a step of a chain sets in motion: an event in the ticket's log, from which the notices go out, and deeds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext as _

from itsm.accounts.models import Team, User
from itsm.tickets.actions import assign, override_priority, watch
from itsm.tickets.actors import SYSTEM, Actor
from itsm.tickets.errors import VerbError
from itsm.tickets.log import Entry, write_many
from slas.actions.lateness import Lateness
from slas.actions.orders import (
    ADD_WATCHER,
    ASSIGN_PERSON,
    ASSIGN_TEAM,
    BY_EVENT,
    RAISE_PRIORITY,
    WEBHOOK,
    Action,
    actions_of,
)
from slas.actions.recipients import NOBODY, Recipients
from slas.events import step_words
from slas.models import BREACH, Metric
from slas.recording import Fired
from slas.steps import step_of

HIGHEST_PRIORITY = 1


class Effects:
    """Carries out, on one locked ticket, what steps that were recorded ask for.

    `tell` writes the events only. `carry_out` first does what the chain orders on the ticket (another team, a higher
    priority). A verb of a person that finds overdue steps tells and leaves the deeds: somebody is at work on it.
    """

    def __init__(
        self,
        ticket: Any,
        *,
        actor: Actor,
        detected_at: datetime,
        recipients: Recipients | None = None,
        lateness: Lateness | None = None,
    ) -> None:
        self.ticket = ticket
        self.actor = actor
        self.detected_at = detected_at
        self.recipients = recipients or Recipients()
        self.lateness = lateness or Lateness([], detected_at)

    def entries(self, happened: Iterable[Fired]) -> list[Entry]:
        """Return the event of each step, in order, for `write_many`. Of what an import brought only breaches are noted,
        for nobody."""
        found = []
        for step in happened:
            if step.told:
                found.append(self._entry(step, self._said(step)))
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
            said = self._said(step)
            deeds = [found for action in actions_of(step) if (found := self._do(step, action)) is not None]
            write_many([self._entry(step, {**said, **({"deeds": deeds} if deeds else {})})])

    def _said(self, step: Fired) -> dict[str, Any]:
        """Return whom the event tells, which webhooks it calls, and of which late steps it speaks as well."""
        said: dict[str, Any] = {}
        calls = [action["endpoint"] for action in actions_of(step) if action["do"] == WEBHOOK]
        if calls:
            said["webhooks"] = calls
        if self.lateness.is_folded(step):
            return {**said, "folded": True, "notify": NOBODY}
        together = self.lateness.folded_into(step)
        if together:
            said["late_steps"] = [[one.step, one.repetition] for one in together]
        if self.lateness.is_late(step):
            said["late"] = True
        return {**said, "notify": self.recipients.of_step(self.ticket, step, together, self.detected_at)}

    def _do(self, step: Fired, action: Action) -> dict[str, Any] | None:
        """Do one deed by its verb and return what became of it; None for what is no deed or is so already."""
        if action["do"] in BY_EVENT:
            return None
        try:
            changed = _DEEDS[action["do"]](self, step, action)
        except Missing as error:
            return {"do": action["do"], "failed": str(error)}
        except VerbError as error:
            return {"do": action["do"], "failed": error.message}
        return {"do": action["do"]} if changed else None

    def _assign_team(self, step: Fired, action: Action) -> bool:
        team = Team.objects.filter(pk=action["team"]).first()
        if team is None:
            raise Missing(_("The team no longer exists."))
        before = self.ticket.team_id
        self.ticket = assign(self.ticket, actor=SYSTEM, team=team)
        return bool(self.ticket.team_id != before)

    def _assign_person(self, step: Fired, action: Action) -> bool:
        before = self.ticket.assignee_id
        self.ticket = assign(self.ticket, actor=SYSTEM, assignee=self._active_person(action))
        return bool(self.ticket.assignee_id != before)

    def _add_watcher(self, step: Fired, action: Action) -> bool:
        person = self._active_person(action)
        if self.ticket.watchers.filter(pk=person.pk).exists():
            return False
        watch(self.ticket, person, actor=SYSTEM)
        # Watching writes an event of its own: the ticket in hand must go on from that one.
        self.ticket.refresh_from_db(fields=["event_seq", "event_hash", "version", "updated_at"])
        return True

    def _raise_priority(self, step: Fired, action: Action) -> bool:
        if self.ticket.priority <= HIGHEST_PRIORITY:
            return False
        reason = _("The %(metric)s target: %(when)s.") % {
            "metric": Metric(step.timer.metric).label.lower(),
            "when": step_words(step_of(step.step)),
        }
        self.ticket = override_priority(self.ticket, self.ticket.priority - 1, reason=reason, actor=SYSTEM)
        return True

    def _active_person(self, action: Action) -> User:
        person = User.objects.active().filter(pk=action["person"]).first()
        if person is None:
            raise Missing(_("The person's account is closed."))
        return person

    def _entry(self, step: Fired, more: Mapping[str, Any]) -> Entry:
        timer = step.timer
        lies = step_of(step.step)
        data = {
            "metric": timer.metric,
            "policy": timer.policy.name,
            "percent": lies.percent if lies.percent is not None else BREACH,
            **({"minutes": lies.minutes, "clock": str(lies.by)} if lies.percent is None else {}),
            **({"repetition": step.repetition} if step.repetition else {}),
            "target_s": timer.target_s,
            "due_at": step.due_at.astimezone(UTC).isoformat() if step.due_at else None,
            "detected_at": max(self.detected_at, step.at).astimezone(UTC).isoformat(),
            **({"retroactive": True} if step.retroactive else {}),
            **more,
        }
        actor = replace(self.actor, at=step.at) if self.actor.at is not None else SYSTEM
        return Entry(self.ticket, f"sla.{step.kind}", actor, step.at, data)


class Missing(Exception):
    """What a deed needs is gone; the message says what."""


Deed = Callable[[Effects, Fired, Action], bool]
_DEEDS: Mapping[str, Deed] = {
    ASSIGN_TEAM: Effects._assign_team,
    ASSIGN_PERSON: Effects._assign_person,
    RAISE_PRIORITY: Effects._raise_priority,
    ADD_WATCHER: Effects._add_watcher,
}

"""What a chain says, in words: when each step lies, what it orders, who would be told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from itsm.accounts.models import Team, User
from itsm.accounts.roles import Role
from itsm.notifications.models import Endpoint
from itsm.tickets.models import Ticket
from slas.actions.orders import (
    ADD_WATCHER,
    ASSIGN_PERSON,
    ASSIGN_TEAM,
    NOTIFY,
    RAISE_PRIORITY,
    ROLES,
    WEBHOOK,
    Action,
)
from slas.actions.recipients import Recipients
from slas.calendars import CalendarError, CompiledCalendar
from slas.events import step_words
from slas.models import Rota, RotaLevel
from slas.steps import BREACH, By, Step, code_of, step_of

US = 1_000_000
MINUTE_US = 60 * US
Stored = Mapping[str, Any]


class Names:
    """The names of what chains refer to, read once for all of them."""

    def __init__(self, steps: Iterable[Stored]) -> None:
        actions = [action for step in steps for action in step.get("actions", ())]
        people = {pk for one in actions for pk in one.get("people", ())}
        people |= {one["person"] for one in actions if "person" in one}
        rotas = {rota for one in actions for rota, _level in one.get("on_call", ())}
        teams = {one["team"] for one in actions if "team" in one}
        endpoints = {one["endpoint"] for one in actions if "endpoint" in one}
        self.people = _by_id(User.objects.filter(pk__in=people).values_list("pk", "display_name"), people)
        self.rotas = _by_id(Rota.objects.filter(pk__in=rotas).values_list("pk", "name"), rotas)
        self.teams = _by_id(Team.objects.filter(pk__in=teams).values_list("pk", "name"), teams)
        self.endpoints = _by_id(Endpoint.objects.filter(pk__in=endpoints).values_list("pk", "name"), endpoints)

    def person(self, pk: Any) -> str:
        """Return the person's name."""
        return self.people.get(pk, "?")


def _by_id(rows: Any, wanted: set[int]) -> dict[int, str]:
    return dict(rows) if wanted else {}


def role_labels() -> dict[str, str]:
    """Return the words for the people that a ticket itself names."""
    return dict(
        zip(
            ROLES,
            (_("the assignee"), _("the team's lead"), _("the whole team"), _("the requester's manager")),
            strict=True,
        )
    )


def action_words(action: Action, names: Names) -> str:
    """Return what an action of a chain does, in words."""
    do = action.get("do")
    if do == NOTIFY:
        words = _("tell %(who)s") % {"who": ", ".join(_told(action, names))}
        return _("%(tell)s, in their hours only") % {"tell": words} if action.get("in_hours") else words
    if do == ASSIGN_TEAM:
        return _("give it to %(team)s") % {"team": names.teams.get(action.get("team", 0), "?")}
    if do == ASSIGN_PERSON:
        return _("assign it to %(name)s") % {"name": names.person(action.get("person"))}
    if do == ADD_WATCHER:
        return _("let %(name)s watch it") % {"name": names.person(action.get("person"))}
    if do == WEBHOOK:
        return _("call the webhook %(name)s") % {"name": names.endpoints.get(action.get("endpoint", 0), "?")}
    return _("raise the priority") if do == RAISE_PRIORITY else str(do)


def _told(action: Action, names: Names) -> list[str]:
    labels = role_labels()
    told = [labels.get(one, str(one)) for one in action.get("who", ())]
    told += [names.person(pk) for pk in action.get("people", ())]
    told += [_("everybody with the role %(role)s") % {"role": Role(role).label} for role in action.get("roles", ())]
    for rota, level in action.get("on_call", ()):
        words = {"rota": names.rotas.get(rota, "?"), "level": RotaLevel(level).label.lower()}
        told.append(_("who is on call of %(rota)s (%(level)s)") % words)
    return told


def place_words(step: Stored) -> str:
    """Return when a stored step lies, in words; the breach is called so."""
    lies = step_of(code_of(step))
    return pgettext("service level", "Breach") if lies.code == BREACH else step_words(lies)


def repeat_words(step: Stored) -> str:
    """Return how the step comes again, in words; empty where it does not."""
    repeat = step.get("repeat")
    if not repeat:
        return ""
    count = ngettext("%(most)d time", "%(most)d times", repeat["most"]) % {"most": repeat["most"]}
    words = {"minutes": repeat["minutes"], "count": count}
    if repeat.get("clock") == By.BUSINESS:
        return _("again every %(minutes)d working minutes, at most %(count)s") % words
    return _("again every %(minutes)d minutes, at most %(count)s") % words


@dataclass(frozen=True)
class Line:
    """One step of a chain for the page: its instant in an example (None: never), and what it does."""

    place: str
    is_late: bool
    words: list[str]
    repeat: str
    at: datetime | None = None
    told: str = ""


def lines_of(steps: Sequence[Stored], names: Names | None = None) -> list[Line]:
    """Return the steps in words."""
    names = names or Names(steps)
    return [
        Line(
            place_words(step),
            code_of(step) == BREACH or step_of(code_of(step)).is_after,
            [action_words(action, names) for action in step["actions"]],
            repeat_words(step),
        )
        for step in steps
    ]


def example(steps: Sequence[Stored], hours: CompiledCalendar, start: datetime, target_s: int) -> list[Line]:
    """Return the steps in words with the instants they would have for a ticket of `start` and this target, in order of
    time. The due time is among them, also where the chain has no step there."""
    every = list(steps)
    if not any(code_of(step) == BREACH for step in every):
        every.append({"percent": BREACH, "actions": [{"do": NOTIFY, "who": ["assignee"]}]})
    found = [
        Line(line.place, line.is_late, line.words, line.repeat, _instant(step, hours, start, target_s))
        for step, line in zip(every, lines_of(every), strict=True)
    ]
    return sorted(found, key=lambda line: (line.at is None, line.at or start))


def _instant(step: Stored, hours: CompiledCalendar, start: datetime, target_s: int) -> datetime | None:
    lies: Step = step_of(code_of(step))
    try:
        if lies.percent is not None:
            return hours.due(start, max(target_s * US * lies.percent // BREACH, 1))
        if lies.by == By.WALL:
            instant = hours.due(start, target_s * US) + timedelta(minutes=lies.minutes)
            return instant if instant >= start else None
        amount = target_s * US + lies.minutes * MINUTE_US
        return hours.due(start, amount) if amount > 0 else None
    except CalendarError:
        return None


def told_now(steps: Sequence[Stored], ticket: Ticket, now: datetime) -> list[Line]:
    """Return the steps in words with the names of those who would be told, if each fired now for this ticket."""
    recipients = Recipients()
    found = []
    for number, (step, line) in enumerate(zip(steps, lines_of(steps), strict=True)):
        later = [list(one["actions"]) for one in steps[number + 1 :]]
        orders = [action for action in step["actions"] if action["do"] == NOTIFY]
        told = recipients.find(ticket, orders, now, later) if orders else {"users": []}
        people = User.objects.filter(pk__in=told["users"]).order_by("display_name")
        names = people.values_list("display_name", flat=True)
        words = ", ".join(names)
        if told.get("no_recipient"):
            words = _("nobody of these; instead: %(names)s") % {"names": words}
        found.append(Line(line.place, line.is_late, line.words, line.repeat, told=words or _("nobody is told")))
    return found

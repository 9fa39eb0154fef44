"""Saving escalations. What is saved is checked to the end, so that no step can fail for what it says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from itsm.accounts.changelog import Deed, record_change
from itsm.accounts.models import Team, User
from itsm.accounts.roles import ROLE_PERMISSIONS, Permission
from itsm.notifications.models import Endpoint
from itsm.tickets.actors import Actor
from itsm.tickets.errors import Invalid
from itsm.tickets.texts import clean_text
from slas.actions.orders import (
    ADD_WATCHER,
    ASSIGN_PERSON,
    ASSIGN_TEAM,
    DEEDS,
    NOTIFY,
    RAISE_PRIORITY,
    ROLES,
    WEBHOOK,
)
from slas.actions.setting_up import NAME_MAX, check_version, require_manager, touch_setup
from slas.models import ChainVersion, EscalationChain, Rota, RotaLevel
from slas.steps import BREACH, LARGEST_OFFSET, LARGEST_PERCENT, By, Step, code_of, step_of

MAX_STEPS = 20
MOST_REPETITIONS = 100
LONGEST_REPEAT = 10_080  # minutes; a week
DESK_ROLES = tuple(role for role, codes in ROLE_PERMISSIONS.items() if Permission.VIEW_TICKETS in codes)
Stored = dict[str, Any]


@transaction.atomic
def save_chain(name: str, steps: Sequence[Mapping[str, Any]], *, actor: Actor, seen: str = "") -> EscalationChain:
    """Store the steps of the chain of this name and return it. Timers that run keep the steps they began with.

    A step lies at `{"percent": 75}` of the target or at `{"minutes": -30, "clock": "business"|"wall"}` from the due
    time, has `"actions"`, and may have `"repeat": {"minutes": 15, "most": 4, "clock": "wall"|"business"}`. Actions:

    - `{"do": "notify", "who": [roles], "people": [ids], "roles": [codes], "on_call": [[rota id, level], …],
      "in_hours": true}`; each part may be left out, one must name somebody;
    - `{"do": "assign_team", "team": id}`, `{"do": "assign_person", "person": id}`, `{"do": "raise_priority"}`,
      `{"do": "add_watcher", "person": id}`, `{"do": "webhook", "endpoint": id}`.

    `seen`: the number of the version that the caller saw.

    Raises:
        Refused, Invalid, ChangedMeanwhile.
    """
    require_manager(actor)
    title = clean_text(name, "name", NAME_MAX, required=True, one_line=True)
    checked = checked_steps(steps)
    chain, _is_new = EscalationChain.objects.select_for_update().get_or_create(name=title)
    check_version(chain.current, seen)
    if chain.current is None or chain.current.steps != checked:
        number = chain.current.number + 1 if chain.current else 1
        before = {"steps": chain.current.steps} if chain.current else {}
        chain.current = ChainVersion.objects.create(chain=chain, number=number, steps=checked)
        chain.save(update_fields=["current"])
        touch_setup()
        record_change(actor.user, Deed.CHANGED if before else Deed.CREATED, chain, before, {"steps": checked})
    return chain


def checked_steps(steps: Sequence[Mapping[str, Any]]) -> list[Stored]:
    """Return the steps as a chain version stores them, in the order in which they are meant to follow each other:
    percentages, offsets before the due time, the breach, percentages and offsets after it.

    Raises:
        Invalid: with a sentence that says what to do.
    """
    if len(steps) > MAX_STEPS:
        raise _wrong(_("An escalation can have %(most)d steps.") % {"most": MAX_STEPS})
    checked: dict[int, Stored] = {}
    for step in steps:
        where = _checked_place(step)
        code = code_of(where)
        if code in checked:
            raise _wrong(_("There are two steps at %(place)s. Make them one.") % {"place": _place_words(where)})
        stored = {**where, "actions": _checked_actions(step.get("actions", ()))}
        if step.get("repeat"):
            stored["repeat"] = _checked_repeat(step["repeat"])
        checked[code] = stored
    return [checked[code] for code in sorted(checked, key=_order)]


def _order(code: int) -> tuple[int, int]:
    lies = step_of(code)
    if lies.percent is not None:
        return (0 if lies.percent < BREACH else 2 if lies.is_breach else 3, lies.percent)
    return (4 if lies.is_after else 1, lies.minutes)


def _wrong(sentence: str) -> Invalid:
    return Invalid({"steps": sentence})


def _checked_place(step: Mapping[str, Any]) -> Stored:
    if "minutes" in step and step.get("percent") is None:
        minutes, clock = step["minutes"], step.get("clock", By.BUSINESS)
        if not _is_whole(minutes, -LARGEST_OFFSET, LARGEST_OFFSET) or clock not in list(By):
            raise _wrong(_("Give a step a number of minutes before or after the due time, and the clock."))
        return {"minutes": minutes, "clock": str(clock)} if minutes else {"percent": Step(minutes=0).code}
    percent = step.get("percent")
    if not _is_whole(percent, 1, LARGEST_PERCENT):
        raise _wrong(_("Give each step a percentage from 1 to %(most)d.") % {"most": LARGEST_PERCENT})
    return {"percent": percent}


def _place_words(where: Mapping[str, Any]) -> str:
    if "percent" in where:
        return f"{where['percent']} %"
    return _("%(minutes)d min") % {"minutes": where["minutes"]}


def _checked_repeat(repeat: Any) -> Stored:
    good = isinstance(repeat, Mapping) and repeat.get("clock", By.WALL) in list(By)
    if not good or not _is_whole(repeat.get("minutes"), 1, LONGEST_REPEAT):
        raise _wrong(_("A step comes again after 1 to %(most)d minutes.") % {"most": LONGEST_REPEAT})
    if not _is_whole(repeat.get("most"), 1, MOST_REPETITIONS):
        raise _wrong(_("A step comes again 1 to %(most)d times.") % {"most": MOST_REPETITIONS})
    return {"minutes": repeat["minutes"], "most": repeat["most"], "clock": str(repeat.get("clock", By.WALL))}


def _checked_actions(actions: Iterable[Mapping[str, Any]]) -> list[Stored]:
    checked: list[Stored] = []
    for action in actions:
        do = action.get("do") if isinstance(action, Mapping) else None
        if do not in DEEDS:
            raise _wrong(_("Choose what is done: %(choices)s.") % {"choices": ", ".join(DEEDS)})
        stored = _CHECKS[do](action)
        if stored not in checked:
            checked.append(stored)
    return checked


def _checked_notify(action: Mapping[str, Any]) -> Stored:
    who, people, roles, on_call = (list(action.get(part) or ()) for part in ("who", "people", "roles", "on_call"))
    if not (who or people or roles or on_call) or not set(who) <= set(ROLES) or not set(roles) <= set(DESK_ROLES):
        raise _wrong(_("Say who is told: %(roles)s.") % {"roles": ", ".join(ROLES)})
    for pk in people:
        _require_worker(pk, readers_too=True)
    for pair in on_call:
        known = isinstance(pair, list | tuple) and len(pair) == 2 and pair[1] in RotaLevel.values
        if not known or not Rota.objects.filter(pk=_id(pair[0])).exists():
            raise _wrong(_("Choose the rota and the level whose person on call is told."))
    stored: Stored = {"do": NOTIFY}
    if who:
        stored["who"] = [role for role in ROLES if role in who]
    if people:
        stored["people"] = list(dict.fromkeys(people))
    if roles:
        stored["roles"] = [str(role) for role in DESK_ROLES if role in roles]
    if on_call:
        stored["on_call"] = [[rota, int(level)] for rota, level in on_call]
    if action.get("in_hours"):
        stored["in_hours"] = True
    return stored


def _checked_team(action: Mapping[str, Any]) -> Stored:
    if not Team.objects.active().filter(pk=_id(action.get("team"))).exists():
        raise _wrong(_("Choose the team that gets the ticket."))
    return {"do": ASSIGN_TEAM, "team": action["team"]}


def _checked_person(action: Mapping[str, Any]) -> Stored:
    return {"do": action["do"], "person": _require_worker(action.get("person"))}


def _checked_webhook(action: Mapping[str, Any]) -> Stored:
    if not Endpoint.objects.filter(pk=_id(action.get("endpoint"))).exists():
        raise _wrong(_("Choose the webhook that is called."))
    return {"do": WEBHOOK, "endpoint": action["endpoint"]}


def _require_worker(pk: Any, *, readers_too: bool = False) -> int:
    permission = Permission.VIEW_TICKETS if readers_too else Permission.WORK_TICKETS
    if not User.objects.with_permission(permission).filter(pk=_id(pk)).exists():
        raise _wrong(_("Choose a person of the service desk whose account is open."))
    return int(pk)


def _id(value: Any) -> int:
    """The value where it can be the id of a row; else one that no row has."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**62 else 0


def _is_whole(value: Any, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


_CHECKS: Mapping[str, Callable[[Mapping[str, Any]], Stored]] = {
    NOTIFY: _checked_notify,
    ASSIGN_TEAM: _checked_team,
    ASSIGN_PERSON: _checked_person,
    ADD_WATCHER: _checked_person,
    RAISE_PRIORITY: lambda _action: {"do": RAISE_PRIORITY},
    WEBHOOK: _checked_webhook,
}

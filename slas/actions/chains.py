"""Saving escalations. What is saved is checked to the end, so that no step can fail for what it says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from itsm.accounts.changelog import Deed, record_change
from itsm.accounts.models import Team
from itsm.tickets.actors import Actor
from itsm.tickets.errors import Invalid
from itsm.tickets.texts import clean_text
from slas.actions.effects import ASSIGN_TEAM, NOTIFY, RAISE_PRIORITY, ROLES
from slas.actions.setting_up import NAME_MAX, require_manager, touch_setup
from slas.models import (
    ChainVersion,
    EscalationChain,
)
from slas.steps import LARGEST_PERCENT

MAX_STEPS = 20


@transaction.atomic
def save_chain(name: str, steps: Sequence[Mapping[str, Any]], *, actor: Actor) -> EscalationChain:
    """Store the steps of the chain of this name and return it. Timers that run keep the steps they began with.

    A step: `{"percent": 75, "actions": [{"do": "notify", "who": ["assignee", "team_lead"]}]}`; other actions are
    `{"do": "assign_team", "team": id}` and `{"do": "raise_priority"}`.

    Raises:
        Refused, Invalid.
    """
    require_manager(actor)
    title = clean_text(name, "name", NAME_MAX, required=True, one_line=True)
    checked = _checked_steps(steps)
    chain, _is_new = EscalationChain.objects.select_for_update().get_or_create(name=title)
    if chain.current is None or chain.current.steps != checked:
        number = chain.current.number + 1 if chain.current else 1
        before = {"steps": chain.current.steps} if chain.current else {}
        chain.current = ChainVersion.objects.create(chain=chain, number=number, steps=checked)
        chain.save(update_fields=["current"])
        touch_setup()
        record_change(actor.user, Deed.CHANGED if before else Deed.CREATED, chain, before, {"steps": checked})
    return chain


def _checked_steps(steps: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    if len(steps) > MAX_STEPS:
        raise Invalid({"steps": _("An escalation can have %(most)d steps.") % {"most": MAX_STEPS}})
    checked: dict[int, dict[str, Any]] = {}
    for step in steps:
        percent = step.get("percent")
        if isinstance(percent, bool) or not isinstance(percent, int) or not 1 <= percent <= LARGEST_PERCENT:
            raise Invalid({"steps": _("Give each step a percentage from 1 to %(most)d.") % {"most": LARGEST_PERCENT}})
        if percent in checked:
            raise Invalid({"steps": _("There are two steps at %(percent)d %%. Make them one.") % {"percent": percent}})
        checked[percent] = {"percent": percent, "actions": _checked_actions(step.get("actions", ()))}
    return [checked[percent] for percent in sorted(checked)]


def _checked_actions(actions: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    checked: list[dict[str, Any]] = []
    for action in actions:
        do = action.get("do")
        if do == NOTIFY:
            who = action.get("who")
            if not isinstance(who, list | tuple) or not who or not set(who) <= set(ROLES):
                raise Invalid({"steps": _("Say who is told: %(roles)s.") % {"roles": ", ".join(ROLES)}})
            checked.append({"do": NOTIFY, "who": [role for role in ROLES if role in who]})
        elif do == ASSIGN_TEAM:
            if not Team.objects.active().filter(pk=action.get("team")).exists():
                raise Invalid({"steps": _("Choose the team that gets the ticket.")})
            checked.append({"do": ASSIGN_TEAM, "team": action["team"]})
        elif do == RAISE_PRIORITY:
            checked.append({"do": RAISE_PRIORITY})
        else:
            choices = f"{NOTIFY}, {ASSIGN_TEAM}, {RAISE_PRIORITY}"
            raise Invalid({"steps": _("Choose what is done: %(choices)s.") % {"choices": choices}})
    return checked

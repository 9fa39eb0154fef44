"""The verbs that set up the rules. Each appends to the change log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from incidents.major.actions.base import check_worker
from incidents.major.models import IMPACT_MAX
from incidents.major.rules.impact import PLACES, unknown_places
from incidents.major.rules.models import LEAST, MOST, RULE_NAME_MAX, MajorRule, RuleDeed
from itsm.accounts.changelog import Deed, check_seen, record_change, state_of
from itsm.accounts.models import Team, User
from itsm.accounts.roles import Permission
from itsm.conditions import Condition, ConditionError
from itsm.tickets.actions.settings import STEP, check_rule, move_in_order
from itsm.tickets.actors import Actor
from itsm.tickets.errors import Invalid, Refused
from itsm.tickets.texts import clean_text

RULE_FIELDS = (
    "name",
    "condition",
    "min_children",
    "min_people",
    "deed",
    "impact",
    "commander",
    "commander_team",
    "is_active",
)


@transaction.atomic
def save_rule(
    rule: MajorRule | None,
    *,
    name: str,
    actor: Actor,
    condition: Mapping[str, Any] | None = None,
    min_children: int | None = None,
    min_people: int | None = None,
    deed: str = RuleDeed.PROPOSE,
    impact: str = "",
    commander: User | None = None,
    commander_team: Team | None = None,
    is_active: bool = True,
    seen: str = "",
) -> MajorRule:
    """Create the rule (None: it comes last) or change it, and return it. It is asked from the next thing on that
    happens to an incident; who accepts at once says the business impact. A rule that proposes keeps neither impact nor
    commander.

    Raises:
        Refused: the actor may not set up the desk.
        Invalid: something does not fit, or the rule asks for nothing.
        ChangedMeanwhile.
    """
    _require(actor)
    title = clean_text(name, "name", RULE_NAME_MAX, required=True, one_line=True)
    rules = _locked()
    row = next((one for one in rules if one.pk == rule.pk), None) if rule else MajorRule()
    if row is None:
        raise Invalid({"name": _gone()})
    before = state_of(row, RULE_FIELDS) if rule else {}
    check_seen(before, seen)
    if any(one.name.lower() == title.lower() and one.pk != row.pk for one in rules):
        raise Invalid({"name": _("There is a rule “%(name)s” already. Choose another name.") % {"name": title}})
    row.name, row.is_active = title, is_active
    row.condition = _checked_condition(condition or {})
    row.min_children = _checked_number(min_children, "min_children")
    row.min_people = _checked_number(min_people, "min_people")
    if not row.condition and row.min_children is None and row.min_people is None:
        raise Invalid({"condition": _("Say which incidents are meant, or how many are hit. Else all would match.")})
    if deed not in RuleDeed.values:
        raise Invalid({"deed": _("Choose what the rule does.")})
    row.deed = deed
    if deed == RuleDeed.ACCEPT:
        row.impact = _checked_impact(impact)
        row.commander, row.commander_team = _checked_commander(row, commander, commander_team)
    else:
        row.impact, row.commander, row.commander_team = "", None, None
    if not rule:
        row.order = max((one.order for one in rules), default=0) + STEP
    row.save()
    record_change(actor.user, Deed.CHANGED if rule else Deed.CREATED, row, before, state_of(row, RULE_FIELDS))
    return row


@transaction.atomic
def move_rule(rule: MajorRule, *, by: int, actor: Actor) -> list[MajorRule]:
    """Move the rule that many places down (negative: up), at most to the end, and return all rules in order.

    Raises:
        Refused: the actor may not set up the desk.
    """
    _require(actor)
    return move_in_order(_locked(), rule, by=by, actor=actor)


@transaction.atomic
def switch_rule(rule: MajorRule, is_active: bool, *, actor: Actor) -> MajorRule:
    """Switch the rule on or off and return it; a rule that can no longer be read can be switched off, not on.

    Raises:
        Refused: the actor may not set up the desk.
        Invalid: it is gone, or is to be switched on and cannot be read.
    """
    _require(actor)
    row = next((one for one in _locked() if one.pk == rule.pk), None)
    if row is None:
        raise Invalid({"name": _gone()})
    if row.is_active == is_active:
        return row
    if is_active:
        _checked_condition(row.condition)
    row.is_active = is_active
    row.save(update_fields=["is_active"])
    record_change(actor.user, Deed.ACTIVATED if is_active else Deed.DEACTIVATED, row)
    return row


@transaction.atomic
def delete_rule(rule: MajorRule, *, actor: Actor) -> None:
    """Remove the rule; the change log keeps what it said, and incidents what it did. A second call changes nothing.

    Raises:
        Refused: the actor may not set up the desk.
    """
    _require(actor)
    row = next((one for one in _locked() if one.pk == rule.pk), None)
    if row is not None:
        record_change(actor.user, Deed.REMOVED, row, state_of(row, RULE_FIELDS), {})
        row.delete()


def _locked() -> list[MajorRule]:
    """Return all rules in order, locked: two who move or name them at once go one after the other."""
    return list(MajorRule.objects.select_for_update(of=("self",)).order_by("order", "pk"))


def _gone() -> str:
    return _("Somebody has removed this rule. Look at the list again.")


def _checked_condition(condition: Mapping[str, Any]) -> dict[str, Any]:
    try:
        parsed = Condition.from_json(dict(condition))
        if not list(parsed.leaves()):
            return {}
        check_rule(parsed)
    except ConditionError as error:
        raise Invalid({"condition": error.message}) from error
    return parsed.to_json()


def _checked_number(number: int | None, field: str) -> int | None:
    if number is not None and not LEAST <= number <= MOST:
        raise Invalid({field: _("Choose a number from %(low)d to %(high)d.") % {"low": LEAST, "high": MOST}})
    return number


def _checked_impact(impact: str) -> str:
    text = clean_text(impact, "impact", IMPACT_MAX, required=True)
    if unknown := unknown_places(text):
        words = {"name": unknown[0], "names": ", ".join(f"{{{name}}}" for name in PLACES)}
        raise Invalid({"impact": _("{%(name)s} stands for nothing. Use one of %(names)s.") % words})
    return text


def _checked_commander(row: MajorRule, person: User | None, team: Team | None) -> tuple[User | None, Team | None]:
    if person is not None and team is not None:
        raise Invalid({"commander_team": _("Choose a person, or the on-call of a team; not both.")})
    if person is not None and person.pk != row.commander_id:
        check_worker(person, "commander")
    if team is not None and not team.is_active and team.pk != row.commander_team_id:
        raise Invalid({"commander_team": _("Choose a team that is active.")})
    return person, team


def _require(actor: Actor) -> None:
    if not actor.may(Permission.MANAGE_DESK):
        raise Refused(_("Only an administrator may set up the desk."))

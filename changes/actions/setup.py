"""The verbs that set up the risk of changes: rules, questions, levels, and what a template has to show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from changes.actions.library import require_manager
from changes.models import ChangeSettings, Questionnaire, RiskRule
from changes.models.risk import POINTS_MAX
from changes.risk import risk_schema
from itsm.accounts.changelog import Deed, check_seen, record_change, state_of
from itsm.conditions import Condition, ConditionError, check, parse, to_text
from itsm.tickets.actors import Actor
from itsm.tickets.errors import Invalid
from itsm.tickets.texts import clean_text
from slas.models import BusinessCalendar

SETTINGS_FIELDS = ("clean_runs", "moderate_from", "high_from", "very_high_from", "success_days", "business_hours")
RULE_FIELDS = ("name", "condition", "points", "order", "is_active")
QUESTIONS_MAX, ANSWERS_MAX = 30, 10


@transaction.atomic
def save_settings(
    *,
    clean_runs: int,
    moderate_from: int,
    high_from: int,
    very_high_from: int,
    success_days: int,
    actor: Actor,
    business_hours: BusinessCalendar | None = None,
    seen: str = "",
) -> ChangeSettings:
    """Store the settings and return them. Risk that was worked out before stays until it is worked out anew.

    Raises:
        Refused: only a change manager. Invalid: numbers that do not fit. ChangedMeanwhile.
    """
    require_manager(actor)
    ChangeSettings.objects.get_or_create(pk=1)
    row = ChangeSettings.objects.select_for_update().get(pk=1)
    before = state_of(row, SETTINGS_FIELDS)
    check_seen(before, seen)
    row.clean_runs, row.success_days, row.business_hours = clean_runs, success_days, business_hours
    row.moderate_from, row.high_from, row.very_high_from = moderate_from, high_from, very_high_from
    if not moderate_from < high_from < very_high_from:
        raise Invalid({"high_from": _("The points of the levels must ascend: moderate, high, very high.")})
    try:
        row.full_clean()
    except ValidationError as error:
        raise Invalid({field: " ".join(texts) for field, texts in error.message_dict.items()}) from error
    row.save()
    record_change(actor.user, Deed.CHANGED, row, before, state_of(row, SETTINGS_FIELDS))
    return row


@transaction.atomic
def save_risk_rule(
    rule: RiskRule | None,
    *,
    name: str,
    condition: str,
    points: int,
    actor: Actor,
    order: int = 100,
    is_active: bool = True,
    seen: str = "",
) -> RiskRule:
    """Create the rule (None) or change it, and return it. The condition is typed as text, such as `criticality:1`.

    Raises:
        Refused; Invalid: a name that is taken, points that do not fit, a condition that cannot be read.
        ChangedMeanwhile.
    """
    require_manager(actor)
    row = RiskRule.objects.select_for_update().get(pk=rule.pk) if rule else RiskRule()
    before = state_of(row, RULE_FIELDS) if rule else {}
    check_seen(before, seen)
    row.name = clean_text(name, "name", 200, required=True, one_line=True)
    if RiskRule.objects.filter(name=row.name).exclude(pk=row.pk).exists():
        raise Invalid({"name": _("A rule has this name already.")})
    if isinstance(points, bool) or not isinstance(points, int) or not -POINTS_MAX <= points <= POINTS_MAX:
        raise Invalid({"points": _("Give whole points, from −%(max)d to %(max)d.") % {"max": POINTS_MAX}})
    row.condition = _condition(condition).to_json()
    row.points, row.order, row.is_active = points, order, is_active
    row.save()
    record_change(actor.user, Deed.CHANGED if rule else Deed.CREATED, row, before, state_of(row, RULE_FIELDS))
    return row


def _condition(text: str) -> Condition:
    words = clean_text(text, "condition", 1000, required=True)
    try:
        found = parse(words, risk_schema())
        check(found, risk_schema(), predicate=True, personal=False)
    except ConditionError as error:
        raise Invalid({"condition": error.message}) from error
    return found


def rule_text(rule: RiskRule) -> str:
    """Return the rule's condition as one types it; empty where it can no longer be read."""
    try:
        return to_text(Condition.from_json(rule.condition), risk_schema())
    except ConditionError:
        return ""


@transaction.atomic
def delete_risk_rule(rule: RiskRule, *, actor: Actor) -> None:
    """Remove the rule. Risk that was worked out with it keeps the points until it is worked out anew.

    Raises:
        Refused.
    """
    require_manager(actor)
    row = RiskRule.objects.select_for_update().filter(pk=rule.pk).first()
    if row is not None:
        record_change(actor.user, Deed.REMOVED, row, state_of(row, RULE_FIELDS), {})
        row.delete()


@transaction.atomic
def save_questions(questions: Iterable[Mapping[str, Any]], *, actor: Actor, seen: int | None = None) -> Questionnaire:
    """Store the questions as the next version and return it; the same questions give the current one back. `seen`: the
    number of the version that the editor began with.

    Raises:
        Refused; Invalid: no question, doubled keys, answers missing; or another version came in meanwhile.
    """
    require_manager(actor)
    wanted = _checked_questions(list(questions))
    current = Questionnaire.objects.select_for_update().order_by("-number").first()
    number = current.number if current else 0
    if seen is not None and seen != number:
        raise Invalid({"questions": _("Somebody else changed the questions meanwhile. Load the page again.")})
    if current is not None and current.questions == wanted:
        return current
    row = Questionnaire.objects.create(number=number + 1, questions=wanted, created_by=actor.user)
    before = {"questions": [one["text"] for one in current.questions]} if current else {}
    record_change(actor.user, Deed.CREATED, row, before, {"questions": [one["text"] for one in wanted]})
    return row


def _checked_questions(given: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
    if len(given) > QUESTIONS_MAX:
        raise Invalid({"questions": _("At most %(max)d questions fit here.") % {"max": QUESTIONS_MAX}})
    found = []
    for one in given:
        text = clean_text(one.get("text"), "questions", 300, required=True, one_line=True)
        key = clean_text(one.get("key"), "questions", 40, required=True, one_line=True)
        answers = [_checked_answer(text, answer) for answer in one.get("answers") or ()]
        if not 2 <= len(answers) <= ANSWERS_MAX:
            raise Invalid(
                {"questions": _("“%(text)s” needs 2 to %(max)d answers.") % {"text": text, "max": ANSWERS_MAX}}
            )
        if len({answer["key"] for answer in answers}) != len(answers):
            raise Invalid({"questions": _("“%(text)s”: two answers have the same key.") % {"text": text}})
        found.append({"key": key, "text": text, "answers": answers})
    if len({one["key"] for one in found}) != len(found):
        raise Invalid({"questions": _("Two questions have the same key.")})
    return found


def _checked_answer(question: str, given: Mapping[str, Any]) -> dict[str, Any]:
    points = given.get("points")
    if isinstance(points, bool) or not isinstance(points, int) or not -POINTS_MAX <= points <= POINTS_MAX:
        raise Invalid(
            {
                "questions": _("“%(text)s”: give whole points, from −%(max)d to %(max)d.")
                % {"text": question, "max": POINTS_MAX}
            }
        )
    return {
        "key": clean_text(given.get("key"), "questions", 40, required=True, one_line=True),
        "label": clean_text(given.get("label"), "questions", 200, required=True, one_line=True),
        "points": points,
    }

"""The risk of a change: points from rules and from answers, each kept with the inputs it was worked out from (CH-5).

Nothing here writes. The verbs store what `assess` returns, and say so in an event whenever level or points changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from django.db.models import Count, Min, Q
from django.utils.translation import gettext_lazy as _

from changes.models import Change, ChangeSettings, Questionnaire, RiskRule
from changes.statuses import ChangeType, CloseCode, Risk
from cmdb.models import Criticality, Service
from itsm.accounts.models import Team
from itsm.conditions import Condition, ConditionError, Context, Field, Schema, Type, to_predicate, to_text
from slas.calendars import CalendarError
from slas.defaults import BUSINESS_HOURS
from slas.models import BusinessCalendar

HOUR = 3600
NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True)
class Facts:
    """What the rules may ask of a change. None: it is not known yet.

    `criticality`: of the most critical affected service (1 is the highest). `services`: services and other things that
    it touches. `business_hours`: whether the window reaches into them. `lead_hours`: whole hours from the assessment to
    the planned start. `success_rate`: percent of the team's changes closed as successful in the period of the settings,
    of `closed` in all.
    """

    type: str
    criticality: int | None
    services: int
    business_hours: bool | None
    lead_hours: int | None
    success_rate: int | None
    closed: int
    retroactive: bool


@cache
def risk_schema() -> Schema:
    """Return the facts that conditions of risk rules may name."""
    return Schema(
        model="changes.Change",
        fields=(
            Field(name="type", type=Type.CHOICE, label=_("type of change"), choices=tuple(ChangeType.choices)),
            Field(
                name="criticality",
                type=Type.INTEGER,
                label=_("criticality of the services"),
                choices=tuple(Criticality.choices),
            ),
            Field(name="services", type=Type.INTEGER, label=_("number of affected services"), minimum=0),
            Field(name="business_hours", type=Type.BOOLEAN, label=_("within business hours")),
            Field(name="lead_hours", type=Type.INTEGER, label=_("hours until it begins")),
            Field(name="success_rate", type=Type.INTEGER, label=_("the team's success rate in percent"), minimum=0),
            Field(name="closed", type=Type.INTEGER, label=_("changes that the team closed"), minimum=0),
            Field(name="retroactive", type=Type.BOOLEAN, label=_("recorded after the act")),
        ),
    )


@dataclass(frozen=True)
class Assessment:
    """The outcome: the level, the points, and what they are the sum of."""

    level: int
    points: int
    factors: list[dict[str, Any]]
    questionnaire: Questionnaire | None

    def differs_from(self, change: Any) -> bool:
        """Return whether level or points are others than those that the change carries."""
        return (self.level, self.points) != (change.risk, change.risk_points)

    def fields(self, at: datetime) -> dict[str, Any]:
        """Return the values to store on the change."""
        return {
            "risk": self.level,
            "risk_points": self.points,
            "risk_factors": self.factors,
            "questionnaire": self.questionnaire,
            "risk_assessed_at": at,
        }


def assess(change: Any, at: datetime, given: Mapping[str, Any] = NOTHING) -> Assessment:
    """Return the risk of the change at the instant (aware). `given` holds values that it is about to get; what it
    touches is read from its rows."""
    settings = ChangeSettings.current()
    facts = facts_of(change, at, settings, given)
    questionnaire = Questionnaire.current()
    answers = given.get("risk_answers", change.risk_answers)
    factors = [*_by_rules(facts, at), *_by_answers(questionnaire, answers)]
    points = sum(factor["points"] for factor in factors)
    return Assessment(level_of(points, settings), points, factors, questionnaire)


def level_of(points: int, settings: ChangeSettings) -> int:
    """Return the level that so many points mean."""
    if points >= settings.very_high_from:
        return Risk.VERY_HIGH
    if points >= settings.high_from:
        return Risk.HIGH
    return Risk.MODERATE if points >= settings.moderate_from else Risk.LOW


def facts_of(change: Any, at: datetime, settings: ChangeSettings, given: Mapping[str, Any] = NOTHING) -> Facts:
    """Return what is known of the change at the instant."""

    def value(name: str) -> Any:
        return given.get(name, getattr(change, name))

    touched = Service.objects.filter(Q(affected_by_changes__change=change.pk) | Q(pk=value("service_id")))
    found = touched.aggregate(most=Min("criticality"), count=Count("pk", distinct=True))
    start, end = value("planned_start"), value("planned_end")
    if value("is_retroactive"):
        start, end = value("actual_start"), value("actual_end")
    rate, closed = success_of(change.team, at, settings)
    return Facts(
        type=value("change_type"),
        criticality=found["most"],
        services=found["count"] + len(value("affected_other")),
        business_hours=_in_business_hours(start, end, settings),
        lead_hours=int((start - at).total_seconds() // HOUR) if start is not None else None,
        success_rate=rate,
        closed=closed,
        retroactive=value("is_retroactive"),
    )


def success_of(team: Team | None, at: datetime, settings: ChangeSettings) -> tuple[int | None, int]:
    """Return the percentage of the team's changes that were closed as successful, and of how many; None: of none."""
    if team is None:
        return None, 0
    since = at - timedelta(days=settings.success_days)
    counts = (
        Change.objects.ended()
        .filter(team=team, closed_at__gte=since, closed_at__lte=at)
        .aggregate(closed=Count("pk"), good=Count("pk", filter=Q(close_code=CloseCode.SUCCESSFUL)))
    )
    return (100 * counts["good"] // counts["closed"] if counts["closed"] else None), counts["closed"]


def _in_business_hours(start: datetime | None, end: datetime | None, settings: ChangeSettings) -> bool | None:
    if start is None or end is None:
        return None
    calendar = settings.business_hours or BusinessCalendar.objects.filter(name=BUSINESS_HOURS).first()
    if calendar is None or calendar.current is None:
        return None
    try:
        return calendar.current.hours.open_us(start, end) > 0
    except CalendarError:
        return None


def _by_rules(facts: Facts, at: datetime) -> list[dict[str, Any]]:
    """Return a factor for each active rule, also for those that do not hold. One that can no longer be read does not
    hold, and says so."""
    known = asdict(facts)
    factors = []
    for rule in RiskRule.objects.filter(is_active=True):
        factor: dict[str, Any] = {
            "source": "rule",
            "name": rule.name,
            "would": rule.points,
            "inputs": {},
            "problem": "",
        }
        met = False
        try:
            condition = Condition.from_json(rule.condition)
            factor["says"] = to_text(condition, risk_schema())
            factor["inputs"] = {leaf.field: known[leaf.field] for leaf in condition.leaves()}
            met = to_predicate(condition, risk_schema(), Context(user=None, now=at, zone=UTC))(facts)
        except ConditionError as error:
            factor["problem"] = error.message  # shown where the rule's words would stand
        factors.append({**factor, "met": met, "points": rule.points if met else 0})
    return factors


def _by_answers(questionnaire: Questionnaire | None, answers: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return a factor for each question. One without an answer counts as its worst answer: what nobody has looked at
    must not make a change look safe."""
    factors = []
    for question in questionnaire.questions if questionnaire else ():
        chosen = next((one for one in question["answers"] if one["key"] == answers.get(question["key"])), None)
        worst = max(question["answers"], key=lambda one: one["points"])
        factors.append(
            {
                "source": "question",
                "key": question["key"],
                "name": question["text"],
                "answer": chosen["label"] if chosen else "",
                "met": chosen is not None,
                "points": (chosen or worst)["points"],
            }
        )
    return factors

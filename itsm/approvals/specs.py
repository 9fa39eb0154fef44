"""A stage as a policy stores it, and the check of what somebody wants to store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from itsm.accounts.models import Team, User
from itsm.accounts.roles import Role
from itsm.approvals.models import Expiry, Mode, Source
from itsm.approvals.subjects import group_of
from itsm.conditions import Condition, ConditionError, check
from itsm.tickets.errors import Invalid
from itsm.tickets.schema import rule_schema
from itsm.tickets.texts import clean_text
from slas.models import BusinessCalendar

NAME_MAX = 200
MAX_STAGES = 20
MAX_SOURCES = 20
MAX_PEOPLE = 100
# As many of a kind as the settings' form has places for: what is stored can always be edited there.
MOST_OF: dict[str, int] = {Source.PEOPLE: 2, Source.TEAM: 3}
MOST_TO: dict[str, int] = {Source.PEOPLE: 1, Source.TEAM: 1}
LONGEST_HOURS = 24 * 366
Stored = dict[str, Any]


@dataclass(frozen=True)
class StageSpec:
    """One stage as asked for.

    `approvers`: where they come from: `{"from": "people", "ids": [user ids]}`, `{"from": "team", "id": team id}`,
    `{"from": "role", "role": code}`, `{"from": "group", "code": code}`, or one that needs no more than `{"from": …}`
    (see `Source`). `needed`: how many, for `n_of_m`. `condition`: the stage is skipped where it is not met (empty:
    never). `expires_hours` with `calendar` (None: round the clock) and `then`; `escalate_to` like `approvers`, empty
    for the fallback role. `remind_hours`: every so many hours by the clock; 0: never.
    """

    name: str
    approvers: Sequence[Mapping[str, Any]]
    mode: str = Mode.ANY
    needed: int = 1
    condition: Mapping[str, Any] = field(default_factory=dict)
    expires_hours: int = 0
    calendar: BusinessCalendar | None = None
    then: str = Expiry.REMIND
    escalate_to: Sequence[Mapping[str, Any]] = ()
    remind_hours: int = 0


def checked_stages(stages: Sequence[StageSpec]) -> list[Stored]:
    """Return the stages as a version stores them.

    Raises:
        Invalid: a sentence under `stage 1`, `stage 2` … for each that cannot be.
    """
    if not stages:
        raise Invalid({"stages": _("Give at least one stage with its approvers.")})
    if len(stages) > MAX_STAGES:
        raise Invalid({"stages": _("A policy can have %(most)d stages.") % {"most": MAX_STAGES}})
    found: list[Stored] = []
    problems: dict[str, str] = {}
    for number, stage in enumerate(stages, start=1):
        try:
            found.append(_checked(stage))
        except Invalid as error:
            problems[f"stage {number}"] = " ".join(error.fields.values())
    if problems:
        raise Invalid(problems)
    return found


def problem_of(condition: Mapping[str, Any], part: str) -> dict[str, str]:
    """Return a sentence under the name of the part where the condition cannot be asked of a ticket; else nothing."""
    try:
        check(Condition.from_json(dict(condition)), rule_schema(), predicate=True, personal=False)
    except ConditionError as error:
        return {part: str(error)}
    return {}


def _checked(stage: StageSpec) -> Stored:
    name = clean_text(stage.name, "name", NAME_MAX, required=True, one_line=True)
    if stage.mode not in Mode.values:
        raise Invalid({"mode": _("Choose one of: %(choices)s.") % {"choices": ", ".join(Mode.values)}})
    approvers = _checked_sources(stage.approvers, MOST_OF)
    if not approvers:
        raise Invalid({"approvers": _("Say who is asked.")})
    if problem := problem_of(stage.condition, "condition"):
        raise Invalid(problem)
    needed = _whole(stage.needed, 1, 1000, "needed") if stage.mode == Mode.N_OF_M else 1
    stored: Stored = {
        "name": name,
        "approvers": approvers,
        "mode": str(stage.mode),
        "needed": needed,
        "condition": dict(stage.condition),
        "remind_hours": _whole(stage.remind_hours, 0, LONGEST_HOURS, "remind_hours"),
    }
    hours = _whole(stage.expires_hours, 0, LONGEST_HOURS, "expires_hours")
    if hours:
        if stage.then not in Expiry.values:
            raise Invalid({"then": _("Choose one of: %(choices)s.") % {"choices": ", ".join(Expiry.values)}})
        if stage.calendar is not None and not _has_hours(stage.calendar):
            raise Invalid({"calendar": _("Give the calendar weekly hours first.")})
        stored["expires"] = {
            "hours": hours,
            "calendar": stage.calendar.pk if stage.calendar else None,
            "then": str(stage.then),
            "to": _checked_sources(stage.escalate_to, MOST_TO) if stage.then == Expiry.ESCALATE else [],
        }
    return stored


def _has_hours(calendar: BusinessCalendar) -> bool:
    return calendar.current is not None and any(calendar.current.spec.get("weekly") or ())


def _checked_sources(sources: Sequence[Mapping[str, Any]], most: Mapping[str, int]) -> list[Stored]:
    if len(sources) > MAX_SOURCES:
        raise Invalid({"approvers": _("A stage can name %(most)d groups of people.") % {"most": MAX_SOURCES}})
    found: list[Stored] = []
    for source in sources:
        stored = _checked_source(source)
        if stored not in found:
            found.append(stored)
    for kind, count in most.items():
        if sum(stored["from"] == kind for stored in found) > count:
            words = {"most": count, "source": str(Source(kind).label).lower()}
            raise Invalid({"approvers": _("Give at most %(most)d of: %(source)s.") % words})
    return found


def _checked_source(source: Mapping[str, Any]) -> Stored:
    kind = source.get("from")
    if kind not in Source.values:
        choices = ", ".join(Source.values)
        raise Invalid({"approvers": _("Say where approvers come from: %(choices)s.") % {"choices": choices}})
    if kind == Source.PEOPLE:
        ids = source.get("ids")
        if not isinstance(ids, list | tuple) or not ids or len(ids) > MAX_PEOPLE:
            raise Invalid({"approvers": _("Name 1 to %(most)d people.") % {"most": MAX_PEOPLE}})
        wanted = [_id(one) for one in dict.fromkeys(ids)]
        known = set(User.objects.active().filter(pk__in=wanted).values_list("pk", flat=True))
        if known != set(wanted):
            raise Invalid({"approvers": _("Choose people whose account is open.")})
        return {"from": kind, "ids": wanted}
    if kind == Source.TEAM:
        if not Team.objects.active().filter(pk=_id(source.get("id"))).exists():
            raise Invalid({"approvers": _("Choose a team that is active.")})
        return {"from": kind, "id": source["id"]}
    if kind == Source.ROLE:
        # Everybody who may sign in is a requester: that would ask the whole house.
        if source.get("role") not in Role.values or source["role"] == Role.REQUESTER:
            raise Invalid({"approvers": _("Choose a role of the desk.")})
        return {"from": kind, "role": str(source["role"])}
    if kind == Source.GROUP:
        if group_of(str(source.get("code"))) is None:
            raise Invalid({"approvers": _("Choose a group from the list.")})
        return {"from": kind, "code": str(source["code"])}
    return {"from": str(kind)}


def _id(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**62 else 0


def _whole(value: Any, least: int, most: int, part: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise Invalid({part: _("Give a whole number from %(least)d to %(most)d.") % {"least": least, "most": most}})
    return value

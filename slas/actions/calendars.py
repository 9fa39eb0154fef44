"""Saving calendars: an edit makes the next version, and clocks go on by it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from itsm.accounts.changelog import Deed, record_change, state_of
from itsm.accounts.models import Team
from itsm.tickets.actors import Actor
from itsm.tickets.clock import db_now
from itsm.tickets.errors import Invalid
from itsm.tickets.texts import clean_text
from slas.actions.batches import follow_setup
from slas.actions.setting_up import (
    MOVED_AT_ONCE,
    NAME_MAX,
    check_can_be_due,
    check_version,
    require_manager,
    touch_setup,
)
from slas.calendars import CalendarError, CalendarSpec
from slas.calendars.spec import MINUTES
from slas.models import BusinessCalendar, CalendarVersion, Goal, HolidaySet, TargetUnit, TeamCalendar

DATE_NAME_MAX = 200
HOLIDAY_SET_PARTS = ("name", "country", "region", "first_year", "last_year", "added", "removed")


@dataclass(frozen=True)
class Extras:
    """What a calendar says beside its hours: names of its dates, holiday sets to copy from (one that is not stored yet
    is stored with the calendar), the declared length of a business day in minutes (None: the most common open length of
    its days)."""

    names: Mapping[date, str] = field(default_factory=dict)
    holiday_sets: tuple[HolidaySet, ...] = ()
    day_minutes: int | None = None


def save_calendar(
    name: str,
    spec: CalendarSpec | Mapping[str, Any],
    *,
    actor: Actor,
    extras: Extras | None = None,
    seen: str = "",
) -> BusinessCalendar:
    """Store what the calendar of this name says from now on, and return it. The same content makes no new version.

    `spec` has the closed dates given by hand; those of the holiday sets are added. `extras` left out: they stay as they
    are. Timers that run by it go on by the new hours from now; what has elapsed stays. They are moved after the
    calendar is stored, ticket by ticket: the first at once, the others by the task that follows edits. `seen`: the
    number of the version that the caller saw.

    Raises:
        Refused: the actor does not manage service levels.
        ChangedMeanwhile: there is a newer version.
        Invalid: the calendar is not one, or a target that uses it could never be due.
    """
    require_manager(actor)
    title = clean_text(name, "name", NAME_MAX, required=True, one_line=True)
    try:
        wanted = spec if isinstance(spec, CalendarSpec) else CalendarSpec.from_json(spec)
    except CalendarError as error:
        raise Invalid({"spec": _(error.template) % error.params}) from error
    if extras is not None:
        _check_extras(extras)
    with transaction.atomic():
        calendar, _is_new = BusinessCalendar.objects.select_for_update().get_or_create(name=title)
        check_version(calendar.current, seen)
        if extras is None:
            extras = extras_of(calendar)
        else:
            extras = replace(extras, holiday_sets=tuple(_stored(one, actor) for one in extras.holiday_sets))
            calendar.holiday_sets.set(extras.holiday_sets)
        store_version(calendar, wanted, extras, actor=actor)
    follow_setup(actor=actor, limit=MOVED_AT_ONCE)
    return calendar


def extras_of(calendar: BusinessCalendar) -> Extras:
    """Return what the calendar says now beside its hours."""
    if calendar.current is None:
        return Extras()
    names = {date.fromisoformat(day): str(name) for day, name in calendar.current.names.items()}
    return Extras(names, tuple(calendar.holiday_sets.all()), calendar.current.declared_day_minutes)


def by_hand(version: CalendarVersion) -> CalendarSpec:
    """Return what a version says without the days that it copied from holiday sets."""
    spec = CalendarSpec.from_json(version.spec)
    return replace(spec, closed_dates=frozenset(date.fromisoformat(day) for day in version.by_hand))


def whole_spec(spec: CalendarSpec, sets: Iterable[HolidaySet]) -> tuple[CalendarSpec, dict[str, str]]:
    """Return the hours with the days of the sets closed too, and those days with their names.

    Raises:
        Invalid: together they are too many dates.
    """
    holidays: dict[str, str] = {}
    for one in sets:
        for day, said in one.days.items():
            holidays[day] = f"{holidays[day]} · {said}" if day in holidays and said not in holidays[day] else said
    try:
        closed = spec.closed_dates | {date.fromisoformat(day) for day in holidays}
        return replace(spec, closed_dates=closed), dict(sorted(holidays.items()))
    except CalendarError as error:
        raise Invalid({"spec": _(error.template) % error.params}) from error


def store_version(
    calendar: BusinessCalendar, spec: CalendarSpec, extras: Extras, *, actor: Actor, hours_only: bool = False
) -> bool:
    """Make the next version of a locked calendar where it says something else; return whether it did.

    `hours_only`: another name for the same days is no reason.

    Raises:
        Invalid: a target that uses the calendar could never be due.
    """
    wanted, holidays = whole_spec(spec, extras.holiday_sets)
    longest = max(calendar.goals.values_list("target_s", flat=True), default=0)
    check_can_be_due(wanted, longest, "spec")
    named = {day.isoformat(): text for day, text in sorted(extras.names.items()) if text}
    said: dict[str, Any] = {
        "names": {day: named[day] for day in named if date.fromisoformat(day) in {*spec.closed_dates, *spec.overrides}},
        "holidays": holidays,
        "sources": [one.name for one in extras.holiday_sets],
        "declared_day_minutes": extras.day_minutes,
    }
    current = calendar.current
    if (
        current is not None
        and current.digest == wanted.content_digest
        and (hours_only or all(getattr(current, part) == value for part, value in said.items()))
    ):
        return False
    calendar.current = CalendarVersion.objects.create(
        calendar=calendar,
        number=current.number + 1 if current else 1,
        spec=wanted.to_json(),
        digest=wanted.content_digest,
        valid_from=db_now(),
        created_by=actor.user,
        **said,
    )
    calendar.save(update_fields=["current"])
    _keep_usual_lengths(calendar)
    touch_setup()
    record_change(
        actor.user, Deed.CHANGED if current else Deed.CREATED, calendar, _logged(current), _logged(calendar.current)
    )
    return True


def set_team_calendar(team: Team, calendar: BusinessCalendar | None, *, actor: Actor) -> None:
    """Let goals that go by the team's own hours use this calendar for the team; None: the goal's own.

    Clocks that run by the team's hours are brought to the new ones, from now on, by the task that follows edits.

    Raises:
        Refused: the actor does not manage service levels.
        Invalid: the calendar has no weekly hours.
    """
    require_manager(actor)
    if calendar is not None:
        if calendar.current is None:
            raise Invalid({"calendar": _("Give the calendar its hours first.")})
        check_can_be_due(CalendarSpec.from_json(calendar.current.spec), 1, "calendar")
    with transaction.atomic():
        old = TeamCalendar.objects.select_for_update().filter(team=team).select_related("calendar").first()
        if (old.calendar if old else None) == calendar:
            return
        before = old.calendar.name if old else None
        if calendar is None:
            TeamCalendar.objects.filter(team=team).delete()
        else:
            TeamCalendar.objects.update_or_create(team=team, defaults={"calendar": calendar})
        touch_setup()
        after = calendar.name if calendar else None
        record_change(actor.user, Deed.CHANGED, team, {"business_calendar": before}, {"business_calendar": after})


def usual_length_s(unit: str, count: int, day_minutes: int) -> int:
    """Return the usual length of a target in business days, in seconds of open time; the close of today is one day."""
    return (count if unit == TargetUnit.BUSINESS_DAYS else max(count, 1)) * day_minutes * 60


def _stored(one: HolidaySet, actor: Actor) -> HolidaySet:
    """Return the set as stored; one that was made for this calendar is stored as a copy, since this may be a trial that
    is taken back."""
    if not one._state.adding:
        return one
    row = HolidaySet.objects.create(**{name: getattr(one, name) for name in (*HOLIDAY_SET_PARTS, "days", "updated_at")})
    record_change(actor.user, Deed.CREATED, row, {}, state_of(row, HOLIDAY_SET_PARTS))
    return row


def _keep_usual_lengths(calendar: BusinessCalendar) -> None:
    """Let goals in business days follow the length of a business day; timers that run keep theirs."""
    if calendar.current is None:
        return
    day_minutes = calendar.current.day_minutes
    for goal in Goal.stored.filter(calendar=calendar).exclude(target_unit=TargetUnit.TIME):
        length = usual_length_s(goal.target_unit, goal.target_count or 0, day_minutes)
        if goal.target_s != length:
            goal.target_s = length
            goal.save(update_fields=["target_s"])


def _check_extras(extras: Extras) -> None:
    if extras.day_minutes is not None and not 1 <= extras.day_minutes <= MINUTES:
        raise Invalid({"day_minutes": _("A business day is 1 minute to 24 hours long.")})
    for text in extras.names.values():
        clean_text(text, "spec", DATE_NAME_MAX, one_line=True)


def _logged(version: CalendarVersion | None) -> dict[str, Any]:
    if version is None:
        return {}
    names = ("names", "sources", "declared_day_minutes")
    return {**version.spec, **{name: getattr(version, name) for name in names}}

"""Reading rotas: the stored layers, overrides and absences as a schedule, and what pages and chains ask of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from itsm.accounts.models import User
from slas.models import BusinessCalendar, Rota, RotaOverride, TimeOff
from slas.oncall import Absence, Cover, RotaSpec, Schedule, Shift

# A gap or a turn that is longer than this is shown as going on beyond it.
LOOK_AHEAD = timedelta(days=60)


@dataclass(frozen=True)
class Duty:
    """Who is on call of a rota on one level (None: nobody), and until when, as far as `LOOK_AHEAD` shows."""

    rota: Rota
    level: int
    person: User | None
    until: datetime | None


@dataclass(frozen=True)
class MyShift:
    """A shift of one person in one rota."""

    rota: Rota
    shift: Shift


def schedules_of(rotas: Iterable[Rota], start: datetime, end: datetime) -> dict[int, Schedule]:
    """Return the schedule of each rota by id, with all overrides and absences that touch [start, end). Four queries."""
    wanted = list(rotas)
    specs: dict[int, RotaSpec] = {rota.pk: rota.spec for rota in wanted}
    covers: dict[int, list[Cover]] = {pk: [] for pk in specs}
    rows = RotaOverride.objects.filter(rota__in=wanted, removed_at=None, starts_at__lt=end, ends_at__gt=start)
    for row in rows:
        covers[row.rota_id].append(Cover(row.person_id, row.starts_at, row.ends_at, row.level, row.pk))
    people = {person for spec in specs.values() for person in spec.people}
    people |= {cover.person for own in covers.values() for cover in own}
    away = TimeOff.objects.filter(person__in=people, starts_at__lt=end, ends_at__gt=start)
    absences = [Absence(row.person_id, row.starts_at, row.ends_at) for row in away]
    active = set(User.objects.active().filter(pk__in=people).values_list("pk", flat=True))
    calendars = BusinessCalendar.objects.filter(pk__in={pk for spec in specs.values() for pk in spec.calendars})
    hours = {one.pk: one.current.hours for one in calendars.select_related("current") if one.current}
    return {
        pk: Schedule(spec, covers=covers[pk], absences=absences, closed=people - active, calendars=hours)
        for pk, spec in specs.items()
    }


def schedule_of(rota: Rota, start: datetime, end: datetime) -> Schedule:
    """Return the schedule of one rota; see `schedules_of`."""
    return schedules_of([rota], start, end)[rota.pk]


def person_on_call(rota_id: int, level: int, at: datetime) -> User | None:
    """Return who is on call of the rota at the instant; None where nobody is, or the rota is gone or switched off."""
    rota = Rota.objects.filter(pk=rota_id, is_active=True).first()
    if rota is None:
        return None
    found = schedule_of(rota, at, at + timedelta(microseconds=1)).at(at, level)
    return User.objects.active().filter(pk=found.person).first() if found is not None else None


def on_call_now(now: datetime, rotas: Iterable[Rota] | None = None) -> list[Duty]:
    """Return who is on call at `now` on each level of the rotas (default: all that are active), and until when."""
    chosen = list(Rota.objects.filter(is_active=True).select_related("team") if rotas is None else rotas)
    schedules = schedules_of(chosen, now, now + LOOK_AHEAD)
    duties = []
    for rota in chosen:
        schedule = schedules[rota.pk]
        for level in schedule.levels or (1,):
            found = schedule.at(now, level)
            until = _until(schedule, now, level, found.person if found else None)
            duties.append((rota, level, found.person if found else None, until))
    people = people_named(person for _rota, _level, person, _until in duties if person is not None)
    return [Duty(rota, level, people.get(person) if person else None, until) for rota, level, person, until in duties]


def _until(schedule: Schedule, now: datetime, level: int, person: int | None) -> datetime | None:
    """When the present answer ends: the end of this person's unbroken time, or of the gap."""
    end = now
    for shift in schedule.shifts(now, now + LOOK_AHEAD, level):
        if person is None:
            return shift.start
        if shift.start > end or shift.person != person:
            break
        end = shift.end
    return end if person is not None and end < now + LOOK_AHEAD else None


def shifts_of(user: User, start: datetime, end: datetime) -> list[MyShift]:
    """Return the person's shifts in [start, end) in all active rotas, in order of time."""
    rotas = {rota.pk: rota for rota in Rota.objects.filter(is_active=True)}
    schedules = schedules_of(rotas.values(), start, end)
    found = [
        MyShift(rotas[pk], shift)
        for pk, schedule in schedules.items()
        for shift in schedule.all_shifts(start, end)
        if shift.person == user.pk
    ]
    return sorted(found, key=lambda one: (one.shift.start, one.rota.name, one.shift.level))


def people_named(ids: Iterable[int]) -> Mapping[int, User]:
    """Return the people with these ids, also those whose accounts are closed."""
    wanted = set(ids)
    return User.objects.in_bulk(wanted) if wanted else {}

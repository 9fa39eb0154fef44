"""A rota as the schedule page draws it: days, one row for each layer, one for what comes out, and what is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zlib import crc32

from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import gettext as _

from itsm.accounts.models import Team, User
from itsm.ui.templatetags.ui import AVATAR_COLOURS
from slas.models import Rota, RotaLevel, RotaOverride
from slas.oncall import Alert, Schedule, Shift, Warned
from slas.oncall.plan import local_days
from slas.rotas import Duty, on_call_now

DAYS = 28


@dataclass(frozen=True)
class Day:
    """One local day of the picture: where it begins, in percent, and what stands above it."""

    day: date
    x: str
    width: str
    name: str
    is_weekend: bool
    is_today: bool


@dataclass(frozen=True)
class Bar:
    """A shift in the picture, in percent of its width."""

    x: str
    width: str
    colour: int
    label: str
    title: str


@dataclass(frozen=True)
class Row:
    """One line of the picture."""

    name: str
    bars: list[Bar]
    is_final: bool = False


@dataclass(frozen=True)
class Line:
    """A shift in the table: who, on which level, from when until when, and from where that comes."""

    shift: Shift
    person: User | None
    level: str
    source: str
    override: RotaOverride | None
    is_mine: bool
    is_now: bool


class Window:
    """Some weeks of a rota, from a local midnight to another."""

    def __init__(self, schedule: Schedule, first: date, now: datetime, people: Mapping[int, User]) -> None:
        self.schedule = schedule
        self.now = now
        self.people = people
        zone = schedule.spec.time_zone
        around = datetime.combine(first, datetime.min.time(), now.tzinfo)
        days = list(local_days(around - timedelta(days=2), around + timedelta(days=DAYS + 3), zone))
        self.local_days = [one for one in days if one[0] >= first][:DAYS]
        self.start, self.end = self.local_days[0][1], self.local_days[-1][2]

    def days(self) -> list[Day]:
        """Return the days with their places: 23 and 25 hours are as wide as they are."""
        return [
            Day(
                day,
                self._share(start),
                self._width(start, end),
                str(WEEKDAYS_ABBR[day.weekday()]),
                day.weekday() > 4,
                start <= self.now < end,
            )
            for day, start, end in self.local_days
        ]

    @property
    def now_x(self) -> str:
        """Where now is; empty where it is outside."""
        return self._share(self.now) if self.start <= self.now < self.end else ""

    def rows(self) -> list[Row]:
        """Return the layers as they were planned, then each level as it comes out."""
        rows = []
        for number, layer in enumerate(self.schedule.spec.layers):
            turns = self.schedule.layer_turns(number, self.start, self.end)
            name = layer.name or _("Layer %(number)d") % {"number": number + 1}
            rows.append(Row(name, [self._bar(shift) for shift in turns]))
        for level in self.schedule.levels or (1,):
            shifts = self.schedule.shifts(self.start, self.end, level)
            rows.append(Row(str(RotaLevel(level).label), [self._bar(shift) for shift in shifts], is_final=True))
        return rows

    def lines(self, viewer: User, overrides: Mapping[int, RotaOverride]) -> list[Line]:
        """Return the shifts for the table, in order of time."""
        found = []
        for shift in self.schedule.all_shifts(self.start, self.end):
            cover = overrides.get(shift.on_call.cover or 0)
            found.append(
                Line(
                    shift,
                    self.people.get(shift.person),
                    str(RotaLevel(shift.level).label),
                    self._source(shift, cover),
                    cover,
                    shift.person == viewer.pk,
                    shift.start <= self.now < shift.end,
                )
            )
        return found

    def _source(self, shift: Shift, cover: RotaOverride | None) -> str:
        if shift.on_call.layer is not None:
            name = self.schedule.spec.layers[shift.on_call.layer].name
            return name or _("Layer %(number)d") % {"number": shift.on_call.layer + 1}
        return _("Swap") if cover is not None and cover.swap_id else _("Override")

    def _bar(self, shift: Shift) -> Bar:
        person = self.people.get(shift.person)
        name = person.display_name if person else "?"
        return Bar(
            self._share(shift.start),
            self._width(shift.start, shift.end),
            crc32(name.encode()) % AVATAR_COLOURS,
            name,
            name,
        )

    def _share(self, instant: datetime) -> str:
        return f"{(instant - self.start) / (self.end - self.start):.4%}"

    def _width(self, start: datetime, end: datetime) -> str:
        return f"{(end - start) / (self.end - self.start):.4%}"


def on_call_of(user: User, teams: Iterable[Team], now: datetime) -> list[Duty]:
    """Return who is on call now in the rotas of these teams, and in those that name the person, for the home page."""
    mine = {team.pk for team in teams}
    rotas = Rota.objects.filter(is_active=True).select_related("team")
    chosen = [rota for rota in rotas if rota.team_id in mine or user.pk in rota.spec.people]
    return on_call_now(now, chosen) if chosen else []


def alert_words(alert: Alert, people: Mapping[int, User]) -> str:
    """Return a warning as a sentence, without its time."""
    person, other = people.get(alert.person or 0), people.get(alert.covered_by or 0)
    values = {
        "name": person.display_name if person else "?",
        "other": other.display_name if other else "?",
        "level": RotaLevel(alert.level).label,
    }
    if alert.kind == Warned.NOBODY:
        return _("%(level)s: nobody is on call.") % values
    if alert.kind == Warned.UNPLANNED:
        return _("No layer has hours here: nobody is on call.")
    if alert.kind == Warned.TWICE:
        return _("%(name)s is on call on two levels at once.") % values
    if alert.kind == Warned.INACTIVE:
        if alert.covered_by is None:
            return _("%(name)s has left, and nobody covers.") % values
        return _("%(name)s has left; %(other)s is on call instead.") % values
    if alert.covered_by is None:
        return _("%(name)s is away, and nobody covers.") % values
    return _("%(name)s is away; %(other)s is on call instead.") % values


@dataclass(frozen=True)
class Alerts:
    """Warnings for the page: those that matter most, how many are left out, and the gaps that nobody planned for."""

    shown: list[Alert]
    left_out: int
    unplanned: list[Alert]


def sorted_alerts(alerts: Iterable[Alert], most: int) -> Alerts:
    """Return the warnings with the worst first, shown in order of time; gaps outside all hours are told as one."""
    found = list(alerts)
    unplanned = [one for one in found if one.kind == Warned.UNPLANNED]
    rest = sorted(
        (one for one in found if one.kind != Warned.UNPLANNED),
        key=lambda one: (one.kind != Warned.NOBODY, one.covered_by is not None, one.start),
    )
    return Alerts(sorted(rest[:most], key=lambda one: one.start), max(len(rest) - most, 0), unplanned)

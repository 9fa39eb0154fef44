"""What a rota says: its zone and its layers. Checked once, then frozen; as JSON it is what the database stores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cached_property
from typing import Any

from slas.calendars import CalendarError, CalendarSpec, CompiledCalendar
from slas.calendars import compile as compile_calendar
from slas.calendars.errors import gettext_noop
from slas.calendars.spec import MINUTES, Interval, check_date
from slas.calendars.tzif import zone_names
from slas.calendars.zones import DAY, date_of, key_of, to_instant, to_us, zone_table

MAX_LAYERS = 12
MAX_MEMBERS = 60
MAX_EVERY = 52
LEVELS = (1, 2, 3)
NAME_MAX = 100

Turn = tuple[datetime, datetime, int]
"""From, to, and who: person ids."""


class Unit(StrEnum):
    """In what a turn is counted."""

    DAY = "day"
    WEEK = "week"


class Within(StrEnum):
    """What the hours of a layer mean: the times it covers, or the times it leaves out."""

    HOURS = "hours"
    OUTSIDE = "outside"


@dataclass(frozen=True)
class LayerSpec:
    """People who take turns.

    `starts`: the local date whose hand-over begins the first turn; `ends` (None: open): the date whose hand-over ends
    the last one. A turn lasts `every` days or weeks and changes at `minute` of the local day, by weeks on `weekday`
    (Monday 0): if the start lies between two hand-overs, the first turn is the shorter. `weekly` (seven lists of
    intervals, Monday first; None: round the clock) or the business calendar `calendar` restrict the hours, or with
    `within` outside are left out.
    """

    name: str
    level: int
    members: tuple[int, ...]
    unit: Unit
    every: int
    minute: int
    weekday: int
    starts: date
    ends: date | None = None
    weekly: tuple[tuple[Interval, ...], ...] | None = None
    calendar: int | None = None
    within: Within = Within.HOURS

    def __post_init__(self) -> None:
        if self.level not in LEVELS:
            raise CalendarError(gettext_noop("Choose the first, second or third level."))
        if not self.members:
            raise CalendarError(gettext_noop("Name at least one person for each layer."))
        if len(self.members) > MAX_MEMBERS:
            raise CalendarError(gettext_noop("A layer can have %(most)d people. Make two of it."), most=MAX_MEMBERS)
        if not 1 <= self.every <= MAX_EVERY:
            raise CalendarError(gettext_noop("A turn lasts 1 to %(most)d days or weeks."), most=MAX_EVERY)
        if not 0 <= self.minute < MINUTES or not 0 <= self.weekday <= 6:
            raise CalendarError(gettext_noop("Give the hand-over as a weekday and a time such as 09:00."))
        check_date(self.starts)
        if self.ends is not None:
            check_date(self.ends)
            if self.ends <= self.starts:
                raise CalendarError(gettext_noop("A layer ends after it starts. Choose a later end."))
        if self.weekly is not None and self.calendar is not None:
            raise CalendarError(gettext_noop("Restrict a layer by hours of its own or by a calendar, not by both."))

    @classmethod
    def from_json(cls, data: Any) -> LayerSpec:
        """Build a layer from the form that `to_json` gives. Raises CalendarError for anything else."""
        if not isinstance(data, Mapping):
            raise CalendarError(gettext_noop("Give each layer as an object."))
        members = data.get("members")
        whole = (data.get("level"), data.get("every"), data.get("minute"), data.get("weekday"))
        if not isinstance(members, list) or not all(type(one) is int for one in [*members, *whole]):
            raise CalendarError(gettext_noop("Give the members, the level and the hand-over of each layer as numbers."))
        if data.get("unit") not in list(Unit) or data.get("within", Within.HOURS) not in list(Within):
            raise CalendarError(gettext_noop("Turns are counted in days or weeks."))
        calendar, weekly = data.get("calendar"), data.get("weekly")
        if calendar is not None and type(calendar) is not int:
            raise CalendarError(gettext_noop("Choose a calendar from the list."))
        return cls(
            name=str(data.get("name", ""))[:NAME_MAX],
            level=data["level"],
            members=tuple(members),
            unit=Unit(data["unit"]),
            every=data["every"],
            minute=data["minute"],
            weekday=data["weekday"],
            starts=_date(data.get("starts")),
            ends=_date(data["ends"]) if data.get("ends") else None,
            weekly=None if weekly is None else CalendarSpec.from_json({"time_zone": "UTC", "weekly": weekly}).weekly,
            calendar=calendar,
            within=Within(data.get("within", Within.HOURS)),
        )

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; `from_json` gives back an equal layer."""
        weekly = None
        if self.weekly is not None:
            weekly = CalendarSpec("UTC", self.weekly, allow_never=True).to_json()["weekly"]
        return {
            "name": self.name,
            "level": self.level,
            "members": list(self.members),
            "unit": str(self.unit),
            "every": self.every,
            "minute": self.minute,
            "weekday": self.weekday,
            "starts": self.starts.isoformat(),
            "ends": self.ends.isoformat() if self.ends else None,
            "weekly": weekly,
            "calendar": self.calendar,
            "within": str(self.within),
        }


@dataclass(frozen=True)
class RotaSpec:
    """A rota: an IANA zone, and layers in order. Within one level a later layer wins over an earlier one."""

    time_zone: str
    layers: tuple[LayerSpec, ...]

    def __post_init__(self) -> None:
        if self.time_zone not in zone_names():
            raise CalendarError(
                gettext_noop("“%(name)s” is not a known time zone. Choose one from the list, such as Europe/London."),
                name=str(self.time_zone)[:64],
            )
        if len(self.layers) > MAX_LAYERS:
            raise CalendarError(gettext_noop("A rota can have %(most)d layers."), most=MAX_LAYERS)

    @classmethod
    def from_json(cls, time_zone: str, layers: Any) -> RotaSpec:
        """Build a rota from its stored form. Raises CalendarError with a sentence that says what to do."""
        if not isinstance(layers, list):
            raise CalendarError(gettext_noop("Give the layers as a list."))
        return cls(time_zone, tuple(LayerSpec.from_json(one) for one in layers))

    @property
    def people(self) -> set[int]:
        """Everybody whom a layer names."""
        return {person for layer in self.layers for person in layer.members}

    @property
    def calendars(self) -> set[int]:
        """The business calendars by which layers are restricted."""
        return {layer.calendar for layer in self.layers if layer.calendar is not None}


class Layer:
    """A layer ready to be asked: its turns are arithmetic on the day keys of the zone (see `slas.calendars.zones`)."""

    def __init__(self, spec: LayerSpec, time_zone: str, hours: CompiledCalendar | None) -> None:
        self.spec = spec
        self._zone = zone_table(time_zone)
        self._hours = hours
        first = key_of(spec.starts)
        if spec.unit == Unit.WEEK:
            self._period = 7 * spec.every
            self._anchor = first - (first - spec.weekday) % 7
        else:
            self._period = spec.every
            self._anchor = first
        self._start = self._resolve(first)
        self._end = self._resolve(key_of(spec.ends)) if spec.ends else None

    def _resolve(self, key: int) -> int:
        return self._zone.resolve(key, self.spec.minute)

    def _boundary(self, turn: int) -> int:
        return self._resolve(self._anchor + turn * self._period)

    def _turn_at(self, us: int) -> int:
        """The number of the turn that holds the instant. A hand-over never runs backwards, so a step or two is all."""
        key, _start = self._zone.day_of(us)
        turn = (key - self._anchor) // self._period
        while self._boundary(turn) > us:
            turn -= 1
        while self._boundary(turn + 1) <= us:
            turn += 1
        return turn

    def person_at(self, instant: datetime) -> int | None:
        """Who of the layer has the turn at the instant; None before its start, after its end, or outside its hours."""
        us = to_us(instant)
        if us < self._start or (self._end is not None and us >= self._end) or not self._is_in_hours(instant):
            return None
        return self.spec.members[self._turn_at(us) % len(self.spec.members)]

    def turns(self, start: datetime, end: datetime) -> Iterator[Turn]:
        """Yield the turns in [start, end), clipped to it and to the layer's hours, in order."""
        first, last = max(to_us(start), self._start), to_us(end)
        if self._end is not None:
            last = min(last, self._end)
        if first >= last:
            return
        turn = self._turn_at(first)
        while (begin := max(self._boundary(turn), first)) < last:
            close = min(self._boundary(turn + 1), last)
            if begin < close:
                person = self.spec.members[turn % len(self.spec.members)]
                for a, b in self._in_hours(to_instant(begin), to_instant(close)):
                    yield a, b, person
            turn += 1

    def _is_in_hours(self, instant: datetime) -> bool:
        if self._hours is None:
            return True
        return self._hours.is_open(instant) == (self.spec.within == Within.HOURS)

    def _in_hours(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
        if self._hours is None:
            yield start, end
            return
        spans = self._hours.spans(start, end)
        if self.spec.within == Within.HOURS:
            yield from spans
            return
        at = start
        for opens, closes in spans:
            if at < opens:
                yield at, opens
            at = closes
        if at < end:
            yield at, end


@dataclass(frozen=True)
class Plan:
    """A rota's layers ready to be asked. `calendars`: the hours that layers name, by id."""

    spec: RotaSpec
    calendars: Mapping[int, CompiledCalendar]

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """The layers in order. One whose calendar is gone is asked without hours, so that nobody is left uncovered."""
        return tuple(Layer(one, self.spec.time_zone, self._hours_of(one)) for one in self.spec.layers)

    def _hours_of(self, layer: LayerSpec) -> CompiledCalendar | None:
        if layer.calendar is not None:
            return self.calendars.get(layer.calendar)
        if layer.weekly is None:
            return None
        return compile_calendar(CalendarSpec(self.spec.time_zone, layer.weekly, allow_never=True))


def local_days(start: datetime, end: datetime, time_zone: str) -> Iterator[tuple[date, datetime, datetime]]:
    """Yield the local dates that meet [start, end) with their own begin and end: 23 to 25 hours where clocks change."""
    zone = zone_table(time_zone)
    key, at = zone.day_of(to_us(start))
    last = to_us(end)
    while at < last:
        following = zone.start_of(key + 1)
        if following > at:
            yield date_of(key), to_instant(at), to_instant(following)
        key, at = key + 1, following


def end_of_days(start: datetime, days: int) -> datetime:
    """The instant so many times 24 hours after the start."""
    return to_instant(to_us(start) + days * DAY)


def _date(text: Any) -> date:
    try:
        return date.fromisoformat(text)
    except (TypeError, ValueError):
        raise CalendarError(
            gettext_noop("“%(text)s” is not a date. Write it as 2026-12-25."), text=str(text)[:64]
        ) from None

"""What the change calendar shows: changes as they are planned, and the windows behind them, narrowed by filters."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlencode

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import BigIntegerField, Exists, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from changes.models import AffectedService, Change, WindowKind
from changes.models.change import span
from changes.schedule.facts import Window, active_windows
from changes.schedule.occurrences import occurrences
from changes.statuses import TERMINAL, ChangeType, Status
from cmdb.models import Service
from itsm.accounts.models import Team, User
from slas.calendars import ClockChange, clock_changes
from slas.oncall.plan import local_days

MOST_CHANGES = 5000
MONTH, WEEK, DAY = "month", "week", "day"
VIEWS = (MONTH, WEEK, DAY)
DONE = frozenset({*TERMINAL, Status.REVIEW})


@dataclass(frozen=True)
class Filters:
    """What the calendar is narrowed to; all of it together."""

    team: Team | None = None
    service: Service | None = None
    change_type: str = ""
    is_mine: bool = False
    has_conflict: bool = False

    @property
    def is_any(self) -> bool:
        """Whether anything is left out."""
        return any((self.team, self.service, self.change_type, self.is_mine, self.has_conflict))

    def query(self, **more: str) -> str:
        """Return the address part that stands for the filters and `more`."""
        said = {
            "team": self.team.key if self.team else "",
            "service": self.service.key if self.service else "",
            "type": self.change_type,
            "mine": "1" if self.is_mine else "",
            "conflicts": "1" if self.has_conflict else "",
            **more,
        }
        return urlencode({name: value for name, value in said.items() if value})


def read_filters(given: Mapping[str, str], teams: list[Team], services: list[Service]) -> Filters:
    """Return the filters that an address says; what there is not is left out."""
    kind = given.get("type", "")
    return Filters(
        team=next((one for one in teams if one.key == given.get("team")), None),
        service=next((one for one in services if one.key == given.get("service")), None),
        change_type=kind if kind in ChangeType.values else "",
        is_mine=given.get("mine") == "1",
        has_conflict=given.get("conflicts") == "1",
    )


@dataclass(frozen=True, slots=True)
class Entry:
    """A planned change in the calendar."""

    pk: int
    number: str
    title: str
    start: datetime
    end: datetime
    change_type: str
    status: str
    service_id: int | None
    service: str
    assignee: str
    has_conflict: bool

    @property
    def is_done(self) -> bool:
        """Whether it has been made."""
        return self.status in DONE


@dataclass(frozen=True, slots=True)
class Band:
    """One time that a window covers."""

    window: Window
    start: datetime
    end: datetime

    @property
    def is_freeze(self) -> bool:
        """Whether no change may be made then."""
        return self.window.kind == WindowKind.FREEZE


def entries_between(
    viewer: User, start: datetime, end: datetime, filters: Filters, names: Mapping[int | None, str]
) -> list[Entry]:
    """Return the changes planned within [start, end) that exist for the person, by start; cancelled ones are left out.
    `names`: services by id. One query.
    """
    rows = (
        Change.objects.visible_to(viewer)
        .filter(planned_start__isnull=False)
        .exclude(status=Status.CANCELLED)
        .alias(span=span())
        .filter(span__overlap=DateTimeTZRange(start, end))
    )
    touched = AffectedService.objects.filter(change=OuterRef("pk"))
    if filters.team is not None:
        rows = rows.filter(team=filters.team)
    if filters.service is not None:
        rows = rows.filter(Q(service=filters.service) | Exists(touched.filter(service=filters.service)))
    if filters.change_type:
        rows = rows.filter(change_type=filters.change_type)
    if filters.is_mine:
        rows = rows.filter(Q(assignee=viewer) | Q(requester=viewer))
    rows = rows.with_collides()
    if filters.has_conflict:
        rows = rows.filter(collides=True)
    first = touched.order_by("service__name").values("service_id")[:1]
    about = Coalesce("service_id", Subquery(first), output_field=BigIntegerField())
    values = rows.annotate(about=about, who=F("assignee__display_name"))
    return [
        Entry(pk, number, title, begins, ends, kind, status, about, names.get(about, ""), who or "", hit)
        for pk, number, title, begins, ends, kind, status, about, who, hit in values.order_by(
            "planned_start", "pk"
        ).values_list(
            "pk",
            "number",
            "title",
            "planned_start",
            "planned_end",
            "change_type",
            "status",
            "about",
            "who",
            "collides",
        )[:MOST_CHANGES]
    ]


def bands_between(start: datetime, end: datetime, filters: Filters) -> list[Band]:
    """Return the times that active windows cover within [start, end), whole, freezes first, then by start; with a
    service or a type chosen only those that concern it. Three queries at most.
    """
    found = []
    for window in active_windows():
        if filters.service is not None and not window.touches(frozenset({filters.service.pk})):
            continue
        if filters.change_type and window.change_types and filters.change_type not in window.change_types:
            continue
        found += [Band(window, one.start, one.end) for one in occurrences(window.rule, start, end)]
    return sorted(found, key=lambda one: (not one.is_freeze, one.start, one.window.name))


@dataclass(frozen=True)
class Day:
    """A local date with its begin and end: 23 or 25 hours where clocks change (`clock_change`)."""

    day: date
    start: datetime
    end: datetime
    clock_change: ClockChange | None = None

    @property
    def is_weekend(self) -> bool:
        """Whether it is a Saturday or Sunday."""
        return self.day.weekday() > 4


@dataclass(frozen=True)
class Stretch:
    """The days that are looked at."""

    days: tuple[Day, ...]
    start: datetime = field(init=False)
    end: datetime = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "start", self.days[0].start)
        object.__setattr__(self, "end", self.days[-1].end)


def days_of(first: date, count: int, zone: str) -> Stretch:
    """Return so many local dates of the zone from the first on. A date that the zone skipped is not among them."""
    begin = datetime.combine(first, datetime.min.time(), UTC)
    found = list(local_days(begin - timedelta(days=2), begin + timedelta(days=count + 2), zone))
    wanted = [one for one in found if first <= one[0] < first + timedelta(days=count)]
    changes = clock_changes(zone, wanted[0][1], wanted[-1][2])
    return Stretch(
        tuple(
            Day(day, start, end, next((one for one in changes if start <= one.instant < end), None))
            for day, start, end in wanted
        )
    )


def stretch_of(view: str, around: date, zone: str, first_weekday: int = 0) -> Stretch:
    """Return the days that a view of the date shows: the date, its week, or the whole weeks of its month."""
    if view == DAY:
        return days_of(around, 1, zone)
    if view == WEEK:
        return days_of(_week_start(around, first_weekday), 7, zone)
    first = _week_start(around.replace(day=1), first_weekday)
    last = _next_month(around) - timedelta(days=1)
    weeks = (_week_start(last, first_weekday) - first).days // 7 + 1
    return days_of(first, weeks * 7, zone)


def _week_start(day: date, first_weekday: int) -> date:
    return day - timedelta(days=(day.weekday() - first_weekday) % 7)


def _next_month(day: date) -> date:
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1)


def neighbours(view: str, around: date) -> tuple[date, date]:
    """Return the dates that lead to the view before and the one after."""
    if view == DAY:
        return around - timedelta(days=1), around + timedelta(days=1)
    if view == WEEK:
        return around - timedelta(days=7), around + timedelta(days=7)
    return (around.replace(day=1) - timedelta(days=1)).replace(day=1), _next_month(around)


def group_by_day[Item: (Entry, Band)](days: Sequence[Day], items: Iterable[Item]) -> dict[date, list[Item]]:
    """Return what lies on each day, in the order given: something stands on every day that it touches."""
    starts = [one.start for one in days]
    found: dict[date, list[Item]] = {one.day: [] for one in days}
    for item in items:
        index = max(bisect_right(starts, item.start) - 1, 0)
        while index < len(days) and starts[index] < item.end:
            if days[index].end > item.start:
                found[days[index].day].append(item)
            index += 1
    return found

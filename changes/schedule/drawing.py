"""The change calendar as it is drawn: a month as a grid of days, a week or a day as lines of services."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import gettext as _

from changes.schedule.looking import Band, Day, Entry, Stretch, group_by_day

BAND_LANES, CHANGE_LANES = 3, 4
MOST_ROWS, MOST_BARS, MOST_LANES = 60, 600, 8
LANE = 26
WIDE = 0.09
HOURS = timedelta(hours=2)


@dataclass(frozen=True)
class Bar:
    """A change or a window within one week of a month: from which of the seven columns, over how many, in which row."""

    item: Entry | Band
    column: int
    width: int
    row: int
    goes_on: bool = False
    came_on: bool = False


@dataclass
class Cell:
    """A day of a month."""

    day: Day
    is_other_month: bool
    is_today: bool
    column: int
    more: int = 0
    total: int = 0
    frozen: list[str] = field(default_factory=list)


@dataclass
class Week:
    """A week of a month: its days, windows above, changes below."""

    cells: list[Cell]
    bands: list[Bar]
    bars: list[Bar]
    rows: int


def month_weeks(stretch: Stretch, entries: list[Entry], bands: list[Band], month: int, now: datetime) -> list[Week]:
    """Return the weeks of the month with what lies in them: as many lanes as fit, and for each day how many more."""
    weeks = []
    for at in range(0, len(stretch.days), 7):
        days = stretch.days[at : at + 7]
        cells = [
            Cell(one, one.day.month != month, one.start <= now < one.end, number)
            for number, one in enumerate(days, start=1)
        ]
        runs = _runs(bands, days)
        shown, _hidden = _lanes(runs, BAND_LANES, 2)
        for bar in runs:
            if isinstance(bar.item, Band) and bar.item.is_freeze:
                for cell in cells[bar.column - 1 : bar.column - 1 + bar.width]:
                    cell.frozen.append(bar.item.window.name)
        first = 2 + max((bar.row - 1 for bar in shown), default=0)
        inside = [one for one in entries if one.start < days[-1].end and one.end > days[0].start]
        starts = [one.start for one in days]
        bars, hidden = _lanes([_placed(one, days, starts) for one in inside], CHANGE_LANES, first)
        for bar in bars:
            for cell in cells[bar.column - 1 : bar.column - 1 + bar.width]:
                cell.total += 1
        for bar in hidden:
            for cell in cells[bar.column - 1 : bar.column - 1 + bar.width]:
                cell.more += 1
                cell.total += 1
        weeks.append(Week(cells, shown, bars, first + CHANGE_LANES))
    return weeks


def _placed(item: Entry | Band, days: tuple[Day, ...], starts: list[datetime]) -> Bar:
    first = max(bisect_right(starts, item.start) - 1, 0)
    last = max(bisect_right(starts, item.end) - 1, 0)
    if last > first and item.end <= starts[last]:  # it ends at midnight
        last -= 1
    return Bar(item, first + 1, last - first + 1, 0, item.end > days[-1].end, item.start < days[0].start)


def _runs(bands: list[Band], days: tuple[Day, ...]) -> list[Bar]:
    """The windows of the week, those of one rule that lie on days side by side made one."""
    runs: dict[int, list[Bar]] = {}
    starts = [one.start for one in days]
    for band in bands:
        if band.start >= days[-1].end or band.end <= days[0].start:
            continue
        bar = _placed(band, days, starts)
        own = runs.setdefault(band.window.pk, [])
        if own and bar.column <= own[-1].column + own[-1].width:
            last = own[-1]
            width = max(last.column + last.width, bar.column + bar.width) - last.column
            own[-1] = Bar(last.item, last.column, width, 0, bar.goes_on, last.came_on)
        else:
            own.append(bar)
    found = [bar for own in runs.values() for bar in own]
    return sorted(found, key=lambda bar: (not _is_freeze(bar), bar.column, -bar.width))


def _is_freeze(bar: Bar) -> bool:
    return isinstance(bar.item, Band) and bar.item.is_freeze


def _lanes(bars: Iterable[Bar], most: int, first_row: int) -> tuple[list[Bar], list[Bar]]:
    """Give each bar the first row in which its days are free; return those that got one and those that did not."""
    taken: list[int] = [0] * most
    shown, hidden = [], []
    for bar in bars:
        days = ((1 << bar.width) - 1) << bar.column
        lane = next((number for number, used in enumerate(taken) if not used & days), None)
        if lane is None:
            hidden.append(bar)
            continue
        taken[lane] |= days
        shown.append(Bar(bar.item, bar.column, bar.width, first_row + lane, bar.goes_on, bar.came_on))
    return shown, hidden


@dataclass(frozen=True)
class Piece:
    """Something in a line, in percent of its width; `y` in pixels. Its label fits in (`is_wide`) or has room beside."""

    item: Entry | Band
    x: str
    width: str
    y: int
    label: str
    is_wide: bool
    has_room: bool = False


@dataclass(frozen=True)
class Line:
    """A service with its changes, and the windows that concern it behind them."""

    name: str
    pieces: list[Piece]
    bands: list[Piece]
    height: int
    more: int


@dataclass(frozen=True)
class Mark:
    """A day or an hour above the lines; `note` says that clocks change."""

    x: str
    width: str
    label: str
    small: str
    is_weekend: bool
    is_today: bool
    note: bool


class Timeline:
    """Some days as they are: a day of 23 hours is narrower than one of 25."""

    def __init__(self, stretch: Stretch, entries: list[Entry], bands: list[Band], now: datetime) -> None:
        self.start, self.end = stretch.start, stretch.end
        self._days, self._now = stretch.days, now
        self._bands = bands
        services: dict[int | None, list[Entry]] = {}
        for entry in entries[:MOST_BARS]:
            services.setdefault(entry.service_id, []).append(entry)
        rows = sorted(services.items(), key=lambda row: (row[0] is None, row[1][0].service.lower()))[:MOST_ROWS]
        self.left_out = len(entries) - sum(len(own) for _service, own in rows)
        self.lines = [self._line(service, own) for service, own in rows]
        self.top = [self._piece(band, 0, band.window.name) for band in bands if band.window.services is None]

    def marks(self) -> list[Mark]:
        """Return the days above the lines; of a single day its hours."""
        if len(self._days) > 1:
            return [
                Mark(
                    self._share(one.start),
                    self._width(one.start, one.end),
                    str(WEEKDAYS_ABBR[one.day.weekday()]),
                    str(one.day.day),
                    one.is_weekend,
                    one.start <= self._now < one.end,
                    one.clock_change is not None,
                )
                for one in self._days
            ]
        return self._hours()

    def _hours(self) -> list[Mark]:
        found, at = [], self.start
        while at < self.end:
            until = min(at + HOURS, self.end)
            local = timezone.localtime(at)
            found.append(
                Mark(
                    self._share(at),
                    self._width(at, until),
                    f"{local:%H:%M}",
                    "",
                    False,
                    at <= self._now < until,
                    False,
                )
            )
            at = until
        return found

    @property
    def now_x(self) -> str:
        """Where now is; empty where it is outside."""
        return self._share(self._now) if self.start <= self._now < self.end else ""

    def _line(self, service: int | None, entries: list[Entry]) -> Line:
        lanes: list[list[Entry]] = []
        more = 0
        for entry in entries:
            lane = next((number for number, own in enumerate(lanes) if own[-1].end <= entry.start), len(lanes))
            if lane == len(lanes) and lane < MOST_LANES:
                lanes.append([])
            if lane < MOST_LANES:
                lanes[lane].append(entry)
            else:
                more += 1
        pieces = [
            self._piece(entry, lane * LANE + 4, f"{entry.number} {entry.title}", after)
            for lane, own in enumerate(lanes)
            for entry, after in zip(own, [*own[1:], None], strict=True)
        ]
        behind = [
            self._piece(band, 0, band.window.name)
            for band in self._bands
            if band.window.services is not None and service in band.window.services
        ]
        name = entries[0].service or _("No service named")
        return Line(name, pieces, behind, max(len(lanes), 1) * LANE + 8, more)

    def _piece(self, item: Entry | Band, y: int, label: str, after: Entry | None = None) -> Piece:
        start, end = max(item.start, self.start), min(item.end, self.end)
        length = self.end - self.start
        share = (end - start) / length
        room = ((after.start if after else self.end) - end) / length
        return Piece(item, self._share(start), f"{max(share, 0.002):.4%}", y, label, share > WIDE, room > WIDE)

    def _share(self, instant: datetime) -> str:
        return f"{(instant - self.start) / (self.end - self.start):.4%}"

    def _width(self, start: datetime, end: datetime) -> str:
        return f"{(end - start) / (self.end - self.start):.4%}"


@dataclass(frozen=True)
class Chapter:
    """A day of the list: what windows there are, and its changes."""

    day: Day
    entries: list[Entry]
    bands: list[Band]
    more: int
    is_today: bool


def agenda(days: Iterable[Day], entries: list[Entry], bands: list[Band], now: datetime, most: int) -> list[Chapter]:
    """Return the days on which there is something, each with its changes; of very many the first of each day."""
    shown = tuple(days)
    by_day, bands_of = group_by_day(shown, entries), group_by_day(shown, bands)
    each = max(most // max(len(shown), 1), 4)
    found = []
    for one in shown:
        own, covered = by_day[one.day], bands_of[one.day]
        is_today = one.start <= now < one.end
        if own or covered or is_today or one.clock_change:
            found.append(Chapter(one, own[:each], covered[:each], max(len(own) - each, 0), is_today))
    return found

"""What the search is given: cases with a known outcome, and the ways in which their clocks may be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from slas.calendars import CompiledCalendar

Runs = tuple[tuple[datetime, datetime], ...]

_US = 1_000_000
_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Case:
    """One stopped clock: its name, and whether the desk itself says that the target was kept."""

    name: str
    made: bool


class Clock:
    """One way to read when each case's clock ran: `runs` has one entry for each case, none of them empty.

    `cost` says how far the reading is from the plainest one (0); of rules that err equally the cheaper is taken.
    Raises ValueError for a case without a run and for a run that ends before it starts.
    """

    def __init__(self, name: str, runs: Sequence[Runs], cost: int = 0) -> None:
        self.name = name
        self.cost = cost
        places: dict[datetime, int] = {}
        self._pairs: list[tuple[int, ...]] = []
        for spans in runs:
            if not spans or any(end < start for start, end in spans):
                raise ValueError("Each case needs a run, and a run cannot end before it starts.")
            kept = [span for span in spans if span[0] < span[1]] or [spans[-1]]
            self._pairs.append(tuple(places.setdefault(instant, len(places)) for span in kept for instant in span))
        self._instants = list(places)

    def needed_s(self, calendar: CompiledCalendar, cases: Sequence[int]) -> list[int]:
        """Return for each of the cases the least target in whole seconds under which it is met by the calendar.

        A timer is met when it stops at or before its due instant (`slas.timing`). Hence a clock that stops while the
        calendar is closed needs more than it ran: that target was full when the calendar closed, before the stop.
        """
        measured = [calendar.measure(instant) for instant in self._instants]
        stops = {self._pairs[case][-1] for case in cases}
        # One microsecond more, where the stop lies in closed time.
        late = {place: int(measured[place] == calendar.measure(self._instants[place] - _MOMENT)) for place in stops}
        needed = []
        for case in cases:
            pairs = self._pairs[case]
            elapsed = measured[pairs[1]] - measured[pairs[0]]
            for place in range(2, len(pairs), 2):
                elapsed += measured[pairs[place + 1]] - measured[pairs[place]]
            needed.append(max(-(-(elapsed + late[pairs[-1]]) // _US), 1))
        return needed


@dataclass(frozen=True)
class Levels:
    """One way to read which level (such as a priority) each case had when it was judged."""

    name: str
    of: Sequence[int]
    cost: int = 0


@dataclass(frozen=True)
class Log:
    """All that is known: the cases, and the readings among which the search chooses."""

    cases: Sequence[Case]
    clocks: Sequence[Clock]
    levels: Sequence[Levels]

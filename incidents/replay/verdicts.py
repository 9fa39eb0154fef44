"""What the log says about its own targets: each closed incident's `made_sla`, and when its clock may have run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

from incidents.replay.mapping import STANDINGS
from incidents.replay.reading import LogFileError, grouped_lines, instant_of, instant_or_none, level_of
from incidents.statuses import Status
from slas.fitting import Case, Clock, Levels, Log

COLUMNS = frozenset(
    {
        "number",
        "incident_state",
        "made_sla",
        "opened_at",
        "sys_updated_at",
        "priority",
        "resolved_at",
        "closed_at",
    }
)
ALL_HOLDS = "all"
NO_HOLD = "none"
# Where the clock may stop, the plainest first.
STOPS = ("closed_at", "closed_first", "resolved_at", "resolved_first")
LEVELS = ("last", "first", "highest")


@dataclass(frozen=True, slots=True)
class Verdict:
    """A closed incident as far as its target goes. `states`: each row's instant with what it says of the state."""

    number: str
    made: bool
    opened_at: datetime
    states: tuple[tuple[datetime, str], ...]
    priorities: tuple[int, ...]
    resolved_at: datetime | None
    closed_at: datetime

    def first_in(self, status: str) -> datetime | None:
        """Return the instant of the first row whose state means this status."""
        return next((at for at, state in self.states if _status_of(state) == status), None)

    def times_in(self, status: str) -> int:
        """Return how often the incident came into this status."""
        meant = ["", *(_status_of(state) for _at, state in self.states)]
        return sum(now == status != before for before, now in pairwise(meant))

    def saves_in(self, status: str) -> int:
        """Return how many rows have this status."""
        return sum(_status_of(state) == status for _at, state in self.states)

    def stop(self, name: str) -> datetime:
        """Return when the clock of this name stops. What the log lacks is taken from the next later event it has."""
        closed_first = self.first_in(Status.CLOSED) or self.closed_at
        found = {
            "closed_at": self.closed_at,
            "closed_first": closed_first,
            "resolved_at": self.resolved_at or closed_first,
            "resolved_first": self.first_in(Status.RESOLVED) or closed_first,
        }[name]
        return max(found, self.opened_at)

    def runs(self, stop: str, hold: str) -> tuple[tuple[datetime, datetime], ...]:
        """Return when the clock ran: from the opening to the stop, without the waits of this state (`all`: of any)."""
        end = self.stop(stop)
        spans: list[tuple[datetime, datetime]] = []
        since: datetime | None = self.opened_at
        for at, state in self.states:
            at = min(max(at, self.opened_at), end)
            waits = state == hold or (hold == ALL_HOLDS and _status_of(state) == Status.ON_HOLD)
            if waits and since is not None:
                spans.append((since, at))
                since = None
            elif not waits and since is None:
                since = at
        spans.append((since or end, end))
        return tuple((start, stop_) for start, stop_ in spans if start < stop_) or ((end, end),)


@dataclass
class Verdicts:
    """The closed incidents that can be judged, and how many are left out for which reason."""

    kept: list[Verdict] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)

    @property
    def span(self) -> tuple[datetime, datetime]:
        """Return the first opening and the last closing."""
        return min(one.opened_at for one in self.kept), max(one.closed_at for one in self.kept)

    def split(self, share: float) -> tuple[list[int], list[int]]:
        """Return the places of the incidents to fit on and of those held out, about `share` of them.

        The number alone decides, so that the same incident is always on the same side.
        """
        sides: tuple[list[int], list[int]] = ([], [])
        for place, verdict in enumerate(self.kept):
            sides[_lot(verdict.number) < share].append(place)
        return sides

    def as_log(self) -> Log:
        """Return the incidents with every reading of clock and priority among which the search chooses."""
        holds = [NO_HOLD, *self._holds()]
        clocks = [
            Clock(f"{stop}|{hold}", [one.runs(stop, hold) for one in self.kept], place + 2 * (hold != NO_HOLD))
            for place, stop in enumerate(STOPS)
            for hold in holds
        ]
        readings = {
            "last": [one.priorities[-1] for one in self.kept],
            "first": [one.priorities[0] for one in self.kept],
            "highest": [min(one.priorities) for one in self.kept],
        }
        levels = [Levels(name, readings[name], place) for place, name in enumerate(LEVELS)]
        return Log([Case(one.number, one.made) for one in self.kept], clocks, levels)

    def _holds(self) -> list[str]:
        met = {state for one in self.kept for _at, state in one.states if _status_of(state) == Status.ON_HOLD}
        return [ALL_HOLDS, *sorted(met)] if met else []


def read_verdicts(path: Path, zone: tzinfo) -> Verdicts:
    """Read from the log what it says about the targets of its closed incidents; times are local times of `zone`.

    Raises:
        LogFileError: as `incidents.replay.reading.read_log`, or no closed incident says whether its target was kept.
    """
    verdicts = Verdicts()
    for number, lines in grouped_lines(path, COLUMNS):
        try:
            verdict = _verdict(number, lines, zone)
        except ValueError as error:
            verdicts.left_out[str(error)] += 1
            continue
        verdicts.kept.append(verdict)
    if not verdicts.kept:
        raise LogFileError(f"{path} has no closed incident whose made_sla is true or false: there is nothing to fit.")
    return verdicts


def _verdict(number: str, lines: Sequence[dict[str, str]], zone: tzinfo) -> Verdict:
    last = lines[-1]
    if None in last or None in last.values():
        raise ValueError("a row has more or fewer fields than the heading")
    if _status_of(last["incident_state"].strip()) != Status.CLOSED:
        raise ValueError("not closed")
    if last["made_sla"] not in {"true", "false"}:
        raise ValueError("made_sla is neither true nor false")
    rows = tuple(_rows(lines, zone))
    opened_at = instant_or_none(last["opened_at"], zone)
    if opened_at is None:
        raise ValueError("opened_at is no time")
    if not rows:
        raise ValueError("no row can be read")
    return Verdict(
        number=number,
        made=last["made_sla"] == "true",
        opened_at=opened_at,
        states=tuple((at, state) for at, state, _priority in rows),
        priorities=tuple(priority for _at, _state, priority in rows),
        resolved_at=instant_or_none(last["resolved_at"], zone),
        closed_at=instant_or_none(last["closed_at"], zone) or rows[-1][0],
    )


def _rows(lines: Sequence[dict[str, str]], zone: tzinfo) -> Iterator[tuple[datetime, str, int]]:
    for line in lines:
        try:
            yield (
                instant_of(line["sys_updated_at"], zone),
                line["incident_state"].strip(),
                level_of(line["priority"], 5),
            )
        except (ValueError, AttributeError):
            continue


def _status_of(state: str) -> str:
    standing = STANDINGS.get(state)
    return standing.status if standing else ""


def _lot(number: str) -> float:
    return int.from_bytes(sha256(number.encode()).digest()[:8]) / 2**64

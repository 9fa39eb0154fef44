"""Which team had a clock for how long: its runs cut at the hand-overs of its ticket, measured by the hours of each run.

The parts of a clock add up to what it has run, to the microsecond: open time is additive (sla.md §8.2), and a run that
no hand-over cuts keeps the length that was stored.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from itsm.tickets.errors import Invalid
from slas.calendars import CompiledCalendar
from slas.models import CalendarVersion, Timer

MOST_CLOCKS = 20_000
FETCHED = 2000
# By the ids that were found: a subquery that judges the clocks once more costs far more than these.
RUNS = """
SELECT r.timer_id, r.started_at, r.ended_at, r.elapsed_us, r.calendar_version_id, r.time_zone
FROM unnest(%s::bigint[]) AS wanted (id) JOIN slas_run r ON r.timer_id = wanted.id ORDER BY r.id
"""
CHANGES = """
SELECT e.ticket_id, e.at, (e.data #>> '{changes,team,0,id}')::bigint, (e.data #>> '{changes,team,1,id}')::bigint
FROM unnest(%s::bigint[]) AS wanted (id)
JOIN tickets_ticketevent e ON e.ticket_id = wanted.id AND (e.data -> 'changes') ? 'team' ORDER BY e.seq
"""


@dataclass(frozen=True)
class Stay:
    """A stretch in which one team (by id; None: nobody) had the ticket; `until` None: it still has it."""

    team: int | None
    since: datetime | None
    until: datetime | None


@dataclass(frozen=True)
class Stretch:
    """A stretch in which a clock ran, its length in microseconds of open time, and the hours it is measured by."""

    started_at: datetime
    ended_at: datetime
    elapsed_us: int
    hours: CompiledCalendar


@dataclass
class Held:
    """What one team had: microseconds of open time, clocks it had at all, and times it handed a ticket on."""

    us: int = 0
    clocks: int = 0
    handed_on: int = 0


@dataclass(frozen=True)
class Share:
    """One clock's time, team by team in the order in which they had it (a team that had it twice stands once)."""

    timer: Timer
    by_team: dict[int | None, int]
    handed_on: dict[int | None, int] = field(default_factory=dict)


def stays_of(changes: Sequence[tuple[datetime, int | None, int | None]], now_with: int | None) -> list[Stay]:
    """Return the ticket's stays with teams from its changes of team (instant, old, new), in order."""
    if not changes:
        return [Stay(now_with, None, None)]
    stays = []
    since = None
    for at, before, _after in changes:
        instant = max(at, since) if since is not None else at
        stays.append(Stay(before, since, instant))
        since = instant
    stays.append(Stay(changes[-1][2], since, None))
    return stays


def split(runs: Iterable[Stretch], stays: Sequence[Stay]) -> dict[int | None, int]:
    """Return the open time of the runs by the team that had the ticket, in microseconds. Sums to the runs' lengths."""
    found: dict[int | None, int] = {}
    for run in runs:
        left, mark = run.elapsed_us, run.started_at
        for stay in stays:
            if stay.until is not None and stay.until <= mark:
                continue
            if stay.until is None or stay.until >= run.ended_at:
                found[stay.team] = found.get(stay.team, 0) + left
                break
            part = run.hours.open_us(mark, stay.until)
            found[stay.team] = found.get(stay.team, 0) + part
            left, mark = left - part, stay.until
    return found


def shares_of(timers: QuerySet[Any], now: datetime) -> Iterator[Share]:
    """Yield how each of the timers was shared between teams. Four queries, however many there are.

    Raises:
        Invalid: there are more than MOST_CLOCKS; the sentence says what to do.
    """
    found = list(timers.select_related(None).order_by("pk")[: MOST_CLOCKS + 1])
    if len(found) > MOST_CLOCKS:
        raise Invalid(
            {
                "period": _("These are more than %(most)s clocks. Choose a shorter period, a policy or a team.")
                % {"most": f"{MOST_CLOCKS:,}"}
            }
        )
    hours = _Hours()
    runs = _runs_of([timer.pk for timer in found], hours)
    changes = _changes_of({timer.ticket_id for timer in found})
    for timer in found:
        stretches = runs.get(timer.pk, [])
        if timer.run_started_at is not None and timer.run_started_at < now:
            ran = hours.find(timer.calendar_version_id, timer.time_zone)
            length = ran.open_us(timer.run_started_at, now)
            stretches = [*stretches, Stretch(timer.run_started_at, now, length, ran)]
        until = stretches[-1].ended_at if stretches else timer.started_at
        stays = stays_of(changes.get(timer.ticket_id, ()), timer.team_now)
        handed: dict[int | None, int] = defaultdict(int)
        for stay in stays:
            if stay.until is not None and timer.started_at <= stay.until < until:
                handed[stay.team] += 1
        yield Share(timer, split(stretches, stays), dict(handed))


def summed(shares: Iterable[Share]) -> dict[int | None, Held]:
    """Return what each team had of all the clocks together."""
    found: dict[int | None, Held] = defaultdict(Held)
    for share in shares:
        for team, us in share.by_team.items():
            found[team].us += us
            found[team].clocks += 1
        for team, times in share.handed_on.items():
            found[team].handed_on += times
    return dict(found)


class _Hours:
    """Compiled hours by calendar version and zone, all versions read in one query when the first is needed."""

    def __init__(self) -> None:
        self._versions: dict[int, CalendarVersion] | None = None

    def find(self, version_id: int, time_zone: str) -> CompiledCalendar:
        """Return the hours of the version, in the zone where one is given."""
        if self._versions is None:
            self._versions = {version.pk: version for version in CalendarVersion.objects.all()}
        return self._versions[version_id].hours_in(time_zone)


def _runs_of(timers: Sequence[int], hours: _Hours) -> dict[int, list[Stretch]]:
    found: dict[int, list[Stretch]] = defaultdict(list)
    for timer, started, ended, elapsed, version, zone in _rows(RUNS, timers):
        found[timer].append(Stretch(started, ended, elapsed, hours.find(version, zone)))
    return found


def _changes_of(tickets: Collection[int]) -> dict[int, list[tuple[datetime, int | None, int | None]]]:
    found: dict[int, list[tuple[datetime, int | None, int | None]]] = defaultdict(list)
    for ticket, at, old, new in _rows(CHANGES, tickets):
        found[ticket].append((at, old, new))
    return found


def _rows(query: str, wanted: Collection[int]) -> Iterator[Any]:
    with connection.cursor() as cursor:
        cursor.execute(query, [list(wanted)])
        while rows := cursor.fetchmany(FETCHED):
            yield from rows

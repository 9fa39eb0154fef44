"""The hours in which somebody is told: local times of some weekdays, and the instant at which they begin next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

MINUTES = 1440
WEEK = 7


@dataclass(frozen=True)
class Hours:
    """From `start` to `end` (minutes of the local day; an end at or before the start is on the next) on these weekdays
    (Monday 0). Half-open. No weekdays at all means every day, so that nobody is never told."""

    zone: ZoneInfo
    start: int
    end: int
    days: frozenset[int]

    def hold(self, instant: datetime) -> bool:
        """Return whether the instant (aware) lies in the hours."""
        return any(start <= instant < end for start, end in self._spans(instant))

    def first(self, instant: datetime) -> datetime:
        """Return the first instant at or after this one that lies in the hours, exact to the microsecond, in UTC."""
        for start, end in sorted(self._spans(instant)):
            if instant < end:
                return max(start, instant).astimezone(UTC)
        return instant.astimezone(UTC)

    def _spans(self, instant: datetime) -> Iterator[tuple[datetime, datetime]]:
        today = instant.astimezone(self.zone).date()
        for offset in range(-2, WEEK + 2):
            day = today + timedelta(days=offset)
            if self.days and day.weekday() not in self.days:
                continue
            start = self._resolve(day, self.start)
            end = self._resolve(day if self.end > self.start else day + timedelta(days=1), self.end)
            if start < end:
                yield start, end

    def _resolve(self, day: date, minute: int) -> datetime:
        """The instant of a local time: moved on by a gap's length, the first pass of a repeated hour."""
        days, rest = divmod(minute, MINUTES)
        local = datetime.combine(day + timedelta(days=days), time(rest // 60, rest % 60), self.zone)
        return local.astimezone(UTC)

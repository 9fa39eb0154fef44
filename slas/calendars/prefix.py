"""Sums over days, and their inverse, without walking the days."""

from array import array
from bisect import bisect_left
from collections.abc import Mapping, Sequence

from slas.calendars.errors import NeverOpen, gettext_noop


class DaySums:
    """Each day carries an amount >= 0: its weekday's, or for a special date its own.

    `before(key)` and `find(goal)` are inverse. Both cost one bisection over the special dates, whatever the distance.
    """

    def __init__(self, week: Sequence[int], special: Mapping[int, int]) -> None:
        self._heads = tuple(sum(week[:i]) for i in range(7))
        self._week = sum(week)
        self._keys, self._before = array("q"), array("q")
        self._gains = array("q", [0])
        gain = 0
        for key in sorted(special):
            self._keys.append(key)
            self._before.append(self._plain(key) + gain)
            gain += special[key] - week[key % 7]
            self._gains.append(gain)

    def _plain(self, key: int) -> int:
        return key // 7 * self._week + self._heads[key % 7]

    def before(self, key: int) -> int:
        """The sum over all days before `key` (from key 0)."""
        return self._plain(key) + self._gains[bisect_left(self._keys, key)]

    def find(self, goal: int) -> tuple[int, int]:
        """The day in which the running sum reaches `goal`, and how much of that day's amount that takes (> 0).

        Raises NeverOpen when no later day carries anything.
        """
        i = bisect_left(self._before, goal) - 1
        if i >= 0:
            key = self._keys[i]
            if goal <= self._plain(key + 1) + self._gains[i + 1]:
                return key, goal - self._before[i]
        if not self._week:
            raise NeverOpen(
                gettext_noop("This calendar has no open time left for the target. Choose a calendar with weekly hours.")
            )
        weeks, rest = divmod(goal - self._gains[i + 1] - 1, self._week)
        weekday = bisect_left(self._heads, rest + 1) - 1
        return weeks * 7 + weekday, rest + 1 - self._heads[weekday]

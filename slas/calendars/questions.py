"""Questions to the engine as lines of JSON, one answer a line, so that it can be checked against anything.

`{"calendar": C, "from": T, "to": T}` is answered by `{"seconds": N}`, `{"calendar": C, "from": T, "seconds": N}` by
`{"due": T}`, and whatever cannot be answered by `{"error": "…"}`. docs/calendars.md has the format for people.
"""

import json
import marshal
import re
from collections import OrderedDict
from datetime import datetime
from decimal import Decimal
from typing import Any, NoReturn

from slas.calendars.compiled import CompiledCalendar
from slas.calendars.errors import CalendarError
from slas.calendars.spec import CalendarSpec

# Longer lines are refused unread: 2,000 closed dates with as many overrides fit ten times.
LONGEST_LINE = 1_000_000
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_CALENDAR = {"tz", "hours", "holidays", "overrides"}
_QUESTION = {"calendar", "from", "to", "seconds"}
_KEPT = 2048
_SECOND = 1_000_000
_INSTANT = re.compile(
    r"\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)", re.ASCII
)


class Unanswerable(ValueError):
    """A line that is no question; the message says what a question has to look like."""


class Answers:
    """Answers lines. Calendars that were asked for lately are kept compiled by what the line said, word for word."""

    def __init__(self) -> None:
        self._kept: OrderedDict[bytes, CompiledCalendar] = OrderedDict()

    def answer(self, line: bytes) -> str:
        """Return the answer to one line (with or without its line break) as JSON without a line break; never raises."""
        try:
            return self._answer(line)
        except (Unanswerable, CalendarError) as error:
            return json.dumps({"error": str(error)})

    def _answer(self, line: bytes) -> str:
        question = _read(line)
        if not isinstance(question, dict):
            raise Unanswerable("Ask with an object that has calendar, from, and to or seconds.")
        if len(question) != 3 or not question.keys() <= _QUESTION or "calendar" not in question:
            raise Unanswerable("A question has calendar, from, and either to or seconds, and nothing else.")
        if "from" not in question:
            raise Unanswerable("Say from when the time counts: from.")
        calendar = self._calendar(question["calendar"])
        start = _instant(question["from"], "from")
        if "to" in question:
            return f'{{"seconds": {_seconds(calendar.open_us(start, _instant(question["to"], "to")))}}}'
        due = calendar.due(start, _length_us(question["seconds"]))
        return f'{{"due": "{due.isoformat().removesuffix("+00:00")}Z"}}'

    def _calendar(self, said: Any) -> CompiledCalendar:
        try:
            key = marshal.dumps(said, 2)
        except ValueError:
            raise Unanswerable("This calendar is nested too deeply to be one.") from None
        found = self._kept.get(key)
        if found is None:
            found = self._kept[key] = CompiledCalendar(read_calendar(said))
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(key)
        return found


def read_calendar(said: Any) -> CalendarSpec:
    """Return the calendar of a question. Days that are not named are closed; one that never opens measures zero.

    Raises:
        Unanswerable, CalendarError: with a sentence that says what to do.
    """
    if not isinstance(said, dict):
        raise Unanswerable("Give the calendar as an object with tz, hours, holidays and overrides.")
    if unknown := said.keys() - _CALENDAR:
        raise Unanswerable(f"“{min(unknown)[:64]}” is not part of a calendar. Use tz, hours, holidays and overrides.")
    hours, holidays, overrides = said.get("hours", {}), said.get("holidays", []), said.get("overrides", {})
    if not isinstance(hours, dict) or not hours.keys() <= set(DAYS):
        raise Unanswerable(f"Give hours as an object from the days {', '.join(DAYS)} to lists of spans.")
    if not isinstance(holidays, list):
        raise Unanswerable("Give holidays as a list of dates such as 2026-12-25.")
    return CalendarSpec.from_json(
        {
            "time_zone": said.get("tz", ""),
            "weekly": [hours.get(day, []) for day in DAYS],
            "closed_dates": holidays,
            "overrides": overrides,
            "allow_never": True,
        }
    )


def _read(line: bytes) -> Any:
    if len(line) > LONGEST_LINE:
        raise Unanswerable(f"This line is too long. A question has at most {LONGEST_LINE:,} bytes.")
    try:
        text = line.decode()
    except UnicodeDecodeError:
        raise Unanswerable("This line is not UTF-8.") from None
    if not text.strip():
        raise Unanswerable("This line is empty. Write one question as JSON on each line.")
    try:
        return json.loads(text, parse_constant=_no_number)
    except RecursionError:
        raise Unanswerable("This line is nested too deeply to be a question.") from None
    except json.JSONDecodeError as error:
        raise Unanswerable(f"This line is not JSON: {error.msg} at column {error.colno}.") from None
    except Unanswerable:
        raise
    except ValueError:
        # Python reads no integer of more than 4,300 digits.
        raise Unanswerable("This line has a number that is too large.") from None


def _no_number(text: str) -> NoReturn:
    raise Unanswerable(f"{text} is not a number that can be measured.")


def _instant(said: Any, name: str) -> datetime:
    if isinstance(said, str) and _INSTANT.fullmatch(said):
        try:
            return datetime.fromisoformat(said)
        except ValueError:
            pass
    raise Unanswerable(
        f"“{name}” is not an instant. Write it as 2026-03-02T09:00:00Z, with Z or an offset and at most microseconds."
    )


def _length_us(said: Any) -> int:
    if type(said) is int:
        return said * _SECOND
    # Within the horizon a binary fraction tells microseconds apart, so its shortest decimal is what was written.
    if isinstance(said, float) and abs(said) < 10**12 and (us := Decimal(repr(said)) * _SECOND) == int(us):
        return int(us)
    raise Unanswerable("Give seconds as a number, to the microsecond at most.")


def _seconds(us: int) -> str:
    whole, rest = divmod(abs(us), _SECOND)
    sign = "-" if us < 0 else ""
    return f"{sign}{whole}.{rest:06}".rstrip("0") if rest else f"{sign}{whole}"

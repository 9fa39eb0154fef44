"""Clock changes of an IANA zone, read from its TZif file (RFC 9636).

`zoneinfo` answers "what is the offset then" but does not list the changes, and probing it at steps may miss two changes
that are close. So the same file that `zoneinfo` would open is read here: its explicit table, then its closing rule.
"""

import calendar
import importlib
import importlib.resources
import re
import struct
import zoneinfo
from datetime import date
from functools import cache
from pathlib import Path

from slas.calendars.errors import CalendarError, gettext_noop

# (UTC second of the change, offset from UTC in seconds from then on)
Change = tuple[int, int]

_EPOCH_DAY = date(1970, 1, 1).toordinal()
_HEADER = struct.Struct(">4sc15x6L")
_OFFSET = r"([+-]?\d{1,3}(?::\d\d){0,2})"
_NAME = r"(?:<[^>]+>|[A-Za-z]{3,})"
_RULE = r"((?:M\d+\.\d\.\d|J?\d+)(?:/[+-]?\d{1,3}(?::\d\d){0,2})?)"
_TAIL = re.compile(rf"{_NAME}{_OFFSET}(?:{_NAME}{_OFFSET}?,{_RULE},{_RULE})?")


@cache
def zone_names() -> frozenset[str]:
    """Names a calendar may use: what `zoneinfo` finds, less `localtime`, which means another zone on each machine."""
    return frozenset(zoneinfo.available_timezones() - {"localtime"})


def zone_bytes(name: str) -> bytes:
    """The TZif file of a zone, found where `zoneinfo` looks: its TZPATH first, then the `tzdata` package.

    Raises CalendarError for a name that is not an IANA zone here.
    """
    if name not in zone_names():
        raise CalendarError(
            gettext_noop("“%(name)s” is not a known time zone. Choose one from the list, such as Europe/London."),
            name=str(name)[:64],
        )
    for folder in zoneinfo.TZPATH:
        path = Path(folder, name)
        if path.is_file():
            return path.read_bytes()
    return importlib.resources.files("tzdata").joinpath("zoneinfo", *name.split("/")).read_bytes()


@cache
def tz_data_version() -> str:
    """Release of the zone data in use, for people: `2026a (system)` or `2026a (tzdata package)`.

    The system's data win when present, as in `zoneinfo`. Digests do not use this name; they use the changes themselves.
    """
    for folder in zoneinfo.TZPATH:
        if not Path(folder, "Etc", "UTC").is_file():
            continue
        for name, pattern in (("tzdata.zi", r"# version (\S+)"), ("+VERSION", r"(\S+)")):
            path = Path(folder, name)
            if path.is_file():
                with path.open(encoding="utf-8") as file:
                    if found := re.match(pattern, file.readline()):
                        return f"{found[1]} (system)"
        return "unknown release (system)"
    return f"{importlib.import_module('tzdata').IANA_VERSION} (tzdata package)"


def read_changes(data: bytes, first: int, last: int) -> list[Change]:
    """Every change of offset within UTC seconds [first, last), in order; entries that keep the offset are included.

    Past the explicit table the closing rule goes on for ever, so `last` may be any year.
    """
    table, tail = _parse(data)
    end = table[-1][0] if table else None
    begin = first if end is None else max(first, end + 1)
    table += [change for change in _rule_changes(tail, begin, last) if change[0] >= begin]
    return [change for change in table if first <= change[0] < last]


def _parse(data: bytes) -> tuple[list[Change], str]:
    magic, version, *counts = _HEADER.unpack_from(data)
    if magic != b"TZif":
        raise ValueError("not a TZif file")
    at, wide = _HEADER.size, version >= b"2"
    if wide:
        # The first block repeats the data in 32 bits for old readers; the 64-bit block with its own header follows.
        isutc, isstd, leap, times, types, chars = counts
        at += times * 5 + types * 6 + chars + leap * 8 + isstd + isutc
        _, _, *counts = _HEADER.unpack_from(data, at)
        at += _HEADER.size
    isutc, isstd, leap, times, types, chars = counts
    width = 8 if wide else 4
    instants = struct.unpack_from(f">{times}{'q' if wide else 'l'}", data, at)
    at += times * width
    kinds = data[at : at + times]
    at += times
    offsets = [struct.unpack_from(">l", data, at + 6 * i)[0] for i in range(types)]
    at += types * 6 + chars + leap * (width + 4) + isstd + isutc
    tail = data[at:].decode("ascii").strip("\n") if wide else ""
    return [(instant, offsets[kind]) for instant, kind in zip(instants, kinds, strict=True)], tail


def _rule_changes(tail: str, first: int, last: int) -> list[Change]:
    if not tail:
        return []
    found = _TAIL.fullmatch(tail)
    if found is None:
        raise ValueError(f"unreadable TZif rule {tail!r}")
    std_text, dst_text, dst_rule, std_rule = found.groups()
    if dst_rule is None:
        return []
    # POSIX counts offsets westward: EST5 is UTC-5.
    std = -_seconds(std_text)
    dst = -_seconds(dst_text) if dst_text else std + 3600
    changes = []
    for year in range(_year(first) - 1, _year(last) + 2):
        changes.append((_rule_second(dst_rule, year) - std, 1, dst))
        changes.append((_rule_second(std_rule, year) - dst, 0, std))
    # Summer time all year round is an end and a new start at one instant; sorted so, the start has the last word.
    return [(instant, offset) for instant, _, offset in sorted(changes) if first <= instant < last]


def _rule_second(rule: str, year: int) -> int:
    """Local second since 1970 at which a rule such as M3.2.0/2 strikes in a year."""
    day, _, time = rule.partition("/")
    if day.startswith("M"):
        month, week, weekday = (int(part) for part in day[1:].split("."))
        first = date(year, month, 1)
        # isoweekday() % 7 counts from Sunday = 0, as the rule does.
        number = 1 + (weekday - first.isoweekday()) % 7 + 7 * (week - 1)
        if number > calendar.monthrange(year, month)[1]:
            number -= 7
        ordinal = first.toordinal() + number - 1
    elif day.startswith("J"):
        number = int(day[1:])
        ordinal = date(year, 1, 1).toordinal() + number - 1 + (calendar.isleap(year) and number >= 60)
    else:
        ordinal = date(year, 1, 1).toordinal() + int(day)
    return (ordinal - _EPOCH_DAY) * 86400 + (_seconds(time) if time else 7200)


def _seconds(text: str) -> int:
    sign = -1 if text.startswith("-") else 1
    hours, minutes, seconds = (*(int(part) for part in text.lstrip("+-").split(":")), 0, 0)[:3]
    return sign * (hours * 3600 + minutes * 60 + seconds)


def _year(second: int) -> int:
    return date.fromordinal(second // 86400 + _EPOCH_DAY).year

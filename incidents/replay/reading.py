"""Reading the event log: one row for each saved change of an incident, the rows of an incident together."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from itertools import groupby, islice
from pathlib import Path
from typing import IO, Any

MISSING = "?"
LONGEST_NAME = 60
KEPT_AS_CUSTOM = (
    "contact_type",
    "location",
    "u_symptom",
    "knowledge",
    "u_priority_confirmation",
    "notify",
    "problem_id",
    "rfc",
    "vendor",
    "caused_by",
)
COLUMNS = frozenset(
    {
        "number",
        "incident_state",
        "reassignment_count",
        "reopen_count",
        "sys_mod_count",
        "caller_id",
        "opened_by",
        "opened_at",
        "sys_updated_at",
        "category",
        "subcategory",
        "cmdb_ci",
        "impact",
        "urgency",
        "priority",
        "assignment_group",
        "assigned_to",
        "closed_code",
        "resolved_by",
        "resolved_at",
        "closed_at",
        *KEPT_AS_CUSTOM,
    }
)


class LogFileError(Exception):
    """The file cannot be replayed at all; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Row:
    """One event of the log as the desk saw it then: nothing here was known only later."""

    state: str
    at: datetime
    save: int
    caller: str
    category: str
    subcategory: str
    service: str
    impact: int
    urgency: int
    priority: int
    team: str
    assignee: str
    reassignment_count: int
    reopen_count: int
    custom: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Ending:
    """What the log fills into every row of an incident after the fact. Only the resolution may use it."""

    code: str
    resolved_by: str
    resolved_at: datetime | None
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class LoggedIncident:
    """An incident's rows in order. A row that cannot be read stands as the sentence about it."""

    number: str
    opened_at: datetime | None
    opened_by: str
    rows: tuple[Row | str, ...]
    raw: tuple[str, ...]
    ending: Ending


def open_log(path: Path) -> IO[str]:
    """Open the log for reading, packed (.gz) or plain."""
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8", newline="")
    return path.open("r", encoding="utf-8", newline="")


def read_log(path: Path, zone: tzinfo) -> Iterator[LoggedIncident]:
    """Yield the incidents of the log in the order of the file, one at a time. Times are read as local times of `zone`.

    Raises:
        LogFileError: the file is not there, is no such log, or breaks off.
    """
    for number, lines in grouped_lines(path):
        yield _incident(number, lines, zone)


def count_rows(path: Path, limit: int | None) -> int:
    """Return how many rows the first `limit` incidents (None: all) have, without reading what the rows say.

    Raises:
        LogFileError: as `read_log`, or the log has no rows.
    """
    total = sum(len(lines) for _number, lines in islice(grouped_lines(path), limit))
    if not total:
        raise LogFileError(f"{path} holds no rows.")
    return total


def grouped_lines(path: Path, needed: frozenset[str] = COLUMNS) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """Yield each incident's number with its lines as they stand in the file, one incident at a time.

    Raises:
        LogFileError: as `read_log`, or a needed column is missing.
    """
    try:
        with open_log(path) as file:
            reader = csv.DictReader(file)
            lacking = sorted(needed - set(reader.fieldnames or ()))
            if lacking:
                raise LogFileError(f"{path} is not an incident event log: it has no column {', '.join(lacking)}.")
            for number, lines in groupby(reader, key=lambda line: line["number"] or ""):
                yield number, list(lines)
    except UnicodeDecodeError as error:
        raise LogFileError(f"{path} is not UTF-8 text: {error.reason} at byte {error.start}.") from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise LogFileError(f"{path} is damaged or breaks off: {error} Fetch it again.") from error
    except csv.Error as error:
        raise LogFileError(f"{path} is not a readable CSV file: {error}.") from error
    except OSError as error:
        raise LogFileError(f"{path} cannot be read: {error.strerror or error}.") from error


def _incident(number: str, lines: list[dict[str, str]], zone: tzinfo) -> LoggedIncident:
    rows = tuple(_row(line, zone) for line in lines)
    last = lines[-1]
    return LoggedIncident(
        number=_known(number)[:LONGEST_NAME],
        opened_at=instant_or_none(last["opened_at"], zone),
        opened_by=_known(last["opened_by"])[:LONGEST_NAME],
        rows=rows,
        raw=tuple("\x1f".join(str(value) for value in line.values()) for line in lines),
        ending=Ending(
            code=_known(last["closed_code"])[:LONGEST_NAME],
            resolved_by=_known(last["resolved_by"])[:LONGEST_NAME],
            resolved_at=instant_or_none(last["resolved_at"], zone),
            closed_at=instant_or_none(last["closed_at"], zone),
        ),
    )


def _row(line: dict[str, str], zone: tzinfo) -> Row | str:
    if None in line or None in line.values():
        return "it has more or fewer fields than the heading"
    if not _known(line["number"]):
        return "it has no number"
    try:
        return Row(
            state=line["incident_state"].strip(),
            at=instant_of(line["sys_updated_at"], zone),
            save=_count(line["sys_mod_count"]),
            caller=_name(line["caller_id"]),
            category=_name(line["category"]),
            subcategory=_name(line["subcategory"]),
            service=_name(line["cmdb_ci"]),
            impact=level_of(line["impact"], 3),
            urgency=level_of(line["urgency"], 3),
            priority=level_of(line["priority"], 5),
            team=_name(line["assignment_group"]),
            assignee=_name(line["assigned_to"]),
            reassignment_count=_count(line["reassignment_count"]),
            reopen_count=_count(line["reopen_count"]),
            custom={name: _custom(line[name]) for name in KEPT_AS_CUSTOM if _name(line[name])},
        )
    except ValueError as error:
        return str(error)


def _known(text: str | None) -> str:
    tidy = " ".join((text or "").replace("\x00", "").split())
    return "" if tidy == MISSING else tidy


def _name(text: str | None) -> str:
    name = _known(text)
    if len(name) > LONGEST_NAME:
        raise ValueError(f"“{name[:40]}…” is longer than {LONGEST_NAME} characters")
    return name


def _custom(text: str) -> bool | str:
    return {"true": True, "false": False}.get(text, _known(text))


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 6:
        raise ValueError(f"“{text[:40]}” is no count")
    return int(text)


def level_of(text: str, highest: int) -> int:
    """Return the level that stands before the dash, as in “3 - Moderate”.

    Raises ValueError with a sentence unless it is 1 to `highest`.
    """
    code = text.partition("-")[0].strip()
    if not code.isascii() or not code.isdigit() or not 1 <= int(code[:3]) <= highest:
        raise ValueError(f"“{text[:40]}” is no level from 1 to {highest}")
    return int(code)


def instant_of(text: str, zone: tzinfo) -> datetime:
    """Read d/m/yyyy HH:MM as a local time of the zone; an hour that a clock change repeats is its first.

    Raises ValueError with a sentence for anything else.
    """
    try:
        day, clock = text.strip().split(" ")
        date = [int(part) for part in day.split("/")]
        hour, minute = (int(part) for part in clock.split(":"))
        local = datetime(date[2], date[1], date[0], hour, minute, tzinfo=zone)
        return local.astimezone(UTC)
    except (ValueError, IndexError, OverflowError):
        raise ValueError(f"“{text[:40]}” is no time like 29/2/2016 01:16") from None


def instant_or_none(text: str | None, zone: tzinfo) -> datetime | None:
    """Return the instant that the text gives, as `instant_of` reads it; None where it gives none."""
    try:
        return instant_of(text or "", zone)
    except ValueError:
        return None

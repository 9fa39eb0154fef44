"""Tables as CSV: streamed, so that any number of rows needs no memory, and harmless in a spreadsheet."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.http import StreamingHttpResponse

FORMULA = ("=", "+", "-", "@", "\t", "\r")
BOM = "\ufeff"
BATCH = 200


@dataclass(frozen=True)
class Table:
    """What an export holds: its name (part of the file's), the heads of its columns, its rows."""

    name: str
    heads: Sequence[str]
    rows: Iterable[Sequence[Any]]


def cell(value: Any) -> Any:
    """Return a value as a cell: instants as ISO 8601 in UTC, lengths of time as seconds, nothing as blank.

    A text that a spreadsheet would take for a formula gets an apostrophe in front; numbers stay numbers.
    """
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return round(value.total_seconds(), 3)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, int):
        return value
    text = str(value)
    return f"'{text}" if text.startswith(FORMULA) else text


class _Line:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def lines_of(table: Table, *, bom: bool) -> Iterator[str]:
    """Yield the table as CSV (RFC 4180), some hundred lines at a time; with a byte order mark where that is wanted."""
    writer = csv.writer(_Line())
    batch = [BOM if bom else "", writer.writerow([cell(head) for head in table.heads])]
    for row in table.rows:
        batch.append(writer.writerow([cell(value) for value in row]))
        if len(batch) >= BATCH:
            yield "".join(batch)
            batch = []
    yield "".join(batch)


def csv_answer(table: Table, *, first: date, last: date, bom: bool) -> StreamingHttpResponse:
    """Return the table as a file to keep, named after what it holds and the days it is about."""
    answer = StreamingHttpResponse(lines_of(table, bom=bom), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{table.name}-{first.isoformat()}-{last.isoformat()}.csv"'
    return answer

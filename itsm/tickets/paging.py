"""Keyset paging: a page begins after the last row of the one before, found by index, never by counting off rows."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from itsm.tickets.errors import Invalid

MAX_CURSOR = 1000
BIGGEST = 2**63


@dataclass(frozen=True)
class Page:
    """The rows of one page, and the cursors of the pages after and before it (None: there is none)."""

    rows: list[Any]
    next_cursor: str | None
    previous_cursor: str | None


def page_of(queryset: QuerySet[Any], order: Sequence[str], *, limit: int, cursor: str | None = None) -> Page:
    """Return one page of the queryset in this order; the last name in `order` must be unique (`id`).

    `order` holds field names with an optional leading `-`; none of the fields may be NULL.

    Raises:
        Invalid: the cursor was not made by this function for this order.
    """
    backwards, position = _read(cursor, order, queryset) if cursor else (False, None)
    directed = [_flip(name) for name in order] if backwards else list(order)
    found = queryset.order_by(*directed)
    if position is not None:
        found = found.filter(_beyond(directed, position))
    rows = list(found[: limit + 1])
    more = len(rows) > limit
    rows = rows[:limit]
    if backwards:
        rows.reverse()
    has_next = backwards or more
    has_previous = more if backwards else position is not None
    return Page(
        rows,
        _write(rows[-1], order, backwards=False) if rows and has_next else None,
        _write(rows[0], order, backwards=True) if rows and has_previous else None,
    )


def _flip(name: str) -> str:
    return name[1:] if name.startswith("-") else f"-{name}"


def _beyond(order: Sequence[str], position: Sequence[Any]) -> Q:
    """Return “comes after the position”: the leading column alone bounds the index scan, the rest breaks ties."""
    after = Q()
    equal = Q()
    for name, value in zip(order, position, strict=True):
        field, compare = (name[1:], "lt") if name.startswith("-") else (name, "gt")
        after |= equal & Q(**{f"{field}__{compare}": value})
        equal &= Q(**{field: value})
    first = order[0]
    field, compare = (first[1:], "lte") if first.startswith("-") else (first, "gte")
    return Q(**{f"{field}__{compare}": position[0]}) & after


def _write(row: Any, order: Sequence[str], *, backwards: bool) -> str:
    values = []
    for name in order:
        value = getattr(row, name.lstrip("-"))
        values.append(value.isoformat() if isinstance(value, datetime) else value)
    text = json.dumps([int(backwards), "".join(order), values], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read(cursor: str, order: Sequence[str], queryset: QuerySet[Any]) -> tuple[bool, list[Any]]:
    bad = Invalid({"cursor": _("This page address is not valid. Start again from the first page.")})
    if len(cursor) > MAX_CURSOR:
        raise bad
    try:
        text = base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        backwards, made_for, values = json.loads(text)
    except (ValueError, binascii.Error, TypeError, RecursionError):
        raise bad from None
    if made_for != "".join(order) or not isinstance(values, list) or len(values) != len(order):
        raise bad
    position = []
    for name, value in zip(order, values, strict=True):
        if not isinstance(value, str | int) or isinstance(value, bool):
            raise bad
        try:
            field = queryset.model._meta.get_field(name.lstrip("-"))
            parsed = field.to_python(value)
            field.run_validators(parsed)
        except (FieldDoesNotExist, ValidationError, ValueError, TypeError, OverflowError):
            raise bad from None
        too_big = isinstance(parsed, int) and abs(parsed) >= BIGGEST
        naive = isinstance(parsed, datetime) and parsed.utcoffset() is None
        unstorable = isinstance(parsed, str) and ("\0" in parsed or any("\ud800" <= one <= "\udfff" for one in parsed))
        if parsed is None or too_big or naive or unstorable:
            raise bad
        position.append(parsed)
    return bool(backwards), position

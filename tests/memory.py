"""What a fixture made in the database, put back as rows for the next test: far cheaper than to make it again.

The first test of a process makes the thing by the verbs, and the rows that this added, changed and removed are kept.
For the tests of the next minute one statement writes the same rows, with the same keys, and a copy of what the fixture
returned is handed out. Each test still has a transaction of its own that is rolled back.

It is made anew where the database is not as it was when the rows were kept: in tests that commit, and after anything
else was written in the same test.
"""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

from django.core.cache import cache as django_cache
from django.db import connection, transaction

KEPT_S = 60.0
# What was written in this transaction so far; only compared with itself.
WRITTEN = """SELECT sum(pg_stat_get_xact_tuples_inserted(oid) + pg_stat_get_xact_tuples_updated(oid)
                        + pg_stat_get_xact_tuples_deleted(oid))
             FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"""
Rows = dict[str, set[str]]


@dataclass
class Memory:
    """What was made, on top of what, and the statements that make it again."""

    on: tuple[object, ...]
    until: float
    value: bytes
    statements: str


_memories: dict[str, Memory] = {}
# What this test has been given so far, and what had been written in its transaction by then.
_given: list[Memory] = []
_written: int | None = None


def forget_test() -> None:
    """Begin a test: nothing was given yet."""
    global _written
    _given.clear()
    _written = None


def remembered[Thing](name: str, make: Callable[[], Thing]) -> Thing:
    """Return what `make` makes, made by it or put back. It must not depend on anything but what is in the database."""
    global _written
    if not (_is_possible() and _is_as_before()):
        return make()
    on = tuple(id(memory) for memory in _given)
    memory = _memories.get(name)
    if memory is not None and memory.on == on and memory.until > time.monotonic():
        # What was counted for a key in an earlier test is not about the row that has it now.
        django_cache.clear()
        with connection.cursor() as cursor:
            cursor.execute(f"{memory.statements}; {WRITTEN}")
            while cursor.nextset():
                pass
            _written = cursor.fetchone()[0]
        thing: Thing = pickle.loads(memory.value)  # noqa: S301  written below
    else:
        before = _rows()
        with transaction.atomic():
            thing = make()
        memory = Memory(on, time.monotonic() + KEPT_S, pickle.dumps(thing), _difference(before, _rows()))
        _memories[name] = memory
        with connection.cursor() as cursor:
            cursor.execute(WRITTEN)
            _written = cursor.fetchone()[0]
    _given.append(memory)
    return thing


@contextmanager
def undone() -> Iterator[None]:
    """Take back at the end of the block what was written in it, so that all rows of a table begin at one state."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def _is_possible() -> bool:
    """Tell whether this test's transaction will be rolled back, and whether rows can be written past their triggers."""
    return connection.in_atomic_block and is_superuser()


@cache
def is_superuser() -> bool:
    """Tell whether rows can be written past their triggers."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        return bool(cursor.fetchone()[0])


def _is_as_before() -> bool:
    """Tell whether nothing was written in this test but what came from here."""
    with connection.cursor() as cursor:
        if not _given:
            cursor.execute("SELECT pg_current_xact_id_if_assigned() IS NULL")
            return bool(cursor.fetchone()[0])
        cursor.execute(WRITTEN)
        return bool(cursor.fetchone()[0] == _written)


@cache
def _columns() -> dict[str, list[str]]:
    """Return the columns of each table that can be written."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attrelid::regclass::text, array_agg(quote_ident(attname) ORDER BY attnum) FROM pg_attribute"
            " JOIN pg_class c ON c.oid = attrelid WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
            " AND attnum > 0 AND NOT attisdropped AND attgenerated = '' GROUP BY 1 ORDER BY 1"
        )
        return dict(cursor.fetchall())


def _rows() -> Rows:
    """Return all rows of each table, as what stands between the brackets of VALUES."""
    each = [
        f"SELECT '{table}', concat_ws(', ', {', '.join(f'quote_nullable({column}::text)' for column in columns)})"  # noqa: S608
        f" FROM {table}"
        for table, columns in _columns().items()
    ]
    found: Rows = {table: set() for table in _columns()}
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(each))
        for table, row in cursor:
            found[table].add(row)
    return found


def _difference(before: Rows, after: Rows) -> str:
    """Return the statements that lead from one to the other. No trigger runs: what they did is in the rows."""
    said = ["SET LOCAL session_replication_role = replica"]
    for table, columns in _columns().items():
        names = ", ".join(columns)
        gone, new = before[table] - after[table], after[table] - before[table]
        texts = ", ".join(f"{column}::text" for column in columns)
        said += [f"DELETE FROM {table} WHERE ({texts}) IS NOT DISTINCT FROM ({row})" for row in gone]  # noqa: S608
        if new:
            values = ", ".join(f"({row})" for row in sorted(new))
            said.append(f"INSERT INTO {table} ({names}) VALUES {values}")  # noqa: S608
    return "; ".join([*said, "SET LOCAL session_replication_role = origin"])

"""The database emptied after a test that commits: all rows deleted under the locks that TRUNCATE takes.

TRUNCATE gives each of 150 tables, with its indexes, new files, though most were empty and none holds more than a few
rows. What stays behind is the same: no row in any table, and sequences that go on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.backends.postgresql.operations import DatabaseOperations

from tests.memory import is_superuser

_truncating = DatabaseOperations.sql_flush


def sql_flush(
    self: DatabaseOperations, style: Any, tables: Sequence[str], *, reset_sequences: bool = False, **more: Any
) -> list[str]:
    """Return the statement that empties the tables. In Django's place; whoever is no superuser truncates as ever."""
    if not tables or reset_sequences or not is_superuser():
        return list(_truncating(self, style, tables, reset_sequences=reset_sequences, **more))
    names = [self.quote_name(table) for table in tables]
    deleting = " ".join(f"DELETE FROM {name};" for name in names)  # noqa: S608
    # Past the triggers: those of the logs refuse to delete, and no order of the tables would suit all references.
    locking = f"LOCK TABLE {', '.join(names)} IN ACCESS EXCLUSIVE MODE"
    return [f"DO $$ BEGIN {locking}; SET LOCAL session_replication_role = replica; {deleting} END $$"]

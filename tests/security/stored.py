"""What is in the database, so that a test can tell whether anything was written."""

from __future__ import annotations

from django.db import connection


def stored() -> dict[str, str]:
    """Return a digest of the rows of each table: two of them tell whether anything was written in between."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        each = [f"SELECT '{name}', md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {name} t" for (name,) in cursor]  # noqa: S608
        cursor.execute(" UNION ALL ".join(each))
        return {name: digest or "" for name, digest in cursor}


def changed(before: dict[str, str]) -> set[str]:
    """Return the tables that are not as they were."""
    now = stored()
    return {table for table in now if now[table] != before.get(table)}

"""How the table of one room is written, and how the tables become one."""

from __future__ import annotations

Statuses = tuple[int, ...]
Rows = list[tuple[Statuses, tuple[str, ...]]]


def merged(rooms: dict[str, Rows]) -> dict[str, Statuses]:
    """Return the statuses by address. Raises ValueError when an address stands twice, or a row of a room."""
    found: dict[str, Statuses] = {}
    for room, rows in rooms.items():
        for index, (statuses, names) in enumerate(rows):
            if statuses in [earlier for earlier, _names in rows[:index]]:
                raise ValueError(f"{room}.py has two rows {statuses}: make them one.")
            for name in names:
                if name in found:
                    raise ValueError(f"{name} is decided twice, once of it in {room}.py.")
                found[name] = statuses
    return found

"""A ticket's timers for a verb: one narrow query, because policies and versions are kept until the set-up changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from slas.models import Timer
from slas.plans import STAMP

RELATED = ("policy", "calendar_version", "chain_version")


def stamp_of(timers: Sequence[Timer]) -> str | None:
    """Return the stamp of the set-up as it stood when `timers_of` read these timers; None where it is not known."""
    return getattr(timers[0], "setup_stamp", None) if timers else None


_kept: tuple[str, dict[tuple[str, int], Any]] | None = None


def timers_of(ticket: Any) -> list[Timer]:
    """Return all timers of the ticket in a fixed order, with all that a verb needs to move them.

    Every verb asks this. Joining policies, calendars and their specs anew each time costs several times the timers
    themselves, so they are kept in the process under the stamp that every edit of them changes.
    """
    global _kept  # a small read-only set-up for the process, replaced as a whole
    stamped = Timer.objects.of_tickets([ticket]).extra(select={"setup_stamp": f"({STAMP})"})  # noqa: S610  a constant
    timers: list[Timer] = list(stamped)
    if not timers:
        return timers
    stamp = stamp_of(timers)
    if stamp is None:
        return list(Timer.objects.of_tickets([ticket]).to_work_on())
    kept = _kept  # read once: another thread may put another stamp's in its place at any time
    if kept is None or kept[0] != stamp:
        kept = _kept = (stamp, {})
    known = kept[1]
    wanted = [(timer, name, getattr(timer, f"{name}_id")) for timer in timers for name in RELATED]
    if any(pk is not None and (name, pk) not in known for _timer, name, pk in wanted):
        timers = list(Timer.objects.of_tickets([ticket]).to_work_on())
        known.update(
            {(name, getattr(timer, f"{name}_id")): getattr(timer, name) for timer in timers for name in RELATED}
        )
        return timers
    for timer, name, pk in wanted:
        setattr(timer, name, known[name, pk] if pk is not None else None)
    return timers

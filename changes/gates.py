"""What must be there before a change can make a move: one list that the page, the API and the verbs read.

Other parts of the room add gates of their own (the schedule blocks a move by a freeze): registered once, asked by each
verb under the lock, and by `next` without one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import formats, timezone
from django.utils.translation import gettext as _

from changes.models import Track, VersionState
from changes.statuses import ChangeType, Status
from itsm.tasking.models import Task
from itsm.tickets.errors import IllegalMove, Invalid

ASKS_APPROVAL = frozenset({"request_approval", "request_authorisation", "schedule"})
SHOWN_TASKS = 5
PLANS = ("justification", "implementation_plan", "backout_plan", "test_plan")


@dataclass(frozen=True)
class Lack:
    """One thing that keeps a change from a move: the field it is about (blank: none), and what to do, in a sentence."""

    field: str
    message: str


Gate = Callable[[Any, str, datetime], Iterable[Lack]]
_gates: dict[str, Gate] = {}


def register_gate(name: str, gate: Gate) -> None:
    """Ask the gate before every move: `gate(change, move_name, at)` yields what stands against it at that instant
    (aware). It must only read."""
    _gates[name] = gate


def lacks(change: Any, move: str, at: datetime) -> list[Lack]:
    """Return all that keeps the change from the move at the instant, besides status and rights; empty: nothing."""
    return [lack for gate in _gates.values() for lack in gate(change, move, at)]


def check_gates(change: Any, move: str, at: datetime) -> None:
    """Refuse a move for which something is missing, naming all of it.

    Raises:
        Invalid: fields are not filled in. IllegalMove: something else stands against it.
    """
    found = lacks(change, move, at)
    if any(not lack.field for lack in found):
        raise IllegalMove(" ".join(lack.message for lack in found))
    if found:
        raise Invalid({lack.field: lack.message for lack in found})


def moment(instant: datetime) -> str:
    """Return an instant in words, in the zone of the person who reads it, with the zone's short name."""
    local = timezone.localtime(instant)
    return f"{formats.date_format(local, 'DATETIME_FORMAT')} {local.tzname()}"


def _plans(change: Any) -> Iterator[Lack]:
    words = {
        "justification": _("Say why the change is needed (justification)."),
        "implementation_plan": _("Write how it is made (implementation plan)."),
        "backout_plan": _("Write how it is undone when it goes wrong (back-out plan)."),
        "test_plan": _("Write how one sees that it worked (test plan)."),
    }
    for name in PLANS:
        if not getattr(change, name).strip():
            yield Lack(name, words[name])


def _window(change: Any, at: datetime) -> Iterator[Lack]:
    if change.is_retroactive:
        if change.actual_start is None or change.actual_end is None:
            yield Lack("actual_start", _("Say from when to when it was made: it is recorded after the act."))
    elif change.planned_start is None:
        yield Lack("planned_start", _("Plan from when to when it is made."))
    elif change.planned_end <= at:
        yield Lack("planned_start", _("The planned window is over. Plan one that lies ahead."))


def before_approval(change: Any, move: str, at: datetime) -> Iterator[Lack]:
    """Yield what is missing before anybody is asked to approve, or a standard change is scheduled (CH-10)."""
    if move not in ASKS_APPROVAL:
        return
    if change.team_id is None:
        yield Lack("team", _("Say which team makes the change."))
    yield from _plans(change)
    yield from _window(change, at)
    if not change.affected_other and not change.affected_rows.exists():
        yield Lack("affected", _("Name at least one service, or another thing, that the change touches."))
    if change.change_type == ChangeType.STANDARD:
        yield from _template(change)


def _template(change: Any) -> Iterator[Lack]:
    version = change.template_version
    template = version.template
    if template.retired_at is not None:
        yield Lack("", _("The template “%(name)s” is retired. Make this a normal change.") % {"name": template})
    elif template.track != Track.STANDARD:
        yield Lack("", _("“%(name)s” is no standard change any more. Make this a normal change.") % {"name": template})
    elif version.state != VersionState.APPROVED:
        yield Lack(
            "",
            _("Version %(number)d of “%(name)s” was replaced. Make a new change from the current one.")
            % {"number": version.number, "name": template},
        )


def within_window(change: Any, move: str, at: datetime) -> Iterator[Lack]:
    """Yield what keeps a change from starting: its window is not open. An emergency starts when it is authorised."""
    if move != "start" or change.change_type == ChangeType.EMERGENCY or change.planned_start is None:
        return
    if at < change.planned_start:
        yield Lack("", _("The window opens %(start)s.") % {"start": moment(change.planned_start)})
    elif at >= change.planned_end:
        yield Lack("", _("The window closed %(end)s. Plan another one.") % {"end": moment(change.planned_end)})


def tasks_in_window(change: Any, move: str, at: datetime) -> Iterator[Lack]:
    """Yield the tasks whose own window does not lie within the change's."""
    if move in {*ASKS_APPROVAL, "start"} and change.planned_start is not None:
        outside = Task.objects.below(change).open().outside(change.planned_start, change.planned_end)
        for task in outside.order_by("pk")[:SHOWN_TASKS]:
            yield Lack("", _("The window of the task %(number)s lies outside the change's.") % {"number": task.number})


def nothing_left(change: Any, move: str, at: datetime) -> Iterator[Lack]:
    """Yield the tasks that are still to be done when a change is to be closed (CH-11)."""
    if move == "close":
        for task in Task.objects.below(change).open().order_by("pk")[:SHOWN_TASKS]:
            said = {"number": task.number, "title": task.title}
            yield Lack("", _("The task %(number)s is still open: %(title)s.") % said)


def with_team(change: Any, move: str, at: datetime) -> Iterator[Lack]:
    """Yield that a team is missing: from the assessment on there is always one (domain rule 2.5)."""
    if move in {"start", "finish", "close"} and change.team_id is None and change.status != Status.NEW:
        yield Lack("team", _("Say which team makes the change."))


register_gate("changes.approval", before_approval)
register_gate("changes.window", within_window)
register_gate("changes.team", with_team)
register_gate("changes.task_windows", tasks_in_window)
register_gate("changes.tasks", nothing_left)

"""What the end of a problem means for its incidents and tasks (domain rule 2.4, feature PR-5)."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from itsm.tasking.actions import end_open_tasks
from itsm.tickets.actors import Actor
from itsm.tickets.spreading import spread
from problems.incidents import open_incident_ids, waiting_for_nothing_else
from problems.models import Problem

RESOLVE_WAITING = "incident.resolve_waiting_for_problem"
NOTE = "incident.note"
CANCELLED = "cancelled"
RESOLVED_BY_PROBLEM = "resolved_by_problem"


def release_incidents(problem: Problem, message: str, *, actor: Actor, event: Any) -> None:
    """Let the worker resolve the incidents on hold for this problem; what else is linked stays as it is, and so does
    what belongs to another problem that is still open."""
    said = message or _("The cause of this has been fixed.")
    data = {"resolution_code": RESOLVED_BY_PROBLEM, "resolution_notes": said}
    _spread(problem, RESOLVE_WAITING, data, waiting_for_nothing_else(problem), actor=actor, event=event)


def note_accepted_risk(problem: Problem, *, actor: Actor, event: Any) -> None:
    """Let the worker write a work note on every open incident of the problem: nobody will fix the cause."""
    body = _("The risk of %(number)s is accepted: its cause will not be fixed.\n\n%(why)s") % {
        "number": problem.number,
        "why": problem.close_notes,
    }
    _spread(problem, NOTE, {"body": body}, open_incident_ids(problem), actor=actor, event=event)


def end_tasks(problem: Problem, *, actor: Actor) -> None:
    """Cancel the tasks of the closed problem that are open."""
    end_open_tasks(problem, outcome=CANCELLED, actor=actor)


def _spread(problem: Problem, effect: str, data: dict[str, Any], ids: list[int], *, actor: Actor, event: Any) -> None:
    # What an import brings tells nobody and moves nothing else.
    if ids and actor.at is None:
        spread(problem, effect, ids, actor=actor, data=data, event=event)

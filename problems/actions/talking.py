"""Comments and work notes on problems: only the desk reads them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from itsm.tickets.actions import StoredFile, comment, lock
from itsm.tickets.actors import Actor
from itsm.tickets.errors import IllegalMove
from itsm.tickets.models import Comment, Visibility
from problems.models import Problem
from problems.statuses import TERMINAL


@dataclass(frozen=True)
class Reply:
    """What became of a reply: the problem, and the comment."""

    problem: Problem
    comment: Comment
    opened_new: bool = False


@transaction.atomic
def reply(
    problem: Any,
    body: str,
    *,
    actor: Actor,
    visibility: str = Visibility.PUBLIC,
    files: tuple[StoredFile, ...] = (),
    version: int | None = None,
    submission_key: str | None = None,
) -> Reply:
    """Write on the problem. After the end only work notes: a comment asks for an answer.

    Raises:
        Invalid, Refused, Stale; IllegalMove: it is closed.
    """
    locked: Problem = lock(problem)
    if visibility == Visibility.PUBLIC and locked.status in TERMINAL:
        raise IllegalMove(_("This problem is closed. Write a work note, or analyse it again."))
    written = comment(
        locked,
        body,
        actor=actor,
        visibility=visibility,
        files=files,
        version=version,
        submission_key=submission_key,
    )
    current: Problem = lock(locked)
    return Reply(current, written)

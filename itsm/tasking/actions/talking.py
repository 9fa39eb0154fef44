"""Work notes on tasks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from itsm.tasking.models import Task
from itsm.tickets.actions import StoredFile, comment, lock
from itsm.tickets.actors import Actor
from itsm.tickets.errors import Invalid
from itsm.tickets.models import Comment, Visibility


@dataclass(frozen=True)
class Reply:
    """What became of a note: the task it is on, and the note."""

    task: Task
    comment: Comment


@transaction.atomic
def reply(
    task: Any,
    body: str,
    *,
    actor: Actor,
    visibility: str = Visibility.INTERNAL,
    files: tuple[StoredFile, ...] = (),
    version: int | None = None,
    submission_key: str | None = None,
) -> Reply:
    """Write a work note on the task: nobody but the desk sees it, so there is nobody to reply to.

    Raises:
        Invalid: it was meant for the requester. Refused, Stale.
    """
    if visibility == Visibility.PUBLIC:
        raise Invalid(
            {"visibility": _("Only the service desk sees a task. Write a work note, or reply on the ticket above it.")}
        )
    written = comment(
        task,
        body,
        actor=actor,
        visibility=visibility,
        files=files,
        version=version,
        submission_key=submission_key,
    )
    return Reply(lock(task), written)

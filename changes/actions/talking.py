"""Replies and work notes on changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from changes.models import Change
from changes.statuses import TERMINAL
from itsm.tickets.actions import StoredFile, comment, lock
from itsm.tickets.actors import Actor
from itsm.tickets.errors import IllegalMove
from itsm.tickets.models import Comment, Visibility


@dataclass(frozen=True)
class Reply:
    """What became of a reply: the change it is on, and the comment."""

    change: Change
    comment: Comment | None
    opened_new: bool = False


@transaction.atomic
def reply(
    change: Any,
    body: str,
    *,
    actor: Actor,
    visibility: str = Visibility.PUBLIC,
    files: tuple[StoredFile, ...] = (),
    version: int | None = None,
    submission_key: str | None = None,
) -> Reply:
    """Write on the change: in public, or a work note.

    Raises:
        Invalid, Refused, Stale; IllegalMove: a public reply after its end.
    """
    locked: Change = lock(change)
    if visibility == Visibility.PUBLIC and locked.status in TERMINAL:
        raise IllegalMove(_("This change is %(status)s. Write a work note.") % {"status": locked.status_label.lower()})
    written = comment(
        locked,
        body,
        actor=actor,
        visibility=visibility,
        files=files,
        version=version,
        submission_key=submission_key,
    )
    locked.refresh_from_db(fields=["version", "event_seq", "updated_at"])
    return Reply(locked, written)

"""Comments and work notes."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from itsm.tickets.actions.base import begin
from itsm.tickets.actions.files import StoredFile, add_attachments
from itsm.tickets.actors import Actor
from itsm.tickets.clock import instant_of
from itsm.tickets.errors import Invalid
from itsm.tickets.log import write
from itsm.tickets.models import Comment, Visibility
from itsm.tickets.models.ticket import TEXT_MAX
from itsm.tickets.texts import clean_text


def comment(
    ticket: Any,
    body: str,
    *,
    actor: Actor,
    visibility: str = Visibility.PUBLIC,
    files: tuple[StoredFile, ...] = (),
    version: int | None = None,
    submission_key: str | None = None,
) -> Comment:
    """Write a reply (public) or a work note (internal) and return it, with its files.

    The same `submission_key` from the same person gives the comment written before: a double click writes once.

    Raises:
        Invalid: empty, too long, or no such visibility. Refused, Stale.
    """
    if visibility not in Visibility.values:
        raise Invalid({"visibility": _("Choose “public” or “internal”.")})
    text = clean_text(body, "body", TEXT_MAX, required=not files)
    key = clean_text(submission_key, "submission_key", 100) or None
    before = _written_before(ticket, actor, key)
    if before is not None:
        return before
    try:
        with transaction.atomic():
            return _write_comment(ticket, text, actor, visibility, files, version, key)
    except IntegrityError:
        before = _written_before(ticket, actor, key)
        if before is not None:
            return before
        raise


def _written_before(ticket: Any, actor: Actor, key: str | None) -> Comment | None:
    if key is None or actor.user is None:
        return None
    return Comment.objects.filter(ticket_id=ticket.pk, author=actor.user, submission_key=key).first()


def _write_comment(
    ticket: Any,
    text: str,
    actor: Actor,
    visibility: str,
    files: tuple[StoredFile, ...],
    version: int | None,
    key: str | None,
) -> Comment:
    public = visibility == Visibility.PUBLIC
    locked = begin(ticket, "ticket.comment" if public else "ticket.note", actor=actor, version=version)
    now = instant_of(actor)
    written = Comment.objects.create(
        ticket_id=locked.pk,
        author=actor.user,
        visibility=visibility,
        body=text,
        channel=actor.channel,
        created_at=now,
        submission_key=key,
    )
    names = add_attachments(locked, files, actor=actor, visibility=visibility, comment=written, at=now)
    data: dict[str, Any] = {"comment": written.public_id}
    if names:
        data["files"] = names
    code = "ticket.commented" if public else "ticket.noted"
    write(locked, code, actor=actor, data=data, bump=public, at=now, comment=written)
    return written

"""Splitting an incident: what turned out to be another matter goes on as an incident of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.files.storage import default_storage
from django.db import transaction
from django.utils.translation import gettext as _

from incidents.actions.family import check_version
from incidents.actions.opening import open_incident
from incidents.models import Incident
from itsm.accounts.models import User
from itsm.tickets.actions import StoredFile, discard, lock, store_upload
from itsm.tickets.actors import Actor
from itsm.tickets.errors import Invalid
from itsm.tickets.log import write
from itsm.tickets.models import Attachment, Comment, Link, LinkKind
from itsm.tickets.rules import require

MOST_COMMENTS = 100
MOST_FILES = 50


def split(
    incident: Incident,
    *,
    actor: Actor,
    title: str,
    description: str = "",
    comments: Sequence[str] = (),
    attachments: Sequence[str] = (),
    requester: User | None = None,
    version: int | None = None,
    submission_key: str | None = None,
) -> Incident:
    """Open an incident with the chosen messages and files of this one and return it; the two are linked.

    `comments` and `attachments` are public ids; files of a chosen message come along. Both are copied, so that this
    incident loses nothing; who wrote a message and when stays, and where it was written first is shown. A public
    message stays public: it is read by the requester of the new one. The same `submission_key` splits once.

    Raises:
        Invalid: nothing chosen that is there, a title that does not fit. Refused, Stale.
    """
    require("ticket.edit", actor, incident)
    messages = _chosen(Comment, incident, comments, "comments", MOST_COMMENTS)
    loose = _chosen(Attachment, incident, attachments, "attachments", MOST_FILES)
    if not messages and not loose:
        raise Invalid({"comments": _("Choose at least one message or file that becomes the new incident.")})
    wanted = {file.pk: file for file in loose}
    wanted |= {file.pk: file for file in Attachment.objects.filter(comment__in=messages)}
    copies: dict[int, StoredFile] = {}
    used = False
    try:
        for file in wanted.values():
            copies[file.pk] = _copy(file)
        with transaction.atomic():
            fresh, used = _split(
                incident, messages, wanted, copies, actor, title, description, requester, version, submission_key
            )
        return fresh
    finally:
        if not used:
            discard(tuple(copies.values()))


def _chosen(model: Any, incident: Incident, refs: Sequence[str], field: str, most: int) -> list[Any]:
    if len(refs) > most:
        raise Invalid({field: _("Choose at most %(max)d at once.") % {"max": most}})
    wanted = {str(ref) for ref in refs}
    rows = list(model.objects.filter(ticket_id=incident.pk, public_id__in=[ref for ref in wanted if "\x00" not in ref]))
    if len(rows) != len(wanted):
        raise Invalid({field: _("Something that you chose is not on this incident. Load the page again.")})
    return rows


def _copy(file: Attachment) -> StoredFile:
    with default_storage.open(file.storage_key) as content:
        copied = store_upload(content, name=file.name)
    return StoredFile(file.name, copied.storage_key, file.size, file.content_type, file.sha256)


def _split(
    incident: Incident,
    messages: Sequence[Comment],
    files: dict[int, Attachment],
    copies: dict[int, StoredFile],
    actor: Actor,
    title: str,
    description: str,
    requester: User | None,
    version: int | None,
    submission_key: str | None,
) -> tuple[Incident, bool]:
    this: Incident = lock(incident)
    require("ticket.edit", actor, this)
    if (
        submission_key is None
        or not Incident.objects.filter(opened_by=actor.user, submission_key=submission_key).exists()
    ):
        check_version(this, version)
    fresh = open_incident(
        actor=actor,
        title=title,
        description=description,
        requester=requester or this.requester,
        impact=this.impact,
        urgency=this.urgency,
        category=this.category,
        service=this.service,
        submission_key=submission_key,
    )
    _link, is_new = Link.objects.get_or_create(
        source_id=fresh.pk, target_id=this.pk, kind=LinkKind.SPLIT_FROM, defaults={"created_by": actor.user}
    )
    if not is_new:
        return fresh, False
    placed = {message.pk: _place(message, fresh) for message in messages}
    Attachment.objects.bulk_create(
        [
            Attachment(
                ticket_id=fresh.pk,
                comment=placed.get(file.comment_id) if file.comment_id else None,
                visibility=file.visibility,
                name=file.name,
                storage_key=copies[pk].storage_key,
                size=file.size,
                content_type=file.content_type,
                sha256=file.sha256,
                uploaded_by_id=file.uploaded_by_id,
                created_at=file.created_at,
            )
            for pk, file in files.items()
        ]
    )
    counts = {"comments": len(messages), "files": len(files)}
    data = {"number": this.number, "ticket": this.public_id, **counts}
    write(fresh, "incident.split_from", actor=actor, data=data, bump=False)
    data = {"number": fresh.number, "ticket": fresh.public_id, **counts}
    write(this, "incident.split", actor=actor, data=data, bump=False)
    return fresh, True


def _place(message: Comment, fresh: Incident) -> Comment:
    """Copy the message. It is no event of the new incident: nobody said it there, and it answers nobody there."""
    return Comment.objects.create(
        ticket_id=fresh.pk,
        author_id=message.author_id,
        visibility=message.visibility,
        body=message.body,
        channel=message.channel,
        created_at=message.created_at,
        copied_from=message,
    )

"""Files on tickets: bytes first under a random key, the row in the verb's transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

import puremagic
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils.translation import gettext as _

from itsm.tickets.actions.base import begin, check_not_terminal
from itsm.tickets.actors import Actor
from itsm.tickets.clock import instant_of
from itsm.tickets.errors import Invalid, TooLarge
from itsm.tickets.log import write
from itsm.tickets.models import Attachment, Comment, Visibility
from itsm.tickets.texts import clean_file_name

MAX_FILE_BYTES = 25 * 1024 * 1024
MAX_FILES = 10
SNIFF_BYTES = 4096
TEXT_TYPE = "text/plain"
UNKNOWN_TYPE = "application/octet-stream"


@dataclass(frozen=True)
class StoredFile:
    """A file whose bytes are stored and checked, waiting for its row."""

    name: str
    storage_key: str
    size: int
    content_type: str
    sha256: str


def sniff_type(head: bytes) -> str:
    """Return the media type that the first bytes show; plain text for text, else octet-stream. Names are not asked."""
    try:
        found = puremagic.from_string(head, mime=True)
    except (puremagic.PureError, ValueError):
        found = ""
    if found and "/" in found:
        return str(found)[:100]
    try:
        head.decode("utf-8", errors="strict")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4:
            return UNKNOWN_TYPE
    return UNKNOWN_TYPE if b"\x00" in head else TEXT_TYPE


def store_upload(upload: File[Any], *, name: str | None = None) -> StoredFile:
    """Store the bytes under a random key and return what is known of them.

    Raises:
        Invalid: the file is empty. TooLarge: it exceeds 25 MiB.
    """
    shown = clean_file_name(name or upload.name or "file")
    size = upload.size or 0
    if size == 0:
        raise Invalid({"files": _("“%(name)s” is empty. Choose a file with content.") % {"name": shown}})
    if size > MAX_FILE_BYTES:
        raise TooLarge(
            _("“%(name)s” has %(size)d MB; at most %(max)d MB fit.")
            % {"name": shown, "size": size // 1024 // 1024, "max": MAX_FILE_BYTES // 1024 // 1024}
        )
    digest = hashlib.sha256()
    head = b""
    for chunk in _chunks(upload):
        head = head or chunk[:SNIFF_BYTES]
        digest.update(chunk)
    upload.seek(0)
    key = uuid4().hex
    stored = default_storage.save(f"attachments/{key[:2]}/{key}", upload)
    return StoredFile(shown, stored, size, sniff_type(head), digest.hexdigest())


def _chunks(upload: File[Any]) -> Iterator[bytes]:
    upload.seek(0)
    yield from upload.chunks()


def discard(files: tuple[StoredFile, ...]) -> None:
    """Remove stored bytes whose verb did not happen."""
    for file in files:
        default_storage.delete(file.storage_key)


@transaction.atomic
def attach(
    ticket: Any, files: tuple[StoredFile, ...], *, actor: Actor, visibility: str = Visibility.PUBLIC
) -> list[Attachment]:
    """Put stored files on the ticket, with one event each file, and return the attachments.

    Raises:
        Invalid: none or too many. Refused: not the actor's ticket. IllegalMove: a public file on one that has ended.
    """
    if not files:
        raise Invalid({"files": _("Choose a file.")})
    internal = visibility == Visibility.INTERNAL
    locked = begin(ticket, "ticket.note" if internal else "ticket.attach", actor=actor)
    if not internal:
        check_not_terminal(locked)
    now = instant_of(actor)
    add_attachments(locked, files, actor=actor, visibility=visibility, at=now)
    for file in files:
        write(
            locked,
            "ticket.attached_internally" if internal else "ticket.attached",
            actor=actor,
            data={"name": file.name, "size": file.size, "sha256": file.sha256},
            at=now,
            bump=False,
        )
    keys = [file.storage_key for file in files]
    return list(Attachment.objects.filter(storage_key__in=keys).order_by("pk"))


def add_attachments(
    ticket: Any,
    files: tuple[StoredFile, ...],
    *,
    actor: Actor,
    visibility: str,
    at: datetime,
    comment: Comment | None = None,
) -> list[str]:
    """Insert the rows of stored files on a locked ticket and return the file names. Writes no event.

    Raises:
        Invalid: more than ten at once.
    """
    if len(files) > MAX_FILES:
        raise Invalid({"files": _("At most %(max)d files at once.") % {"max": MAX_FILES}})
    Attachment.objects.bulk_create(
        [
            Attachment(
                ticket_id=ticket.pk,
                comment=comment,
                visibility=visibility,
                name=file.name,
                storage_key=file.storage_key,
                size=file.size,
                content_type=file.content_type,
                sha256=file.sha256,
                uploaded_by=actor.user,
                created_at=at,
            )
            for file in files
        ]
    )
    return [file.name for file in files]

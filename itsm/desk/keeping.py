"""Verbs on drafts: keep what is being written, throw it away, take that back, move it with a merge, clean up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from itsm.accounts.models import User
from itsm.desk.models import StoredDraft, new_revision
from itsm.tickets.actions import StoredFile
from itsm.tickets.actions.files import MAX_FILES
from itsm.tickets.clock import db_now
from itsm.tickets.errors import Invalid
from itsm.tickets.models import Attachment
from itsm.tickets.models.ticket import TEXT_MAX
from itsm.tickets.texts import clean_text

KEPT_FOR = timedelta(days=30)
UNDO_FOR = timedelta(hours=1)
MOST_VERSIONS = 5
FIELD_MAX = 300
MOST_FIELDS = 20


@transaction.atomic
def save_draft(
    author: User,
    ticket: Any,
    place: str,
    body: str,
    *,
    base: str,
    fields: Mapping[str, str] | None = None,
    aside: str = "",
) -> StoredDraft | None:
    """Keep what the person has written in the place (of the ticket, or of a form) and return the draft; None: there is
    nothing to keep any more.

    `base`: the revision that the writer's page knows. Where another page of the same person saved meanwhile, what is
    typed now counts and the other text becomes a version beside it. `aside`: a text to be kept as such a version.

    Raises:
        Invalid: too long, or with characters that cannot be stored.
    """
    text, other = draft_text(body, "body"), draft_text(aside, "aside")
    kept = _clean_fields(fields or {})
    draft = _locked(author, ticket, place)
    is_mine = draft is None or draft.revision == base
    if draft is not None and not is_mine and draft.body.strip() not in ("", text.strip()):
        _add_version(draft, draft.body, draft.updated_at)
    if draft is None:
        if not text.strip() and not other.strip() and not any(kept.values()):
            return None
        draft = _new(author, ticket, place)
    if is_mine and not text.strip() and not draft.files and not draft.versions and not any(kept.values()) and not other:
        draft.delete()
        return None
    if text.strip() or is_mine:
        draft.body = text
    if other.strip() and other.strip() != draft.body.strip():
        _add_version(draft, other, db_now())
    draft.fields = kept if fields is not None else draft.fields
    # What the text begins with is in it, and no version beside it.
    draft.versions = [one for one in draft.versions if not draft.body.strip().startswith(one["body"].strip())]
    return _touch(draft)


def draft_text(value: str, field: str) -> str:
    """Return the text as it was typed, with Unix line ends: unlike a message it may begin and end with space.

    Raises:
        Invalid: too long, or with characters that cannot be stored.
    """
    clean_text(value, field, TEXT_MAX)
    return value.replace("\r\n", "\n").replace("\r", "\n")


def _clean_fields(fields: Mapping[str, Any]) -> dict[str, str]:
    if len(fields) > MOST_FIELDS:
        raise Invalid({"fields": _("This form has fewer fields.")})
    return {clean_text(name, "fields", 40): clean_text(value, "fields", FIELD_MAX) for name, value in fields.items()}


def _locked(author: User, ticket: Any, place: str) -> StoredDraft | None:
    found = StoredDraft.objects.select_for_update().of(author).unsent().filter(place=place)
    return (found.filter(ticket=None) if ticket is None else found.filter(ticket_id=ticket.pk)).first()


def _new(author: User, ticket: Any, place: str) -> StoredDraft:
    """Return the row of the place: a new one, or the one that another page of the person made this very instant."""
    try:
        with transaction.atomic():
            return StoredDraft.objects.create(author=author, ticket_id=ticket.pk if ticket else None, place=place)
    except IntegrityError:
        draft = _locked(author, ticket, place)
        if draft is None:
            raise
        return draft


def _add_version(draft: StoredDraft, body: str, at: Any) -> None:
    others = [one for one in draft.versions if one["body"].strip() != body.strip()]
    draft.versions = [{"body": body, "at": at.isoformat()}, *others][:MOST_VERSIONS]


def _touch(draft: StoredDraft) -> StoredDraft:
    draft.revision, draft.updated_at = new_revision(), db_now()
    draft.save(update_fields=["body", "then", "fields", "files", "versions", "problem", "revision", "updated_at"])
    return draft


@transaction.atomic
def add_files(author: User, ticket: Any, place: str, files: tuple[StoredFile, ...]) -> StoredDraft:
    """Put stored files on the draft of the place and return it.

    Raises:
        Invalid: more than ten in all.
    """
    draft = _locked(author, ticket, place) or _new(author, ticket, place)
    if len(draft.files) + len(files) > MAX_FILES:
        raise Invalid({"files": _("At most %(max)d files at once.") % {"max": MAX_FILES}})
    draft.files = [*draft.files, *(as_json(file) for file in files)]
    return _touch(draft)


@transaction.atomic
def remove_file(author: User, ticket: Any, place: str, key: str) -> StoredDraft | None:
    """Take a file off the draft of the place and return the draft; None: there is none. Removed twice is removed."""
    draft = _locked(author, ticket, place)
    if draft is None:
        return None
    gone = [file for file in draft.files if file["storage_key"] == key]
    draft.files = [file for file in draft.files if file["storage_key"] != key]
    _remove_bytes(gone)
    if not draft.body.strip() and not draft.files and not draft.versions:
        draft.delete()
        return None
    return _touch(draft)


@transaction.atomic
def discard_draft(author: User, ticket: Any, place: str) -> StoredDraft | None:
    """Throw the draft of the place away and return it, for an hour still to be had back; None: there was none."""
    draft = _locked(author, ticket, place)
    if draft is None:
        return None
    draft.discarded_at = db_now()
    draft.save(update_fields=["discarded_at"])
    return draft


@transaction.atomic
def restore_draft(author: User, public_id: str) -> StoredDraft | None:
    """Bring back what was thrown away and return the draft; None: it is gone for good, or not theirs."""
    found = StoredDraft.objects.select_for_update().of(author).filter(public_id=public_id, discarded_at__isnull=False)
    draft = found.first()
    return None if draft is None else put_back(draft)


def put_back(draft: StoredDraft, problem: str = "") -> StoredDraft:
    """Make a locked row, thrown away or held, a draft again and return it. Where the person has begun another text in
    the place meanwhile, that one stays in the composer and this becomes a version beside it; its files join."""
    begun = _locked(draft.author, draft.ticket, draft.place)
    if begun is None:
        draft.discarded_at = draft.sends_at = None
        draft.submission_key, draft.problem = "", problem[:500]
        draft.save(update_fields=["discarded_at", "sends_at", "submission_key"])
        return _touch(draft)
    _take_over(begun, draft)
    begun.problem = problem[:500] or begun.problem
    return _touch(begun)


def _take_over(draft: StoredDraft, other: StoredDraft) -> None:
    """Put what the other row holds into the draft, and delete that row."""
    if not draft.body.strip():
        draft.body, draft.then = other.body, other.then
    elif other.body.strip() and other.body.strip() != draft.body.strip():
        _add_version(draft, other.body, other.updated_at)
    for version in reversed(other.versions):
        if version["body"].strip() != draft.body.strip():
            draft.versions = [*draft.versions, version][:MOST_VERSIONS]
    draft.files = [*draft.files, *other.files]
    other.delete()


@transaction.atomic
def forget_sent(author: User, ticket: Any, place: str, body: str, base: str, kept: Iterable[str] = ()) -> None:
    """Delete the draft of what was sent. A text that another page of the person saved meanwhile, and that is not the
    beginning of what was sent, stays. `kept`: the files that went along; the others are removed."""
    draft = _locked(author, ticket, place)
    if draft is None:
        return
    sent, along = body.replace("\r\n", "\n").strip(), set(kept)
    if draft.revision != base and not sent.startswith(draft.body.strip()):
        draft.files = [file for file in draft.files if file["storage_key"] not in along]
        _touch(draft)
        return
    _remove_bytes([file for file in draft.files if file["storage_key"] not in along])
    draft.delete()


def move_drafts(source: Any, target: Any) -> int:
    """Move what people have written on one ticket, and what waits to go out there, to another; return how many.

    Part of a merge: called inside its transaction, with both tickets locked.
    """
    here = StoredDraft.objects.filter(ticket_id=source.pk)
    # A held message that is being sent waits for the ticket that is locked here: it finds its way by itself.
    held = here.held().select_for_update(skip_locked=True)
    moved = 0
    for draft in [*held, *here.unsent().select_for_update()]:
        moved += 1
        begun = _locked(draft.author, target, draft.place) if draft.sends_at is None else None
        if begun is None:
            draft.ticket_id = target.pk
            draft.save(update_fields=["ticket"])
        else:
            _take_over(begun, draft)
            _touch(begun)
    return moved


def clean_drafts() -> int:
    """Delete drafts that nobody touched for 30 days and those thrown away an hour ago, with their files; return how
    many. What waits to go out is left."""
    now = db_now()
    old = StoredDraft.objects.filter(sends_at=None).filter(
        Q(updated_at__lt=now - KEPT_FOR) | Q(discarded_at__lt=now - UNDO_FOR)
    )
    found = list(old.values("pk", "files"))
    deleted, _by_model = old.filter(pk__in=[one["pk"] for one in found]).delete()
    _remove_bytes([file for one in found for file in one["files"]])
    return deleted


def as_json(file: StoredFile) -> dict[str, Any]:
    """Return a stored file as a draft keeps it."""
    return {
        "name": file.name,
        "storage_key": file.storage_key,
        "size": file.size,
        "content_type": file.content_type,
        "sha256": file.sha256,
    }


def files_of(draft: StoredDraft | None, keys: Iterable[str] | None = None) -> tuple[StoredFile, ...]:
    """Return the stored files of a draft; with `keys` only those."""
    wanted = None if keys is None else set(keys)
    kept = draft.files if draft is not None else []
    return tuple(StoredFile(**file) for file in kept if wanted is None or file["storage_key"] in wanted)


def _remove_bytes(files: list[dict[str, Any]]) -> None:
    """Remove the bytes of files once the transaction is through, but of those that are on a ticket."""
    keys = {file["storage_key"] for file in files}
    if not keys:
        return
    keys -= set(Attachment.objects.filter(storage_key__in=keys).values_list("storage_key", flat=True))

    def remove() -> None:
        for key in keys:
            default_storage.delete(key)

    transaction.on_commit(remove)

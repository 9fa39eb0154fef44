"""Sending from the ticket page: held back while the ticket has news that the writer has not seen."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.utils.translation import gettext as _

from itsm.accounts.models import User
from itsm.desk.drafts import SEND, Draft
from itsm.desk.pages import WayToSend, page_of_kind
from itsm.tickets.actions import StoredFile
from itsm.tickets.actors import Actor
from itsm.tickets.errors import Invalid, Stale, VerbError
from itsm.tickets.models import Comment, TicketEvent, Visibility

TRIES = 5
KEY_MAX = 60


# What the writer must have read: a reply all that was said, a work note what colleagues noted. What a requester wrote
# does not make a note wrong.
READ_FIRST = {
    Visibility.PUBLIC: (Visibility.PUBLIC, Visibility.INTERNAL),
    Visibility.INTERNAL: (Visibility.INTERNAL,),
}


class Unseen(VerbError):
    """Somebody wrote since the writer last saw the page (HTTP 409)."""

    code = "unseen"

    def __init__(self, messages: list[Comment]) -> None:
        names = ", ".join(dict.fromkeys(str(message.author or _("The system")) for message in messages))
        super().__init__(_("%(names)s wrote while you were writing. Read it first.") % {"names": names})
        self.messages = messages


def unseen_messages(
    ticket: Any, seen: int, user: User | None, visibilities: Collection[str] = (Visibility.PUBLIC,)
) -> list[Comment]:
    """Return others' messages with these visibilities that came after the event with that number, oldest first."""
    events = TicketEvent.objects.filter(ticket_id=ticket.pk, seq__gt=seen, data__has_key="comment").exclude(actor=user)
    ids = [data["comment"] for data in events.values_list("data", flat=True)]
    if not ids:
        return []
    found = Comment.objects.filter(ticket_id=ticket.pk, public_id__in=ids, visibility__in=visibilities)
    return list(found.select_related("author"))


def way_of(ticket: Any, draft: Draft) -> WayToSend | None:
    """Return the way in which the draft asks to be sent; None: plainly. A work note is always sent plainly.

    Raises:
        Invalid: the ticket's kind has no such way.
    """
    if draft.then == SEND:
        return None
    way = page_of_kind(ticket.kind).way(draft.then)
    if way is None:
        raise Invalid({"then": _("Choose one of the ways to send.")})
    return way if draft.visibility == Visibility.PUBLIC else None


def written_key(ticket: Any, submission_key: str) -> str | None:
    """Return the key under which a message is written: a browser that copies forms may send one for two tickets, and
    each ticket takes it once."""
    return f"{ticket.public_id}-{submission_key}" if submission_key else None


def was_written(ticket: Any, submission_key: str, user: User | None) -> bool:
    """Return whether the person's message with this key is on the ticket already."""
    key = written_key(ticket, submission_key)
    if key is None or user is None:
        return False
    return Comment.objects.filter(ticket_id=ticket.pk, author=user, submission_key=key).exists()


def send(ticket: Any, draft: Draft, files: tuple[StoredFile, ...], *, actor: Actor) -> None:
    """Write what the composer holds, in the way that was asked for.

    Raises:
        Unseen: news since `draft.seen`, unless forced. Invalid, Refused, IllegalMove, TooLarge.
        Stale: the ticket changed faster than it could be read, several times in a row.
    """
    way = way_of(ticket, draft)
    if len(draft.submission_key) > KEY_MAX:
        raise Invalid({"body": _("This page is out of date. Load it again, then try once more.")})
    read_first = READ_FIRST.get(Visibility(draft.visibility)) if draft.visibility in Visibility.values else None
    if read_first is None or draft.seen is None or draft.force:
        _write(ticket, draft, way, files, actor=actor, version=None)
        return
    for attempt in range(TRIES):
        ticket.refresh_from_db(fields=["version"])
        messages = unseen_messages(ticket, draft.seen, actor.user, read_first)
        if messages:
            raise Unseen(messages)
        if draft.visibility != Visibility.PUBLIC:  # a note in the last instant is no harm, and moves no version
            _write(ticket, draft, way, files, actor=actor, version=None)
            return
        try:
            # The version makes sure that nothing was written between the look and the verb.
            _write(ticket, draft, way, files, actor=actor, version=ticket.version)
        except Stale:
            if attempt == TRIES - 1:
                raise
        else:
            return


def _write(
    ticket: Any,
    draft: Draft,
    way: WayToSend | None,
    files: tuple[StoredFile, ...],
    *,
    actor: Actor,
    version: int | None,
) -> None:
    if way is not None and way.write is not None:
        way.write(ticket, draft, files, actor=actor, version=version)
        return
    key = written_key(ticket, draft.submission_key)
    ticket.kind_info.reply(
        ticket,
        draft.body,
        actor=actor,
        visibility=draft.visibility,
        files=files,
        version=version,
        submission_key=key,
    )

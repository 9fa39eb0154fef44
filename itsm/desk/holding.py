"""Replies on their way out: held for some seconds in which they can be taken back, then sent exactly once."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import translation
from django.utils.translation import gettext as _

from itsm.accounts.models import User
from itsm.desk.drafts import Draft
from itsm.desk.keeping import as_json, draft_text, files_of, forget_sent, put_back
from itsm.desk.links import ticket_url
from itsm.desk.models import StoredDraft
from itsm.desk.sending import send, was_written, way_of
from itsm.notifications.actions.direct import Words, tell_person
from itsm.tickets.actions import StoredFile
from itsm.tickets.actors import Actor, Channel
from itsm.tickets.clock import db_now
from itsm.tickets.errors import VerbError
from itsm.tickets.kinds import kind_of
from itsm.tickets.models import Ticket, Visibility

logger = logging.getLogger(__name__)

GRACE = timedelta(seconds=1)  # a press in the last instant that the button is shown still arrives in time
AGAIN = timedelta(seconds=30)
GIVE_UP_AFTER = timedelta(minutes=10)
NOTICE = "desk.not_sent"


class _Rehearsed(Exception):
    """Ends the trial: everything it did is undone with its transaction."""


def can_be_held(ticket: Any, draft: Draft) -> bool:
    """Return whether the draft may wait before it goes out: a reply, after which no dialog opens that builds on it."""
    if draft.visibility != Visibility.PUBLIC or not draft.wants_undo:
        return False
    way = way_of(ticket, draft)
    return way is None or way.write is not None


@transaction.atomic
def hold(ticket: Any, draft: Draft, files: tuple[StoredFile, ...], *, actor: Actor, seconds: int) -> StoredDraft | None:
    """Keep the message for the seconds, in which `take_back` makes it a draft again, and return it; None: a second
    click on what is out already. What the person held on this ticket before goes out first.

    What sending would refuse is refused now.

    Raises:
        Unseen, Invalid, Refused, IllegalMove, TooLarge, Stale.
    """
    author = actor.user
    if author is None:
        raise ValueError("What the system says is not held.")
    if was_written(ticket, draft.submission_key, author):
        return None
    mine = StoredDraft.objects.of(author).filter(ticket_id=ticket.pk)
    if draft.submission_key and (before := mine.held().filter(submission_key=draft.submission_key).first()):
        return before
    release_own(ticket, author)
    _rehearse(ticket, draft, files, actor)
    try:
        with transaction.atomic():
            held = _new(ticket, draft, files, author, seconds)
    except IntegrityError:  # the other one of two clicks at the same instant
        return mine.held().filter(submission_key=draft.submission_key).first()
    forget_sent(author, ticket, draft.visibility, draft.body, draft.base, draft.kept)
    return held


def _new(ticket: Any, draft: Draft, files: tuple[StoredFile, ...], author: User, seconds: int) -> StoredDraft:
    return StoredDraft.objects.create(
        author=author,
        ticket_id=ticket.pk,
        place=draft.visibility,
        body=draft_text(draft.body, "body"),
        then=draft.then,
        files=[as_json(file) for file in files],
        submission_key=draft.submission_key,
        sends_at=db_now() + timedelta(seconds=seconds) + GRACE,
    )


def _rehearse(ticket: Any, draft: Draft, files: tuple[StoredFile, ...], actor: Actor) -> None:
    """Send and undo it: only the verbs know all that may stand against it."""
    try:
        with transaction.atomic():
            send(ticket, draft, files, actor=actor)
            raise _Rehearsed
    except _Rehearsed:
        return


@transaction.atomic
def take_back(author: User, public_id: str) -> StoredDraft | None:
    """Make the held message a draft again and return that; None: it has gone out, or is not theirs."""
    found = StoredDraft.objects.select_for_update(of=("self",)).of(author).held().select_related("ticket", "author")
    held = found.filter(public_id=public_id).first()
    return None if held is None else put_back(held)


def release_due(ticket: Any = None, limit: int = 200) -> int:
    """Send the held messages whose instant has come, of the ticket or of all, and return how many went out."""
    due = StoredDraft.objects.due()
    if ticket is not None:
        due = due.filter(ticket_id=ticket.pk)
    return sum(_release(pk) for pk in due.values_list("pk", flat=True)[:limit])


def release_own(ticket: Any, author: User) -> int:
    """Send at once what the person holds on the ticket, so that what they do next comes after it; return how many."""
    own = StoredDraft.objects.of(author).held().filter(ticket_id=ticket.pk).order_by("sends_at", "pk")
    return sum(_release(pk, at_once=True) for pk in own.values_list("pk", flat=True))


def _release(pk: int, *, at_once: bool = False) -> bool:
    """Send one held message, unless another process has it or it was taken back. What is refused becomes a draft again
    and its author is told; what breaks is tried again for ten minutes."""
    try:
        with transaction.atomic():
            rows = StoredDraft.objects.held() if at_once else StoredDraft.objects.due()
            locked = rows.select_for_update(skip_locked=not at_once, of=("self",)).select_related("author", "ticket")
            held = locked.filter(pk=pk).first()
            return held is not None and _send(held)
    except Exception:
        logger.exception("A held message could not be sent and is tried again")
        _put_off(pk)
        return False


def _send(held: StoredDraft) -> bool:
    ticket = kind_of(_ticket_of(held).kind).model.objects.get(pk=held.ticket_id)
    # What was new was looked at when it was held; by its own key it is written once, whatever happens to this row.
    draft = Draft(held.body, held.place, held.then, force=True, submission_key=held.submission_key)
    try:
        with transaction.atomic(), translation.override(held.author.language):
            send(ticket, draft, files_of(held), actor=Actor(held.author, Channel.DESK))
    except VerbError as error:
        _give_back(held, ticket, error.message)
        return False
    held.delete()
    return True


def _ticket_of(held: StoredDraft) -> Ticket:
    if held.ticket is None:
        raise ValueError("The database lets nothing be held outside a ticket.")
    return held.ticket


def _put_off(pk: int) -> None:
    with transaction.atomic():
        rows = StoredDraft.objects.held().select_for_update(skip_locked=True, of=("self",))
        held = rows.select_related("author", "ticket").filter(pk=pk).first()
        if held is None:
            return
        if db_now() - held.created_at > GIVE_UP_AFTER:
            with translation.override(held.author.language):
                reason = _("Something went wrong while it was sent. Please send it again.")
            _give_back(held, _ticket_of(held), reason)
            return
        held.sends_at = db_now() + AGAIN
        held.save(update_fields=["sends_at"])


def _give_back(held: StoredDraft, ticket: Any, reason: str) -> None:
    author, key = held.author, f"not-sent:{held.public_id}"
    put_back(held, reason)
    path = ticket_url(ticket)

    def words() -> Words:
        names = {"number": ticket.number, "reason": reason}
        return Words(
            subject=_("Not sent: your reply on %(number)s") % names,
            lead=_("Your reply on %(number)s was not sent. %(reason)s It is kept as a draft.") % names,
            links=[(_("Open the draft"), path)],
        )

    tell_person(author, key, NOTICE, words, path=path)

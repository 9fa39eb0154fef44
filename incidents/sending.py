"""Sending from the ticket page: held back while the incident has news that the writer has not seen."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from incidents.actions import hold, reply
from incidents.models import Incident
from incidents.statuses import HoldReason
from itsm.accounts.models import User
from itsm.tickets.actions import StoredFile, attach
from itsm.tickets.actors import Actor
from itsm.tickets.errors import IllegalMove, Invalid, Stale, VerbError
from itsm.tickets.models import Comment, TicketEvent, Visibility
from itsm.tickets.models.ticket import TEXT_MAX
from itsm.tickets.texts import clean_text

TRIES = 5
SEND, AND_HOLD, AND_RESOLVE = "", "hold", "resolve"
WAYS = frozenset({SEND, AND_HOLD, AND_RESOLVE})
KEY_MAX = 60


class Unseen(VerbError):
    """Somebody wrote in public since the writer loaded the page (HTTP 409)."""

    code = "unseen"

    def __init__(self, messages: list[Comment]) -> None:
        names = ", ".join(dict.fromkeys(str(message.author or _("The system")) for message in messages))
        super().__init__(_("%(names)s wrote while you were writing. Read it first.") % {"names": names})
        self.messages = messages


@dataclass(frozen=True)
class Draft:
    """What stands in the composer. `seen`: the last event its writer saw; None: not checked. `force`: send anyway."""

    body: str
    visibility: str = Visibility.PUBLIC
    then: str = SEND
    seen: int | None = None
    force: bool = False
    submission_key: str = ""


def unseen_messages(incident: Incident, seen: int, user: User | None) -> list[Comment]:
    """Return the public messages of others that came after the event with that number, oldest first."""
    events = TicketEvent.objects.filter(
        ticket_id=incident.pk, seq__gt=seen, internal=False, data__has_key="comment"
    ).exclude(actor=user)
    ids = [data["comment"] for data in events.values_list("data", flat=True)]
    if not ids:
        return []
    public = Comment.objects.filter(ticket_id=incident.pk, public_id__in=ids, visibility=Visibility.PUBLIC)
    return list(public.select_related("author"))


def send(incident: Incident, draft: Draft, files: tuple[StoredFile, ...], *, actor: Actor) -> None:
    """Write what the composer holds, and put the incident on hold where that was asked.

    Raises:
        Unseen: news since `draft.seen`, unless forced. Invalid, Refused, IllegalMove, TooLarge.
        Stale: the incident changed faster than it could be read, several times in a row.
    """
    if draft.then not in WAYS:
        raise Invalid({"then": _("Choose one of the ways to send.")})
    if len(draft.submission_key) > KEY_MAX:
        raise Invalid({"body": _("This page is out of date. Load it again, then try once more.")})
    if draft.visibility != Visibility.PUBLIC or draft.seen is None or draft.force:
        _write(incident, draft, files, actor=actor, version=None)
        return
    for attempt in range(TRIES):
        incident.refresh_from_db(fields=["version"])
        messages = unseen_messages(incident, draft.seen, actor.user)
        if messages:
            raise Unseen(messages)
        try:
            # The version makes sure that nothing was written between the look and the verb.
            _write(incident, draft, files, actor=actor, version=incident.version)
        except Stale:
            if attempt == TRIES - 1:
                raise
        else:
            return


def _write(
    incident: Incident, draft: Draft, files: tuple[StoredFile, ...], *, actor: Actor, version: int | None
) -> None:
    if draft.then == AND_HOLD and draft.visibility == Visibility.PUBLIC:
        try:
            with transaction.atomic():
                if files:
                    attach(incident, files, actor=actor)
                hold(incident, actor=actor, hold_reason=HoldReason.AWAITING_CALLER, comment=draft.body, version=version)
        except IllegalMove:
            if not _was_last_said(incident, draft.body, actor.user):
                raise
        return
    # One key may be sent for two tickets by a browser that copies forms; each ticket takes it once.
    key = f"{incident.public_id}-{draft.submission_key}" if draft.submission_key else None
    reply(
        incident,
        draft.body,
        actor=actor,
        visibility=draft.visibility,
        files=files,
        version=version,
        submission_key=key,
    )


def _was_last_said(incident: Incident, body: str, user: User | None) -> bool:
    """Return whether the person's words are the last public message already: a second click, not a second message."""
    last = Comment.objects.filter(ticket_id=incident.pk, visibility=Visibility.PUBLIC).last()
    return last is not None and last.author == user and last.body == clean_text(body, "body", TEXT_MAX)

"""What incidents hang on the ticket page: ways of sending, the requester's wait, how it ended."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from incidents.actions import hold
from incidents.major.panels import PANELS as MAJOR_PANELS
from incidents.panels import PANELS as FAMILY_PANELS
from incidents.statuses import HoldReason
from incidents.waiting import shown_wait, wait_of
from itsm.accounts.models import User
from itsm.desk.drafts import Draft
from itsm.desk.pages import TicketPage, WayToSend
from itsm.desk.panels import Panel
from itsm.tickets.actions import StoredFile, attach
from itsm.tickets.actors import Actor
from itsm.tickets.errors import IllegalMove
from itsm.tickets.models import Comment, Visibility
from itsm.tickets.models.ticket import TEXT_MAX
from itsm.tickets.texts import clean_text


def send_and_hold(
    incident: Any, draft: Draft, files: tuple[StoredFile, ...], *, actor: Actor, version: int | None
) -> None:
    """Write to the requester and wait for the answer. A second click finds it done and changes nothing.

    Raises:
        Invalid, Refused, Stale, TooLarge; IllegalMove: it cannot be put on hold.
    """
    try:
        with transaction.atomic():
            if files:
                attach(incident, files, actor=actor)
            hold(incident, actor=actor, hold_reason=HoldReason.AWAITING_CALLER, comment=draft.body, version=version)
    except IllegalMove:
        if not _was_last_said(incident, draft.body, actor.user):
            raise


def _was_last_said(incident: Any, body: str, user: User | None) -> bool:
    """Return whether the person's words are the last public message already: a second click, not a second message."""
    last = Comment.objects.filter(ticket_id=incident.pk, visibility=Visibility.PUBLIC).last()
    return last is not None and last.author == user and last.body == clean_text(body, "body", TEXT_MAX)


def _wait(request: HttpRequest, incident: Any) -> dict[str, Any]:
    return {"wait": shown_wait(wait_of(incident, incident.shown_events, timezone.now()))}


def _ending(request: HttpRequest, incident: Any) -> dict[str, Any] | None:
    return {} if incident.resolution_code or incident.cancel_reason else None


PAGE = TicketPage(
    related=("resolved_by", "parent", "outage"),
    ways=(
        WayToSend(
            "hold",
            _("Send and wait for the requester"),
            move="hold",
            said=_("Reply sent, waiting for the requester"),
            write=send_and_hold,
        ),
        WayToSend("resolve", _("Send and resolve"), move="resolve", fills="resolution_notes"),
    ),
    move_keys={"resolve": "E", "hold": "H"},
)
PANELS = (
    *FAMILY_PANELS,
    *MAJOR_PANELS,
    Panel(
        "wait",
        _("The requester's wait"),
        "incidents/panels/wait.html",
        _wait,
        kinds=("incident",),
        order=-100,
        has_heading=False,
    ),
    Panel(
        "ending",
        _("How it ended"),
        "incidents/panels/ending.html",
        _ending,
        kinds=("incident",),
        order=50,
        has_heading=False,
    ),
)

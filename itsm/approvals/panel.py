"""The panel “Approvals” on the ticket page: who is asked, who decided when with which words, how long it took."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from itsm.accounts.models import User
from itsm.approvals.models import AskState
from itsm.approvals.reading import RoundView, rounds_of_ticket, views_of
from itsm.approvals.rules import may_request
from itsm.approvals.subjects import facts_of, subjects
from itsm.desk.panels import Panel
from itsm.tickets.actors import Actor, Channel
from itsm.tickets.clock import db_now
from itsm.tickets.querysets import sees_all_tickets

MOST_PAST = 10


def panel_context(request: HttpRequest, ticket: Any) -> Mapping[str, Any] | None:
    """Return the rounds of the ticket for the desk; None where it was never asked, or cannot be."""
    viewer = request.user
    if ticket.kind not in subjects() or not isinstance(viewer, User) or not sees_all_tickets(viewer):
        return None
    rounds = rounds_of_ticket(ticket)
    if not rounds:
        return None
    views = views_of(rounds[: MOST_PAST + 2], db_now())
    live = [view for view in views if view.round.is_live]
    past = [view for view in views if not view.round.is_live]
    # What was decided last is what one wants to see where nothing is asked at present.
    shown = live or past[:1]
    digest = facts_of(ticket)[1] if live else ""
    return {
        "shown": shown,
        "past": [view for view in past if view not in shown][:MOST_PAST],
        "stuck": [view.round for view in live if any(stage.is_stuck for stage in view.stages)],
        "changed": [view.round for view in live if view.round.digest != digest],
        "mine": [view.round for view in live if _asks(view, viewer)],
        "can_ask": bool(may_request(Actor(viewer, Channel.DESK), ticket)),
    }


def _asks(view: RoundView, viewer: User) -> bool:
    """Whether the viewer is asked in the round, in their own name or as a delegate."""
    return any(
        line.ask.state == AskState.ASKED and (line.ask.person_id == viewer.pk or viewer in line.delegates)
        for stage in view.stages
        for line in stage.lines
    )


PANEL = Panel(
    name="approvals",
    label=_("Approvals"),
    template="approvals/panel.html",
    context=panel_context,
    place="main",
    order=60,
)

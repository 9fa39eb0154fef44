"""How the pages find a ticket of a kind, and as whom they act on it."""

from __future__ import annotations

from typing import Any, cast

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, OuterRef
from django.db.models.functions import Now
from django.http import HttpRequest
from django.utils.translation import gettext as _

from itsm.accounts.models import User
from itsm.desk.models import StoredDraft
from itsm.desk.pages import page_of_kind
from itsm.tickets.actors import Actor, Channel
from itsm.tickets.errors import Invalid
from itsm.tickets.kinds import kind_of
from itsm.tickets.models import Ticket
from itsm.tickets.querysets import get_visible

COUNTED = 100


def viewer_of(request: HttpRequest) -> User:
    """Return the person signed in; only for views behind `desk_required`."""
    return cast(User, request.user)


def desk_actor(request: HttpRequest) -> Actor:
    """Return the person signed in, acting at the desk."""
    return Actor(viewer_of(request), Channel.DESK)


def find_ticket(request: HttpRequest, kind: str, ref: str) -> Any:
    """Return the ticket of the kind by number or public id.

    Raises:
        Http404: there is none of that kind, or it is not theirs to see.
    """
    tickets = kind_of(kind).model.objects.select_related("requester", "assignee", "team")
    return get_visible(tickets, viewer_of(request), ref)


def due_on(ticket: Any) -> Any:
    """Return the held replies of the ticket (its id, or a reference to it) that are to go out now."""
    return StoredDraft.objects.held().filter(ticket_id=ticket, sends_at__lte=Now())


def ticket_for_page(request: HttpRequest, kind: str, ref: str) -> Any:
    """Return the ticket of the kind with all that its page shows of it in one query, with the ids of up to 100 other
    open tickets of its requester as `other_open`, and as `is_due` whether a reply is to go out now.

    Raises:
        Http404: there is none of that kind, or it is not theirs to see.
    """
    others = (
        Ticket.objects.visible_to(request.user)
        .open()
        .filter(requester=OuterRef("requester"))
        .exclude(pk=OuterRef("pk"))
        .values("pk")[:COUNTED]
    )
    page = (
        kind_of(kind)
        .model.objects.select_related(
            "requester__organisation",
            "requester__department",
            "requester__location",
            "opened_by",
            "assignee",
            "team",
            "service",
            "category",
            *page_of_kind(kind).related,
        )
        .annotate(other_open=ArraySubquery(others), is_due=Exists(due_on(OuterRef("pk"))))
    )
    return get_visible(page, viewer_of(request), ref)


def sent_number(request: HttpRequest, name: str) -> int | None:
    """Return a hidden number of a form; None when it was not sent.

    Raises:
        Invalid: it was sent and is no number.
    """
    value = request.POST.get(name, "")
    if not value:
        return None
    if not value.isascii() or not value.isdecimal() or len(value) > 9:
        raise Invalid({name: _("This page is out of date. Load it again, then try once more.")})
    return int(value)

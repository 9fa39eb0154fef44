"""What the queue's search bar may name: the fields of every ticket, and what an incident on hold waits for."""

from dataclasses import replace
from functools import cache
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from incidents.statuses import HoldReason, Status
from itsm.conditions import AllOf, Context, Field, Leaf, Schema, Type, Word
from itsm.tickets.schema import ticket_schema
from workspace.access import person


def _waiting_for(ticket: Any) -> str | None:
    return getattr(getattr(ticket, "incident", ticket), "hold_reason", None)


@cache
def queue_schema() -> Schema:
    """Return the ticket's schema with `waiting:` and `is:waiting`."""
    base = ticket_schema()
    waiting = Field(
        name="waiting",
        type=Type.CHOICE,
        label=_("waiting for"),
        lookup="incident__hold_reason",
        getter=_waiting_for,
        choices=tuple(HoldReason.choices),
    )
    on_user = AllOf(
        (Leaf("status", "eq", Status.ON_HOLD.value), Leaf("waiting", "eq", HoldReason.AWAITING_CALLER.value))
    )
    return replace(
        base, fields=(*base.fields, waiting), words={**base.words, "waiting": Word(_("waiting on user"), on_user)}
    )


def context_of(request: HttpRequest) -> Context:
    """Return who asks, now, and where their days begin."""
    user = person(request)
    return Context(user=user, now=timezone.now(), zone=user.zone)

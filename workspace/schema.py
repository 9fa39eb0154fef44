"""What the queue's search bar may name: the fields of every ticket, and what an incident on hold waits for."""

from dataclasses import replace
from functools import cache

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from incidents.statuses import HoldReason, Status
from itsm.conditions import AllOf, Context, Leaf, Schema, Word
from itsm.tickets.schema import rule_schema
from workspace.access import person


@cache
def queue_schema() -> Schema:
    """Return what stored rules may name (`waiting:` among it), and `is:waiting`."""
    base = rule_schema()
    on_user = AllOf(
        (Leaf("status", "eq", Status.ON_HOLD.value), Leaf("waiting", "eq", HoldReason.AWAITING_CALLER.value))
    )
    return replace(base, words={**base.words, "waiting": Word(_("waiting on user"), on_user)})


def context_of(request: HttpRequest) -> Context:
    """Return who asks, now, and where their days begin."""
    user = person(request)
    return Context(user=user, now=timezone.now(), zone=user.zone)

"""What a change's events say by their code, and what stored rules may ask of a change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from changes.statuses import ChangeType, Risk, Status
from itsm.conditions import Field, Type
from itsm.tickets.kinds import Outcome

# What nobody can go on with: on hold, waiting for a decision, or for its window.
NOTHING_TO_DO = Q(change__is_on_hold=True) | Q(
    kind="change", status__in=(Status.ASSESS, Status.AUTHORISE, Status.SCHEDULED)
)

OUTCOMES = {
    "change.opened": Outcome(Status.NEW),
    "change.assessment_requested": Outcome(Status.ASSESS),
    "change.authorisation_requested": Outcome(Status.AUTHORISE),
    "change.scheduled": Outcome(Status.SCHEDULED),
    "change.assessed": Outcome(Status.AUTHORISE),
    "change.authorised": Outcome(Status.SCHEDULED),
    "change.authorised_afterwards": Outcome(Status.REVIEW),
    "change.rejected": Outcome(Status.NEW),
    "change.reverted": Outcome(Status.NEW),
    "change.started": Outcome(Status.IMPLEMENT),
    "change.finished": Outcome(Status.REVIEW),
    # Work ends with the close; the clocks take that from `resolved_at`, as with every kind.
    "change.closed": Outcome(Status.CLOSED, stamps="resolved_at"),
    "change.cancelled": Outcome(Status.CANCELLED, stamps="closed_at", takes=("is_on_hold",)),
    "change.held": Outcome(takes=("is_on_hold",)),
    "change.resumed": Outcome(takes=("is_on_hold",)),
}


def of_change(name: str) -> Callable[[Any], Any]:
    """Return a function that reads the field from a change, also one that was read as a ticket; None for other
    kinds."""

    def getter(ticket: Any) -> Any:
        if ticket.kind != "change":
            return None
        if hasattr(ticket, name):
            return getattr(ticket, name)
        return getattr(getattr(ticket, "change", None), name, None)

    return getter


def _held(ticket: Any) -> bool | None:
    value = of_change("is_on_hold")(ticket)
    return None if value is None else bool(value)


FIELDS = (
    Field(
        name="change_type",
        type=Type.CHOICE,
        label=_("type of change"),
        lookup="change__change_type",
        getter=of_change("change_type"),
        choices=tuple(ChangeType.choices),
    ),
    Field(
        name="risk",
        type=Type.INTEGER,
        label=_("risk"),
        lookup="change__risk",
        getter=of_change("risk"),
        choices=tuple(Risk.choices),
    ),
    Field(name="held", type=Type.BOOLEAN, label=_("on hold (change)"), lookup="change__is_on_hold", getter=_held),
)

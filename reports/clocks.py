"""The clocks that a report counts, each with its verdict, the instant that decides in which period, and whose it was.

One definition for every table, chart, list and export, so that a figure and the list behind it cannot differ.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import BigIntegerField, Case, F, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Cast, Coalesce, NullIf
from django.utils.translation import gettext_lazy as _

from itsm.accounts.models import User
from itsm.tickets.models import Ticket, TicketEvent
from itsm.tickets.querysets import sees_all_tickets
from reports.filters import NONE, Filters
from slas.models import State, Timer
from slas.models.timers import ACTIVE

NOBODY = -1


class Verdict(models.TextChoices):
    """What a clock counts as. Compliance is met ÷ (met + missed + late and open), cancelled left out; but a breach that
    happened stays on the list, also where the clock was cancelled after it (a new start, another policy)."""

    MET = "met", _("Met")
    MISSED = "missed", _("Missed")
    LATE_OPEN = "late_open", _("Late and still open")
    RUNNING = "running", _("Still running")
    CANCELLED = "cancelled", _("Cancelled")
    CANCELLED_LATE = "cancelled_late", _("Cancelled after the breach")


LATE = (Verdict.MISSED, Verdict.LATE_OPEN)
DECIDED = (Verdict.MET, *LATE)
BREACHED = (*LATE, Verdict.CANCELLED_LATE)


def clocks_of(user: User, filters: Filters, now: datetime) -> QuerySet[Any]:
    """Return the timers that the report counts for the person, `judged` at `now`: of the period, under the filters."""
    period = filters.period
    found = timers_seen_by(user).filter(_may_count(period.start, period.end, now), **_fields_of(filters))
    found = judged(found, now).filter(counted_at__gte=period.start, counted_at__lt=period.end)
    chosen = filters.chosen("team")
    if chosen is not None:
        found = found.filter(held_by=chosen.pk) if chosen.ref != NONE else found.filter(held_by__isnull=True)
    return found


def judged(timers: QuerySet[Any], now: datetime) -> QuerySet[Any]:
    """Return the timers annotated with `verdict`, `counted_at` and `held_by`.

    `counted_at` decides the period and never moves once decided: a met clock counts when it was stopped, a late one
    when its target passed (also while it is still open, or where it was cancelled afterwards), a cancelled one when it
    was cancelled, one that is undecided when it began. `held_by`: the id of the team that had the ticket then (of a
    time with the team: that team); None where no team had it.
    """
    late = Q(breached_at__isnull=False) | Q(state=State.RUNNING, due_at__lt=now)
    return timers.annotate(
        verdict=Case(
            When(state=State.CANCELLED, breached_at__isnull=False, then=Value(Verdict.CANCELLED_LATE.value)),
            When(state=State.CANCELLED, then=Value(Verdict.CANCELLED.value)),
            When(late & Q(state__in=ACTIVE), then=Value(Verdict.LATE_OPEN.value)),
            When(late, then=Value(Verdict.MISSED.value)),
            When(state=State.MET, then=Value(Verdict.MET.value)),
            default=Value(Verdict.RUNNING.value),
            output_field=models.CharField(),
        ),
        counted_at=Case(
            When(breached_at__isnull=False, then=F("breached_at")),
            When(state=State.CANCELLED, then=F("stopped_at")),
            When(late, then=F("due_at")),
            When(state=State.MET, then=F("stopped_at")),
            default=F("started_at"),
        ),
        team_now=F("ticket__team_id"),
    ).annotate(held_by=Coalesce(F("team_id"), team_then("counted_at"), output_field=BigIntegerField()))


def running_clocks(user: User, filters: Filters) -> QuerySet[Any]:
    """Return the running timers that have not missed their target and fit the filters; the period does not matter."""
    found = timers_seen_by(user).filter(state=State.RUNNING, breached_at__isnull=True, **_fields_of(filters))
    chosen = filters.chosen("team")
    return found if chosen is None else found.filter(ticket__team_id=chosen.pk)


def team_then(instant: str) -> Any:
    """Return an expression: the id of the team that had a timer's ticket at the instant (a field's name), else NULL."""
    return value_then("team", "id", instant)


def value_then(field: str, key: str, instant: str) -> Any:
    """Return an expression: the id in a field of a timer's ticket (`team`, `assignee`) at the instant, else NULL.

    It is the old value of the first change after that, or the value of now where there was none: one look into the
    index of such changes for each row (migration 0001). `key`: how the log names the id.
    """
    was: Any = KeyTransform("0", KeyTransform(field, KeyTransform("changes", "data")))
    later = TicketEvent.objects.filter(
        ticket_id=OuterRef("ticket_id"), at__gt=OuterRef(instant), data__changes__has_key=field
    )
    old = Coalesce(Cast(KeyTextTransform(key, was), BigIntegerField()), Value(NOBODY))
    first = later.order_by("seq").values(was=old)[:1]
    now = F(f"ticket__{field}_id")
    held = Coalesce(Subquery(first), now, Value(NOBODY), output_field=BigIntegerField())
    return NullIf(held, Value(NOBODY))


def timers_seen_by(user: User) -> QuerySet[Any]:
    """Return the timers of the tickets that exist for the person."""
    timers = Timer.objects.all()
    return timers if sees_all_tickets(user) else timers.filter(ticket__in=Ticket.objects.visible_to(user))


def _may_count(start: datetime, end: datetime, now: datetime) -> Q:
    """Return what every timer that counts in the period meets, each part an index (migration 0001)."""
    return (
        Q(stopped_at__gte=start, stopped_at__lt=end)
        | Q(breached_at__gte=start, breached_at__lt=end)
        | Q(state__in=ACTIVE, started_at__gte=start, started_at__lt=end)
        | Q(state=State.RUNNING, breached_at__isnull=True, due_at__gte=start, due_at__lt=min(end, now))
    )


def timers_of(user: User, filters: Filters) -> QuerySet[Any]:
    """Return the timers of the policy, kind and metric that were chosen, whatever their period and ticket."""
    return timers_seen_by(user).filter(**_timer_fields(filters))


def ticket_fields(filters: Filters, prefix: str = "") -> dict[str, Any]:
    """Return the lookups that pick tickets of the service and priority that were chosen."""
    found: dict[str, Any] = {}
    priority, service = filters.chosen("priority"), filters.chosen("service")
    if priority is not None:
        found[f"{prefix}priority"] = priority.pk
    if service is not None and service.ref == NONE:
        found[f"{prefix}service_id__isnull"] = True
    elif service is not None:
        found[f"{prefix}service_id"] = service.pk
    return found


def _timer_fields(filters: Filters) -> dict[str, Any]:
    found: dict[str, Any] = {name: filters.values[name] for name in ("kind", "metric") if name in filters.values}
    policy = filters.chosen("policy")
    return found if policy is None else {**found, "policy_id": policy.pk}


def _fields_of(filters: Filters) -> dict[str, Any]:
    return {**_timer_fields(filters), **ticket_fields(filters, "ticket__")}

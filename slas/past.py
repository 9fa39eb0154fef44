"""What clocks must know of a ticket's past: whether the desk has answered, since when something lasts, what to count.

Most changes ask nothing of the past. So it is read from the database only when it is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from typing import Any, Protocol

from itsm.accounts.models import User
from itsm.accounts.roles import Permission, permissions_of
from itsm.tickets.models import Comment, TicketEvent, Visibility
from slas.history import Moment, Said, history_of
from slas.models import Metric
from slas.plans import PolicyPlan

Stretch = tuple[datetime, datetime | None]
"""From when until when a clock would have run; no end: it runs."""


class Past(Protocol):
    """A ticket's past up to the moment that clocks follow, this moment included."""

    @property
    def answered(self) -> bool:
        """Whether the desk has answered in public, or resolved the ticket, which is an answer too."""

    @property
    def moments(self) -> Sequence[Moment]:
        """The moments in order."""


class StoredPast:
    """The past of a ticket as the database has it."""

    def __init__(self, ticket: Any, at: datetime) -> None:
        self._ticket = ticket
        self._at = at

    @cached_property
    def moments(self) -> Sequence[Moment]:
        """The moments in order. Four queries."""
        return history_of(self._ticket)

    @cached_property
    def answered(self) -> bool:
        """Whether the desk has answered; two queries, without reading the whole past."""
        ticket = self._ticket
        public = Comment.objects.filter(ticket_id=ticket.pk, visibility=Visibility.PUBLIC, created_at__lte=self._at)
        public = public.filter(copied_from=None)  # what a split ticket brought along was said elsewhere
        others = public.exclude(author=None).exclude(author_id=ticket.requester_id)
        # By their roles: what somebody answered who has left the desk's staff since stays answered.
        roles = User.objects.filter(pk__in=others.values("author")).values_list("roles", flat=True)
        if any(Permission.WORK_TICKETS in permissions_of(held) for held in roles):
            return True
        resolving = [code for code, outcome in ticket.kind_info.outcomes.items() if outcome.stamps == "resolved_at"]
        return TicketEvent.objects.filter(ticket_id=ticket.pk, code__in=resolving).exists()


class KnownPast:
    """The past of a ticket as far as it has been gone through."""

    def __init__(self, moments: Sequence[Moment], *, answered: bool) -> None:
        self.moments = moments
        self.answered = answered


def answers(moment: Moment) -> bool:
    """Return whether the moment answers the requester: a public message of the desk, or a resolution."""
    return moment.said == Said.ANSWER or ("resolved_at" in moment.changed and moment.ticket.resolved_at is not None)


def waiting_since(moments: Sequence[Moment]) -> datetime | None:
    """Return when the oldest request came that the desk has not answered, of those after its first answer; or None."""
    answered, waiting = False, None
    for moment in moments:
        if answers(moment):
            answered, waiting = True, None
        elif moment.said == Said.REQUEST and answered and waiting is None:
            waiting = moment.at
    return waiting


def beginning_of(metric: str, moments: Sequence[Moment]) -> datetime | None:
    """Return when that began which the metric times and which lasts at the last moment; None where nothing lasts."""
    if metric == Metric.NEXT_RESPONSE:
        return waiting_since(moments)
    if metric == Metric.UPDATE:
        restarts = [moment.at for moment in moments if answers(moment) or "resolved_at" in moment.changed]
        return restarts[-1] if restarts else None
    began, before = None, None
    for moment in moments:
        state = _lasting_state(metric, moment)
        if state != before:
            began, before = moment.at, state
    return began if before else None


def _lasting_state(metric: str, moment: Moment) -> Any:
    """Return what stays the same while a cycle of the metric lasts; nothing where there is none."""
    ticket = moment.ticket
    if metric == Metric.TEAM_STAY:
        return ticket.team_id
    return metric != Metric.SUPPLIER or ticket.kind_info.is_with_supplier(ticket)


def stretches_of(policy: PolicyPlan, moments: Sequence[Moment], since: datetime, until: datetime) -> list[Stretch]:
    """Return the stretches in which a clock of the policy would have run since then: the ticket open, and no pause.

    The last one has no end where the clock runs at `until`, the instant of the last moment.
    """
    found: list[Stretch] = []
    following = [*(moment.at for moment in moments[1:]), None]
    for moment, end in zip(moments, following, strict=True):
        start = min(max(moment.at, since), until)
        end = None if end is None else min(max(end, since), until)
        if not moment.ticket.is_open or policy.asks("pause", moment.ticket, moment.at):
            continue
        if end is not None and end <= start:
            continue
        if found and found[-1][1] is not None and found[-1][1] >= start:
            start = found.pop()[0]
        found.append((start, end))
    return found

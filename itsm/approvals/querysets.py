"""Questions about approvals: which rounds exist for whom, what waits for whom, who decides for whom."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Exists, OuterRef, Q

from itsm.tickets.querysets import sees_all_tickets

if TYPE_CHECKING:
    from itsm.accounts.models import User


class RoundQuerySet(models.QuerySet[Any]):
    """Questions about rounds."""

    def live(self) -> Self:
        """Return the rounds that still wait for an answer, also those on hold."""
        return self.filter(state__in=("open", "parked"))

    def visible_to(self, user: User | AnonymousUser, now: datetime) -> Self:
        """Return the rounds that exist for the person: all for the desk, else those that ask them or somebody whose
        delegate they are now, or that they have decided."""
        if not user.is_authenticated:
            return self.none()
        if sees_all_tickets(user):
            return self
        from itsm.approvals.models import Ask  # the models import this module

        asks = Ask.objects.filter(stage__round=OuterRef("pk"))
        return self.filter(Exists(asks.of(user, now)))


class AskQuerySet(models.QuerySet[Any]):
    """Questions about who was asked."""

    def of(self, user: User, now: datetime) -> Self:
        """Return what the person was asked or has decided, and what waits for those whose delegate they are now."""
        return self.filter(Q(person=user) | Q(decided_by=user) | (Q(state="asked") & _delegated(user, now)))

    def waiting_for(self, user: User, now: datetime) -> Self:
        """Return what the person can decide now, in their own name or for somebody else."""
        return self.filter(
            Q(person=user) | _delegated(user, now), state="asked", stage__state="asked", stage__round__state="open"
        )


class DelegationQuerySet(models.QuerySet[Any]):
    """Questions about delegations."""

    def at(self, now: datetime) -> Self:
        """Return the delegations that hold at the instant."""
        return self.standing().filter(starts_at__lte=now, ends_at__gt=now)

    def standing(self) -> Self:
        """Return the delegations that nobody has ended early."""
        return self.filter(ended_at__isnull=True)

    def for_kind(self, kind: str) -> Self:
        """Return the delegations that are for tickets of the kind."""
        return self.filter(Q(kinds=[]) | Q(kinds__contains=[kind]))

    def overlapping(self, starts_at: datetime, ends_at: datetime) -> Self:
        """Return the delegations that hold at some instant of the stretch."""
        return self.standing().filter(starts_at__lt=ends_at, ends_at__gt=starts_at)


def _delegated(user: User, now: datetime) -> Q:
    """The asks whose person has given them to the user for now."""
    from itsm.approvals.models import Delegation  # the models import this module

    given = Delegation.objects.at(now).filter(giver=OuterRef("person"), receiver=user)
    kind = OuterRef("stage__round__ticket__kind")
    return Q(Exists(given.filter(Q(kinds=[]) | Q(kinds__contains=[kind]))))

"""What one ticket sets in motion on many others: the order, and a row for each ticket that it is meant for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from django.db import models
from django.db.models import Count, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from itsm.accounts.models import User, public_id
from itsm.tickets.actors import Actor, Channel
from itsm.tickets.models.event import TicketEvent
from itsm.tickets.models.ticket import Ticket


class SpreadState(models.TextChoices):
    """What became of one target."""

    WAITING = "waiting", _("Waiting")
    DONE = "done", _("Done")
    SKIPPED = "skipped", _("Left out")
    PARKED = "parked", _("Failed")


@dataclass(frozen=True)
class Tally:
    """How far a spread has come: targets by state."""

    waiting: int
    done: int
    skipped: int
    parked: int

    @property
    def total(self) -> int:
        """How many tickets it is meant for."""
        return self.waiting + self.done + self.skipped + self.parked


def _counted(prefix: str = "") -> dict[str, Count]:
    return {
        f"n_{state.value}": Count(f"{prefix}pk", filter=Q(**{f"{prefix}state": state.value})) for state in SpreadState
    }


class SpreadQuerySet(models.QuerySet["Spread"]):
    """Questions about spreads."""

    def with_tally(self) -> Self:
        """Return the spreads with their tallies counted in the same query."""
        return self.annotate(**_counted("targets__"))


class Spread(models.Model):
    """An effect that is to happen to many tickets because of something on the source, each exactly once.

    `actor` and `channel` say in whose name the verbs are called. `event` is the source's event that caused it: with
    the effect it is what the spread is known by, so that a verb called twice spreads once.
    """

    public_id = models.CharField(max_length=32, unique=True, default=public_id, editable=False)
    source = models.ForeignKey(Ticket, models.PROTECT, related_name="spreads")
    effect = models.CharField(max_length=60)
    data = models.JSONField(default=dict)
    event = models.ForeignKey(TicketEvent, models.PROTECT, null=True, blank=True, related_name="+")
    actor = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    channel = models.CharField(max_length=20, choices=Channel)
    created_at = models.DateTimeField(default=timezone.now)

    objects = SpreadQuerySet.as_manager()

    class Meta:
        verbose_name = _("spread")
        constraints = (models.UniqueConstraint(fields=("event", "effect"), name="spread_once_per_event"),)

    def __str__(self) -> str:
        return f"{self.source_id} {self.effect}"

    @property
    def acting(self) -> Actor:
        """Who acts in each target's verb."""
        return Actor(self.actor, Channel(self.channel))

    @property
    def tally(self) -> Tally:
        """How far it has come; asks the database each time, unless read `with_tally`."""
        names = [f"n_{state.value}" for state in SpreadState]
        if any(name not in self.__dict__ for name in names):
            return Tally(*(self.targets.aggregate(**_counted())[name] for name in names))
        return Tally(*(self.__dict__[name] for name in names))

    @property
    def total(self) -> int:
        """How many tickets it is meant for."""
        return self.tally.total

    @property
    def done(self) -> int:
        """On how many tickets it has happened."""
        return self.tally.done

    @property
    def skipped(self) -> int:
        """On how many tickets it was no longer possible or needed."""
        return self.tally.skipped

    @property
    def failed(self) -> int:
        """On how many tickets it went wrong until nobody tried any more."""
        return self.tally.parked

    @property
    def is_finished(self) -> bool:
        """Whether no target waits."""
        return not self.tally.waiting


class SpreadTarget(models.Model):
    """One ticket on which a spread is to happen. The row and the ticket change in one transaction."""

    spread = models.ForeignKey(Spread, models.CASCADE, related_name="targets")
    ticket = models.ForeignKey(Ticket, models.PROTECT, related_name="spread_targets")
    state = models.CharField(max_length=8, choices=SpreadState, default=SpreadState.WAITING)
    reason = models.CharField(max_length=500, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("target of a spread")
        constraints = (models.UniqueConstraint(fields=("spread", "ticket"), name="spread_target_once"),)
        indexes = (
            models.Index("next_attempt_at", "id", condition=Q(state="waiting"), name="spread_waiting"),
            models.Index("ticket", "id", condition=Q(state="waiting"), name="spread_waiting_of_ticket"),
        )

    def __str__(self) -> str:
        return f"{self.spread_id} → {self.ticket_id}: {self.state}"

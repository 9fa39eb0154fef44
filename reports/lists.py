"""Clocks one by one: those behind a figure, those that were late and why, those that will be late soon."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import DurationField, ExpressionWrapper, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.utils.translation import gettext as _

from itsm.accounts.models import User
from itsm.tickets.errors import Invalid
from reports.clocks import (
    BREACHED,
    DECIDED,
    LATE,
    Verdict,
    clocks_of,
    judged,
    running_clocks,
    timers_seen_by,
    value_then,
)
from reports.filters import Filters
from reports.models import BreachReason
from slas.clocks import Clock, clock_of
from slas.models import Run, Timer

LONG = ("ticket__description", "ticket__search", "ticket__custom")
PAGE = 50
SOON = 200
US = 1_000_000
GROUPS = {"late": LATE, "decided": DECIDED, "breached": BREACHED}


@dataclass(frozen=True)
class Row:
    """One clock of a list. `overrun_s`, `left_s`: open time beyond, or before, the target; one of them is zero.

    `end`: when the clock stopped, or the instant at which it was looked at. `paused`: real time that it stood still
    until then. `held_by` (a team's id), `assignee` (a name): whose it was at `counted_at`.
    """

    timer: Timer
    clock: Clock
    verdict: str
    counted_at: datetime
    end: datetime
    held_by: int | None
    assignee: str | None
    paused: timedelta
    reason: BreachReason | None

    @property
    def verdict_label(self) -> str:
        """The verdict in words."""
        return str(Verdict(self.verdict).label)

    @property
    def is_late(self) -> bool:
        """Whether its target was missed."""
        return self.verdict in BREACHED

    @property
    def overrun_s(self) -> float:
        """By how much open time the target is missed."""
        return max(-self.clock.remaining_s, 0.0)

    @property
    def left_s(self) -> float:
        """How much open time was, or is, left of the target."""
        return max(self.clock.remaining_s, 0.0)

    @property
    def real(self) -> timedelta:
        """Real time from the opening of the ticket to the end of the clock."""
        return self.end - self.timer.ticket.opened_at


def verdicts_of(text: str) -> tuple[str, ...]:
    """Return the verdicts that a list is to show: one of them, or a group (`late`: missed, and late and still open;
    `decided`: all that count for compliance; `breached`: all whose target passed, also those cancelled afterwards).

    Raises:
        Invalid: there is no such verdict.
    """
    if text in Verdict.values:
        return (text,)
    if text not in GROUPS:
        raise Invalid({"verdict": _("There is no such list. Choose one from the page.")})
    return tuple(str(one) for one in GROUPS[text])


def words_of(verdict: str) -> str:
    """Return what a list of this verdict or group is called."""
    if verdict in Verdict.values:
        return str(Verdict(verdict).label)
    return {"late": _("Late"), "decided": _("Met or late"), "breached": _("Target missed")}[verdict]


def listed(user: User, filters: Filters, now: datetime, verdicts: Sequence[str]) -> QuerySet[Any]:
    """Return the clocks with these verdicts, the latest first, with all that a row shows, in one query."""
    return _to_show(clocks_of(user, filters, now).filter(verdict__in=verdicts)).order_by("-counted_at", "-pk")


def page_of_clocks(
    user: User, filters: Filters, now: datetime, verdicts: Sequence[str], after: str
) -> tuple[list[Any], str]:
    """Return the next rows of `listed` after the mark, and the mark of the page after them (blank: there is none).

    Two queries: which clocks, by little more than their instants; then, for these few, what a row shows.

    Raises:
        Invalid: the mark was not made here.
    """
    clocks = clocks_of(user, filters, now).filter(verdict__in=verdicts).order_by("-counted_at", "-pk")
    if after:
        at, pk = _mark(after)
        clocks = clocks.filter(Q(counted_at__lt=at) | Q(counted_at=at, pk__lt=pk))
    marks = list(clocks.values_list("counted_at", "pk")[: PAGE + 1])
    shown = _to_show(judged(timers_seen_by(user).filter(pk__in=[pk for _at, pk in marks[:PAGE]]), now))
    rows = list(shown.order_by("-counted_at", "-pk"))
    if len(marks) <= PAGE:
        return rows, ""
    at, pk = marks[PAGE - 1]
    return rows, f"{at.isoformat()}~{pk}"


def find_clock(user: User, pk: int, now: datetime) -> Any:
    """Return the person's view of one timer, as `listed` would; None where there is none that they may see."""
    return _to_show(judged(timers_seen_by(user).filter(pk=pk), now)).first()


def soon(user: User, filters: Filters, now: datetime, hours: int) -> list[Any]:
    """Return up to SOON running timers that are due within so many hours, the next first: one scan of an index."""
    found = running_clocks(user, filters).filter(due_at__gte=now, due_at__lte=now + timedelta(hours=hours))
    shown = found.select_related("ticket__team", "ticket__assignee", "policy", "calendar_version__calendar")
    return list(shown.defer("calendar_version__spec", *LONG).order_by("due_at", "pk")[:SOON])


def rows_of(timers: Iterable[Any], now: datetime) -> Iterator[Row]:
    """Yield what a list shows of each timer that `listed` returned, as it stands at `now`."""
    for timer in timers:
        end = timer.stopped_at or now
        ran = timer.ran or timedelta()
        if timer.run_started_at is not None:
            ran += max(end - timer.run_started_at, timedelta())
        yield Row(
            timer=timer,
            clock=clock_of(timer, now),
            verdict=timer.verdict,
            counted_at=timer.counted_at,
            end=end,
            held_by=timer.held_by,
            assignee=timer.assignee_name,
            paused=max(end - timer.started_at - ran, timedelta()),
            reason=getattr(timer, "breach_reason", None),
        )


def _to_show(timers: QuerySet[Any]) -> QuerySet[Any]:
    runs = Run.objects.filter(timer=OuterRef("pk")).order_by().values("timer")
    length = ExpressionWrapper(F("ended_at") - F("started_at"), output_field=DurationField())
    return (
        timers.annotate(
            ran=Subquery(runs.annotate(total=Sum(length)).values("total")),
            assigned=value_then("assignee", "user", "counted_at"),
        )
        .annotate(assignee_name=Subquery(User.objects.filter(pk=OuterRef("assigned")).values("display_name")[:1]))
        .select_related("ticket", "policy", "calendar_version__calendar", "breach_reason__given_by")
        .defer("calendar_version__spec", *LONG)
    )


def _mark(text: str) -> tuple[datetime, int]:
    bad = Invalid({"after": _("This page address is not valid. Start again from the first page.")})
    at, _tilde, pk = text.partition("~")
    if len(text) > 60 or not (pk.isascii() and pk.isdigit() and len(pk) < 19):
        raise bad
    try:
        instant = datetime.fromisoformat(at)
    except ValueError:
        raise bad from None
    if instant.tzinfo is None:
        raise bad
    return instant, int(pk)

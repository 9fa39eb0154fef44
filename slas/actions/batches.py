"""Moving many timers after an edit: ticket by ticket, in small transactions, so that nobody waits for all of it."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar

from django.db import transaction
from django.db.models import F, OuterRef, Subquery
from django.db.models.functions import Coalesce

from itsm.tickets.actors import SYSTEM, Actor
from itsm.tickets.clock import db_now
from itsm.tickets.models import Ticket
from slas.actions.book import Book
from slas.models import BusinessCalendar, CalendarVersion, ServiceLevelPolicy, Setup, State, Sweep, TeamCalendar, Timer
from slas.plans import current_levels
from slas.querysets import TimerQuerySet

BATCH = 200
Move = Callable[[Book, Timer], None]
is_trial: ContextVar[bool] = ContextVar("is_trial", default=False)
"""Set while an edit is only tried and will be taken back (`slas.whatif`): no timer follows it."""


def follow_setup(*, actor: Actor = SYSTEM, limit: int | None = None) -> int:
    """Bring running timers to what was edited since they began, on so many tickets at most; return how many timers.

    Timers of an older version of a calendar go on by its current hours, from now on; timers of a policy that was
    switched off are cancelled. Whoever saves such an edit calls this for a first part, a task does the rest.
    """
    if is_trial.get():
        return 0
    stale = CalendarVersion.objects.exclude(pk__in=BusinessCalendar.objects.exclude(current=None).values("current"))
    outdated = Timer.objects.filter(state=State.RUNNING, calendar_version__in=list(stale.values_list("pk", flat=True)))
    moved = move_timers(outdated, _to_current_hours, actor=actor, limit=limit)
    moved += _follow_teams(actor=actor, limit=limit)
    switched_off = ServiceLevelPolicy.objects.filter(is_active=False)
    dropped = Timer.objects.active().filter(policy__in=list(switched_off))
    return moved + move_timers(dropped, _cancel, actor=actor, limit=limit)


def _follow_teams(*, actor: Actor, limit: int | None) -> int:
    """Bring running timers to the hours of their teams; looks at them only after an edit, for it must look at all."""
    setup = Setup.objects.filter(pk=1).first()
    if setup is None or setup.followed == setup.stamp:
        return 0
    others = _by_hours_of_another_team()
    moved = move_timers(others, _to_current_hours, actor=actor, limit=limit)
    # Asked, not counted: a ticket that somebody else changed meanwhile used up the limit and moved nothing.
    if limit is None or not others.order_by().exists():
        Setup.objects.filter(pk=1).update(followed=setup.stamp)
    return moved


def _by_hours_of_another_team() -> TimerQuerySet:
    """Return running timers whose goal goes by the hours of the ticket's team, and that do not."""
    own = TeamCalendar.objects.filter(team=OuterRef("ticket__team"), calendar__current__isnull=False)
    by_team = Timer.objects.filter(state=State.RUNNING, goal__use_team_calendar=True)
    wanted = by_team.annotate(wanted=Coalesce(Subquery(own.values("calendar")[:1]), F("goal__calendar")))
    found: TimerQuerySet = wanted.exclude(calendar_version__calendar=F("wanted"))
    return found


def _to_current_hours(book: Book, timer: Timer) -> None:
    goal, team = timer.goal, book.ticket.team_id
    version = timer.calendar_version.calendar.current
    if goal is not None and goal.use_team_calendar:
        version = current_levels().team_hours.get(team, goal.calendar.current) if team else goal.calendar.current
    if version is not None:
        book.change_calendar(timer, version)


def _cancel(book: Book, timer: Timer) -> None:
    book.cancel(timer)


def move_timers(
    which: TimerQuerySet, move: Move, *, actor: Actor, limit: int | None = None, why: str = Sweep.Why.EDIT
) -> int:
    """Apply the move to each of the timers, under its ticket's lock, on so many tickets at most; return how many timers
    were moved. It is put on record (`Sweep`), because no event tells of it.

    Walks by ticket id, so that it ends, and can be run again after a crash: timers that no longer answer to `which`
    when their ticket is locked are left alone.
    """
    moved = 0
    last = 0
    left = limit
    while left is None or left > 0:
        found = which.filter(ticket_id__gt=last).order_by("ticket_id").values_list("ticket_id", flat=True)
        tickets = list(found.distinct()[: BATCH if left is None else min(BATCH, left)])
        if not tickets:
            break
        for ticket_id in tickets:
            moved += _move_of_ticket(ticket_id, which, move, actor, why)
        last = tickets[-1]
        left = None if left is None else left - len(tickets)
    return moved


@transaction.atomic
def _move_of_ticket(ticket_id: int, which: TimerQuerySet, move: Move, actor: Actor, why: str) -> int:
    locked = Ticket.objects.select_for_update(of=("self",), no_key=True).select_related(
        "requester", "assignee", "team__lead"
    )
    ticket = locked.get(pk=ticket_id)
    wanted = set(which.filter(ticket_id=ticket_id).values_list("pk", flat=True))
    timers = Timer.objects.of_tickets([ticket]).to_work_on().select_related("goal__calendar__current")
    if not wanted:
        return 0
    now = db_now()
    book = Book(ticket, timers, at=now, actor=actor, for_tick=actor.at is None)
    which_moved = [[timer.kind, timer.metric, timer.cycle_no] for timer in book.timers if timer.pk in wanted]
    Sweep.objects.create(
        ticket=ticket, at=now, after_seq=ticket.event_seq, recorded_at=now, why=why, timers=which_moved
    )
    for timer in book.timers:
        if timer.pk in wanted:
            move(book, timer)
    book.write()
    return len(wanted)

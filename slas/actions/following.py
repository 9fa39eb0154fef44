"""What a change on a ticket means for its timers. Listens to every verb, in the verb's transaction.

The rules of sla.md §4, in two passes: timers that are active are cancelled, stopped, moved under another goal, started
anew; then what has no active timer begins one or takes up the last; at the end clocks pause or go on. They are asked of
the ticket as it is, so that following the same state twice changes nothing. Only what was said, and a condition to
start anew, count once. The same function follows the present and goes through the past (`slas.simulation`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from itsm.accounts.roles import Permission
from itsm.tickets.hooks import Change
from slas.actions.book import Book
from slas.history import OWN_EVENTS, Moment, Said, said_by
from slas.keeping import stamp_of, timers_of
from slas.models import Metric, OnReopen, OnRetarget, StartFrom, Timer
from slas.models.timers import STOPPED, State
from slas.past import stretches_of
from slas.plans import Levels, Plan, current_levels

ANSWERED = (Metric.RESPONSE, Metric.NEXT_RESPONSE, Metric.UPDATE)
TAKEN_UP = (Metric.RESOLUTION, Metric.TEAM_STAY)
ONCE = (Metric.RESPONSE, Metric.RESOLUTION)


@dataclass(frozen=True)
class Happening:
    """What happened: the ticket was opened, something was said, the named fields were written."""

    opened: bool = False
    said: Said = Said.NOTHING
    changed: frozenset[str] = frozenset()

    @property
    def concerns_clocks(self) -> bool:
        """Whether clocks follow it."""
        return self.opened or bool(self.changed) or self.said in (Said.ANSWER, Said.REQUEST)


NOTHING_NEW = Happening()


def follow(change: Change) -> None:
    """Attach, pause, resume, stop, retarget or cancel the ticket's timers as its new state asks.

    An import's past instant is taken as the instant.
    """
    if change.event.code.startswith(OWN_EVENTS):
        return
    what = happening_of(change)
    if not what.concerns_clocks:
        return
    timers = [] if what.opened else timers_of(change.ticket)
    book = Book(change.ticket, timers, at=change.event.at, actor=change.actor)
    follow_state(book, what, current_levels(stamp_of(timers)))
    book.write()


def happening_of(change: Change) -> Happening:
    """Return what a verb did, as far as clocks are concerned."""
    said, comment, actor = Said.NOTHING, change.comment, change.actor
    if comment is not None:
        said = said_by(
            comment.author_id,
            comment.visibility,
            requester_id=change.ticket.requester_id,
            works_tickets=actor.may(Permission.WORK_TICKETS),
        )
    return Happening(opened=change.event.seq == 1, said=said, changed=frozenset(change.before))


def happening_at(moment: Moment) -> Happening:
    """Return what happened at a moment of the past."""
    return Happening(opened=moment.is_opening, said=moment.said, changed=moment.changed)


def follow_state(book: Book, what: Happening = NOTHING_NEW, levels: Levels | None = None) -> None:
    """Move the timers in the book to where the ticket's state, and what happened, want them.

    `levels`: what is promised; left out: what is promised now.
    """
    ticket = book.ticket
    promised = levels if levels is not None else current_levels()
    if not ticket.is_open:
        for timer in book.active():
            _end(book, timer, promised)
        return
    plans = promised.plans_for(ticket, book.at)
    for timer in book.active():
        _go_on(book, timer, plans.get((timer.kind, timer.metric)), what)
    running = {(timer.kind, timer.metric) for timer in book.active()}
    for key, plan in plans.items():
        if key not in running:
            _begin(book, plan, what)
    for key, plan in plans.items():
        last = book.last(key)
        if last is not None and last.is_active:
            _pause_or_resume(book, last, plan)


def _pause_or_resume(book: Book, timer: Timer, plan: Plan) -> None:
    pauses = plan.policy.asks("pause", book.ticket, book.at)
    if pauses and timer.state == State.RUNNING:
        book.pause(timer)
    elif not pauses and timer.state == State.PAUSED:
        book.resume(timer)


def _end(book: Book, timer: Timer, levels: Levels) -> None:
    """End the timer of a ticket that was resolved, cancelled or merged away."""
    policy = levels.policy(timer.policy_id)
    cancels = policy is not None and policy.asks("cancel", book.ticket, book.at)
    if book.ticket.resolved_at is None or cancels:
        book.cancel(timer)
    else:
        book.stop(timer)


def _go_on(book: Book, timer: Timer, plan: Plan | None, what: Happening) -> None:
    """Bring an active timer to what holds now: ended, under another goal, started anew, or by other hours."""
    ticket, at = book.ticket, book.at
    if plan is None or plan.policy.asks("cancel", ticket, at):
        book.cancel(timer)
        return
    if _is_over(book, timer, what) or plan.policy.asks("stop", ticket, at):
        book.stop(timer)
        return
    if (timer.policy_id, timer.goal_id) != (plan.policy.policy.pk, plan.goal.goal.pk):
        timer = _retarget(book, timer, plan)
    resets = plan.policy.asks("reset", ticket, at)
    if resets and not timer.reset_held:
        book.cancel(timer)
        book.attach(plan)
        return
    book.note_reset(timer, held=resets)
    zone = book.zone_under(plan, timer.cycle_no) if "requester" in what.changed else timer.time_zone
    if (timer.calendar_version_id, timer.time_zone) != (plan.calendar_version.pk, zone):
        book.change_calendar(timer, plan.calendar_version, zone)


def _is_over(book: Book, timer: Timer, what: Happening) -> bool:
    """Return whether that has come which the timer's metric waits for."""
    if timer.metric in ANSWERED:
        return what.said == Said.ANSWER
    if timer.metric == Metric.TEAM_STAY:
        return bool(timer.team_id != book.ticket.team_id)
    return timer.metric == Metric.SUPPLIER and not book.ticket.kind_info.is_with_supplier(book.ticket)


def _retarget(book: Book, timer: Timer, plan: Plan) -> Timer:
    """Put the timer under another goal as the new policy wants it, and return the timer that goes on."""
    how = plan.policy.policy.on_retarget
    if how == OnRetarget.KEEP:
        book.retarget(timer, plan)
        return timer
    book.cancel(timer)
    return _attach_since(book, plan, book.began(timer.metric)) if how == OnRetarget.RETROACTIVE else book.attach(plan)


def _begin(book: Book, plan: Plan, what: Happening) -> None:
    """Begin a timer where there is none active, or take up the last one, if the metric has a cycle now."""
    policy, ticket = plan.policy, book.ticket
    if policy.asks("stop", ticket, book.at) or policy.asks("cancel", ticket, book.at):
        return
    metric = policy.policy.metric
    last = book.last(plan.key)
    ended = last if last is not None and last.state in STOPPED else None
    if ended is not None and policy.policy.on_reopen == OnReopen.RESUME and _is_taken_up(book, ended, what):
        book.take_up(ended, plan)
        return
    looks_back = policy.policy.start_from == StartFrom.OPENED and not what.opened
    if looks_back and not (ended is not None and metric in ONCE):
        since = book.began(metric)
        if since is not None and (metric == Metric.NEXT_RESPONSE or _has_cycle(book, metric, ended, what)):
            _attach_since(book, plan, since)
    elif _has_cycle(book, metric, ended, what):
        book.attach(plan)


def _is_taken_up(book: Book, ended: Timer, what: Happening) -> bool:
    """Return whether the open ticket goes on with what the ended timer timed."""
    if ended.metric == Metric.TEAM_STAY:
        return ended.team_id == book.ticket.team_id and "team" not in what.changed
    return ended.metric in TAKEN_UP


def _has_cycle(book: Book, metric: str, ended: Timer | None, what: Happening) -> bool:
    """Return whether there is something to time at this moment."""
    match metric:
        case Metric.RESPONSE:
            return what.opened or (ended is None and not book.past.answered)
        case Metric.NEXT_RESPONSE:
            return what.said == Said.REQUEST and book.past.answered
        case Metric.UPDATE:
            return what.said == Said.ANSWER or (not what.opened and (ended is not None or book.past.answered))
        case Metric.TEAM_STAY:
            return book.ticket.team_id is not None
        case Metric.SUPPLIER:
            return bool(book.ticket.kind_info.is_with_supplier(book.ticket))
        case _:
            return True


def _attach_since(book: Book, plan: Plan, since: datetime | None) -> Timer:
    """Attach a timer that counts from when what it times began, with the pauses since."""
    if since is None or since >= book.at:
        return book.attach(plan)
    return book.attach(plan, since=since, stretches=stretches_of(plan.policy, book.past.moments, since, book.at))

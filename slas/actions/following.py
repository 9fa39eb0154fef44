"""What a change on a ticket means for its timers. Listens to every verb, in the verb's transaction."""

from __future__ import annotations

from typing import Any

from itsm.accounts.models import User
from itsm.accounts.roles import Permission, permissions_of
from itsm.tickets.actors import Actor
from itsm.tickets.hooks import Change
from itsm.tickets.models import Comment, Visibility
from slas.actions.book import Book, stopped
from slas.keeping import timers_of
from slas.models import Metric, State, Timer
from slas.plans import Plan, plans_for

OWN_EVENTS = "sla."


def follow(change: Change) -> None:
    """Attach, pause, resume, stop, retarget or cancel the ticket's timers as its new state asks.

    Looks at the ticket as it is, not at what the verb is called: following the same state twice changes nothing. Only
    a first reply is told by the comment that the verb wrote. An import's past instant is taken as the instant.
    """
    if change.event.code.startswith(OWN_EVENTS):
        return
    opened = change.event.seq == 1
    answered = is_answer(change.ticket, change.comment, change.actor)
    if not (opened or answered or change.before):
        return
    timers = [] if opened else timers_of(change.ticket)
    book = Book(change.ticket, timers, at=change.event.at, actor=change.actor)
    follow_state(book, answered=answered, fields_changed=opened or bool(change.before), opened=opened)
    book.write()


def is_answer(ticket: Any, comment: Any, actor: Actor) -> bool:
    """Return whether the comment answers the requester: public, by somebody who works tickets, not by themselves."""
    return (
        comment is not None
        and comment.visibility == Visibility.PUBLIC
        and actor.user is not None
        and actor.user.pk != ticket.requester_id
        and actor.may(Permission.WORK_TICKETS)
    )


def follow_state(book: Book, *, answered: bool = False, fields_changed: bool = True, opened: bool = False) -> None:
    """Move the timers in the book to where the ticket's state wants them: cancel, stop, attach or retarget, pause."""
    ticket = book.ticket
    if ticket.resolved_at is not None:
        for timer in book.active():
            book.stop(timer)
        return
    if ticket.closed_at is not None:
        for timer in book.active():
            book.cancel(timer)
        return
    if answered:
        for timer in book.active():
            if timer.metric == Metric.RESPONSE:
                book.stop(timer)
    if fields_changed:
        _follow_plans(book, opened=opened)


def _follow_plans(book: Book, *, opened: bool) -> None:
    plans = plans_for(book.ticket, book.at)
    for orphan in book.active():
        if (orphan.kind, orphan.metric) not in plans:
            book.cancel(orphan)
    for (kind, metric), plan in plans.items():
        timer = _timer_under(plan, book, kind, metric, opened=opened)
        if timer is None:
            continue
        pauses = plan.policy.pause is not None and plan.policy.pause.matches(book.ticket, book.at)
        if pauses and timer.state == State.RUNNING:
            book.pause(timer)
        elif not pauses and timer.state == State.PAUSED:
            book.resume(timer)


def _timer_under(plan: Plan, book: Book, kind: str, metric: str, *, opened: bool) -> Timer | None:
    """Return the active timer, put under the plan: retargeted, taken up again, or new; None for a response that was
    given already."""
    timer = _active_timer(book, kind, metric)
    if timer is None:
        answered = not opened and metric == Metric.RESPONSE and _was_answered(book, kind)
        return None if answered else book.attach(plan)
    if (timer.policy_id, timer.goal_id) != (plan.policy.policy.pk, plan.goal.goal.pk):
        book.retarget(timer, plan)
    return timer


def _active_timer(book: Book, kind: str, metric: str) -> Timer | None:
    """Return the active timer, a stopped resolution timer taken up again when the ticket is open anew, or None."""
    timers = book.of(kind, metric)
    active = next((timer for timer in timers if timer.is_active), None)
    if active is not None or metric != Metric.RESOLUTION:
        return active
    ended = stopped(timers)
    if ended is not None:
        book.resume(ended)
    return ended


def _was_answered(book: Book, kind: str) -> bool:
    if stopped(book.of(kind, Metric.RESPONSE)) is not None:
        return True
    replies = Comment.objects.filter(ticket_id=book.ticket.pk, visibility=Visibility.PUBLIC, created_at__lte=book.at)
    others = replies.exclude(author=None).exclude(author_id=book.ticket.requester_id)
    # By their roles: what somebody answered who has left the desk's staff since stays answered.
    roles = User.objects.filter(pk__in=others.values("author")).values_list("roles", flat=True)
    return any(Permission.WORK_TICKETS in permissions_of(held) for held in roles)

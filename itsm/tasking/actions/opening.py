"""Opening a task below a ticket."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from itsm.accounts.models import Team, User
from itsm.tasking.actions.base import carry_head, check_goes_on, is_turn, note_on_parent, rules_for
from itsm.tasking.actions.planning import check_order, check_planned, check_type
from itsm.tasking.models import Task
from itsm.tasking.registry import GENERAL
from itsm.tasking.statuses import Status
from itsm.tickets.actions import lock, open_ticket
from itsm.tickets.actors import Actor
from itsm.tickets.errors import Refused
from itsm.tickets.kinds import kind_of
from itsm.tickets.models import Ticket
from itsm.tickets.querysets import sees_all_tickets
from itsm.tickets.rules import works_tickets


@transaction.atomic
def open_task(
    parent: Any,
    *,
    actor: Actor,
    title: str,
    task_type: str = GENERAL,
    team: Team | None = None,
    assignee: User | None = None,
    planned_start: datetime | None = None,
    planned_end: datetime | None = None,
    order: int = 0,
    is_generated: bool = False,
    description: str = "",
    submission_key: str | None = None,
) -> Task:
    """Open a task below the ticket and return it. It is pending while tasks of a lower order have not ended, or while
    work below the parent may not begin; it is held where the parent is.

    Its requester is who opened the parent. Service, category, impact and urgency are the parent's; so is the team,
    where none is given. The same `submission_key` from the same person gives the task opened before. Events: on the
    task, then on the parent for the desk.

    Raises:
        Invalid: a sentence for each value that does not fit, or such tickets have no tasks.
        Refused: the actor does not work on tickets, or does not see the parent.
        IllegalMove: the parent has ended.
    """
    rules = rules_for(parent)
    above = lock(parent)
    _check_rights(actor, above)
    check_goes_on(above)
    check_type(task_type, rules)
    check_order(order)
    check_planned(rules, above, planned_start, planned_end)
    held = rules.is_held(above)
    turn = bool(rules.may_open(above, task_type)) and is_turn(order, Task.objects.below(above).open())
    begins = Status.OPEN if turn else Status.PENDING
    task: Task = open_ticket(
        kind_of("task"),
        actor=actor,
        title=title,
        description=description,
        requester=_requester(above, actor),
        impact=above.impact,
        urgency=above.urgency,
        category=above.category,
        service=above.service,
        team=team or _team(above),
        assignee=assignee,
        submission_key=submission_key,
        status=begins,
        child={
            "parent": above,
            "task_type": task_type,
            "order": order,
            "planned_start": planned_start,
            "planned_end": planned_end,
            "is_generated": is_generated,
            "is_held": held,
            "held_by_parent": held,
        },
        said={
            "status": begins,
            "parent_kind": above.kind,
            "parent_number": above.number,
            "task_type": task_type,
            "is_held": held,
            "generated": is_generated,
        },
    )
    if task.event_seq == 1 and not _is_told(above, task):
        note_on_parent(above, "ticket.task_opened", task, actor=actor, at=task.opened_at, task_type=task_type)
        carry_head(parent, above)
    return task


def _is_told(parent: Any, task: Task) -> bool:
    """Return whether this form was sent before: then the parent's log has the task already, or another parent has."""
    if task.submission_key is None:
        return False
    told = parent.events.filter(code="ticket.task_opened", data__task=task.public_id)
    return task.parent_id != parent.pk or told.exists()


def _check_rights(actor: Actor, parent: Any) -> None:
    answer = works_tickets(actor, parent)
    if not answer:
        raise Refused(answer.reason)
    user = actor.user
    if user is None or sees_all_tickets(user):
        return
    if not Ticket.objects.visible_to(user).filter(pk=parent.pk).exists():
        raise Refused(_("You cannot see the ticket that this task is to be part of."))


def _requester(parent: Any, actor: Actor) -> User:
    """Return who opened the parent; where they have left, whoever acts or answers for the parent."""
    people = (parent.opened_by, actor.user, parent.assignee, parent.requester)
    return next((one for one in people if one is not None and one.is_active), parent.opened_by)


def _team(parent: Any) -> Team | None:
    return parent.team if parent.team is not None and parent.team.is_active else None

"""Major problems and their review, without which they are not closed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from itsm.tickets.actions import begin
from itsm.tickets.actions.base import check_not_terminal
from itsm.tickets.actors import Actor
from itsm.tickets.clock import instant_of
from itsm.tickets.errors import Invalid, Refused
from itsm.tickets.log import write
from itsm.tickets.texts import clean_text
from problems.models import Problem
from problems.models.problem import NOTES_MAX
from problems.statuses import coordinates

REVIEW = ("review_went_well", "review_went_wrong", "review_prevention")


@transaction.atomic
def set_major(problem: Problem, is_major: bool, *, actor: Actor, version: int | None = None) -> Problem:
    """Make the problem a major one, or an ordinary one again, and return it. A problem manager or its coordinator may.

    Raises:
        Refused, Stale; IllegalMove: it is closed.
    """
    locked: Problem = begin(problem, "ticket.edit", actor=actor, version=version)
    check_not_terminal(locked)
    answer = coordinates(actor, locked)
    if not answer:
        raise Refused(answer.reason)
    if locked.is_major != is_major:
        code = "problem.major_set" if is_major else "problem.major_cleared"
        write(locked, code, actor=actor, changes={"is_major": is_major}, log_changes=False)
    return locked


@transaction.atomic
def save_review(problem: Problem, changes: Mapping[str, Any], *, actor: Actor, version: int | None = None) -> Problem:
    """Write answers of the review (any of `review_went_well`, `review_went_wrong`, `review_prevention`) and return the
    problem. When all three are there, it counts as reviewed.

    Raises:
        Invalid, Refused, Stale; IllegalMove: it is closed.
    """
    locked: Problem = begin(problem, "ticket.edit", actor=actor, version=version)
    check_not_terminal(locked)
    values: dict[str, Any] = {}
    problems = {name: _("This cannot be changed here.") for name in changes if name not in REVIEW}
    for name in REVIEW:
        if name in changes:
            try:
                values[name] = clean_text(changes[name], name, NOTES_MAX)
            except Invalid as error:
                problems.update(error.fields)
    if problems:
        raise Invalid(problems)
    values = {name: value for name, value in values.items() if getattr(locked, name) != value}
    if not values:
        return locked
    now = instant_of(actor)
    said = {name: [getattr(locked, name), value] for name, value in values.items()}
    whole = all(values.get(name, getattr(locked, name)) for name in REVIEW)
    stamp = {"reviewed_at": now, "reviewed_by": actor.user} if whole else {"reviewed_at": None, "reviewed_by": None}
    write(
        locked,
        "problem.reviewed",
        actor=actor,
        changes=values | stamp,
        data={"changes": said},
        log_changes=False,
        at=now,
    )
    return locked

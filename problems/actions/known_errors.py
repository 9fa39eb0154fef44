"""Known errors: declaring one, and publishing it in words of its own (feature PR-4)."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from itsm.tickets.actions import begin
from itsm.tickets.actors import Actor
from itsm.tickets.clock import instant_of
from itsm.tickets.errors import IllegalMove, Invalid, Refused
from itsm.tickets.log import write
from itsm.tickets.models.ticket import TITLE_MAX
from itsm.tickets.texts import clean_text
from problems.models import KnownErrorRule, Problem, ProblemSettings
from problems.models.problem import NOTES_MAX
from problems.querysets import OVER
from problems.statuses import coordinates


def needs_workaround() -> bool:
    """Return whether the settings ask for a workaround before a problem is a known error."""
    return ProblemSettings.current().known_error_needs == KnownErrorRule.CAUSE_AND_WORKAROUND


def lacks_for_known_error(problem: Problem) -> dict[str, str]:
    """Return a sentence for each thing that is missing before the problem can be a known error; empty: nothing is."""
    lacks: dict[str, str] = {}
    if not problem.cause_notes:
        lacks["cause_notes"] = _("A known error needs its cause. Write down the analysis first.")
    if not problem.workaround and needs_workaround():
        lacks["workaround"] = _("A known error needs a workaround. Write it down first.")
    return lacks


@transaction.atomic
def declare_known_error(problem: Problem, *, actor: Actor, version: int | None = None) -> Problem:
    """Make the problem a known error and return it; one that is one already stays as it is.

    Raises:
        Invalid: cause or workaround is missing. IllegalMove: it is fixed, cancelled or a duplicate. Refused, Stale.
    """
    locked: Problem = begin(problem, "ticket.edit", actor=actor, version=version)
    if locked.is_known_error:
        return locked
    if locked.resolution_code in OVER:
        raise IllegalMove(_("This problem is over: nobody meets this error any more."))
    lacks = lacks_for_known_error(locked)
    if lacks:
        raise Invalid(lacks)
    now = instant_of(actor)
    changes = {"is_known_error": True, "known_error_at": now, "known_error_by": actor.user}
    write(locked, "problem.known_error_declared", actor=actor, changes=changes, log_changes=False, at=now)
    return locked


@transaction.atomic
def withdraw_known_error(problem: Problem, *, actor: Actor, version: int | None = None) -> Problem:
    """Take it back that the problem is a known error, and take it out of the portal; return the problem.

    Raises:
        Refused, Stale.
    """
    locked: Problem = begin(problem, "ticket.edit", actor=actor, version=version)
    if not locked.is_known_error:
        return locked
    changes: dict[str, Any] = {"is_known_error": False, "known_error_at": None, "known_error_by": None}
    if locked.published_at is not None:
        changes |= {"published_at": None, "published_by": None}
        write(locked, "problem.unpublished", actor=actor, changes={}, bump=False)
    write(locked, "problem.known_error_withdrawn", actor=actor, changes=changes, log_changes=False)
    return locked


@transaction.atomic
def publish(
    problem: Problem, *, actor: Actor, title: str, symptoms: str = "", workaround: str = "", version: int | None = None
) -> Problem:
    """Show the known error in the portal in these words and return the problem. Published again, it gets new words.

    Raises:
        Invalid: no title, neither symptoms nor workaround, or a text that does not fit.
        IllegalMove: it is no known error, or is over. Refused, Stale.
    """
    locked: Problem = begin(problem, "ticket.edit", actor=actor, version=version)
    _require_coordinator(locked, actor)
    if not locked.is_known_error or locked.resolution_code in OVER:
        raise IllegalMove(_("Only a known error that people still meet can be published. Declare it one first."))
    problems: dict[str, str] = {}
    values: dict[str, Any] = {}
    for name, value, longest in (
        ("title", title, TITLE_MAX),
        ("symptoms", symptoms, NOTES_MAX),
        ("workaround", workaround, NOTES_MAX),
    ):
        try:
            values[f"public_{name}"] = clean_text(
                value, name, longest, required=name == "title", one_line=name == "title"
            )
        except Invalid as error:
            problems.update(error.fields)
    if not problems and not values["public_symptoms"] and not values["public_workaround"]:
        problems["symptoms"] = _("Say how people notice it, or what they can do: one of the two is needed.")
    if problems:
        raise Invalid(problems)
    same = all(getattr(locked, name) == value for name, value in values.items())
    if locked.published_at is not None and same:
        return locked
    now = instant_of(actor)
    values |= {"published_at": locked.published_at or now, "published_by": actor.user}
    write(locked, "problem.published", actor=actor, changes=values, log_changes=False, at=now)
    return locked


@transaction.atomic
def unpublish(problem: Problem, *, actor: Actor, version: int | None = None) -> Problem:
    """Take the known error out of the portal and return the problem; its words are kept for another time.

    Raises:
        Refused, Stale.
    """
    locked: Problem = begin(problem, "ticket.edit", actor=actor, version=version)
    _require_coordinator(locked, actor)
    if locked.published_at is None:
        return locked
    changes = {"published_at": None, "published_by": None}
    write(locked, "problem.unpublished", actor=actor, changes=changes, log_changes=False)
    return locked


def _require_coordinator(problem: Problem, actor: Actor) -> None:
    answer = coordinates(actor, problem)
    if not answer:
        raise Refused(answer.reason)

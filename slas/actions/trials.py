"""Trials: preparing a draft, starting, stopping and removing what tries it. Nothing of a ticket is ever written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from itsm.accounts.models import User
from itsm.conditions import Condition, ConditionError, check
from itsm.tickets.actors import Actor
from itsm.tickets.clock import db_now
from itsm.tickets.errors import IllegalMove, Invalid, Refused
from itsm.tickets.schema import ticket_schema
from slas.actions.setting_up import NAME_MAX, require_manager
from slas.models import Purpose, Trial, TrialState
from slas.plans import Levels
from slas.whatif.drafts import draft_of

MOST_PREPARED = 20


@dataclass(frozen=True)
class Selection:
    """Which past tickets are gone through: opened from, until (the instant itself left out), and meeting a condition
    that may look tickets up (every field of the search bar, but nothing that depends on who asks)."""

    opened_from: datetime
    opened_until: datetime
    condition: Mapping[str, Any] = field(default_factory=dict)


def prepare_trial(
    name: str, levels: Levels, *, kind: str, metric: str, actor: Actor, focus: Mapping[str, Any] | None = None
) -> Trial:
    """Keep a draft that is to be tried on past tickets, and return the trial, which is not started.

    `focus` says what was edited, for the page. The oldest that were prepared and never started go: 20 are kept for each
    person.

    Raises:
        Refused.
    """
    person = _manager(actor)
    trial = Trial.objects.create(
        purpose=Purpose.PAST,
        name=name[:NAME_MAX],
        kind=kind,
        metric=metric,
        draft=draft_of(levels),
        focus=dict(focus or {}),
        created_by=person,
        created_at=db_now(),
    )
    idle = Trial.objects.filter(created_by=person, state=TrialState.PREPARED).order_by("-created_at", "-pk")
    Trial.objects.filter(pk__in=list(idle.values_list("pk", flat=True)[MOST_PREPARED:])).delete()
    return trial


@transaction.atomic
def start_trial(trial: Trial, selection: Selection, *, actor: Actor) -> Trial:
    """Let the trial be worked on, and return it. One that has ended is not started again: see `repeat_trial`.

    Raises:
        Refused. Invalid: the period or the condition does not fit.
        IllegalMove: it was started already, or another one of the person is at work.
    """
    person = _owner(trial, actor)
    problems: dict[str, str] = {}
    if selection.opened_from >= selection.opened_until:
        problems["opened_until"] = _("The period ends before it begins. Choose a later end.")
    try:
        condition = Condition.from_json(dict(selection.condition))
        check(condition, ticket_schema(), personal=False)
    except ConditionError as error:
        problems["condition"] = error.message
    if problems:
        raise Invalid(problems)
    locked = Trial.objects.select_for_update().get(pk=trial.pk)
    if locked.state != TrialState.PREPARED:
        raise IllegalMove(_("This was started already."))
    locked.opened_from, locked.opened_until = selection.opened_from, selection.opened_until
    locked.condition = dict(selection.condition)
    _wait(locked, person)
    locked.save(update_fields=["opened_from", "opened_until", "condition", "state"])
    return locked


def try_on_open_tickets(name: str, levels: Levels, *, actor: Actor, focus: Mapping[str, Any] | None = None) -> Trial:
    """Let it be worked out what the draft would change on open tickets, and return the trial, which waits. A former one
    of the same person that is still at work is stopped for it.

    Raises:
        Refused.
    """
    person = _manager(actor)
    with transaction.atomic():
        _one_by_one(person)
        before = Trial.objects.select_for_update().filter(
            created_by=person, purpose=Purpose.OPEN, state__in=(TrialState.WAITING, TrialState.RUNNING)
        )
        for one in before:
            _stop(one)
        return Trial.objects.create(
            purpose=Purpose.OPEN,
            name=name[:NAME_MAX],
            draft=draft_of(levels),
            focus=dict(focus or {}),
            state=TrialState.WAITING,
            created_by=person,
            created_at=db_now(),
        )


@transaction.atomic
def stop_trial(trial: Trial, *, actor: Actor) -> Trial:
    """Stop a trial that waits or runs, for good, and return it. Whoever works on it finds out with the next batch.

    Raises:
        Refused. IllegalMove: it has ended.
    """
    _owner(trial, actor)
    locked = Trial.objects.select_for_update().get(pk=trial.pk)
    if not locked.is_at_work:
        raise IllegalMove(_("This has ended already."))
    _stop(locked)
    return locked


@transaction.atomic
def repeat_trial(trial: Trial, *, actor: Actor) -> Trial:
    """Start anew what failed, was stopped or is done, with the same draft on the same tickets; return the new trial.

    Raises:
        Refused. IllegalMove: it is at work, or another one of the person is.
    """
    person = _owner(trial, actor)
    if trial.is_at_work or trial.state == TrialState.PREPARED:
        raise IllegalMove(_("This is at work. Stop it first, or wait."))
    names = ("purpose", "name", "kind", "metric", "draft", "focus", "opened_from", "opened_until", "condition")
    again = Trial(**{name: getattr(trial, name) for name in names}, created_by=person, created_at=db_now())
    _wait(again, person)
    again.save()
    return again


def _manager(actor: Actor) -> User:
    require_manager(actor)
    if actor.user is None:
        raise Refused(_("A trial belongs to a person."))
    return actor.user


def _owner(trial: Trial, actor: Actor) -> User:
    person = _manager(actor)
    if trial.created_by_id != person.pk:
        raise Refused(_("Only whoever made this may start, stop or repeat it."))
    return person


def _one_by_one(person: User) -> None:
    """Let what a person starts at the same moment, in two windows or by a double click, come one after the other."""
    User.objects.select_for_update(no_key=True).get(pk=person.pk)


def _wait(trial: Trial, person: User) -> None:
    _one_by_one(person)
    busy = Trial.objects.filter(created_by=person, purpose=trial.purpose).exclude(pk=trial.pk)
    if busy.filter(state__in=(TrialState.WAITING, TrialState.RUNNING)).exists():
        raise IllegalMove(_("You have one at work already. Wait until it is done, or stop it."))
    trial.state = TrialState.WAITING


def _stop(trial: Trial) -> None:
    trial.state, trial.finished_at = TrialState.STOPPED, db_now()
    trial.lease, trial.lease_until = "", None
    trial.save(update_fields=["state", "finished_at", "lease", "lease_until"])

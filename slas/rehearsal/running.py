"""The job behind trials: whoever claims one works on it for a while, batch by batch, and gives it back.

The database is the truth: a batch's rows, the cursor and the progress are one transaction, written only while the lease
is still the worker's own. A worker that is killed leaves at most a batch undone; when its lease has run out another one
goes on from the cursor. Nobody is waited for, and no broker is needed but as the bell.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, timedelta
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from itsm.conditions import Condition, ConditionError, Context, to_q
from itsm.tickets.clock import db_now
from itsm.tickets.models import Ticket
from itsm.tickets.schema import ticket_schema
from slas.models import Purpose, Trial, TrialRow, TrialState
from slas.plans import Levels, current_levels
from slas.rehearsal.replaying import fill, rehearse
from slas.rehearsal.results import summary
from slas.whatif.drafts import levels_of, only
from slas.whatif.effects import Effected, effects_on, tickets_at_stake
from slas.whatif.results import summary_of_effects

logger = logging.getLogger(__name__)

BATCH = 100
LEASE = timedelta(seconds=60)
MOST_ATTEMPTS = 4
KEPT_DAYS = 30


class LeaseLost(Exception):
    """Somebody stopped the trial, another worker has taken it over, or it is gone."""


def work(seconds: float = 20.0) -> int:
    """Claim a trial that waits, or whose worker was lost, and go on with it for so long; return how many tickets.

    Never raises for a trial that goes wrong: it is marked as failed, with a sentence.
    """
    trial = claim()
    if trial is None:
        return 0
    try:
        return _go_on(trial, until=time.monotonic() + seconds)
    except LeaseLost:
        logger.info("Trial %s was stopped, or taken over by another worker", trial.public_id)
    except ConditionError as error:
        _end(trial, TrialState.FAILED, error.message)
    except Exception:
        logger.exception("Trial %s failed", trial.public_id)
        _release(trial, failed=True)
    return 0


@transaction.atomic
def claim() -> Trial | None:
    """Take the lease of the oldest trial that nobody works on and return it; None when there is none.

    One whose workers were lost several times without any progress is marked as failed instead.
    """
    now = db_now()
    free = Q(state=TrialState.WAITING) | Q(state=TrialState.RUNNING, lease_until__lt=now)
    waiting = Trial.objects.filter(free).order_by("created_at", "pk")
    trial = waiting.select_for_update(skip_locked=True, of=("self",)).select_related("created_by").first()
    if trial is None:
        return None
    if trial.attempts >= MOST_ATTEMPTS:
        _end(trial, TrialState.FAILED, _("It was interrupted several times at the same place. Start it anew."))
        return None
    trial.state, trial.lease, trial.lease_until = TrialState.RUNNING, uuid4().hex, now + LEASE
    trial.attempts += 1
    if trial.started_at is None:
        trial.started_at = trial.as_of = now
        try:
            trial.total = selected(trial).count()
        except ConditionError as error:
            # Here already, or it would stay the oldest that waits, and nothing would be claimed after it.
            _end(trial, TrialState.FAILED, error.message)
            return None
    trial.save(update_fields=["state", "lease", "lease_until", "attempts", "started_at", "as_of", "total"])
    return trial


def selected(trial: Trial) -> QuerySet[Any]:
    """Return the tickets that the trial goes through, those it has gone through already included.

    Raises:
        ConditionError: its condition can no longer be read.
    """
    condition = Condition.from_json(trial.condition)
    asked = to_q(condition, ticket_schema(), Context(user=None, now=trial.as_of or db_now(), zone=UTC))
    tickets = tickets_at_stake() if trial.purpose == Purpose.OPEN else Ticket.objects.all()
    if trial.opened_from is not None:
        tickets = tickets.filter(opened_at__gte=trial.opened_from)
    if trial.opened_until is not None:
        tickets = tickets.filter(opened_at__lt=trial.opened_until)
    found: QuerySet[Any] = tickets.filter(asked)
    return found


def _go_on(trial: Trial, *, until: float) -> int:
    whole = levels_of(trial.draft)
    draft = only(whole, trial.kind, trial.metric) if trial.purpose == Purpose.PAST else whole
    now = current_levels()
    done = 0
    while True:
        started = time.monotonic()
        tickets = list(selected(trial).filter(pk__gt=trial.cursor).order_by("pk").defer("search")[:BATCH])
        if not tickets:
            _finish(trial)
            return done
        rows, failures = _rows(trial, tickets, draft, now)
        _store(trial, tickets, rows, failures, started)
        done += len(tickets)
        if time.monotonic() >= until:
            _release(trial)
            return done


def _rows(trial: Trial, tickets: Sequence[Any], draft: Levels, now: Levels) -> tuple[list[TrialRow], int]:
    at = trial.as_of or db_now()
    if trial.purpose == Purpose.PAST:
        return rehearse(trial, tickets, draft, until=at, zone=trial.created_by.zone)
    found = effects_on([ticket.pk for ticket in tickets], draft, now, at)
    return [row_of(trial, effected) for effected in found], 0


def row_of(trial: Trial, effected: Effected) -> TrialRow:
    """Return an effect on an open ticket as a row that is not stored."""
    timer, old = effected.timer, effected.old
    row = TrialRow(
        trial=trial,
        ticket_id=effected.ticket.pk,
        team_id=effected.ticket.team_id,
        kind=timer.kind,
        metric=timer.metric,
        cycle_no=timer.cycle_no,
        month=effected.ticket.opened_at.date().replace(day=1),
        change=effected.effect,
        verdict="none",
        real_verdict=old.verdict if old else "none",
        real_goal=old.goal[:300] if old else "",
        real_target_us=old.target_us if old else None,
        real_due_at=old.due_at if old else None,
        real_breached_at=old.breached_at if old else None,
    )
    fill(row, "", timer, trial.as_of or db_now())
    return row


def _mine(trial: Trial) -> QuerySet[Trial]:
    return Trial.objects.filter(pk=trial.pk, state=TrialState.RUNNING, lease=trial.lease)


@transaction.atomic
def _store(trial: Trial, tickets: Sequence[Any], rows: Iterable[TrialRow], failures: int, started: float) -> None:
    """Write a batch and go on with the lease.

    Raises:
        LeaseLost: somebody stopped it, or another worker has it.
    """
    row = _mine(trial).select_for_update(of=("self",)).first()
    if row is None:
        raise LeaseLost
    TrialRow.objects.bulk_create(rows)
    trial.cursor = tickets[-1].pk
    trial.done = min(row.done + len(tickets), row.total)
    _mine(trial).update(
        cursor=trial.cursor,
        done=trial.done,
        failures=F("failures") + failures,
        worked_ms=F("worked_ms") + round((time.monotonic() - started) * 1000),
        lease_until=db_now() + LEASE,
        attempts=0,
    )


def _release(trial: Trial, *, failed: bool = False) -> None:
    """Give the lease back, so that the next worker goes on at once; after an error when the lease has run out."""
    if not failed:
        _mine(trial).update(lease_until=db_now(), attempts=0)
    elif trial.attempts >= MOST_ATTEMPTS:
        _end(trial, TrialState.FAILED, _("It went wrong several times at one place. An administrator can see why."))


def _finish(trial: Trial) -> None:
    result = summary(trial) if trial.purpose == Purpose.PAST else summary_of_effects(trial)
    _mine(trial).update(
        state=TrialState.DONE, result=result, finished_at=db_now(), lease="", lease_until=None, done=F("total")
    )


def _end(trial: Trial, state: TrialState, error: str = "") -> None:
    Trial.objects.filter(pk=trial.pk).update(
        state=state, error=error[:500], finished_at=db_now(), lease="", lease_until=None
    )


def delete_old() -> int:
    """Delete the trials that are older than 30 days and not at work; return how many."""
    old = Trial.objects.filter(created_at__lt=db_now() - timedelta(days=KEPT_DAYS)).exclude(
        state__in=(TrialState.WAITING, TrialState.RUNNING)
    )
    found = list(old.values_list("pk", flat=True)[:100])
    TrialRow.objects.filter(trial__in=found).delete()
    Trial.objects.filter(pk__in=found).delete()
    return len(found)

"""The job behind trends: whoever claims a run works on it for a while, batch by batch, and gives it back.

The database is the truth, as with trials of service levels: a batch's rows, the cursor and the progress are one
transaction, written only while the lease is still the worker's own. A worker that is killed leaves at most a batch
undone; when its lease has run out another one goes on from the cursor.
"""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from itsm.tickets.clock import db_now
from itsm.tickets.models import Link, LinkKind, Ticket
from problems.models import RunState, TrendCandidate, TrendItem, TrendRun
from problems.models.trends import AT_WORK
from problems.trends.costs import agent_seconds, waited_seconds
from problems.trends.proposing import SEPARATOR, candidates_of, items_of
from problems.trends.words import words_of_title

logger = logging.getLogger(__name__)

BATCH = 4000
LEASE = timedelta(seconds=60)
PROPOSING = timedelta(minutes=5)
MOST_ATTEMPTS = 4
KEPT_DAYS = 90
WORDS_MAX = 300


class LeaseLost(Exception):
    """Somebody stopped the run, another worker has taken it over, or it is gone."""


def work(seconds: float = 20.0) -> int:
    """Claim a run that waits, or whose worker was lost, and go on with it for so long; return how many incidents.

    Never raises for a run that goes wrong: it is tried again, and marked as failed with a sentence after four times.
    """
    run = claim()
    if run is None:
        return 0
    try:
        return _go_on(run, until=time.monotonic() + seconds)
    except LeaseLost:
        logger.info("Trend run %s was stopped, or taken over by another worker", run.public_id)
    except Exception:
        logger.exception("Trend run %s failed", run.public_id)
        if run.attempts >= MOST_ATTEMPTS:
            _end(run, RunState.FAILED, _("It went wrong several times at one place. An administrator can see why."))
    return 0


@transaction.atomic
def claim() -> TrendRun | None:
    """Take the lease of the oldest run that nobody works on and return it; None when there is none."""
    now = db_now()
    free = Q(state=RunState.WAITING) | Q(state=RunState.RUNNING, lease_until__lt=now)
    run = TrendRun.objects.filter(free).order_by("created_at", "pk").select_for_update(skip_locked=True).first()
    if run is None:
        return None
    if run.attempts >= MOST_ATTEMPTS:
        _end(run, RunState.FAILED, _("It was interrupted several times at the same place. Start it anew."))
        return None
    run.state, run.lease, run.lease_until = RunState.RUNNING, uuid4().hex, now + LEASE
    run.attempts += 1
    if run.started_at is None:
        run.started_at = now
        run.total = selected(run).count()
    run.save(update_fields=["state", "lease", "lease_until", "attempts", "started_at", "total"])
    return run


def selected(run: TrendRun) -> QuerySet[Any]:
    """Return the incidents of the period that no open problem has and that were not cancelled."""
    has_problem = Link.objects.filter(
        source=OuterRef("pk"), kind=LinkKind.PROBLEM, target__closed_at__isnull=True, target__resolved_at__isnull=True
    )
    found = Ticket.objects.filter(kind="incident", opened_at__gte=run.opened_from, opened_at__lt=run.opened_until)
    return found.exclude(status="cancelled").filter(~Exists(has_problem))


def _go_on(run: TrendRun, *, until: float) -> int:
    done = 0
    while True:
        started = time.monotonic()
        columns = ("pk", "title", "service_id", "category_id", "opened_at", "resolved_at", "closed_at")
        rows = list(selected(run).filter(pk__gt=run.cursor).order_by("pk").values_list(*columns)[:BATCH])
        if not rows:
            _propose(run, started)
            return done
        _store(run, _items(run, rows), rows[-1][0], len(rows), started)
        done += len(rows)
        if time.monotonic() >= until:
            _mine(run).update(lease_until=db_now(), attempts=0)
            return done


def _items(run: TrendRun, rows: list[Any]) -> list[TrendItem]:
    now = db_now()
    agents = agent_seconds([row[0] for row in rows])
    return [
        TrendItem(
            run=run,
            ticket_id=pk,
            words=_joined(title),
            service_id=service_id,
            category_id=category_id,
            wait_s=waited_seconds(opened_at, resolved_at or closed_at, now),
            agent_s=agents.get(pk, 0),
        )
        for pk, title, service_id, category_id, opened_at, resolved_at, closed_at in rows
    ]


def _joined(title: str) -> str:
    """Return the telling words in one column, whole words only."""
    kept: list[str] = []
    for word in words_of_title(title):
        if len(SEPARATOR.join([*kept, word])) > WORDS_MAX:
            break
        kept.append(word)
    return SEPARATOR.join(kept)


def _mine(run: TrendRun) -> QuerySet[TrendRun]:
    return TrendRun.objects.filter(pk=run.pk, state=RunState.RUNNING, lease=run.lease)


@transaction.atomic
def _store(run: TrendRun, items: list[TrendItem], cursor: int, count: int, started: float) -> None:
    """Write a batch and go on with the lease.

    Raises:
        LeaseLost: somebody stopped it, or another worker has it.
    """
    row = _mine(run).select_for_update().first()
    if row is None:
        raise LeaseLost
    TrendItem.objects.bulk_create(items, batch_size=2000)
    run.cursor, run.done = cursor, row.done + count
    _mine(run).update(
        cursor=run.cursor,
        done=run.done,
        total=max(row.total, run.done),
        worked_ms=F("worked_ms") + _elapsed(started),
        lease_until=db_now() + LEASE,
        attempts=0,
    )


def _propose(run: TrendRun, started: float) -> None:
    """Work out the candidates of what was read, and end the run. It takes some seconds, so the lease is lengthened.

    Raises:
        LeaseLost: somebody stopped it, or another worker has it.
    """
    if not _mine(run).update(lease_until=db_now() + PROPOSING):
        raise LeaseLost
    found = candidates_of(run, items_of(run))
    with transaction.atomic():
        row = _mine(run).select_for_update().first()
        if row is None:
            raise LeaseLost
        TrendCandidate.objects.bulk_create(found)
        TrendItem.objects.filter(run=run).delete()
        _mine(run).update(
            state=RunState.DONE,
            finished_at=db_now(),
            lease="",
            lease_until=None,
            total=F("done"),
            worked_ms=F("worked_ms") + _elapsed(started),
        )


def _elapsed(started: float) -> int:
    return round((time.monotonic() - started) * 1000)


def _end(run: TrendRun, state: RunState, error: str = "") -> None:
    TrendRun.objects.filter(pk=run.pk, state__in=AT_WORK).update(
        state=state, error=error[:500], finished_at=db_now(), lease="", lease_until=None
    )
    TrendItem.objects.filter(run=run).delete()


def delete_old() -> int:
    """Delete the runs older than 90 days that are not at work; return how many. What was dismissed stays so."""
    old = TrendRun.objects.filter(created_at__lt=db_now() - timedelta(days=KEPT_DAYS)).exclude(state__in=AT_WORK)
    found = list(old.values_list("pk", flat=True)[:100])
    TrendRun.objects.filter(pk__in=found).delete()
    return len(found)

"""Trend runs and what becomes of their candidates: opened as a problem, dismissed, brought back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from itsm.accounts.models import User
from itsm.tickets.actors import Actor
from itsm.tickets.clock import db_now
from itsm.tickets.errors import IllegalMove, Invalid, Refused
from itsm.tickets.models import Ticket
from itsm.tickets.rules import works_tickets
from itsm.tickets.texts import clean_text
from problems.actions.opening import open_problem
from problems.models import Dismissal, Problem, RunState, TrendCandidate, TrendItem, TrendRun
from problems.models.trends import AT_WORK
from problems.trends.proposing import is_same

LONGEST = timedelta(days=731)
LEAST, MOST = 2, 10_000


@transaction.atomic
def start_run(opened_from: datetime, opened_until: datetime, *, least: int, actor: Actor) -> TrendRun:
    """Let the incidents of a period be looked through for clusters of at least so many, and return the run, which
    waits for a worker. While the person has one at work, that one is returned: a double click starts one.

    Raises:
        Refused. Invalid: the period or the number does not fit.
    """
    person = _worker(actor)
    problems: dict[str, str] = {}
    if opened_from >= opened_until:
        problems["until"] = _("The period ends before it begins. Choose a later end.")
    elif opened_until - opened_from > LONGEST:
        problems["from"] = _("At most two years can be looked at at once. Choose a later beginning.")
    if isinstance(least, bool) or not isinstance(least, int) or not LEAST <= least <= MOST:
        problems["least"] = _("Give a number of incidents from %(least)d to %(most)d.") % {"least": LEAST, "most": MOST}
    if problems:
        raise Invalid(problems)
    User.objects.select_for_update(no_key=True).get(pk=person.pk)  # two windows, one after the other
    busy = TrendRun.objects.filter(created_by=person, state__in=AT_WORK).first()
    if busy is not None:
        return busy
    return TrendRun.objects.create(
        opened_from=opened_from, opened_until=opened_until, least=least, created_by=person, created_at=db_now()
    )


@transaction.atomic
def stop_run(run: TrendRun, *, actor: Actor) -> TrendRun:
    """Stop a run that waits or works, for good, and return it. Whoever works on it finds out with the next batch.

    Raises:
        Refused: it is somebody else's. IllegalMove: it has ended.
    """
    person = _worker(actor)
    locked = TrendRun.objects.select_for_update().get(pk=run.pk)
    if locked.created_by_id != person.pk:
        raise Refused(_("Only whoever started this may stop it."))
    if not locked.is_at_work:
        raise IllegalMove(_("This has ended already."))
    locked.state, locked.finished_at, locked.lease, locked.lease_until = RunState.STOPPED, db_now(), "", None
    locked.save(update_fields=["state", "finished_at", "lease", "lease_until"])
    TrendItem.objects.filter(run=locked).delete()
    return locked


@transaction.atomic
def open_from_candidate(candidate: TrendCandidate, *, actor: Actor) -> Problem:
    """Open a problem from the candidate with its incidents linked, and return it; done again, it is the same problem.

    Raises:
        Refused. Invalid: none of its incidents is left.
    """
    _worker(actor)
    locked = (
        TrendCandidate.objects.select_for_update(of=("self",))
        .select_related("problem", "service", "category")
        .get(pk=candidate.pk)
    )
    if locked.problem is not None:
        return locked.problem
    incidents = list(Ticket.objects.filter(pk__in=locked.ticket_ids, kind="incident").defer("search", "description"))
    if not incidents:
        raise Invalid({"incidents": _("None of these incidents is left.")})
    words: dict[str, Any] = {
        "count": len(incidents),
        "from": locked.run.opened_from.date().isoformat(),
        "until": locked.run.opened_until.date().isoformat(),
    }
    problem = open_problem(
        actor=actor,
        title=locked.title,
        description=_("%(count)d incidents opened from %(from)s to %(until)s have this in common.") % words,
        service=locked.service if locked.service is not None and locked.service.is_active else None,
        category=locked.category if locked.category is not None and locked.category.is_active else None,
        incidents=incidents,
    )
    TrendCandidate.objects.filter(pk=locked.pk).update(problem=problem)
    return problem


@transaction.atomic
def dismiss(candidate: TrendCandidate, *, actor: Actor, reason: str = "") -> Dismissal:
    """Remember that this is no problem, now and in runs to come, and return the memory. Twice is once.

    Raises:
        Refused. Invalid: the reason does not fit. IllegalMove: a problem was opened from it.
    """
    person = _worker(actor)
    said = clean_text(reason, "reason", 500, one_line=True)
    locked = TrendCandidate.objects.select_for_update().get(pk=candidate.pk)
    if locked.problem_id is not None:
        raise IllegalMove(_("A problem was opened from this. Cancel that problem instead."))
    before = next((one for one in Dismissal.objects.filter(basis=locked.basis) if is_same(locked, one)), None)
    memory = before or Dismissal.objects.create(
        basis=locked.basis,
        words=locked.words,
        service_id=locked.service_id,
        category_id=locked.category_id,
        title=locked.title,
        reason=said,
        dismissed_by=person,
        dismissed_at=db_now(),
    )
    if locked.dismissed_at is None:
        TrendCandidate.objects.filter(pk=locked.pk).update(dismissed_at=memory.dismissed_at)
    return memory


@transaction.atomic
def bring_back(candidate: TrendCandidate, *, actor: Actor) -> TrendCandidate:
    """Forget that the candidate was dismissed and return it; runs to come propose it again.

    Raises:
        Refused.
    """
    _worker(actor)
    locked = TrendCandidate.objects.select_for_update().get(pk=candidate.pk)
    same = [one.pk for one in Dismissal.objects.filter(basis=locked.basis) if is_same(locked, one)]
    Dismissal.objects.filter(pk__in=same).delete()
    locked.dismissed_at = None
    locked.save(update_fields=["dismissed_at"])
    return locked


def _worker(actor: Actor) -> User:
    answer = works_tickets(actor, None)
    if not answer:
        raise Refused(answer.reason)
    if actor.user is None:
        raise Refused(_("Only a person can do this."))
    return actor.user

"""Trends: looking through the incidents of a period, how far that is, and what it proposes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Any

from django.contrib import messages
from django.db.models import Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from itsm.accounts.access import desk_required
from itsm.accounts.roles import Permission
from itsm.desk.access import desk_actor, viewer_of
from itsm.desk.answers import problems_of, status_of
from itsm.desk.links import ticket_url
from itsm.tickets.errors import Invalid, VerbError
from itsm.tickets.values import clean_day
from problems.actions.trends import bring_back, dismiss, open_from_candidate, start_run, stop_run
from problems.models import TrendCandidate, TrendRun
from problems.views.common import page

DAYS = 90
LEAST = 5
EARLIER = 10
PROPOSED, DISMISSED = "proposed", "dismissed"


@require_safe
@desk_required
def trends(request: HttpRequest) -> HttpResponse:
    """The form that starts a run, and the last run with its candidates (or the one that `run` names)."""
    return _page(request)


@require_POST
@desk_required
def start(request: HttpRequest) -> HttpResponse:
    """Let a period be looked through."""
    try:
        first, last = (clean_day(request.POST.get(name, ""), name) for name in ("from", "to"))
        if first is None or last is None:
            raise Invalid({"from": _("Choose the first and the last day.")})
        run = start_run(
            _midnight(first), _midnight(last + timedelta(days=1)), least=_number(request), actor=desk_actor(request)
        )
    except VerbError as error:
        return _page(request, status_of(error), problems_of(error) or {"run": error.message})
    return redirect(f"{reverse('problems:trends')}?run={run.public_id}")


def _midnight(day: Any) -> datetime:
    return timezone.make_aware(datetime.combine(day, time()))


def _number(request: HttpRequest) -> int:
    text = request.POST.get("least", "").strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else 0


@require_safe
@desk_required
def progress(request: HttpRequest, ref: str) -> HttpResponse:
    """How far a run is, as a part of the page; one that has ended asks htmx to load the page again."""
    run = get_object_or_404(TrendRun, public_id=ref)
    answer = render(request, "problems/_progress.html", {"run": run, "may_stop": _is_own(request, run)})
    if not run.is_at_work:
        answer["HX-Refresh"] = "true"
    return answer


@require_POST
@desk_required
def stop(request: HttpRequest, ref: str) -> HttpResponse:
    """Stop a run."""
    run = get_object_or_404(TrendRun, public_id=ref)
    try:
        stop_run(run, actor=desk_actor(request))
    except VerbError as error:
        messages.error(request, error.message)
    return redirect(f"{reverse('problems:trends')}?run={run.public_id}")


@require_POST
@desk_required
def decide(request: HttpRequest, ref: str, deed: str) -> HttpResponse:
    """Open a problem from a candidate, dismiss it, or bring it back."""
    deeds: dict[str, Callable[[TrendCandidate], str]] = {
        "open": lambda one: ticket_url(open_from_candidate(one, actor=desk_actor(request))),
        "dismiss": lambda one: _back(
            one, dismiss(one, actor=desk_actor(request), reason=request.POST.get("reason", ""))
        ),
        "bring-back": lambda one: _back(one, bring_back(one, actor=desk_actor(request)), DISMISSED),
    }
    if deed not in deeds:
        raise Http404(_("There is nothing of that name to do."))
    candidate = get_object_or_404(TrendCandidate.objects.select_related("run"), public_id=ref)
    try:
        return redirect(deeds[deed](candidate))
    except VerbError as error:
        messages.error(request, error.message)
        return redirect(_back(candidate, None))


def _back(candidate: TrendCandidate, _done: Any, which: str = "") -> str:
    more = f"&which={which}" if which else ""
    return f"{reverse('problems:trends')}?run={candidate.run.public_id}{more}"


def _is_own(request: HttpRequest, run: TrendRun) -> bool:
    return run.created_by_id == viewer_of(request).pk


def _page(request: HttpRequest, status: int = 200, errors: dict[str, str] | None = None) -> HttpResponse:
    runs = TrendRun.objects.select_related("created_by")
    asked = request.GET.get("run", "")
    run = get_object_or_404(runs, public_id=asked) if asked.isalnum() else runs.first()
    which = DISMISSED if request.GET.get("which") == DISMISSED else PROPOSED
    today = timezone.localdate()
    candidates: list[TrendCandidate] = []
    sums: dict[str, Any] = {}
    if run is not None and not run.is_at_work:
        found = run.candidates.defer("ticket_ids").select_related("service", "category", "problem")
        found = found.filter(dismissed_at__isnull=which == PROPOSED)
        candidates = list(found)
        sums = found.aggregate(agent=Sum("agent_s"), wait=Sum("wait_s"))
    context = {
        "run": run,
        "runs": list(runs[:EARLIER]),
        "candidates": candidates,
        "sums": sums,
        "which": which,
        "given": {
            "from": request.POST.get("from") or (today - timedelta(days=DAYS)).isoformat(),
            "to": request.POST.get("to") or today.isoformat(),
            "least": request.POST.get("least") or LEAST,
        },
        "errors": errors or {},
        "works": viewer_of(request).may(Permission.WORK_TICKETS),
        "may_stop": run is not None and _is_own(request, run),
    }
    return page(request, "trends", context, status)

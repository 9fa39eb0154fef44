"""Rehearsals: a draft of what is promised, tried on the tickets of the past; and how far a trial on open ones is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from itsm.tickets.actors import Actor
from itsm.tickets.errors import IllegalMove, VerbError
from slas.actions.trials import prepare_trial, repeat_trial, start_trial, stop_trial
from slas.models import Kind, Metric, Purpose, Trial, TrialRow, TrialState
from slas.plans import current_levels
from slas.rehearsal.results import LATE
from workspace.administration.access import actor_of, page, settings_page, submit
from workspace.administration.conditions import readable
from workspace.administration.forms.trials import SelectionForm, StoredPolicyForm
from workspace.administration.trials import SHOWN, by_weight, csv_of, panel_of

LISTED = 50
WHICH: dict[str, Q] = {
    "late": Q(verdict__in=LATE),
    "gained": Q(verdict__in=LATE) & ~Q(real_verdict__in=LATE),
    "lost": Q(real_verdict__in=LATE) & ~Q(verdict__in=LATE),
    "all": Q(),
}


@require_http_methods(["GET", "HEAD", "POST"])
@settings_page("rehearsals")
def rehearsals(request: HttpRequest) -> HttpResponse:
    """All rehearsals, newest first, and the form that begins one with a policy as it is stored."""
    form = StoredPolicyForm(request.POST or None)
    if request.method == "POST":
        prepared, _status = submit(form, lambda values: _prepare(values["policy"], actor_of(request)))
        if prepared is not None:
            return redirect("administration:rehearsal", prepared.public_id)
    rows = Trial.objects.filter(purpose=Purpose.PAST).exclude(state=TrialState.PREPARED)
    found = rows.select_related("created_by").defer("draft")[:LISTED]
    status = 422 if request.method == "POST" else 200
    return page(request, "rehearsals", "rehearsals", {"trials": found, "form": form}, status)


def _prepare(policy: Any, actor: Actor) -> Trial:
    return prepare_trial(policy.name, current_levels(), kind=policy.kind, metric=policy.metric, actor=actor)


@require_http_methods(["GET", "HEAD", "POST"])
@settings_page("rehearsals")
def rehearsal(request: HttpRequest, ref: str) -> HttpResponse:
    """One rehearsal: the choice of tickets before it is started, how far it is, or what came of it."""
    trial = _trial(ref, Purpose.PAST)
    form = SelectionForm(request.POST or None)
    status = 200
    if request.method == "POST":
        try:
            started, status = submit(form, lambda _v: start_trial(trial, form.selection, actor=actor_of(request)))
        except IllegalMove as error:
            form.add_error(None, error.message)
            started, status = None, 409
        if started is not None:
            return redirect("administration:rehearsal", trial.public_id)
    return page(request, "rehearsals", "rehearsal", {**context_of(request, trial), "form": form}, status)


@require_safe
@settings_page("rehearsals")
def progress(request: HttpRequest, ref: str) -> HttpResponse:
    """How far a trial is, as a part of a page; a trial that has ended asks htmx to load the page again."""
    trial = get_object_or_404(Trial.objects.defer("draft"), public_id=ref)
    if trial.purpose == Purpose.OPEN:
        return render(request, "workspace/administration/whatif.html", {"whatif": panel_of(trial)})
    answer = render(request, "workspace/administration/progress.html", {"trial": trial})
    if not trial.is_at_work:
        answer["HX-Refresh"] = "true"
    return answer


@require_safe
@settings_page("rehearsals")
def whatif(request: HttpRequest, ref: str) -> HttpResponse:
    """What an edit would change on open tickets, where a job works it out: a page of its own."""
    trial = _trial(ref, Purpose.OPEN)
    context = {"title": trial.name, "trial": trial, "whatif": panel_of(trial), "as_page": True}
    return page(request, "rehearsals", "whatif_page", context)


@require_safe
@settings_page("rehearsals")
def rows(request: HttpRequest, ref: str) -> Any:
    """All clocks of a trial as CSV, or those that `which` says."""
    trial = get_object_or_404(Trial.objects.defer("draft"), public_id=ref)
    found = by_weight(chosen(trial, request.GET.get("which", "all"))).select_related("ticket")
    return csv_of(trial, found.iterator(500))


@require_POST
@settings_page("rehearsals")
def change(request: HttpRequest, ref: str, deed: str) -> HttpResponse:
    """Stop a trial, or start it anew."""
    deeds: dict[str, Callable[..., Trial]] = {"stop": stop_trial, "repeat": repeat_trial}
    if deed not in deeds:
        raise Http404(_("There is nothing of that name to do."))
    trial = get_object_or_404(Trial, public_id=ref)
    try:
        trial = deeds[deed](trial, actor=actor_of(request))
    except IllegalMove as error:
        messages.error(request, error.message)
    except VerbError as error:
        messages.error(request, str(error))
    return redirect(address_of(trial), trial.public_id)


def address_of(trial: Trial) -> str:
    """Return the name of the page of a trial."""
    return "administration:rehearsal" if trial.purpose == Purpose.PAST else "administration:whatif"


def chosen(trial: Trial, which: str) -> QuerySet[TrialRow]:
    """Return the rows that an address asks for.

    Raises:
        Http404: there is no such list.
    """
    if which not in WHICH:
        raise Http404(_("There is no such list."))
    return TrialRow.objects.filter(WHICH[which], trial=trial)


def context_of(request: HttpRequest, trial: Trial) -> dict[str, Any]:
    """Return what the page of a rehearsal shows."""
    which = request.GET.get("which", "late")
    found = chosen(trial, which).select_related("ticket", "team").order_by("ticket_id", "cycle_no")
    is_done = trial.state == TrialState.DONE
    return {
        "title": trial.name,
        "trial": trial,
        "is_mine": trial.created_by_id == getattr(request.user, "pk", None),
        "what": f"{Metric(trial.metric).label} · {Kind(trial.kind).label}",
        "condition": readable(trial.condition).words if trial.condition else "",
        "which": which,
        "rows": list(found[:SHOWN]) if is_done else [],
        "rows_count": found.count() if is_done else 0,
    }


def _trial(ref: str, purpose: Purpose) -> Trial:
    return get_object_or_404(Trial.objects.select_related("created_by").defer("draft"), public_id=ref, purpose=purpose)

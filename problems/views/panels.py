"""What the panels of a problem's page post to."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from itsm.accounts.access import desk_required
from itsm.desk.access import desk_actor, find_ticket, sent_number
from itsm.desk.answers import done, refused
from itsm.tickets.errors import VerbError
from itsm.tickets.values import clean_instant
from problems.actions import (
    add_timeline_entry,
    communicate_fix,
    communicate_workaround,
    declare_known_error,
    link_incidents,
    publish,
    remove_timeline_entry,
    save_analysis,
    save_review,
    save_workaround,
    unpublish,
    withdraw_known_error,
)
from problems.forms import (
    AnalysisForm,
    FixForm,
    IncidentsForm,
    PublicationForm,
    ReviewForm,
    TimelineForm,
    WorkaroundForm,
)
from problems.models import Problem, TimelineEntry
from problems.models.problem import WHYS_MAX
from problems.views.common import act, incidents_named


@require_POST
@desk_required
def analysis(request: HttpRequest, ref: str) -> HttpResponse:
    """Write down cause and fix."""
    values = {name: request.POST[name] for name in AnalysisForm.names() if name in request.POST}

    def deed(problem: Problem) -> str:
        save_analysis(problem, values, actor=desk_actor(request), version=sent_number(request, "version"))
        return _("Analysis saved")

    return act(request, ref, "problem-analysis", deed, AnalysisForm)


@require_POST
@desk_required
def whys(request: HttpRequest, ref: str) -> HttpResponse:
    """Write down the chain of whys."""
    questions, answers = request.POST.getlist("why"), request.POST.getlist("answer")
    rows = [
        {"why": why, "answer": answer}
        for why, answer in zip(questions, [*answers, *[""] * len(questions)], strict=False)
    ][: WHYS_MAX + 5]

    def deed(problem: Problem) -> str:
        save_analysis(problem, {"whys": rows}, actor=desk_actor(request), version=sent_number(request, "version"))
        return _("Five whys saved")

    return act(request, ref, "problem-analysis", deed, typed_whys=rows)


@require_POST
@desk_required
def workaround(request: HttpRequest, ref: str) -> HttpResponse:
    """Write the workaround as a new version."""

    def deed(problem: Problem) -> str:
        saved = save_workaround(
            problem, request.POST.get("workaround", ""), actor=desk_actor(request), seen=sent_number(request, "seen")
        )
        return _("Workaround saved (version %(number)d)") % {"number": saved.workaround_version}

    return act(request, ref, "problem-workaround", deed, WorkaroundForm)


@require_POST
@desk_required
def communicate(request: HttpRequest, ref: str, what: str) -> HttpResponse:
    """Tell the requesters of the open incidents of the workaround, or of the fix."""
    if what not in {"workaround", "fix"}:
        raise Http404(_("There is nothing of that name to do."))

    def deed(problem: Problem) -> str:
        if what == "fix":
            return communicate_fix(problem, request.POST.get("text", ""), actor=desk_actor(request)).sentence
        seen = sent_number(request, "seen")
        return communicate_workaround(problem, actor=desk_actor(request), seen=seen).sentence

    return act(request, ref, "problem-workaround", deed, FixForm if what == "fix" else None)


@require_POST
@desk_required
def incidents(request: HttpRequest, ref: str) -> HttpResponse:
    """Link incidents by their numbers."""

    def deed(problem: Problem) -> str:
        named = incidents_named(request, request.POST.get("numbers", ""), "numbers")
        count = link_incidents(problem, named, actor=desk_actor(request))
        if not count:
            return _("Linked already")
        return ngettext("%(count)d incident linked", "%(count)d incidents linked", count) % {"count": count}

    return act(request, ref, "problem-incidents", deed, IncidentsForm)


@require_POST
@desk_required
def known_error(request: HttpRequest, ref: str, deed: str) -> HttpResponse:
    """Declare a known error, or withdraw it."""
    if deed not in {"declare", "withdraw"}:
        raise Http404(_("There is nothing of that name to do."))

    def do(problem: Problem) -> str:
        version = sent_number(request, "version")
        if deed == "declare":
            declare_known_error(problem, actor=desk_actor(request), version=version)
            return _("It is a known error now")
        withdraw_known_error(problem, actor=desk_actor(request), version=version)
        return _("It is no known error any more")

    return act(request, ref, "problem-known-error", do)


@require_POST
@desk_required
def publication(request: HttpRequest, ref: str, deed: str) -> HttpResponse:
    """Publish the known error in the portal, or take it out."""
    if deed not in {"publish", "unpublish"}:
        raise Http404(_("There is nothing of that name to do."))

    def do(problem: Problem) -> str:
        version = sent_number(request, "version")
        if deed == "unpublish":
            unpublish(problem, actor=desk_actor(request), version=version)
            return _("Taken out of the portal")
        values = {name: request.POST.get(name, "") for name in PublicationForm.names()}
        publish(problem, actor=desk_actor(request), version=version, **values)
        return _("Published in the portal")

    return act(request, ref, "problem-known-error", do, PublicationForm if deed == "publish" else None)


@require_POST
@desk_required
def review(request: HttpRequest, ref: str) -> HttpResponse:
    """Write the review of a major problem."""
    values = {name: request.POST[name] for name in ReviewForm.names() if name in request.POST}

    def deed(problem: Problem) -> str:
        saved = save_review(problem, values, actor=desk_actor(request), version=sent_number(request, "version"))
        return _("Review complete") if saved.has_review else _("Review saved; it is not complete yet")

    return act(request, ref, "problem-review", deed, ReviewForm)


@require_POST
@desk_required
def timeline_add(request: HttpRequest, ref: str) -> HttpResponse:
    """Add to what happened."""

    def deed(problem: Problem) -> str:
        at = clean_instant(request.POST.get("at", ""), "at")
        add_timeline_entry(problem, at, request.POST.get("text", ""), actor=desk_actor(request))
        return _("Added to what happened")

    return act(request, ref, "problem-timeline", deed, TimelineForm)


@require_POST
@desk_required
def timeline_remove(request: HttpRequest, ref: str, entry: str) -> HttpResponse:
    """Take an entry out of what happened."""

    def deed(problem: Problem) -> str:
        found = TimelineEntry.objects.filter(public_id=entry, problem=problem).select_related("problem").first()
        if found is not None:  # somebody else may have removed it a moment ago
            remove_timeline_entry(found, actor=desk_actor(request))
        return _("Removed from what happened")

    return act(request, ref, "problem-timeline", deed)


@require_POST
@desk_required
def fit(request: HttpRequest, ref: str) -> HttpResponse:
    """From an incident: link it to a problem, and with `send` tell its requester of the workaround."""
    incident = find_ticket(request, "incident", ref)
    problem = find_ticket(request, "problem", request.POST.get("problem", ""))
    actor = desk_actor(request)
    try:
        link_incidents(problem, [incident], actor=actor)
        if request.POST.get("send") != "1":
            return done(request, incident, _("Linked to %(number)s") % {"number": problem.number})
        sent = communicate_workaround(problem, actor=actor, only=[incident.pk])
    except VerbError as error:
        return refused(request, incident, error)
    text = _("Linked, the workaround is being sent") if sent.count else _("Linked; this incident has the workaround")
    return done(request, incident, text)

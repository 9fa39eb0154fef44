"""The page from which a major incident is run, and the list of those that are proposed or run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from incidents.major import actions
from incidents.major.downloads import review_answer
from incidents.major.models import (
    MajorDuty,
    MajorIncident,
    MajorReview,
    MajorStakeholder,
    MajorUpdate,
)
from incidents.major.states import MajorRole, MajorState, decides_on_major, runs_major
from incidents.major.timeline import timeline_of
from incidents.models import Incident, Outage
from itsm.accounts.access import desk_required
from itsm.accounts.models import Team, User
from itsm.desk.access import desk_actor, find_ticket, sent_number, viewer_of
from itsm.desk.answers import problems_of, status_of
from itsm.tasking.models import Task
from itsm.tickets.actors import Actor
from itsm.tickets.clock import db_now
from itsm.tickets.errors import VerbError
from itsm.tickets.rules import works_tickets
from itsm.tickets.values import clean_instant, clean_person
from slas.models import Rota

SEE_OTHER = 303
LISTED = 100
OFFERED = 500
SHOWN_UPDATES = 20
REVIEW = ("overview", "findings", "went_well", "went_badly", "resolution")
Deed = Callable[[HttpRequest, Incident, Actor], str]


@require_safe
@desk_required
def majors(request: HttpRequest) -> HttpResponse:
    """The incidents that are proposed as major ones, those that are run (whose update is due first, first), those whose
    review is to be done, and past ones."""
    rows = Incident.objects.visible_to(viewer_of(request)).select_related("major", "review", "service", "team")
    found = rows.exclude(major_state=MajorState.NONE).order_by("-major__accepted_at", "-pk")
    standing = list(found.filter(major_state__in=(MajorState.PROPOSED, MajorState.ACCEPTED), closed_at=None)[:LISTED])
    past = found.exclude(pk__in=[one.pk for one in standing])[:LISTED]
    duties = MajorDuty.objects.filter(incident__in=standing, role=MajorRole.COMMANDER, until=None)
    commanders = {duty.incident_id: duty.person for duty in duties.select_related("person")}
    now = db_now()
    for one in standing:
        one.commander = commanders.get(one.pk)
        one.is_overdue = one.major.is_overdue(now)
        one.seconds = ((one.resolved_at or now) - (one.major.accepted_at or one.opened_at)).total_seconds()
    running = [one for one in standing if one.major_state == MajorState.ACCEPTED and one.is_open]
    context = {
        "proposed": [one for one in standing if one.major_state == MajorState.PROPOSED],
        "running": sorted(running, key=lambda one: (one.major.next_update_at is None, one.major.next_update_at or now)),
        "to_review": [one for one in standing if one.major_state == MajorState.ACCEPTED and not one.is_open],
        "past": list(past),
    }
    return render(request, "incidents/major/list.html", context)


@require_safe
@desk_required
def major(request: HttpRequest, ref: str) -> HttpResponse:
    """Show all that is needed to run it; or, where it is no major incident, the forms that make it one."""
    incident = find_ticket(request, "incident", ref)
    return _page(request, incident)


@require_safe
@desk_required
def review_file(request: HttpRequest, ref: str) -> HttpResponse:
    """Answer with the review as a PDF to keep."""
    return review_answer(find_ticket(request, "incident", ref), viewer_of(request))


@require_POST
@desk_required
def act(request: HttpRequest, ref: str, deed: str) -> HttpResponse:
    """Do what a form of the page asks for, and lead back to it; a refusal shows the form as it was sent."""
    incident = find_ticket(request, "incident", ref)
    known = DEEDS.get(deed)
    if known is None:
        raise Http404(_("There is nothing of that name to do."))
    try:
        said = known(request, incident, desk_actor(request))
    except VerbError as error:
        fresh = find_ticket(request, "incident", ref)
        problems = problems_of(error) or {"": error.message}
        return _page(request, fresh, status=status_of(error), sent=deed, typed=request.POST, problems=problems)
    messages.success(request, said)
    anchor = request.POST.get("anchor", "")
    there = reverse("incidents:major", args=[incident.number])
    return HttpResponseRedirect(f"{there}#{anchor}" if anchor in ANCHORS else there, status=SEE_OTHER)


ANCHORS = frozenset({"update", "roles", "plan", "timeline", "review"})


def _page(request: HttpRequest, incident: Any, status: int = 200, **more: Any) -> HttpResponse:
    actor, now = desk_actor(request), db_now()
    row = MajorIncident.objects.filter(incident=incident).select_related("proposed_by", "decided_by").first()
    context: dict[str, Any] = {
        "ticket": incident,
        "major": row,
        "state": MajorState(incident.major_state),
        "is_major": incident.major_state == MajorState.ACCEPTED,
        "may_decide": bool(decides_on_major(actor, incident)),
        "may_propose": bool(works_tickets(actor, incident)),
        "can_be": incident.is_open and incident.parent_id is None,
        "now": now,
        "sent": "",
        "typed": {},
        "problems": {},
        **more,
    }
    if context["may_decide"] and not context["is_major"]:
        context["workers"] = _workers()
    if context["is_major"] and row is not None:
        typed = context["typed"] if context["sent"] == "review" else {}
        context |= _running(incident, row, actor, now, typed)
    return render(request, "incidents/major/page.html", context, status=status)


def _workers() -> list[tuple[str, str]]:
    return list(User.objects.workers().order_by("display_name").values_list("public_id", "display_name")[:OFFERED])


def _part(name: str, review: MajorReview | None, typed: Mapping[str, str]) -> tuple[str, Any, str, str]:
    """Return a part of the review: name, label, what the field shows (what was typed, after a refusal), and what is
    stored where that differs."""
    stored = getattr(review, name, "")
    text = typed.get(name, stored)
    return (
        name,
        getattr(MajorReview._meta.get_field(name), "verbose_name", name),
        text,
        stored if text != stored else "",
    )


def _running(
    incident: Any, row: MajorIncident, actor: Actor, now: datetime, typed: Mapping[str, str]
) -> dict[str, Any]:
    duties = list(MajorDuty.objects.filter(incident=incident).select_related("person"))
    holders = {duty.role: duty for duty in duties if duty.until is None}
    updates = list(MajorUpdate.objects.filter(incident=incident).select_related("sent_by")[:SHOWN_UPDATES])
    outage = Outage.objects.filter(incident=incident, withdrawn_at=None).first()
    sites = Incident.objects.children_of(incident).values("requester__location__name").annotate(n=Count("pk"))
    lines = timeline_of(incident)
    review = MajorReview.objects.filter(incident=incident).select_related("done_by").first()
    began = row.accepted_at or incident.opened_at
    return {
        "may_run": bool(runs_major(actor, incident)),
        "roles": [(role, label, holders.get(role)) for role, label in MajorRole.choices],
        "handovers": [duty for duty in duties if duty.until is not None],
        "workers": _workers(),
        "stakeholders": list(MajorStakeholder.objects.filter(incident=incident).select_related("person", "team")),
        "teams": Team.objects.active().values_list("public_id", "name"),
        "rotas": Rota.objects.filter(is_active=True).order_by("name").values_list("pk", "name"),
        "updates": updates,
        "outage": outage if incident.is_open else None,
        "headline": outage.title if outage is not None else incident.title,
        "sites": list(sites.order_by("-n", "requester__location__name")),
        "lines": lines,
        "decisions": [line for line in lines if line.is_decision and not line.is_hidden],
        "tasks": list(Task.objects.below(incident).select_related("assignee", "team").in_order()),
        "review": review,
        "review_parts": [_part(name, review, typed) for name in REVIEW],
        "is_overdue": row.is_overdue(now),
        "seconds": ((incident.resolved_at or now) - began).total_seconds(),
        "since_open": ((incident.resolved_at or now) - incident.opened_at).total_seconds(),
        "new_key": uuid4().hex,
    }


def _propose(request: HttpRequest, incident: Incident, actor: Actor) -> str:
    version = sent_number(request, "version")
    actions.propose(incident, actor=actor, reason=request.POST.get("reason", ""), version=version)
    return _("Proposed as a major incident")


def _accept(request: HttpRequest, incident: Incident, actor: Actor) -> str:
    actions.accept(
        incident,
        actor=actor,
        impact=request.POST.get("impact", ""),
        note=request.POST.get("note", ""),
        commander=clean_person(request.POST.get("commander", ""), "commander", actor.user, workers_only=True),
        version=sent_number(request, "version"),
    )
    return _("This is a major incident now")


def _reject(request: HttpRequest, incident: Incident, actor: Actor) -> str:
    version = sent_number(request, "version")
    actions.reject(incident, actor=actor, reason=request.POST.get("reason", ""), version=version)
    return _("Rejected; the incident goes on as it was")


def _demote(request: HttpRequest, incident: Incident, actor: Actor) -> str:
    version = sent_number(request, "version")
    actions.demote(incident, actor=actor, reason=request.POST.get("reason", ""), version=version)
    return _("No major incident any more")


def _role(request: HttpRequest, incident: Incident, actor: Actor) -> str:
    person = clean_person(request.POST.get("person", ""), "person", actor.user, workers_only=True)
    actions.give_role(incident, request.POST.get("role", ""), person, actor=actor)
    return _("Role given")


def _stakeholder(request: HttpRequest, incident: Incident, actor: Actor) -> str:
    person = clean_person(request.POST.get("person", ""), "stakeholder", actor.user)
    ref = request.POST.get("team", "").replace("\x00", "")[:32]
    team = Team.objects.active().filter(public_id=ref).first() if ref else None
    actions.add_stakeholder(incident, actor=actor, person=person, team=team)
    return _("Stakeholder added")


def _no_stakeholder(request: HttpRequest, incident: Incident, actor: Actor) -> str:
    ref = request.POST.get("stakeholder", "").replace("\x00", "")[:32]
    actions.remove_stakeholder(incident, ref, actor=actor)
    return _("Stakeholder removed")


def _call(request: HttpRequest, incident: Incident, actor: Actor) -> str:
    number = sent_number(request, "rota")
    rota = Rota.objects.filter(pk=number, is_active=True).first() if number is not None else None
    person = actions.page_on_call(incident, rota, actor=actor)
    return _("%(person)s is being called") % {"person": person}


def _audiences(request: HttpRequest) -> dict[str, bool]:
    return {name: request.POST.get(name) == "1" for name in ("to_portal", "to_requesters", "to_stakeholders")}


def _plan(request: HttpRequest, incident: Incident, actor: Actor) -> str:
    actions.save_plan(
        incident,
        actor=actor,
        cadence_minutes=request.POST.get("cadence_minutes", ""),
        template=request.POST.get("template", ""),
        **_audiences(request),
    )
    return _("Communication plan saved")


def _update(request: HttpRequest, incident: Incident, actor: Actor) -> str:
    actions.send_update(
        incident,
        actor=actor,
        headline=request.POST.get("headline", ""),
        text=request.POST.get("text", ""),
        submission_key=request.POST.get("submission_key", "").replace("\x00", "") or None,
        **_audiences(request),
    )
    return _("Update sent")


def _entry(request: HttpRequest, incident: Incident, actor: Actor) -> str:
    is_decision = request.POST.get("is_decision") == "1"
    at = clean_instant(request.POST.get("at", ""), "at")
    actions.add_entry(incident, actor=actor, text=request.POST.get("text", ""), at=at, is_decision=is_decision)
    return _("Added to the timeline")


def _line(request: HttpRequest, incident: Incident, actor: Actor) -> str:
    actions.edit_line(
        incident,
        request.POST.get("line", ""),
        actor=actor,
        text=request.POST.get("text", ""),
        is_hidden=request.POST.get("is_hidden") == "1",
        seen=request.POST.get("seen"),
    )
    return _("Timeline changed")


def _review(request: HttpRequest, incident: Incident, actor: Actor) -> str:
    values = {name: request.POST[name] for name in REVIEW if name in request.POST}
    saved = actions.save_review(incident, values, actor=actor, edition=sent_number(request, "edition"))
    if request.POST.get("do") == "finish":
        actions.finish_review(incident, actor=actor, edition=saved.edition)
        return _("The review is done")
    return _("Review saved")


def _review_again(request: HttpRequest, incident: Incident, actor: Actor) -> str:
    actions.take_up_review(incident, actor=actor)
    return _("The review is a draft again")


DEEDS: dict[str, Deed] = {
    "propose": _propose,
    "accept": _accept,
    "reject": _reject,
    "demote": _demote,
    "role": _role,
    "stakeholder": _stakeholder,
    "no-stakeholder": _no_stakeholder,
    "call": _call,
    "plan": _plan,
    "update": _update,
    "entry": _entry,
    "line": _line,
    "review": _review,
    "review-again": _review_again,
}

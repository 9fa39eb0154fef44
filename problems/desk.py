"""What problems hang on the ticket page: their own panels, and on an incident the known errors that may fit."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from itsm.desk.access import desk_actor, viewer_of
from itsm.desk.pages import TicketPage
from itsm.desk.panels import Panel
from itsm.desk.properties import Property
from itsm.tickets.actors import Actor
from itsm.tickets.errors import Invalid
from itsm.tickets.kinds import kind_of
from itsm.tickets.models import Link, LinkKind, Spread
from itsm.tickets.rules import can
from itsm.tickets.values import clean_flag
from problems.actions import set_major
from problems.actions.known_errors import lacks_for_known_error
from problems.fitting import known_errors_for
from problems.forms import (
    AnalysisForm,
    FixForm,
    IncidentsForm,
    PublicationForm,
    ReviewForm,
    TimelineForm,
    WorkaroundForm,
)
from problems.incidents import counts_by_status, open_incident_ids
from problems.models import Communication, CommunicationTarget, Problem, Told
from problems.models.problem import WHYS_MAX
from problems.querysets import OVER
from problems.statuses import coordinates

SHOWN_INCIDENTS = 50
SHOWN_VERSIONS = 20
SHOWN_COMMUNICATIONS = 10
EMPTY_WHYS = 2
KIND = ("problem",)


def _analysis(request: HttpRequest, problem: Any) -> dict[str, Any]:
    empty = max(1, min(EMPTY_WHYS, WHYS_MAX - len(problem.whys)))
    room = empty if len(problem.whys) < WHYS_MAX else 0
    return {"form": AnalysisForm.of(problem), "rows": [*problem.whys, *([{"why": "", "answer": ""}] * room)]}


def _workaround(request: HttpRequest, problem: Any) -> dict[str, Any]:
    said = list(Communication.objects.filter(problem=problem).select_related("author")[:SHOWN_COMMUNICATIONS])
    tallies = Spread.objects.with_tally().in_bulk([one.spread_id for one in said if one.spread_id])
    for one in said:
        one.order = tallies.get(one.spread_id)
    last = next((one for one in said if one.what == Told.WORKAROUND), None)
    waiting = open_incident_ids(problem)
    fresh = len(waiting)
    if last is not None and last.text == problem.workaround:
        had = CommunicationTarget.objects.filter(
            problem=problem, what=Told.WORKAROUND, edition=last.edition, ticket_id__in=waiting
        )
        fresh -= had.count()
    return {
        "form": WorkaroundForm.of(problem),
        "versions": list(problem.workaround_versions.select_related("author")[:SHOWN_VERSIONS]),
        "communications": said,
        "open_incidents": len(waiting),
        "fresh_incidents": fresh,
        "fix_form": FixForm(initial={"text": problem.fix_notes}, auto_id=FixForm.prefix_id),
    }


def _incidents(request: HttpRequest, problem: Any) -> dict[str, Any]:
    links = Link.objects.filter(target=problem, kind=LinkKind.PROBLEM).select_related("source__requester")
    # The open ones first: a resolved or closed one has an instant, and instants come after nothing.
    shown = list(links.order_by("-source__resolved_at", "-source__closed_at", "-pk")[:SHOWN_INCIDENTS])
    counted = counts_by_status(problem)
    words = kind_of("incident")
    total = sum(count for _status, count in counted)
    return {
        "linked": shown,
        "counted": [(status, words.status_label(status), count) for status, count in counted],
        "count": total,
        "more": total - len(shown),
        "form": IncidentsForm(auto_id=IncidentsForm.prefix_id),
    }


def _known_error(request: HttpRequest, problem: Any) -> dict[str, Any]:
    return {
        "lacks": [] if problem.is_known_error else list(lacks_for_known_error(problem).values()),
        "is_over": problem.resolution_code in OVER,
        "may_publish": bool(coordinates(desk_actor(request), problem)),
        "form": PublicationForm.of(problem),
    }


def _timeline(request: HttpRequest, problem: Any) -> dict[str, Any]:
    found = list(problem.timeline_entries.select_related("author"))
    return {"found": found, "count": len(found), "form": TimelineForm(auto_id=TimelineForm.prefix_id)}


def _review(request: HttpRequest, problem: Any) -> dict[str, Any] | None:
    if not problem.is_major:
        return None
    return {"form": ReviewForm.of(problem)}


def _outcome(request: HttpRequest, problem: Any) -> dict[str, Any] | None:
    return {} if problem.resolution_code or problem.confirmed_at else None


def _fitting(request: HttpRequest, incident: Any) -> dict[str, Any] | None:
    works = bool(can("ticket.link", desk_actor(request), incident))
    linked = list(Problem.objects.visible_to(viewer_of(request)).of_incident(incident.pk).order_by("-pk")[:3])
    suggested = list(known_errors_for(incident)) if incident.is_open else []
    if not (linked or suggested or works):
        return None
    return {"problems": linked, "suggested": suggested, "may_link": works}


def _write_major(problem: Problem, value: bool, *, actor: Actor, version: int | None) -> Problem:
    return set_major(problem, value, actor=actor, version=version)


def _parse_major(value: str) -> bool:
    try:
        return clean_flag(value, "is_major")
    except Invalid as error:
        raise Invalid({"is_major": _("Choose yes or no.")}) from error


MAJOR = Property(
    "is_major",
    gettext_lazy("Major problem"),
    lambda problem: "1" if problem.is_major else "0",
    lambda problem: _("Yes") if problem.is_major else _("No"),
    _parse_major,
    _write_major,
    options=lambda problem: [("0", _("No")), ("1", _("Yes"))],
    rule=coordinates,
)
PAGE = TicketPage(
    related=("resolved_by", "known_error_by", "published_by", "confirmed_by", "reviewed_by", "duplicate_of"),
    move_keys={"resolve": "E"},
    has_replies=False,
    links_in_panels=(LinkKind.PROBLEM,),
)
PANELS = (
    Panel(
        "problem-analysis",
        gettext_lazy("Analysis"),
        "problems/panels/analysis.html",
        _analysis,
        KIND,
        "main",
        10,
    ),
    Panel(
        "problem-workaround",
        gettext_lazy("Workaround"),
        "problems/panels/workaround.html",
        _workaround,
        KIND,
        "main",
        20,
    ),
    Panel(
        "problem-incidents",
        gettext_lazy("Incidents of this problem"),
        "problems/panels/incidents.html",
        _incidents,
        KIND,
        "main",
        30,
    ),
    Panel(
        "problem-known-error",
        gettext_lazy("Known error"),
        "problems/panels/known_error.html",
        _known_error,
        KIND,
        "main",
        40,
    ),
    Panel(
        "problem-timeline",
        gettext_lazy("What happened"),
        "problems/panels/timeline.html",
        _timeline,
        KIND,
        "main",
        50,
    ),
    Panel(
        "problem-review",
        gettext_lazy("Review of a major problem"),
        "problems/panels/review.html",
        _review,
        KIND,
        "main",
        60,
    ),
    Panel(
        "problem-outcome",
        gettext_lazy("How it stands"),
        "problems/panels/outcome.html",
        _outcome,
        KIND,
        "aside",
        50,
    ),
    Panel(
        "known-errors-fit",
        gettext_lazy("Problem"),
        "problems/panels/fit.html",
        _fitting,
        ("incident",),
        "aside",
        40,
    ),
)

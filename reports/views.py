"""The pages of the service-level reports. Each reads its question from the address and shows what the rooms' questions
answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from incidents.waiting import shown_wait, wait_now
from itsm.accounts.models import User
from itsm.tickets.actors import Actor, Channel
from itsm.tickets.clock import db_now
from itsm.tickets.errors import Invalid, Refused, VerbError
from reports import exports, holds, lists, tables
from reports.access import refusal, reports_page, viewer_of
from reports.actions import explain_breach, may_explain
from reports.asking import HOURS, MINUTES, Asked, ask
from reports.chart import trend
from reports.clocks import DECIDED, clocks_of, judged
from reports.compliance import compliance_of
from reports.csvs import csv_answer
from reports.filters import NAMES, Choices
from reports.models import Reason
from reports.period import Span
from reports.stays import shares_of, summed
from reports.waits import waits_of
from slas.clocks import clock_of
from slas.models import Timer

Figures = Callable[[Asked], dict[str, Any]]

TABS = (
    ("overview", gettext_lazy("Compliance")),
    ("breaches", gettext_lazy("Breaches")),
    ("soon", gettext_lazy("Due soon")),
    ("time", gettext_lazy("Time by team")),
    ("pauses", gettext_lazy("Pauses")),
    ("waits", gettext_lazy("Real wait")),
)
LABELS = {
    "policy": gettext_lazy("Policy"),
    "kind": gettext_lazy("Kind"),
    "metric": gettext_lazy("What is timed"),
    "team": gettext_lazy("Team"),
    "service": gettext_lazy("Service"),
    "priority": gettext_lazy("Priority"),
}


@require_safe
@reports_page
def overview(request: HttpRequest) -> HttpResponse:
    """Show compliance: the whole, its trend, by policy, team, service and month."""

    def figures(asked: Asked) -> dict[str, Any]:
        found = compliance_of(asked.user, asked.filters, asked.now)
        return {
            "total": found.total,
            "total_state": tables.state_of(found.total),
            "total_cells": tables.cells_of(found.total, asked.filters),
            "chart": trend(found.steps, asked.filters.period.grain),
            "steps": tables.step_rows(found, asked.filters),
            "grain": asked.filters.period.grain,
            "sections": tables.sections(found, asked.filters),
        }

    return _answer(request, "overview", figures)


@require_safe
@reports_page
def clocks(request: HttpRequest) -> HttpResponse:
    """List the clocks behind a figure."""
    return _answer(request, "clocks", lambda asked: _list(asked, asked.given.get("verdict") or "decided"))


@require_safe
@reports_page
def breaches(request: HttpRequest) -> HttpResponse:
    """List the clocks that were late, with whose time it was and why."""
    return _answer(request, "breaches", lambda asked: _list(asked, "breached"))


def _list(asked: Asked, verdict: str) -> dict[str, Any]:
    wanted = lists.verdicts_of(verdict)
    rows, after = lists.page_of_clocks(asked.user, asked.filters, asked.now, wanted, asked.given.get("after", ""))
    here = asked.filters.query(verdict=verdict)
    return {
        "rows": list(lists.rows_of(rows, asked.now)),
        "teams": tables.names(asked.choices, "team"),
        "verdict": verdict,
        "verdict_label": lists.words_of(verdict),
        "next_url": f"?{asked.filters.query(verdict=verdict, after=after)}" if after else "",
        "first_url": f"?{here}" if asked.given.get("after") else "",
        "list_query": here,
    }


@require_safe
@reports_page
def soon(request: HttpRequest) -> HttpResponse:
    """List the running clocks that are due within some hours."""

    def figures(asked: Asked) -> dict[str, Any]:
        hours = asked.number("hours", HOURS, 4)
        found = lists.soon(asked.user, asked.filters, asked.now, hours)
        return {
            "rows": [(timer, clock_of(timer, asked.now)) for timer in found],
            "hours": hours,
            "offered": [(one, f"?{asked.filters.query(hours=str(one))}") for one in HOURS],
            "is_cut": len(found) == lists.SOON,
            "list_query": asked.filters.query(hours=str(hours)),
            "no_period": True,
        }

    return _answer(request, "soon", figures)


@require_safe
@reports_page
def time(request: HttpRequest) -> HttpResponse:
    """Show how much open time each team had of the clocks that were decided, and the hand-overs."""

    def figures(asked: Asked) -> dict[str, Any]:
        asked = asked.of_one_promise()
        wanted = clocks_of(asked.user, asked.filters, asked.now).filter(verdict__in=DECIDED)
        held = summed(shares_of(wanted, asked.now))
        whole = sum(one.us for one in held.values())
        teams = tables.names(asked.choices, "team")
        lines = [
            {
                "team": teams.get(team, ""),
                "seconds": one.us / lists.US,
                "share": 100 * one.us / whole if whole else 0,
                "fraction": one.us / whole if whole else 0,
                "clocks": one.clocks,
                "handed_on": one.handed_on,
                "each": one.us / lists.US / one.clocks if one.clocks else 0,
            }
            for team, one in sorted(held.items(), key=lambda pair: -pair[1].us)
        ]
        return {"lines": lines, "whole": whole / lists.US, "about": asked.filters}

    return _answer(request, "time", figures)


@require_safe
@reports_page
def pauses(request: HttpRequest) -> HttpResponse:
    """Show the audit of pauses."""

    def figures(asked: Asked) -> dict[str, Any]:
        minutes = asked.number("minutes", MINUTES, 15)
        which = exports.which_of(asked)
        audit = holds.audit_of(asked.user, asked.filters, asked.now, minutes)
        people = dict(User.objects.filter(pk__in=[one.key for one in audit.people]).values_list("pk", "display_name"))
        teams = tables.names(asked.choices, "team")
        return {
            "audit": audit,
            "people": [(people.get(one.key, _("The system")), one) for one in audit.people],
            "teams_lines": [(teams.get(one.key, ""), one) for one in audit.teams],
            "rows": list(holds.list_holds(asked.user, asked.filters, asked.now, minutes, which)),
            "teams": teams,
            "which": which,
            "minutes": minutes,
            "most": holds.LONGEST,
            "whiches": [
                (code, label, f"?{asked.filters.query(which=code, minutes=str(minutes))}#holds")
                for code, label in holds.Which.choices
            ],
            "offered": [(one, f"?{asked.filters.query(minutes=str(one), which=which)}") for one in MINUTES],
            "list_query": asked.filters.query(minutes=str(minutes), which=which),
        }

    return _answer(request, "pauses", figures)


@require_safe
@reports_page
def waits(request: HttpRequest) -> HttpResponse:
    """Show the requesters' real wait beside the official time."""

    def figures(asked: Asked) -> dict[str, Any]:
        found = waits_of(asked.user, asked.filters, asked.now)
        return {"total": found.total, "sections": exports.wait_sections(found, asked.choices)}

    return _answer(request, "waits", figures)


@require_http_methods(["GET", "HEAD", "POST"])
@reports_page
def clock(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one clock: whose time it was, the requester's wait, and why it was late; a POST says why."""
    viewer = viewer_of(request)
    now = db_now()
    timer = lists.find_clock(viewer, pk, now)
    if timer is None:
        raise Http404(_("There is no such clock."))
    typed: dict[str, Any] = {}
    status = 200
    if request.method == "POST":
        typed = {name: request.POST.get(name, "") for name in ("reason", "remark")}
        try:
            explain_breach(timer, actor=Actor(viewer, Channel.DESK), **typed)
        except Refused as error:
            return refusal(request, error.message)
        except VerbError as error:
            typed["errors"] = error.fields if isinstance(error, Invalid) else {"": error.message}
            status = 422 if isinstance(error, Invalid) else 409
        else:
            messages.success(request, _("The reason is stored."))
            return redirect("reports:clock", pk=pk)
    return render(request, "reports/clock.html", {**_about(timer, viewer, now), **typed}, status=status)


def _about(timer: Any, viewer: User, now: Any) -> dict[str, Any]:
    row = next(iter(lists.rows_of([timer], now)))
    share = next(shares_of(judged(Timer.objects.filter(pk=timer.pk), now), now))
    teams = tables.names(Choices.read(), "team")
    whole = sum(share.by_team.values())
    stored = row.reason
    return {
        "row": row,
        "shares": [
            (teams.get(team, ""), us / lists.US, us / whole if whole else 0, share.handed_on.get(team, 0))
            for team, us in share.by_team.items()
        ],
        "team": teams.get(row.held_by, ""),
        "wait": shown_wait(wait_now(timer.ticket)),
        "may_explain": row.is_late and timer.breached_at is not None and may_explain(Actor(viewer, Channel.DESK)),
        "reasons": Reason.choices,
        "reason": stored.reason if stored else "",
        "remark": stored.remark if stored else "",
    }


@require_safe
@reports_page
def export(request: HttpRequest, name: str) -> HttpResponseBase:
    """Answer with one of the tables as CSV; `bom=1` for spreadsheets that take the file for another encoding."""
    build = exports.TABLES.get(name)
    if build is None:
        raise Http404(_("There is no such export."))
    try:
        asked = ask(request, Choices.read())
        table = build(asked)
    except Invalid as error:
        return render(request, "400.html", {"reason": error.message}, status=400)
    period = asked.filters.period
    return csv_answer(table, first=period.first, last=period.last, bom=asked.given.get("bom") == "1")


def _answer(request: HttpRequest, tab: str, figures: Figures) -> HttpResponse:
    choices = Choices.read()
    context: dict[str, Any] = {"tab": tab, "given": request.GET.dict()}
    status = 200
    query = ""
    try:
        asked = ask(request, choices)
        query = asked.filters.query()
        context |= {"filters": asked.filters, "query": query, **figures(asked)}
    except Invalid as error:
        context["errors"] = error.fields
        status = 400
    context["tabs"] = [
        (f"{reverse(f'reports:{key}')}?{query}", label, key == tab or (tab == "clocks" and key == "overview"))
        for key, label in TABS
    ]
    context["spans"] = Span.choices
    context["fields"] = [(name, LABELS[name], choices.of(name), request.GET.get(name, "")) for name in NAMES]
    return render(request, f"reports/{tab}.html", context, status=status)

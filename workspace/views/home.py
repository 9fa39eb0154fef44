"""Home: what the person has to do next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from itsm.accounts.roles import Permission
from itsm.tickets.models import Ticket
from itsm.tickets.models.ticket import QUEUE_ORDER
from workspace.access import desk, person
from workspace.actions import take_next
from workspace.counts import shown
from workspace.drafts import drafts_shown
from workspace.nav import my_counts, my_teams
from workspace.on_call_view import on_call_of
from workspace.rows import Row, row_fields, rows_of, ticket_url

SHOWN = 6
SOON = timedelta(hours=1)


@dataclass(frozen=True)
class Part:
    """One card of the home page."""

    key: str
    title: str
    icon: str
    rows: list[Row]
    url: str
    empty_title: str
    empty_text: str
    count: str = ""


@require_safe
@desk
def home(request: HttpRequest) -> HttpResponse:
    """What is mine and due, what is about to breach, what nobody has, and what changed last."""
    user = person(request)
    now, teams = timezone.now(), my_teams(request)
    visible = row_fields(Ticket.objects.visible_to(user))
    mine = visible.open().filter(assignee=user).order_by(*QUEUE_ORDER)
    soon = visible.open().filter(queue_due_at__lt=now + SOON).order_by(*QUEUE_ORDER)
    free = visible.open().filter(assignee__isnull=True, team__in=[team.pk for team in teams]).order_by(*QUEUE_ORDER)
    recent = visible.order_by("-updated_at", "-id")
    found = [list(tickets[:SHOWN]) for tickets in (mine, soon, free, recent)]
    rows = {row.pk: row for row in rows_of({one.pk: one for part in found for one in part}.values())}
    counts = {key: shown(count) for key, count in my_counts(request).items()}
    queue = reverse("workspace:queue")
    joined = _("New tickets of your teams appear here.") if teams else _("You are in no team yet; a lead can add you.")
    calm = _("Nothing is late, and nothing falls due within an hour.")
    titles = (
        ("mine", _("Mine, due first"), "user-check", _("Nothing is assigned to you"), _("Take the next ticket.")),
        ("breaching", _("Breaching within 1 h"), "clock-exclamation", _("Nothing is about to breach"), calm),
        ("unassigned", _("Without an owner in my teams"), "user-question", _("Every ticket has an owner"), joined),
        ("all", _("Changed last"), "history", _("There is no ticket yet"), _("Open the first one.")),
    )
    parts = [
        Part(
            key,
            title,
            symbol,
            [rows[ticket.pk] for ticket in tickets],
            f"{queue}?view={key}"
            + ("&q=team:mine" if key == "unassigned" else "&sort=updated" if key == "all" else ""),
            empty_title,
            empty_text,
            counts.get(key, "") if key != "unassigned" else "",
        )
        for (key, title, symbol, empty_title, empty_text), tickets in zip(titles, found, strict=True)
    ]
    context = {
        "parts": parts,
        "counts": counts,
        "can_take": user.may(Permission.WORK_TICKETS) and bool(teams),
        "duties": on_call_of(user, teams, now),
        "drafts": drafts_shown(user),
    }
    return render(request, "workspace/home.html", context)


@require_POST
@desk
def take(request: HttpRequest) -> HttpResponse:
    """Take the next ticket and open it."""
    ticket = take_next(person(request))
    if ticket is None:
        messages.info(request, _("Your teams have no ticket without an owner. Look at what is unassigned elsewhere."))
        return redirect(reverse("workspace:queue") + "?view=unassigned")
    messages.success(request, _("%(number)s is yours now.") % {"number": ticket.number})
    return redirect(ticket_url(ticket))

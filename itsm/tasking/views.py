"""What the list of tasks on the page of a ticket posts to: adding one, moving one, giving one another order.

They answer with the parts of that page, not of the task's own.
"""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from itsm.accounts.access import desk_required
from itsm.accounts.models import Team
from itsm.desk.access import desk_actor, find_ticket, sent_number, viewer_of
from itsm.desk.answers import done, refused, wants_parts
from itsm.desk.properties import related
from itsm.tasking.actions import open_task, perform, plan_task
from itsm.tasking.desk import AT_ONCE, parse_order
from itsm.tasking.forms import TaskForm
from itsm.tasking.registry import has_tasks, rules_of
from itsm.tasking.statuses import MOVES
from itsm.tickets.errors import Invalid, Refused, VerbError
from itsm.tickets.rules import works_tickets
from itsm.tickets.values import clean_instant, clean_person

team_named = related(Team, "team", gettext_lazy("Choose a team from the list."))


@require_http_methods(["GET", "HEAD", "POST"])
@desk_required
def add(request: HttpRequest, kind: str, ref: str) -> HttpResponse:
    """Show the form of a new task (in the list, and without JavaScript on a page of its own), or add the task to the
    ticket; what is refused comes back with everything that was typed."""
    if not has_tasks(kind):
        raise Http404(_("There is no such ticket."))
    parent = find_ticket(request, kind, ref)
    if request.method != "POST":
        return _ask(request, parent)
    try:
        task = open_task(parent, actor=desk_actor(request), **_sent(request))
    except VerbError as error:
        problems = error.fields if isinstance(error, Invalid) else {}
        form = TaskForm(rules_of(kind), request.POST, problems)
        said = "" if problems else error.message
        return refused(request, parent, error, task_form=form, task_notice=said, **({"notice": said} if said else {}))
    return done(request, parent, _("%(number)s added") % {"number": task.number})


def _ask(request: HttpRequest, parent: Any) -> HttpResponse:
    answer = works_tickets(desk_actor(request), parent)
    if not answer:
        return refused(request, parent, Refused(answer.reason))
    context = {
        "ticket": parent,
        "form": TaskForm(rules_of(parent.kind)),
        "add_url": reverse("tasking:add", args=[parent.kind, parent.number]),
    }
    return render(request, "tasking/_add.html" if wants_parts(request) else "tasking/add.html", context)


def _sent(request: HttpRequest) -> dict[str, Any]:
    """Return the values of the form.

    Raises:
        Invalid: with a sentence for each that cannot be read.
    """
    posted = request.POST
    checks = {
        "assignee": lambda text: clean_person(text, "assignee", viewer_of(request), workers_only=True),
        "team": team_named,
        "planned_start": lambda text: clean_instant(text, "planned_start"),
        "planned_end": lambda text: clean_instant(text, "planned_end"),
        "order": lambda text: parse_order(text) if text.strip() else 0,
    }
    values: dict[str, Any] = {name: posted.get(name, "") for name in ("title", "task_type", "description")}
    values["submission_key"] = posted.get("submission_key", "")[:100] or None
    problems: dict[str, str] = {}
    for name, check in checks.items():
        try:
            values[name] = check(posted.get(name, ""))
        except Invalid as error:
            problems |= error.fields
    if problems:
        raise Invalid(problems)
    return values


@require_POST
@desk_required
def panel_move(request: HttpRequest, ref: str, name: str) -> HttpResponse:
    """Make a move of the task from the list on the page of the ticket above."""
    task = find_ticket(request, "task", ref)
    if name not in AT_ONCE:
        raise Http404(_("There is no such move."))
    move = MOVES[name]
    fields = {field.name: request.POST.get(field.name, "") for field in move.fields}
    try:
        perform(task, name, actor=desk_actor(request), fields=fields, version=sent_number(request, "version"))
    except VerbError as error:
        return _refused(request, task, error, notes=fields.get("notes", ""))
    return done(request, _above(request, task), _("%(number)s: %(move)s") % {"number": task.number, "move": move.label})


@require_POST
@desk_required
def order(request: HttpRequest, ref: str) -> HttpResponse:
    """Give the task another place in the order."""
    task = find_ticket(request, "task", ref)
    sent = request.POST.get("order", "")
    try:
        plan_task(task, actor=desk_actor(request), order=parse_order(sent), version=sent_number(request, "version"))
    except VerbError as error:
        return _refused(request, task, error, order=sent)
    return done(request, _above(request, task), _("Order saved"))


def _refused(request: HttpRequest, task: Any, error: VerbError, **typed: str) -> HttpResponse:
    problem = {"ref": task.public_id, "text": error.message, **typed}
    return refused(request, _above(request, task), error, task_problem=problem)


def _above(request: HttpRequest, task: Any) -> Any:
    return find_ticket(request, task.parent.kind, task.parent.number)

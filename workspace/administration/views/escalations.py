"""Escalations: who is told, and what is done, as time runs out."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from itsm.tickets.clock import db_now
from itsm.tickets.errors import Invalid
from itsm.tickets.models import Ticket
from slas.actions import save_chain
from slas.actions.chains import checked_steps
from slas.chain_words import Line, Names, example, lines_of, told_now
from slas.models import BusinessCalendar, EscalationChain
from workspace.access import person
from workspace.administration import trials
from workspace.administration.access import actor_of, page, settings_page, submit
from workspace.administration.forms.escalations import ChainForm, ExampleForm, StepForm, StepSet

FRIDAY, FOUR = 4, time(16)


@require_safe
@settings_page("escalations")
def escalations(request: HttpRequest) -> HttpResponse:
    """All escalations with their steps in words."""
    chains = list(EscalationChain.objects.select_related("current").prefetch_related("goals__policy"))
    stored = [chain.current.steps if chain.current else [] for chain in chains]
    names = Names([step for steps in stored for step in steps])
    rows = []
    for chain, steps in zip(chains, stored, strict=True):
        used = sorted({goal.policy.name for goal in chain.goals.all()})
        rows.append((chain, lines_of(steps, names), used))
    return page(request, "escalations", "escalations", {"chains": rows})


@require_http_methods(["GET", "HEAD", "POST"])
@settings_page("escalations")
def escalation(request: HttpRequest, ref: str = "") -> HttpResponse:
    """Add an escalation, or make the next version of one. "Preview" and "Who would be told" store nothing."""
    chain = get_object_or_404(EscalationChain.objects.select_related("current"), public_id=ref) if ref else None
    context: dict[str, Any] = {"title": chain.name if chain else _("Add an escalation"), "chain": chain}
    number = str(chain.current.number) if chain and chain.current else ""
    initial = {"name": chain.name, "seen": number} if chain else {}
    if request.method != "POST":
        stored = chain.current.steps if chain and chain.current else []
        steps = StepSet(initial=[StepForm.values_of(step) for step in stored])
        context |= {"form": ChainForm(initial=initial, chain=chain), "steps": steps, "example": _example_form(chain)}
        return page(request, "escalations", "escalation", context | _timeline(stored, context["example"].initial))
    form, steps = ChainForm(request.POST, initial=initial, chain=chain), StepSet(request.POST)
    shown = ExampleForm(request.POST) if "example-target" in request.POST else _example_form(chain)
    context |= {"form": form, "steps": steps, "example": shown}
    if "preview" in request.POST or "who" in request.POST:
        return _preview(request, context, steps, shown)
    if not (steps.is_valid() and form.is_valid()):
        form.is_valid()
        return page(request, "escalations", "escalation", context, 422)
    if chain is None and EscalationChain.objects.filter(name__iexact=form.cleaned_data["name"]).exists():
        form.add_error("name", _("There is an escalation of this name already. Open it, or choose another name."))
    wanted = [one.step for one in steps.forms if one.step]

    def save(values: dict[str, Any]) -> EscalationChain:
        return save_chain(values["name"], wanted, actor=actor_of(request), seen=values["seen"])

    if trials.is_asked(request) and form.is_valid():
        return trials.answer(
            request,
            form,
            save,
            trials.Edit(form.cleaned_data["name"]),
            lambda more, code: page(request, "escalations", "escalation", {**context, **more}, code),
        )
    saved, status = submit(form, save)
    if saved is None:
        return page(request, "escalations", "escalation", context, status)
    messages.success(
        request, _("“%(name)s” is saved. Clocks that run keep the steps they began with.") % {"name": saved.name}
    )
    return redirect("administration:escalations")


def _preview(request: HttpRequest, context: dict[str, Any], steps: Any, shown: ExampleForm) -> HttpResponse:
    """Show what the steps as typed would do; nothing is stored and nobody is told."""
    if not (steps.is_valid() and shown.is_valid()):
        shown.is_valid()
        return page(request, "escalations", "escalation", context, 422)
    try:
        stored = checked_steps([one.step for one in steps.forms if one.step])
    except Invalid as error:
        context["form"].is_valid()
        context["form"].add_error(None, error.message)
        return page(request, "escalations", "escalation", context, 422)
    if "who" in request.POST:
        ref = shown.cleaned_data["ticket"].strip()
        tickets = Ticket.objects.visible_to(person(request)).select_related(
            "team__lead", "assignee", "requester__manager"
        )
        ticket = tickets.filter(number__iexact=ref).first() if ref and "\x00" not in ref else None
        if ticket is None:
            shown.add_error("ticket", _("There is no such ticket. Type its number, such as INC0000123."))
            return page(request, "escalations", "escalation", context | _timeline(stored, shown.cleaned_data), 422)
        context |= {"who_lines": told_now(stored, ticket, db_now()), "who_ticket": ticket}
    return page(request, "escalations", "escalation", context | _timeline(stored, shown.cleaned_data))


def _example_form(chain: EscalationChain | None) -> ExampleForm:
    """Return the form with the usual example: a ticket of next Friday, 16:00, by the hours of a goal of the chain."""
    today = timezone.localdate()
    friday = today + timedelta(days=(FRIDAY - today.weekday()) % 7)
    goal = chain.goals.select_related("calendar").first() if chain else None
    calendar = goal.calendar if goal else BusinessCalendar.objects.exclude(current=None).first()
    start = timezone.make_aware(datetime.combine(friday, FOUR))
    return ExampleForm(
        initial={"target": "4h", "start": start, "calendar": calendar.public_id if calendar else "", "row": calendar}
    )


def _timeline(steps: list[dict[str, Any]], values: dict[str, Any]) -> dict[str, list[Line]]:
    """Return the lines of the example for the page; nothing where there is no calendar to measure by."""
    calendar: BusinessCalendar | None = values.get("row") or values.get("calendar") or None
    if not steps or calendar is None or calendar.current is None:
        return {}
    target = values["target"] if isinstance(values["target"], int) else 4 * 3600
    return {"example_lines": example(steps, calendar.current.hours, values["start"], target)}

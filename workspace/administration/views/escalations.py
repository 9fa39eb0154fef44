"""Escalations: who is told, and what is done, as time runs out."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from itsm.accounts.models import Team
from slas.actions import save_chain
from slas.actions.orders import ASSIGN_TEAM, NOTIFY
from slas.models import EscalationChain
from workspace.administration import trials
from workspace.administration.access import actor_of, page, settings_page, submit
from workspace.administration.forms.escalations import EVERYONE, ChainForm, StepForm, StepSet


def step_words(step: dict[str, Any], teams: dict[int, str]) -> str:
    """Return what a step does, in words."""
    people = {code: str(label) for code, label in EVERYONE}
    parts = []
    for action in step["actions"]:
        if action["do"] == NOTIFY:
            parts.append(_("tell %(who)s") % {"who": ", ".join(people.get(one, one) for one in action["who"])})
        elif action["do"] == ASSIGN_TEAM:
            parts.append(_("give it to %(team)s") % {"team": teams.get(action["team"], "?")})
        else:
            parts.append(_("raise the priority"))
    return ", ".join(parts)


@require_safe
@settings_page("escalations")
def escalations(request: HttpRequest) -> HttpResponse:
    """All escalations with their steps in words."""
    teams = dict(Team.objects.values_list("pk", "name"))
    rows = []
    for chain in EscalationChain.objects.select_related("current").prefetch_related("goals__policy"):
        steps = chain.current.steps if chain.current else []
        used = sorted({goal.policy.name for goal in chain.goals.all()})
        rows.append((chain, [(step["percent"], step_words(step, teams)) for step in steps], used))
    return page(request, "escalations", "escalations", {"chains": rows})


@require_http_methods(["GET", "HEAD", "POST"])
@settings_page("escalations")
def escalation(request: HttpRequest, ref: str = "") -> HttpResponse:
    """Add an escalation, or make the next version of one."""
    chain = get_object_or_404(EscalationChain.objects.select_related("current"), public_id=ref) if ref else None
    context: dict[str, Any] = {"title": chain.name if chain else _("Add an escalation"), "chain": chain}
    number = str(chain.current.number) if chain and chain.current else ""
    initial = {"name": chain.name, "seen": number} if chain else {}
    if request.method != "POST":
        stored = chain.current.steps if chain and chain.current else []
        steps = StepSet(initial=[StepForm.values_of(step) for step in stored])
        return page(
            request,
            "escalations",
            "escalation",
            {**context, "form": ChainForm(initial=initial, chain=chain), "steps": steps},
        )
    form, steps = ChainForm(request.POST, initial=initial, chain=chain), StepSet(request.POST)
    context |= {"form": form, "steps": steps}
    if not (steps.is_valid() and form.is_valid()):
        form.is_valid()
        return page(request, "escalations", "escalation", context, 422)
    if chain is None and EscalationChain.objects.filter(name__iexact=form.cleaned_data["name"]).exists():
        form.add_error("name", _("There is an escalation of this name already. Open it, or choose another name."))
    if chain and form.cleaned_data["seen"] not in ("", number):
        form.add_error(None, _("Somebody else changed this escalation meanwhile. Compare, then save again."))
        form.data = form.data.copy()  # type: ignore[attr-defined]
        form.data["seen"] = number  # type: ignore[index]
        return page(request, "escalations", "escalation", context, 409)
    wanted = [one.step for one in steps.forms if one.step]

    def save(values: dict[str, Any]) -> EscalationChain:
        return save_chain(values["name"], wanted, actor=actor_of(request))

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

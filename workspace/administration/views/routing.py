"""Routing rules: the list in its order, the editor, and trying them on a ticket before they count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from itsm.accounts.changelog import fingerprint, state_of
from itsm.tickets.actions import matrix_priority
from itsm.tickets.actions.settings import (
    RULE_FIELDS,
    delete_routing_rule,
    move_routing_rule,
    save_routing_rule,
    switch_routing_rule,
)
from itsm.tickets.errors import Invalid
from itsm.tickets.kinds import Kind, all_kinds, kind_of
from itsm.tickets.models import Level, RoutingRule
from itsm.tickets.models.ticket import TITLE_MAX
from itsm.tickets.routing import default_team, tried_rules
from workspace.access import person
from workspace.administration.access import actor_of, page, settings_page, submit
from workspace.administration.conditions import Readable, readable
from workspace.administration.forms.tickets import FIRST_KIND, RuleForm
from workspace.filters import kind_choices
from workspace.search import ticket_with_number

PLACES = {"up": -1, "down": 1}


@dataclass(frozen=True)
class Line:
    """One rule of the list."""

    rule: RoutingRule
    condition: Readable


@dataclass(frozen=True)
class Trial:
    """What the rules would do with a ticket: each rule's answer up to the winner, and where the ticket goes."""

    text: str
    ticket: Any
    is_sample: bool
    steps: list[Any]
    winner: RoutingRule | None
    fallback: str

    @property
    def team(self) -> str:
        """Where the ticket would go, or an empty text."""
        return str(self.winner.team) if self.winner else self.fallback


def try_rules(request: HttpRequest, text: str, kind: Kind) -> Trial | None:
    """Return what the active rules would do with the ticket of this number, or with a new one of the kind and title."""
    text = text.replace("\x00", "").strip()[:TITLE_MAX]
    if not text:
        return None
    user = person(request)
    found = ticket_with_number(text, user)
    ticket: Any = found
    if ticket is None:
        level = Level.LOW
        ticket = kind.model(
            kind=kind.code,
            title=text,
            requester=user,
            opened_by=user,
            opened_at=timezone.now(),
            impact=level,
            urgency=level,
            priority=matrix_priority(level, level),
        )
    steps = []
    winner = None
    for tried in tried_rules(ticket, actor=actor_of(request)):
        steps.append(tried)
        if tried.matches:
            winner = tried.rule
            break
    default = None if winner else default_team(ticket)
    return Trial(text, ticket, found is None, steps, winner, str(default.team) if default else "")


@require_safe
@settings_page("routing")
def rules(request: HttpRequest) -> HttpResponse:
    """The rules in order, and the box to try them."""
    rows = RoutingRule.objects.select_related("team").order_by("order", "pk")
    lines = [Line(rule, readable(rule.condition)) for rule in rows]
    asked = request.GET.get("kind", "")
    kind = next((one for one in all_kinds() if one.code == asked), kind_of(FIRST_KIND))
    context = {
        "lines": lines,
        "trial": try_rules(request, request.GET.get("try", ""), kind),
        "last": len(lines),
        "kinds": kind_choices(),
        "tried_kind": kind.code,
    }
    return page(request, "routing", "routing", context)


@require_http_methods(["GET", "HEAD", "POST"])
@settings_page("routing")
def edit(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Add a rule or change one. The button "Read it back" says the condition in words and saves nothing."""
    rule = get_object_or_404(RoutingRule.objects.select_related("team"), pk=pk) if pk else None
    context: dict[str, Any] = {"rule": rule, "title": _("Change a rule") if rule else _("Add a rule")}
    if request.method != "POST":
        values = {"is_active": True}
        if rule:
            values = RuleForm.values_of(rule) | {"seen": fingerprint(state_of(rule, RULE_FIELDS))}
            context["stored"] = readable(rule.condition)
        return page(request, "routing", "rule", {**context, "form": RuleForm(initial=values, rule=rule)})
    form = RuleForm(request.POST, rule=rule)
    if "read" in request.POST:
        form.is_valid()
        condition = form.cleaned_data.get("condition")
        context["stored"] = readable(condition) if condition else None
        for name in [name for name in form.errors if name != "condition"]:
            del form.errors[name]
        status = 422 if form.errors else 200
        return page(request, "routing", "rule", {**context, "form": form}, status)
    saved, status = submit(
        form,
        lambda values: save_routing_rule(rule, actor=actor_of(request), **values),
        state=lambda: state_of(RoutingRule.objects.get(pk=rule.pk), RULE_FIELDS) if rule else {},
    )
    if saved is None:
        return page(request, "routing", "rule", {**context, "form": form}, status)
    messages.success(request, _("The rule “%(name)s” is saved. It counts for new tickets.") % {"name": saved.name})
    return redirect("administration:routing")


@require_POST
@settings_page("routing")
def change(request: HttpRequest, pk: int, deed: str) -> HttpResponse:
    """Move a rule up or down, switch it on or off, or remove it."""
    rule = RoutingRule.objects.filter(pk=pk).first()
    actor = actor_of(request)
    if rule is None:
        messages.info(request, _("That rule is gone already."))
    elif deed in PLACES:
        move_routing_rule(rule, by=PLACES[deed], actor=actor)
    elif deed in ("on", "off"):
        try:
            switch_routing_rule(rule, deed == "on", actor=actor)
        except Invalid as error:
            messages.error(request, error.message)
    elif deed == "remove":
        delete_routing_rule(rule, actor=actor)
        messages.success(request, _("The rule “%(name)s” is removed. The change log keeps it.") % {"name": rule.name})
    else:
        raise Http404
    return redirect("administration:routing")

"""Rules of major incidents: the list in its order, the editor, and trying them on the incidents that there are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.db.models import Count, Max
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from incidents.major.rules.actions import RULE_FIELDS, delete_rule, move_rule, save_rule, switch_rule
from incidents.major.rules.judging import Tried, judge, matching_now, why_not_judged
from incidents.major.rules.models import MajorRule, RuleDeed
from incidents.models import Incident
from itsm.accounts.changelog import fingerprint, state_of
from itsm.accounts.models import User
from itsm.conditions import ConditionError
from itsm.tickets.errors import Invalid
from itsm.tickets.models.ticket import TITLE_MAX
from workspace.access import person
from workspace.administration.access import actor_of, page, settings_page, submit
from workspace.administration.conditions import Readable, readable
from workspace.administration.forms.major_rules import MajorRuleForm
from workspace.search import ticket_with_number

PLACES = {"up": -1, "down": 1}
SHOWN = 10
KEY = "major_rules"


@dataclass(frozen=True)
class Line:
    """One rule of the list: what it asks for, and how often it has acted."""

    rule: MajorRule
    condition: Readable | None
    asks: list[str]
    done: int
    latest: datetime | None

    @property
    def accepts(self) -> bool:
        """Whether it accepts at once."""
        return self.rule.deed == RuleDeed.ACCEPT


@dataclass(frozen=True)
class Trial:
    """What the active rules say of one incident. `blocked`: why none of them is asked at all."""

    text: str
    incident: Incident | None
    blocked: str
    steps: list[Tried]
    winner: MajorRule | None


@dataclass(frozen=True)
class Hits:
    """The open incidents on which a rule would act now: the first few, and whether there are more."""

    rule: MajorRule
    incidents: list[Incident]
    more: bool
    problem: str = ""


def _line(rule: Any) -> Line:
    condition = readable(rule.condition) if rule.condition else None
    asks = [condition.words or "…"] if condition else []
    if rule.min_children is not None:
        words = ngettext(
            "at least %(least)d incident is part of it",
            "at least %(least)d incidents are part of it",
            rule.min_children,
        )
        asks.append(words % {"least": rule.min_children})
    if rule.min_people is not None:
        words = ngettext(
            "at least %(least)d person is affected", "at least %(least)d people are affected", rule.min_people
        )
        asks.append(words % {"least": rule.min_people})
    return Line(rule, condition, asks, rule.done, rule.latest)


def try_incident(text: str, user: User, rules: Iterable[MajorRule]) -> Trial | None:
    """Return what the rules say of the incident with this number; None where nothing was typed."""
    text = text.replace("\x00", "").strip()[:TITLE_MAX]
    if not text:
        return None
    ticket = ticket_with_number(text, user)
    incident = Incident.objects.filter(pk=ticket.pk).first() if ticket is not None else None
    if incident is None:
        return Trial(text, None, "", [], None)
    steps = list(judge(incident, rules))
    blocked = why_not_judged(incident)
    winner = None if blocked else next((step.rule for step in steps if step.matches), None)
    return Trial(text, incident, blocked, steps, winner)


def open_hits(rules: Iterable[MajorRule], user: User) -> list[Hits]:
    """Return on which open incidents each rule would act now; each stands with the first rule that takes it."""
    found: list[Hits] = []
    taken: list[Any] = []
    for rule in rules:
        try:
            rows = matching_now(rule)
        except ConditionError as error:
            found.append(Hits(rule, [], False, error.message))
            continue
        left = Incident.objects.filter(pk__in=rows.values("pk")).visible_to(user)
        for former in taken:
            left = left.exclude(pk__in=former)
        taken.append(rows.values("pk"))
        first = list(left.defer("search", "description").order_by("-opened_at", "-pk")[: SHOWN + 1])
        found.append(Hits(rule, first[:SHOWN], len(first) > SHOWN))
    return found


@require_safe
@settings_page(KEY)
def rules(request: HttpRequest) -> HttpResponse:
    """The rules in order, and the boxes to try them: `?try=` a number, `?open=1` all open incidents."""
    rows = MajorRule.objects.select_related("commander", "commander_team").order_by("order", "pk")
    lines = [_line(rule) for rule in rows.annotate(done=Count("matches"), latest=Max("matches__at"))]
    active = [line.rule for line in lines if line.rule.is_active]
    context = {
        "lines": lines,
        "trial": try_incident(request.GET.get("try", ""), person(request), active),
        "hits": open_hits(active, person(request)) if request.GET.get("open") else None,
        "has_active": bool(active),
    }
    return page(request, KEY, "major_rules", context)


@require_http_methods(["GET", "HEAD", "POST"])
@settings_page(KEY)
def edit(request: HttpRequest, ref: str = "") -> HttpResponse:
    """Add a rule or change one. "Try it" says what it asks and which open incidents meet it, and saves nothing."""
    rows = MajorRule.objects.select_related("commander", "commander_team")
    rule = get_object_or_404(rows, public_id=ref) if ref else None
    context: dict[str, Any] = {"rule": rule, "title": _("Change a rule") if rule else _("Add a rule")}
    if request.method != "POST":
        values: dict[str, Any] = {"is_active": True}
        if rule:
            values = MajorRuleForm.values_of(rule) | {"seen": fingerprint(state_of(rule, RULE_FIELDS))}
            context["stored"] = readable(rule.condition) if rule.condition else None
        return page(request, KEY, "major_rule", {**context, "form": MajorRuleForm(initial=values, rule=rule)})
    form = MajorRuleForm(request.POST, rule=rule)
    if "read" in request.POST:
        return _read_back(request, form, context)
    saved, status = submit(
        form,
        lambda values: save_rule(rule, actor=actor_of(request), **values),
        state=lambda: state_of(rows.get(pk=rule.pk), RULE_FIELDS) if rule else {},
    )
    if saved is None:
        return page(request, KEY, "major_rule", {**context, "form": form}, status)
    messages.success(request, _("The rule “%(name)s” is saved.") % {"name": saved.name})
    return redirect("administration:major_rules")


def _read_back(request: HttpRequest, form: MajorRuleForm, context: dict[str, Any]) -> HttpResponse:
    form.is_valid()
    condition = form.cleaned_data.get("condition")
    context["stored"] = readable(condition) if condition else None
    draft = form.draft()
    asked = {"condition", "min_children", "min_people"}
    for name in [name for name in form.errors if name not in asked]:
        del form.errors[name]
    context["hits"] = open_hits([draft], person(request))[0] if draft is not None else None
    return page(request, KEY, "major_rule", {**context, "form": form}, 422 if form.errors else 200)


@require_POST
@settings_page(KEY)
def change(request: HttpRequest, ref: str, deed: str) -> HttpResponse:
    """Move a rule up or down, switch it on or off, or remove it."""
    rule = MajorRule.objects.filter(public_id=ref).first()
    actor = actor_of(request)
    if rule is None:
        messages.info(request, _("That rule is gone already."))
    elif deed in PLACES:
        move_rule(rule, by=PLACES[deed], actor=actor)
    elif deed in ("on", "off"):
        try:
            switch_rule(rule, deed == "on", actor=actor)
        except Invalid as error:
            messages.error(request, error.message)
    elif deed == "remove":
        delete_rule(rule, actor=actor)
        messages.success(request, _("The rule “%(name)s” is removed. The change log keeps it.") % {"name": rule.name})
    else:
        raise Http404
    return redirect("administration:major_rules")

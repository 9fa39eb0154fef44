"""How risk is worked out, and what a template has to show: for change managers."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from changes.actions import setup as verbs
from changes.forms import QuestionsForm, RuleForm, SettingsForm
from changes.models import ChangeSettings, Questionnaire, RiskRule
from changes.question_text import as_text, from_text
from changes.views.common import actor_of, door, page, submit, viewer_of
from itsm.accounts.access import View
from itsm.accounts.changelog import fingerprint, state_of
from itsm.accounts.roles import Permission
from itsm.tickets.errors import Refused

NUMBERS = ("moderate_from", "high_from", "very_high_from", "success_days", "clean_runs")


def managers_only(view: Callable[..., HttpResponse]) -> View:
    """Let in change managers; other people of the desk are told why not (403)."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not viewer_of(request).may(Permission.MANAGE_CHANGES):
            raise Refused(_("Only a change manager sets up how the risk of changes is worked out."))
        return view(request, *args, **kwargs)

    return door(guarded)


@require_http_methods(["GET", "HEAD", "POST"])
@managers_only
def risk(request: HttpRequest) -> HttpResponse:
    """Levels and settings; the rules and the questions with their points."""
    settings = ChangeSettings.current()
    seen = fingerprint(state_of(settings, verbs.SETTINGS_FIELDS))
    status = 200
    if request.method == "POST":
        form = SettingsForm(request.POST)
        made, status = submit(form, lambda values: _save(request, settings, values))
        if made is not None:
            messages.success(request, _("Saved. Changes are worked out anew at their next edit."))
            return redirect("changes:risk")
    else:
        form = SettingsForm(initial={**{name: getattr(settings, name) for name in NUMBERS}, "seen": seen})
    rules = [(rule, verbs.rule_text(rule)) for rule in RiskRule.objects.all()]
    return page(request, "risk", {"form": form, "rules": rules, "questionnaire": Questionnaire.current()}, status)


def _save(request: HttpRequest, settings: ChangeSettings, values: dict[str, Any]) -> ChangeSettings:
    return verbs.save_settings(actor=actor_of(request), business_hours=settings.business_hours, **values)


@require_http_methods(["GET", "HEAD", "POST"])
@managers_only
def rule(request: HttpRequest, ref: str = "") -> HttpResponse:
    """Add a rule or change one."""
    found = get_object_or_404(RiskRule, public_id=ref) if ref else None
    status = 200
    if request.method == "POST":
        form = RuleForm(request.POST)
        made, status = submit(form, lambda values: verbs.save_risk_rule(found, actor=actor_of(request), **values))
        if made is not None:
            messages.success(request, _("The rule “%(name)s” is saved.") % {"name": made.name})
            return redirect("changes:risk")
    else:
        start: dict[str, Any] = {}
        if found is not None:
            start = {name: getattr(found, name) for name in ("name", "points", "order", "is_active")}
            start |= {"condition": verbs.rule_text(found), "seen": fingerprint(state_of(found, verbs.RULE_FIELDS))}
        form = RuleForm(initial=start)
    return page(request, "rule", {"form": form, "rule": found}, status)


@require_POST
@managers_only
def remove_rule(request: HttpRequest, ref: str) -> HttpResponse:
    """Remove a rule; removing it twice is no error."""
    found = RiskRule.objects.filter(public_id=ref).first()
    if found is not None:
        verbs.delete_risk_rule(found, actor=actor_of(request))
        messages.success(request, _("The rule “%(name)s” is removed.") % {"name": found.name})
    return redirect("changes:risk")


@require_http_methods(["GET", "HEAD", "POST"])
@managers_only
def questions(request: HttpRequest) -> HttpResponse:
    """The questions as a text; saving makes the next version."""
    current = Questionnaire.current()
    status = 200
    if request.method == "POST":
        form = QuestionsForm(request.POST)
        made, status = submit(
            form,
            lambda values: verbs.save_questions(
                from_text(values["questions"]), actor=actor_of(request), seen=values["number"]
            ),
        )
        if made is not None:
            messages.success(request, _("Saved as version %(number)d.") % {"number": made.number})
            return redirect("changes:risk")
    else:
        start = {"number": current.number if current else 0, "questions": as_text(current.questions if current else [])}
        form = QuestionsForm(initial=start)
    return page(request, "questions", {"form": form}, status)

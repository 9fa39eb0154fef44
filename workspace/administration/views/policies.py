"""Service-level policies with their goals."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from itsm.accounts.changelog import fingerprint
from itsm.tickets.actors import Actor
from itsm.tickets.errors import Invalid
from slas.actions import GoalSpec, save_policy
from slas.actions.policies import policy_state
from slas.models import Goal, Kind, Metric, ServiceLevelPolicy, ZoneFrom
from workspace.administration import trials
from workspace.administration.access import actor_of, page, settings_page, submit
from workspace.administration.conditions import readable
from workspace.administration.forms.policies import GoalForm, GoalSet, PolicyForm
from workspace.administration.targets import due_of, say_target


def goal_line(goal: Goal | GoalSpec, now: datetime) -> dict[str, Any]:
    """Return a goal as a list shows it, with the instant at which it would be due if a ticket came in at `now`, by the
    calendar's own clocks."""
    version = goal.calendar.current
    length = goal.length_s if isinstance(goal, GoalSpec) else goal.target_s
    due = due_of(version.hours, now, goal.target_unit, length, goal.target_count) if version else None
    return {
        "condition": readable(dict(goal.condition)),
        "target": say_target(goal.target_unit, length, goal.target_count),
        "calendar": goal.calendar,
        "zone": version.spec["time_zone"] if version else "",
        "zone_from": "" if goal.zone_from == ZoneFrom.CALENDAR else ZoneFrom(goal.zone_from).label,
        "use_team_calendar": goal.use_team_calendar,
        "chain": goal.chain,
        "due": due,
    }


@require_safe
@settings_page("policies")
def policies(request: HttpRequest) -> HttpResponse:
    """All policies in the order in which they are asked, by what is timed."""
    rows = ServiceLevelPolicy.objects.prefetch_related("goals__calendar__current", "goals__chain").order_by(
        "order", "pk"
    )
    now = timezone.now()
    found: dict[str, list[Any]] = {metric: [] for metric in Metric.values}
    for row in rows:
        goals = [goal_line(goal, now) for goal in sorted(row.goals.all(), key=lambda goal: goal.order)]
        found[row.metric].append({"policy": row, "condition": readable(row.condition), "goals": goals})
    metrics = [(Metric(metric), lines) for metric, lines in found.items() if lines]
    return page(request, "policies", "policies", {"metrics": metrics, "kinds": Kind})


@require_http_methods(["GET", "HEAD", "POST"])
@settings_page("policies")
def policy(request: HttpRequest, ref: str = "") -> HttpResponse:
    """Add a policy or change one, with its goals. "Preview" says when each goal would be due and stores nothing."""
    row = get_object_or_404(ServiceLevelPolicy, public_id=ref) if ref else None
    stored = list(row.goals.select_related("calendar", "chain").order_by("order")) if row else []
    initial: dict[str, Any] = {"kind": Kind.SLA, "pause": "on_hold", "order": 100, "is_active": True}
    if row:
        initial = PolicyForm.values_of(row)
    context: dict[str, Any] = {"title": row.name if row else _("Add a policy"), "policy": row}
    if request.method != "POST":
        if row:
            initial["seen"] = fingerprint(policy_state(row))
        goals = GoalSet(initial=[GoalForm.values_of(goal) for goal in stored])
        context |= {"lines": [goal_line(goal, timezone.now()) for goal in stored]}
        return page(
            request, "policies", "policy", {**context, "form": PolicyForm(initial=initial, policy=row), "goals": goals}
        )
    form = PolicyForm(request.POST, initial=initial, policy=row)
    goals = GoalSet(request.POST)
    is_good = goals.is_valid() and form.is_valid()
    specs = [one.goal for one in goals.forms if one.goal] if goals.is_valid() else []
    context |= {"form": form, "goals": goals, "lines": [goal_line(spec, timezone.now()) for spec in specs]}
    if not is_good:
        form.is_valid()
        return page(request, "policies", "policy", context, 422)
    if "preview" in request.POST:
        return page(request, "policies", "policy", context)
    if row is None and ServiceLevelPolicy.objects.filter(name__iexact=form.cleaned_data["name"]).exists():
        form.add_error("name", _("There is a policy of this name already. Open it, or choose another name."))
        return page(request, "policies", "policy", context, 422)

    def save(values: dict[str, Any]) -> ServiceLevelPolicy:
        return _save(form, goals, values, actor_of(request))

    if trials.is_asked(request):
        edit = trials.Edit(form.cleaned_data["name"], form.cleaned_data["kind"], form.cleaned_data["metric"])
        return trials.answer(
            request, form, save, edit, lambda more, code: page(request, "policies", "policy", {**context, **more}, code)
        )
    saved, status = submit(form, save)
    if saved is None:
        return page(request, "policies", "policy", context, status)
    messages.success(
        request,
        _("“%(name)s” is saved. Clocks that run keep their target until their ticket falls under another goal.")
        % {"name": saved.name},
    )
    return redirect("administration:policies")


def _save(form: PolicyForm, goals: Any, values: dict[str, Any], actor: Actor) -> ServiceLevelPolicy:
    """Save what the valid forms say; what is wrong with a goal stands in its row.

    Raises:
        Refused, Invalid, ChangedMeanwhile.
    """
    rows = [one for one in goals.forms if one.goal]
    try:
        return save_policy(
            values["name"],
            goals=[one.goal for one in rows],
            pause_condition=form.pause_value,
            rules=form.rules,
            actor=actor,
            seen=values["seen"],
            **{name: values[name] for name in ("metric", "kind", "condition", "order", "is_active")},
        )
    except Invalid as error:
        left = dict(error.fields)
        for position, one in enumerate(rows, start=1):
            if text := left.pop(f"goal {position}", ""):
                one.add_error("target", text)
        raise Invalid(left or {"goals": _("Correct the goals that are marked below.")}) from error

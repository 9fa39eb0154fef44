"""Service-level policies with their goals."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from itsm.accounts.changelog import fingerprint
from slas.actions import GoalSpec, save_policy
from slas.actions.policies import policy_state
from slas.calendars import CalendarSpec
from slas.models import Goal, ServiceLevelPolicy
from workspace.administration import trials
from workspace.administration.access import actor_of, page, settings_page, submit
from workspace.administration.conditions import readable
from workspace.administration.forms.policies import GoalForm, GoalSet, PolicyForm
from workspace.administration.hours import due_in, write_duration


def goal_line(goal: Goal | GoalSpec) -> dict[str, Any]:
    """Return a goal as a list shows it, with the instant at which it would be due if a ticket came in now."""
    version = goal.calendar.current
    now = timezone.now()
    return {
        "condition": readable(dict(goal.condition)),
        "target": write_duration(goal.target_s),
        "calendar": goal.calendar,
        "chain": goal.chain,
        "due": due_in(CalendarSpec.from_json(version.spec), now, goal.target_s) if version else None,
    }


@require_safe
@settings_page("policies")
def policies(request: HttpRequest) -> HttpResponse:
    """All policies in the order in which they are asked, by what is timed."""
    rows = ServiceLevelPolicy.objects.prefetch_related("goals__calendar__current", "goals__chain").order_by(
        "order", "pk"
    )
    found: dict[str, list[Any]] = {}
    for row in rows:
        goals = [goal_line(goal) for goal in sorted(row.goals.all(), key=lambda goal: goal.order)]
        line = {"policy": row, "condition": readable(row.condition), "goals": goals}
        found.setdefault(row.get_metric_display(), []).append(line)
    return page(request, "policies", "policies", {"metrics": list(found.items())})


@require_http_methods(["GET", "HEAD", "POST"])
@settings_page("policies")
def policy(request: HttpRequest, ref: str = "") -> HttpResponse:
    """Add a policy or change one, with its goals. "Preview" says when each goal would be due and stores nothing."""
    row = get_object_or_404(ServiceLevelPolicy, public_id=ref) if ref else None
    stored = list(row.goals.select_related("calendar", "chain").order_by("order")) if row else []
    initial = PolicyForm.values_of(row) if row else {"kind": "sla", "pause": "on_hold", "order": 100, "is_active": True}
    context: dict[str, Any] = {"title": row.name if row else _("Add a policy"), "policy": row}
    if request.method != "POST":
        if row:
            initial["seen"] = fingerprint(policy_state(row))
        goals = GoalSet(initial=[GoalForm.values_of(goal) for goal in stored])
        context |= {"lines": [goal_line(goal) for goal in stored]}
        return page(
            request, "policies", "policy", {**context, "form": PolicyForm(initial=initial, policy=row), "goals": goals}
        )
    form = PolicyForm(request.POST, initial=initial, policy=row)
    goals = GoalSet(request.POST)
    is_good = goals.is_valid() and form.is_valid()
    specs = [one.goal for one in goals.forms if one.goal] if goals.is_valid() else []
    context |= {"form": form, "goals": goals, "lines": [goal_line(spec) for spec in specs]}
    if not is_good:
        form.is_valid()
        return page(request, "policies", "policy", context, 422)
    if "preview" in request.POST:
        return page(request, "policies", "policy", context)
    if row is None and ServiceLevelPolicy.objects.filter(name__iexact=form.cleaned_data["name"]).exists():
        form.add_error("name", _("There is a policy of this name already. Open it, or choose another name."))
        return page(request, "policies", "policy", context, 422)
    if row and form.cleaned_data["seen"] not in ("", fingerprint(policy_state(row))):
        form.add_error(None, _("Somebody else changed this policy meanwhile. Compare, then save again to replace it."))
        form.data = form.data.copy()  # type: ignore[attr-defined]
        form.data["seen"] = fingerprint(policy_state(row))  # type: ignore[index]
        return page(request, "policies", "policy", context, 409)
    names = ("metric", "kind", "condition", "order", "is_active")

    def save(values: dict[str, Any]) -> ServiceLevelPolicy:
        return save_policy(
            values["name"],
            goals=specs,
            pause_condition=form.pause_value,
            actor=actor_of(request),
            **{name: values[name] for name in names},
        )

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

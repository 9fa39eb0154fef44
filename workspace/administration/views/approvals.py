"""Approval policies with their stages, what holds for all approvals, and what each stage costs and brings."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from itsm.accounts.changelog import fingerprint
from itsm.approvals.actions import policy_state, save_policy, save_settings
from itsm.approvals.meter import measure
from itsm.approvals.models import ApprovalPolicy, ApprovalSettings, Expiry, Mode
from itsm.approvals.sources import source_words
from itsm.approvals.subjects import subjects
from itsm.approvals.trying import try_policies
from itsm.tickets.clock import db_now
from itsm.tickets.errors import Invalid
from itsm.tickets.kinds import kind_of
from slas.models import BusinessCalendar
from workspace.access import person
from workspace.administration.access import actor_of, page, settings_page, submit
from workspace.administration.conditions import readable
from workspace.administration.forms.approvals import (
    ApprovalPolicyForm,
    ApprovalSettingsForm,
    StageForm,
    StageSet,
)
from workspace.search import ticket_with_number

METER_DAYS = 90


def stage_line(stage: dict[str, Any]) -> dict[str, Any]:
    """Return a stored stage as the list shows it, in words."""
    expires = stage.get("expires") or {}
    calendar = BusinessCalendar.objects.filter(pk=expires.get("calendar") or 0).first()
    mode = Mode(stage["mode"])
    return {
        "name": stage["name"],
        "who": [source_words(source) for source in stage["approvers"]],
        "mode": _("%(count)d of them") % {"count": stage["needed"]} if mode == Mode.N_OF_M else mode.label,
        "condition": readable(stage["condition"]) if stage.get("condition") else None,
        "hours": expires.get("hours"),
        "calendar": calendar,
        "then": Expiry(expires["then"]).label if expires else "",
        "to": [source_words(source) for source in expires.get("to", ())],
        "remind_hours": stage.get("remind_hours"),
    }


@require_safe
@settings_page("approvals")
def approvals(request: HttpRequest) -> HttpResponse:
    """All approval policies in the order in which they are asked; with `?try=` who would be asked for a ticket."""
    known = subjects()
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for row in ApprovalPolicy.objects.select_related("current"):
        if row.kind in known:
            heading = f"{kind_of(row.kind).label}: {known[row.kind].purpose_label(row.purpose)}"
            entry = found.setdefault((row.kind, row.purpose), {"heading": heading, "lines": []})
            version = row.current
            entry["lines"].append(
                {
                    "policy": row,
                    "version": version,
                    "condition": readable(version.condition) if version else None,
                    "stages": [stage_line(stage) for stage in version.stages] if version else [],
                }
            )
    number = request.GET.get("try", "").replace("\x00", "").strip()[:40]
    ticket = ticket_with_number(number, person(request)) if number else None
    context = {
        "kinds": list(found.values()),
        "fallback": ApprovalSettings.current(),
        "meter": measure(db_now() - timedelta(days=METER_DAYS)),
        "meter_days": METER_DAYS,
        "try_number": number,
        "trial": try_policies(ticket) if ticket is not None and ticket.kind in known else None,
        "try_ticket": ticket,
    }
    return page(request, "approvals", "approvals", context)


@require_http_methods(["GET", "HEAD", "POST"])
@settings_page("approvals")
def policy(request: HttpRequest, ref: str = "") -> HttpResponse:
    """Add an approval policy, or make the next version of one."""
    row = get_object_or_404(ApprovalPolicy.objects.select_related("current"), public_id=ref) if ref else None
    context: dict[str, Any] = {"title": row.name if row else _("Add an approval policy"), "policy": row}
    if request.method != "POST":
        initial: dict[str, Any] = {"is_active": True, "order": 100}
        if row:
            initial = ApprovalPolicyForm.values_of(row) | {"seen": fingerprint(policy_state(row))}
        stored = row.current.stages if row and row.current else []
        context["form"] = ApprovalPolicyForm(initial=initial)
        context["stages"] = StageSet(initial=[StageForm.values_of(stage) for stage in stored])
        return page(request, "approvals", "approval_policy", context)
    form, stages = ApprovalPolicyForm(request.POST), StageSet(request.POST)
    context |= {"form": form, "stages": stages}
    if not (stages.is_valid() and form.is_valid()):
        form.is_valid()
        return page(request, "approvals", "approval_policy", context, 422)
    if "more" in request.POST:  # one more row for a stage, nothing stored
        return page(request, "approvals", "approval_policy", context | {"stages": _with_another(stages)})
    if row is None and ApprovalPolicy.objects.filter(name__iexact=form.cleaned_data["name"]).exists():
        form.add_error("name", _("There is a policy of this name already. Open it, or choose another name."))
        return page(request, "approvals", "approval_policy", context, 422)

    def save(values: dict[str, Any]) -> ApprovalPolicy:
        return _save(request, row, values, stages)

    saved, status = submit(form, save, state=lambda: policy_state(_again(row)))
    if saved is None:
        return page(request, "approvals", "approval_policy", context, status)
    messages.success(
        request, _("“%(name)s” is saved. What is asked already goes on as it began.") % {"name": saved.name}
    )
    return redirect("administration:approvals")


def _again(row: ApprovalPolicy | None) -> ApprovalPolicy:
    assert row is not None  # noqa: S101  only somebody else's edit of a stored policy asks for its state
    return ApprovalPolicy.objects.select_related("current").get(pk=row.pk)


def _with_another(stages: Any) -> Any:
    """Return the valid set with an empty row behind what was typed."""
    rows = [{**one.cleaned_data, **_sent(one)} for one in stages.forms if one.cleaned_data.get("name")]
    return StageSet(initial=rows)


def _sent(form: StageForm) -> dict[str, Any]:
    """Return what was typed into a row, as its form shows it: references by id, with their rows."""
    values: dict[str, Any] = {}
    for name, value in form.cleaned_data.items():
        if hasattr(value, "public_id"):
            values |= {name: value.public_id, f"{name}_row": value}
    for group in ("people", "more"):
        values[group] = [name for name in form.fields if name.startswith(f"{group}_") and form.cleaned_data.get(name)]
    values["condition"] = form["condition"].value()
    return values


def _save(request: HttpRequest, row: ApprovalPolicy | None, values: dict[str, Any], stages: Any) -> ApprovalPolicy:
    """Save what the valid forms say; what is wrong with a stage stands in its row.

    Raises:
        Refused, Invalid, ChangedMeanwhile.
    """
    kind, _colon, purpose = values["what"].partition(":")
    rows = [one for one in stages.forms if one.spec is not None]
    try:
        return save_policy(
            values["name"],
            actor=actor_of(request),
            kind=kind,
            purpose=purpose,
            stages=[one.spec for one in rows],
            policy=row,
            seen=values["seen"],
            **{name: values[name] for name in ("condition", "on_change", "order", "is_active")},
        )
    except Invalid as error:
        left = dict(error.fields)
        for number, one in enumerate(rows, start=1):
            if text := left.pop(f"stage {number}", ""):
                one.add_error(None, text)
        raise Invalid(left or {"": _("Correct the stages that are marked below.")}) from error


@require_http_methods(["GET", "HEAD", "POST"])
@settings_page("approvals")
def fallback(request: HttpRequest) -> HttpResponse:
    """Who is asked when nobody else is found, and how long links in mails are good."""
    stored = ApprovalSettings.current()
    initial = {"fallback_role": stored.fallback_role, "link_days": stored.link_days}
    form = ApprovalSettingsForm(request.POST or None, initial=initial)
    context = {"form": form, "title": _("For all approvals")}
    if request.method != "POST":
        return page(request, "approvals", "edit", context)
    names = ("fallback_role", "link_days")
    saved, status = submit(
        form, lambda values: save_settings(actor=actor_of(request), **{name: values[name] for name in names})
    )
    if saved is None:
        return page(request, "approvals", "edit", context, status)
    messages.success(request, _("Saved."))
    return redirect("administration:approvals")

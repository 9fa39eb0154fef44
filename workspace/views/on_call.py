"""Who is on call: the overview of all rotas, and the schedule of one with its overrides."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from itsm.accounts.models import User
from itsm.accounts.roles import Permission
from itsm.tickets.actors import Actor, Channel
from itsm.tickets.clock import db_now
from slas.actions import add_override, may_manage, remove_override, takes_part
from slas.models import Rota, RotaOverride, SwapRequest, SwapState
from slas.rotas import on_call_now, people_named, schedule_of
from workspace.access import desk, person
from workspace.administration.access import submit
from workspace.on_call_forms import OverrideForm, takers
from workspace.on_call_view import DAYS, Window, alert_words, sorted_alerts

MOST_ALERTS = 8
WEEK = timedelta(days=7)
FARTHEST = 3700  # days from today that can be looked at


def actor_of(request: HttpRequest) -> Actor:
    """Return the signed-in person as an actor at the desk."""
    return Actor(person(request), Channel.DESK)


def find_rota(ref: str) -> Rota:
    """Return the rota, or answer 404."""
    return get_object_or_404(Rota.objects.select_related("team__lead"), public_id=ref)


@require_safe
@desk
def overview(request: HttpRequest) -> HttpResponse:
    """All rotas in use and who is on call now."""
    found = list(Rota.objects.filter(is_active=True).select_related("team"))
    duties = on_call_now(db_now(), found)
    rows = [(rota, [duty for duty in duties if duty.rota == rota]) for rota in found]
    context = {"rotas": rows, "can_set_up": person(request).may(Permission.MANAGE_SERVICE_LEVELS)}
    return render(request, "workspace/oncall/overview.html", context)


@require_safe
@desk
def rota(request: HttpRequest, ref: str) -> HttpResponse:
    """Four weeks of a rota."""
    return schedule_page(request, find_rota(ref))


def schedule_page(request: HttpRequest, found: Rota, status: int = 200, **more: Any) -> HttpResponse:
    """Return the page of a rota's schedule; `more` replaces forms that were refused."""
    viewer, now = person(request), db_now()
    first = _first_day(request.GET.get("from", ""), found, now.astimezone(timezone.get_current_timezone()).date())
    around = now.replace(hour=0, minute=0, second=0, microsecond=0)
    start = around + (first - around.date()) - timedelta(days=3) if isinstance(first, date) else around
    schedule = schedule_of(found, start, start + timedelta(days=DAYS + 7))
    named = schedule.spec.people | {cover.person for cover in schedule.covers}
    people = people_named(named)
    window = Window(schedule, first, now, people)
    rows = RotaOverride.objects.filter(pk__in=[cover.ref for cover in schedule.covers]).select_related("person")
    overrides = {row.pk: row for row in rows}
    found_alerts = schedule.warnings(max(window.start, min(now, window.end)), window.end)
    alerts = sorted_alerts(found_alerts, MOST_ALERTS)
    actor = actor_of(request)
    manages, part = may_manage(actor, found), takes_part(viewer, found)
    offered: list[User] = takers(found) if manages else [viewer] if part else []
    context: dict[str, Any] = {
        "rota": found,
        "window": window,
        "days": window.days(),
        "rows": window.rows(),
        "lines": window.lines(viewer, overrides),
        "alerts": [(one, alert_words(one, people)) for one in alerts.shown],
        "alerts_left_out": alerts.left_out,
        "unplanned": alerts.unplanned,
        "now_duties": on_call_now(now, [found]),
        "overrides": [
            (row, manages or row.created_by_id == viewer.pk)
            for row in sorted(overrides.values(), key=lambda row: row.starts_at)
            if row.ends_at > now
        ],
        "swaps": SwapRequest.objects.filter(rota=found, state=SwapState.OPEN, starts_at__gt=now).select_related(
            "asker", "asked"
        ),
        "override_form": OverrideForm(people=offered, initial={"level": 1, "person": viewer.public_id})
        if offered
        else None,
        "can_set_up": viewer.may(Permission.MANAGE_SERVICE_LEVELS),
        "takes_part": part,
        "zone_differs": found.time_zone != timezone.get_current_timezone_name(),
        "earlier": (first - WEEK * 4).isoformat(),
        "later": (first + WEEK * 4).isoformat(),
        **more,
    }
    return render(request, "workspace/oncall/rota.html", context, status=status)


def _first_day(typed: str, found: Rota, today: date) -> date:
    """Return the Monday of the week of the date in the address; of this week where there is none."""
    try:
        day = date.fromisoformat(typed)
    except ValueError:
        day = today
    if abs((day - today).days) > FARTHEST:
        day = today
    return day - timedelta(days=day.weekday())


@require_POST
@desk
def override(request: HttpRequest, ref: str) -> HttpResponse:
    """Put somebody on call for a while."""
    found = find_rota(ref)
    viewer, actor = person(request), actor_of(request)
    people = takers(found) if may_manage(actor, found) else [viewer]
    form = OverrideForm(request.POST, people=people)

    def save(values: dict[str, Any]) -> RotaOverride:
        return add_override(
            found,
            values["person"],
            starts_at=values["starts_at"],
            ends_at=values["ends_at"],
            level=values["level"],
            reason=values["reason"],
            actor=actor,
        )

    saved, status = submit(form, save)
    if saved is None:
        return schedule_page(request, found, status, override_form=form)
    messages.success(request, _("%(name)s is on call then.") % {"name": saved.person.display_name})
    return redirect("workspace:rota", ref=found.public_id)


@require_POST
@desk
def override_remove(request: HttpRequest, ref: str) -> HttpResponse:
    """Take an override back."""
    found = get_object_or_404(RotaOverride.objects.select_related("rota"), public_id=ref)
    remove_override(found, actor=actor_of(request))
    messages.success(request, _("The override is taken back: the layers count again."))
    return redirect("workspace:rota", ref=found.rota.public_id)

"""Freezes and maintenance windows: the list, one of them, and what collisions do."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from changes.models import ChangeWindow, CollisionSettings, Conflict
from changes.schedule.actions import SETTINGS_FIELDS, WINDOW_FIELDS, save_collision_settings, save_window
from changes.schedule.forms import CollisionForm, WindowForm
from changes.schedule.occurrences import next_occurrences
from changes.schedule.views.access import actor_of, desk, submit, viewer_of
from itsm.accounts.changelog import fingerprint, state_of
from itsm.accounts.models import AdminEvent
from itsm.accounts.roles import Permission
from itsm.tickets.clock import db_now

SHOWN_AHEAD, SHOWN_DAYS, HISTORY = 5, timedelta(days=800), 30


@require_safe
@desk()
def windows(request: HttpRequest) -> HttpResponse:
    """All windows, with when they come next; those that count first."""
    now = db_now()
    rows = ChangeWindow.objects.prefetch_related("services").order_by("-is_active", "kind", "name")
    found = []
    for row in rows:
        rule = row.recurrence
        found.append((row, rule, next_occurrences(rule, now, 1, within=SHOWN_DAYS)))
    settings = CollisionSettings.current()
    context = {
        "windows": found,
        "settings": settings,
        "manages": viewer_of(request).may(Permission.MANAGE_CHANGES),
    }
    return render(request, "changes/windows/windows.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@desk()
def edit(request: HttpRequest, ref: str = "") -> HttpResponse:
    """Look at a window with its history; who manages changes adds and changes them."""
    window = get_object_or_404(ChangeWindow.objects.prefetch_related("services"), public_id=ref) if ref else None
    manages = viewer_of(request).may(Permission.MANAGE_CHANGES)
    if request.method == "POST" or (window is None and not manages):
        return _save(request, window)
    zone = timezone.get_current_timezone_name()
    initial = WindowForm.initial_of(window, timezone.localdate(), zone)
    if window is not None:
        initial["seen"] = fingerprint(state_of(window, WINDOW_FIELDS))
    return _page(request, window, WindowForm(initial=initial, window=window))


def _save(request: HttpRequest, window: ChangeWindow | None) -> HttpResponse:
    form = WindowForm(request.POST if request.method == "POST" else None, window=window)
    if not viewer_of(request).may(Permission.MANAGE_CHANGES):
        # Raises the refusal that its page explains.
        save_window(window, name="", kind="", rule={}, actor=actor_of(request))
    saved, status = submit(
        form,
        lambda _values: save_window(window, actor=actor_of(request), **form.said()),
        state=lambda: state_of(ChangeWindow.objects.get(pk=window.pk), WINDOW_FIELDS) if window else {},
    )
    if saved is None:
        return _page(request, window, form, status)
    hit = Conflict.objects.current().filter(window=saved, ends_at__gt=db_now()).count()
    messages.success(
        request,
        _("“%(name)s” is saved. Changes ahead that it stands against: %(count)d.") % {"name": saved.name, "count": hit},
    )
    return redirect("change_schedule:windows")


def _page(request: HttpRequest, window: ChangeWindow | None, form: WindowForm, status: int = 200) -> HttpResponse:
    now = db_now()
    context: dict[str, Any] = {
        "window": window,
        "form": form,
        "manages": viewer_of(request).may(Permission.MANAGE_CHANGES),
        "zone": timezone.get_current_timezone_name(),
    }
    if window is not None:
        rule = window.recurrence
        hits = Conflict.objects.current().with_words().select_related("change").filter(window=window, ends_at__gt=now)
        history = AdminEvent.objects.filter(model="changes.changewindow", object_id=window.public_id)
        context |= {
            "rule": rule,
            "next": next_occurrences(rule, now, SHOWN_AHEAD, within=SHOWN_DAYS),
            "hits": hits[:50],
            "history": history.select_related("actor").order_by("-pk")[:HISTORY],
        }
    return render(request, "changes/windows/window.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@desk(Permission.MANAGE_CHANGES)
def collisions(request: HttpRequest) -> HttpResponse:
    """Say what collisions between two changes do."""

    def state() -> dict[str, Any]:
        return state_of(CollisionSettings.current(), SETTINGS_FIELDS)

    if request.method != "POST":
        form = CollisionForm(
            initial={**CollisionForm.initial_of(CollisionSettings.current()), "seen": fingerprint(state())}
        )
        return render(request, "changes/windows/collisions.html", {"form": form})
    form = CollisionForm(request.POST)
    saved, status = submit(form, lambda values: save_collision_settings(actor=actor_of(request), **values), state=state)
    if saved is None:
        return render(request, "changes/windows/collisions.html", {"form": form}, status=status)
    messages.success(request, _("Saved. It counts at once."))
    return redirect("change_schedule:windows")

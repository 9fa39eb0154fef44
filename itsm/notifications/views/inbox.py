"""Somebody's own notices inside the application."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from itsm.accounts.models import User
from itsm.notifications import actions
from itsm.notifications.inbox import lines
from itsm.tickets.errors import Invalid
from itsm.tickets.paging import page_of

PAGE = 30
NEWEST_FIRST = ("-created_at", "-id")


@login_required
@require_safe
def notices(request: HttpRequest) -> HttpResponse:
    """List what the person was told, newest first."""
    user = _user(request)
    try:
        page = page_of(actions.notices_for(user), NEWEST_FIRST, limit=PAGE, cursor=request.GET.get("cursor"))
    except Invalid as error:
        messages.warning(request, error.message)
        return redirect("notifications:notices")
    context = {
        "lines": lines(page.rows, user),
        "unread": actions.unread_count(user),
        "shell": "shells/desk.html" if user.is_staff else "shells/portal.html",
        "next_url": _page_url(page.next_cursor),
        "previous_url": _page_url(page.previous_cursor),
    }
    return render(request, "notifications/notices.html", context)


@login_required
@require_POST
def read_one(request: HttpRequest, public_id: str) -> HttpResponse:
    """Mark one notice as read; one that is not theirs is left alone."""
    actions.mark_read(_user(request), public_id)
    return redirect("notifications:notices")


@login_required
@require_POST
def read_all(request: HttpRequest) -> HttpResponse:
    """Mark everything as read."""
    actions.mark_all_read(_user(request))
    messages.success(request, _("Everything is marked as read."))
    return redirect("notifications:notices")


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101  login_required has seen to it
    return request.user


def _page_url(cursor: str | None) -> str:
    return f"{reverse('notifications:notices')}?{urlencode({'cursor': cursor})}" if cursor else ""

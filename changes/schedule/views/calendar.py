"""The change calendar: month, week and day, and the secret link under which calendar programs read it."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.http import quote_etag
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_POST, require_safe

from changes.models import CalendarFeed
from changes.schedule.actions import find_feed, make_feed, revoke_feed
from changes.schedule.drawing import Timeline, agenda, month_weeks
from changes.schedule.feed import content_tag, feed_calendar
from changes.schedule.looking import (
    DAY,
    MONTH,
    VIEWS,
    bands_between,
    entries_between,
    neighbours,
    read_filters,
    stretch_of,
)
from changes.schedule.views.access import desk, viewer_of
from changes.statuses import ChangeType
from cmdb.models import Service
from itsm.accounts.models import Team
from itsm.accounts.roles import Permission
from itsm.notifications.addresses import absolute
from itsm.notifications.compose import language_of
from itsm.tickets.clock import db_now

FIRST, LAST = date(1980, 1, 1), date(2110, 1, 1)
MOST_LISTED = {MONTH: 160, "week": 300, DAY: 300}
FRESH_S = 900
_TOKEN = re.compile(r"[0-9a-f]{32}", re.ASCII)


@require_safe
@desk()
def calendar(request: HttpRequest) -> HttpResponse:
    """What is planned in a month, a week or a day."""
    return _page(request)


def _page(request: HttpRequest, **more: Any) -> HttpResponse:
    viewer, now = viewer_of(request), db_now()
    zone = timezone.get_current_timezone_name()
    today = timezone.localtime(now).date()
    view = request.GET.get("view", MONTH)
    view = view if view in VIEWS else MONTH
    around = _date(request.GET.get("date", ""), today)
    services = list(Service.objects.order_by("name").only("id", "name", "key", "is_active"))
    teams = list(Team.objects.active().only("id", "name", "key"))
    filters = read_filters(request.GET, teams, services)
    stretch = stretch_of(view, around, zone)
    names: dict[int | None, str] = {one.pk: one.name for one in services}
    entries = entries_between(viewer, stretch.start, stretch.end, filters, names)
    bands = bands_between(stretch.start, stretch.end, filters)
    days = [one for one in stretch.days if view != MONTH or one.day.month == around.month]
    before, after = neighbours(view, around)
    context: dict[str, Any] = {
        "view": view,
        "title": _title(view, around, stretch.days[0].day, stretch.days[-1].day),
        "zone": zone,
        "filters": filters,
        "teams": teams,
        "services": [one for one in services if one.is_active or one == filters.service],
        "types": ChangeType.choices,
        "around": around.isoformat(),
        "views": [(name, label, filters.query(view=name, date=around.isoformat())) for name, label in _views()],
        "before": filters.query(view=view, date=before.isoformat()),
        "after": filters.query(view=view, date=after.isoformat()),
        "today": filters.query(view=view),
        "day_query": filters.query(view=DAY),
        "chapters": agenda(days, entries, bands, now, MOST_LISTED[view]),
        "count": len(entries),
        "clash_count": sum(one.has_conflict for one in entries),
        "clock_changes": [one for one in stretch.days if one.clock_change],
        "manages": viewer.may(Permission.MANAGE_CHANGES),
        **more,
    }
    if view == MONTH:
        context["weeks"] = month_weeks(stretch, entries, bands, around.month, now)
    else:
        context["line"] = Timeline(stretch, entries, bands, now)
    return render(request, "changes/calendar/calendar.html", context)


def _views() -> list[tuple[str, str]]:
    return [(MONTH, _("Month")), ("week", _("Week")), (DAY, _("Day"))]


def _date(text: str, today: date) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return today
    return min(max(found, FIRST), LAST)


def _title(view: str, around: date, first: date, last: date) -> str:
    if view == MONTH:
        return date_format(around, "F Y")
    if view == DAY:
        return date_format(around, "l j F Y")
    return f"{date_format(first, 'j M')} – {date_format(last, 'j M Y')}"


@require_safe
@desk()
def links(request: HttpRequest) -> HttpResponse:
    """The person's calendar links."""
    return _links_page(request)


def _links_page(request: HttpRequest, **more: Any) -> HttpResponse:
    feeds = CalendarFeed.objects.filter(owner=viewer_of(request), revoked_at=None).select_related("team", "service")
    context = {
        "feeds": feeds,
        "teams": Team.objects.active(),
        "services": Service.objects.active(),
        **more,
    }
    return render(request, "changes/calendar/links.html", context)


@require_POST
@desk()
@sensitive_variables("token", "link")
def make_link(request: HttpRequest) -> HttpResponse:
    """Make a link for what was chosen, or make it anew; it is shown once."""
    teams, services = list(Team.objects.active()), list(Service.objects.active())
    filters = read_filters(request.POST, teams, services)
    feed, token = make_feed(viewer_of(request), team=filters.team, service=filters.service, is_mine=filters.is_mine)
    link = absolute(reverse("change_schedule:feed", args=[token]))
    return _links_page(request, new_link=link, new_feed=feed)


@require_POST
@desk()
def revoke_link(request: HttpRequest, ref: str) -> HttpResponse:
    """End a link."""
    if revoke_feed(viewer_of(request), ref):
        messages.success(request, _("The calendar link is revoked: it opens nothing any more."))
    return redirect("change_schedule:links")


@require_safe
def feed(request: HttpRequest, token: str) -> HttpResponse:
    """The change calendar behind a secret address as iCalendar; 404 where it was revoked or replaced."""
    found = find_feed(token) if _TOKEN.fullmatch(token) else None
    if found is None:
        raise Http404
    with translation.override(language_of(found.owner)), timezone.override(found.owner.zone):
        body = feed_calendar(found, db_now())
    tag = quote_etag(content_tag(body))
    if tag in [one.strip() for one in request.headers.get("If-None-Match", "").split(",")]:
        response: HttpResponse = HttpResponseNotModified()
    else:
        response = HttpResponse(body, content_type="text/calendar; charset=utf-8")
        response["Content-Disposition"] = 'inline; filename="changes.ics"'
    response["ETag"] = tag
    response["Cache-Control"] = f"private, max-age={FRESH_S}"
    return response

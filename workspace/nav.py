"""The rail of the desk: pages, queues with their counts, the person's teams. Built only when a page draws it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from incidents.major.banner import running_majors
from itsm.accounts.models import Team, User
from itsm.accounts.roles import Permission
from itsm.conditions import Context
from itsm.notifications.actions import unread_count
from itsm.tickets.kinds import all_kinds, kind_of
from workspace.administration.sections import has_settings
from workspace.counts import counts_of, shown
from workspace.lists import ENDED, FIXED, Queue, kind_queue, team_queue

MOST_TEAMS = 12
# Kinds with an entry of their own in the rail, and its key.
PRACTICES = {"problem": "G P", "change": "G C"}


def my_teams(request: HttpRequest) -> list[Team]:
    """Return the active teams that the person works in or leads, by name; asked once for each request."""
    found: list[Team] | None = getattr(request, "_my_teams", None)
    if found is None:
        found = list(Team.objects.active().of(request.user)) if isinstance(request.user, User) else []
        request._my_teams = found  # type: ignore[attr-defined]
    return found


def my_queues(request: HttpRequest) -> list[Queue]:
    """Return the queues in the rail: those that everybody has, then the person's teams."""
    return [*FIXED, *(team_queue(team) for team in my_teams(request)[:MOST_TEAMS]), *ENDED]


def practice_queues() -> list[Queue]:
    """Return the queues of the kinds that have an entry of their own in the rail, of those that are installed."""
    return [kind_queue(kind, PRACTICES[kind.code]) for kind in all_kinds() if kind.code in PRACTICES]


def my_counts(request: HttpRequest) -> dict[str, int]:
    """Return the counts of the rail's queues by key; asked once for each request."""
    found: dict[str, int] | None = getattr(request, "_queue_counts", None)
    if found is None:
        user = request.user
        context = Context(user=user, now=timezone.now(), zone=user.zone)  # type: ignore[union-attr]
        counted = [queue for queue in my_queues(request) if queue.is_counted]
        found = counts_of([*counted, *practice_queues()], context)
        request._queue_counts = found  # type: ignore[attr-defined]
    return found


def desk_nav(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the rail's entries in the shape that `{% desk_rail %}` reads (docs/design.md)."""
    counts = my_counts(request)
    queue_url, home_url = reverse("workspace:queue"), reverse("workspace:home")
    open_key = request.GET.get("view", "open") if request.path == queue_url else ""
    entries: list[dict[str, Any]] = [
        {
            "key": "home",
            "label": _("Home"),
            "url": home_url,
            "icon": "home",
            "hotkey": "G H",
            "current": request.path == home_url,
        },
        _inbox(request),
        _approvals(request),
    ]
    entries += [
        {
            # The phone's bar leads to the queue of everything open.
            "key": "queue" if queue.key == "open" else queue.key,
            "section": "views",
            "label": queue.label,
            "url": f"{queue_url}?view={queue.key}",
            "icon": queue.icon,
            "hotkey": queue.hotkey,
            "count": shown(counts[queue.key]) if queue.key in counts else None,
            "current": queue.key == open_key,
        }
        for queue in my_queues(request)
    ]
    entries += [_practice(request, queue, counts, open_key) for queue in practice_queues()]
    entries += [*_majors(request), _calendar(request), *_practices(request), *_bottom(request)]
    entries += [
        {
            "key": "search",
            "label": _("Search"),
            "url": reverse("workspace:search"),
            "icon": "search",
            "palette": reverse("workspace:palette"),
        },
        {
            "key": "new",
            "label": _("New"),
            "url": reverse("workspace:new"),
            "icon": "plus",
            "current": request.path == reverse("workspace:new"),
        },
    ]
    return entries


def _inbox(request: HttpRequest) -> dict[str, Any]:
    url = reverse("notifications:notices")
    unread = unread_count(request.user)
    return {
        "key": "inbox",
        "label": _("Inbox"),
        "url": url,
        "icon": "inbox",
        "hotkey": "G I",
        "count": shown(unread) if unread else None,
        "alert": True,
        "current": request.path == url,
    }


def _practice(request: HttpRequest, queue: Queue, counts: dict[str, int], open_key: str) -> dict[str, Any]:
    """A kind's entry: its own list where its room has one, else its queue."""
    own = kind_of(queue.kind).list_url_name
    url = reverse(own) if own else f"{reverse('workspace:queue')}?view={queue.key}"
    return {
        "key": queue.key,
        "section": "practices",
        "label": queue.label,
        "url": url,
        "icon": queue.icon,
        "hotkey": queue.hotkey,
        "count": shown(counts[queue.key]),
        "current": queue.key == open_key or (bool(own) and request.path == url),
    }


def _approvals(request: HttpRequest) -> dict[str, Any]:
    """Return the link to what waits for the person. It has no count: the inbox counts each request that is new."""
    url = reverse("approvals:list")
    return {
        "key": "approvals",
        "label": _("Approvals"),
        "url": url,
        "icon": "user-question",
        "hotkey": "G A",
        "current": request.path.startswith(url),
    }


def _majors(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the link to the major incidents: always for those who decide on them, for others while one is running."""
    running = len(running_majors(request))
    if not running and not request.user.may(Permission.RUN_MAJOR_INCIDENTS):  # type: ignore[union-attr]
        return []
    url = reverse("incidents:majors")
    return [
        {
            "key": "majors",
            "section": "practices",
            "label": _("Major incidents"),
            "url": url,
            "icon": "urgent",
            "hotkey": "G J",
            "count": shown(running) if running else None,
            "alert": True,
            "current": request.path == url,
        }
    ]


def _calendar(request: HttpRequest) -> dict[str, Any]:
    url = reverse("change_schedule:calendar")
    return {
        "key": "change_calendar",
        "section": "practices",
        "label": _("Change calendar"),
        "url": url,
        "icon": "calendar-time",
        "hotkey": "G W",
        "current": request.path == url,
    }


def _practices(request: HttpRequest) -> list[dict[str, Any]]:
    if not request.user.may(Permission.VIEW_SERVICE_LEVELS):  # type: ignore[union-attr]
        return []
    url = reverse("reports:overview")
    return [
        {
            "key": "service_levels",
            "section": "practices",
            "label": _("Service levels"),
            "url": url,
            "icon": "chart-histogram",
            "hotkey": "G L",
            "current": request.path.startswith(url),
        },
    ]


def _bottom(request: HttpRequest) -> list[dict[str, Any]]:
    links: list[dict[str, Any]] = []
    for permission, name, label, symbol in (
        (Permission.USE_DESK, "workspace:on_call", _("On call"), "calendar-user"),
        (Permission.VIEW_OUTBOX, "notifications:outbox", _("Outbox"), "mail"),
        (Permission.USE_DESK, "portal:requests", _("My own requests"), "lifebuoy"),
    ):
        if request.user.may(permission):  # type: ignore[union-attr]
            try:
                url = reverse(name)
            except NoReverseMatch:  # that room is not installed
                continue
            links.append({"section": "bottom", "label": label, "url": url, "icon": symbol})
    if has_settings(request.user):  # type: ignore[arg-type]
        url = reverse("administration:overview")
        current = request.path.startswith(url)
        links.append({"section": "bottom", "label": _("Settings"), "url": url, "icon": "settings", "current": current})
    return links

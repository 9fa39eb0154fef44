"""The addresses of the ticket page, for the room of a kind to put below its own."""

from __future__ import annotations

from typing import Any

from django.urls import URLPattern, path

from itsm.desk.views import editing, explaining, moving, reading, relating, spreading, talking

VIEWS: tuple[tuple[str, Any, str], ...] = (
    ("choices/<slug:what>.json", reading.choices, "choices"),
    ("<str:ref>/", reading.detail, "detail"),
    ("<str:ref>/preview/", reading.preview, "preview"),
    ("<str:ref>/pulse/", reading.pulse, "pulse"),
    ("<str:ref>/history/", reading.history, "history"),
    ("<str:ref>/clocks/<slug:timer>/", explaining.clock, "clock"),
    ("<str:ref>/acknowledge/", editing.acknowledge_escalation, "acknowledge"),
    ("<str:ref>/comments/", talking.comment, "comment"),
    ("<str:ref>/moves/<slug:name>/", moving.move, "move"),
    ("<str:ref>/priority/", moving.priority, "priority"),
    ("<str:ref>/edit/<slug:name>/", editing.edit, "edit"),
    ("<str:ref>/take/", editing.take, "take"),
    ("<str:ref>/links/", relating.add_link, "add_link"),
    ("<str:ref>/links/<slug:public_id>/remove/", relating.remove_link, "remove_link"),
    ("<str:ref>/spreads/", spreading.spreads, "spreads"),
    ("<str:ref>/spreads/<slug:public_id>/retry/", spreading.retry_spread, "retry_spread"),
    ("<str:ref>/watchers/", relating.add_watcher, "add_watcher"),
    ("<str:ref>/watchers/<slug:public_id>/remove/", relating.remove_watcher, "remove_watcher"),
)


def ticket_page_urls(kind: str) -> list[URLPattern]:
    """Return the ticket page of the kind with everything that it posts to. The room's `app_name` is the namespace.

    Put a room's own addresses before them: the page itself answers to any single name below the room.
    """
    return [path(route, view, {"kind": kind}, name=name) for route, view, name in VIEWS]

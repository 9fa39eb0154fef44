"""The change log: who set what, when, and what it was before."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.http import HttpRequest, HttpResponse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from itsm.accounts.models import AdminEvent
from itsm.tickets.paging import page_of
from workspace.administration.access import page, settings_page

PAGE = 50
LONGEST_VALUE = 300


@dataclass(frozen=True)
class Entry:
    """One event in words."""

    event: AdminEvent
    kind: str
    changes: list[tuple[str, str, str]]


def entry_of(event: AdminEvent) -> Entry:
    """Return the event with its model and fields named as people name them."""
    try:
        model = apps.get_model(event.model)
    except (LookupError, ValueError):
        model = None
    kind = str(model._meta.verbose_name) if model else event.model
    changes = [(_label(model, name), _shown(old), _shown(new)) for name, (old, new) in event.changes.items()]
    return Entry(event, kind, changes)


def _label(model: Any, name: str) -> str:
    try:
        return str(model._meta.get_field(name).verbose_name) if model else name
    except FieldDoesNotExist:
        return name.replace("_", " ")


def _shown(value: Any) -> str:
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        text = ", ".join(value) or "–"
    else:
        text = json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"


@require_safe
@settings_page("changes")
def changes(request: HttpRequest) -> HttpResponse:
    """The log, newest first."""
    events = AdminEvent.objects.select_related("actor")
    found = page_of(events, ("-id",), limit=PAGE, cursor=request.GET.get("cursor"))

    def url(cursor: str | None) -> str:
        return f"?{urlencode({'cursor': cursor})}" if cursor else ""

    context = {
        "entries": [entry_of(event) for event in found.rows],
        "next_url": url(found.next_cursor),
        "previous_url": url(found.previous_cursor),
    }
    return page(request, "changes", "changes", context)

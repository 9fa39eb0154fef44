"""The settings' first page, and completions for the fields in which conditions are typed."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from itsm.conditions import suggest
from itsm.tickets.schema import rule_schema
from workspace.administration.access import any_settings, page
from workspace.schema import context_of

PERSONAL = {"me", "mine", "is:mine"}
ONLY_LISTS = "text:"


@require_safe
@any_settings
def overview(request: HttpRequest) -> HttpResponse:
    """Everything that the person may set up, as cards."""
    return page(request, "", "overview", {})


@require_safe
@any_settings
def suggestions(request: HttpRequest) -> JsonResponse:
    """Completions of a rule's condition: `{"results": [{"text", "label", "start", "end"}]}`, none that depend on me."""
    text = request.GET.get("q", "")
    try:
        cursor = int(request.GET.get("cursor", len(text)))
    except ValueError:
        cursor = len(text)
    found = suggest(text, cursor, rule_schema(), context_of(request))
    rows = [
        {"text": one.text, "label": str(one.label), "start": one.start, "end": one.end}
        for one in found
        if one.text not in PERSONAL and one.text != ONLY_LISTS
    ]
    return JsonResponse({"results": rows})

"""Known errors that were published: what everybody may read of them, in the words written for everybody."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from itsm.tickets.errors import Invalid
from itsm.tickets.paging import page_of
from problems.models import Problem

PAGE_ROWS = 25
NEWEST = ("-published_at", "-id")
# These and nothing else: number, cause and people of a problem are the desk's.
SHOWN = ("id", "public_title", "public_symptoms", "public_workaround", "published_at")


@login_required
@require_GET
def known_errors(request: HttpRequest) -> HttpResponse:
    """List the published known errors, the newest first; `q` searches in their public words alone."""
    words = request.GET.get("q", "").strip()[:200]
    found: Any = Problem.objects.published().only(*SHOWN)
    if words:
        found = found.public_text(words)
    try:
        page = page_of(found, NEWEST, limit=PAGE_ROWS, cursor=request.GET.get("cursor"))
    except Invalid:
        return redirect("portal:known_errors")
    return render(request, "portal/known_errors.html", {"portal_page": "known_errors", "page": page, "q": words})

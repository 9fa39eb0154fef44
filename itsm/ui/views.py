"""The style guide: each component in each state, and whole sample pages to copy from."""

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from itsm.ui import samples

PAGES = ("queue", "ticket", "portal", "portal-requests", "portal-request")


def _open_to_makers(request: HttpRequest) -> None:
    """404 unless an administrator asks, or the project runs with DEBUG."""
    if not (settings.DEBUG or getattr(getattr(request, "user", None), "is_superuser", False)):
        raise Http404


@require_safe
def styleguide(request: HttpRequest) -> HttpResponse:
    """Every component in every state, light beside dark."""
    _open_to_makers(request)
    request.desk_nav = samples.desk_nav("")  # type: ignore[attr-defined]
    messages.success(request, _("Status saved"))
    return render(
        request,
        "styleguide/index.html",
        samples.context(timezone.now()) | {"pages": PAGES},
    )


@require_safe
def sample_page(request: HttpRequest, page: str) -> HttpResponse:
    """One sample page; 404 for a name that is none."""
    _open_to_makers(request)
    if page not in PAGES:
        raise Http404
    request.desk_nav = samples.desk_nav()  # type: ignore[attr-defined]
    return render(
        request,
        f"styleguide/pages/{page}.html",
        samples.context(timezone.now()) | {"portal_page": "requests"},
    )

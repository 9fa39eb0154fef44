"""Who may read the reports: requesters find nothing here, other staff without the right are told so."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _

from itsm.accounts.access import desk_required
from itsm.accounts.models import User
from itsm.accounts.roles import Permission

View = Callable[..., HttpResponseBase]


def reports_page(view: View) -> View:
    """Let in who has the right to read how service levels were kept."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not viewer_of(request).may(Permission.VIEW_SERVICE_LEVELS):
            return refusal(
                request,
                _("The service-level reports are for team leads, service-level managers, auditors and administrators."),
            )
        return view(request, *args, **kwargs)

    return desk_required(guarded)


def refusal(request: HttpRequest, reason: str) -> HttpResponse:
    """Return the page for what the person may not do, with the reason."""
    return render(request, "403.html", {"reason": reason}, status=403)


def viewer_of(request: HttpRequest) -> User:
    """Return the person signed in; only for views behind the door of the desk."""
    return cast(User, request.user)

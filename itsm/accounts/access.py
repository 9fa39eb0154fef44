"""Who gets through the door of the desk's pages."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _

from itsm.accounts.roles import Permission

View = Callable[..., HttpResponseBase]


def desk_required(view: View) -> View:
    """Let only the desk's people into the view, and show them times in their own zone.

    Somebody not signed in is sent to the login page and back (a part of a page answers 401 instead, which the browser's
    modules put into words); to a requester the page does not exist.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        user = request.user
        if not user.is_authenticated:
            if getattr(request, "htmx", False):
                return HttpResponse(_("Your session has ended. Sign in again."), status=401, content_type="text/plain")
            return redirect_to_login(request.get_full_path() if request.method == "GET" else "/")
        if not user.may(Permission.USE_DESK):
            raise Http404(_("There is no such page."))
        with timezone.override(user.zone):
            return view(request, *args, **kwargs)

    return guarded

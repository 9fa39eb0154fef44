"""Who gets in: people of the desk. For everybody else these pages do not exist."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from itsm.accounts.access import desk_required
from itsm.accounts.models import User
from itsm.tickets.errors import Invalid, Refused, TooLarge, VerbError

View = Callable[..., HttpResponse]


def desk(view: View) -> View:
    """Let people of the desk in (see `desk_required`), and turn a verb's refusal that the view leaves into a page."""

    @wraps(view)
    def explained(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except VerbError as error:
            return refusal(request, error)

    return cast(View, desk_required(explained))


def refusal(request: HttpRequest, error: VerbError) -> HttpResponse:
    """Return the page for something that was not done: why, and the way back."""
    status = 400 if isinstance(error, Invalid) else 403 if isinstance(error, Refused) else 409
    if isinstance(error, TooLarge):
        status = 413
    return render(request, "workspace/refused.html", {"reason": error.message, "status": status}, status=status)


def person(request: HttpRequest) -> User:
    """Return the signed-in person of a guarded view."""
    user = request.user
    if not isinstance(user, User):
        raise Http404
    return user

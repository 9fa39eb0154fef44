"""What the pages of the room share: who acts, the tabs, and how a refusal becomes a sentence beside the field."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django import forms
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from itsm.accounts.access import View, desk_required
from itsm.accounts.changelog import ChangedMeanwhile
from itsm.accounts.models import User
from itsm.accounts.roles import Permission
from itsm.tickets.actors import Actor, Channel
from itsm.tickets.errors import IllegalMove, Invalid, Refused

LIST = "changes:list"


def viewer_of(request: HttpRequest) -> User:
    """Return the person signed in; only for views behind `desk_required`."""
    return cast(User, request.user)


def actor_of(request: HttpRequest) -> Actor:
    """Return the person signed in, acting at the desk."""
    return Actor(viewer_of(request), Channel.DESK)


def door(view: Callable[..., HttpResponse]) -> View:
    """Let people of the desk in (`desk_required`), and turn a refusal that the view leaves into a page that says why
    (403)."""

    @wraps(view)
    def explained(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except Refused as error:
            return page(request, "refused", {"reason": error.message}, 403)

    return desk_required(explained)


def tabs(request: HttpRequest) -> list[tuple[str, str, bool]]:
    """Return the pages of the room: address, label, whether it is open."""
    found = [
        (LIST, _("Changes")),
        ("change_schedule:calendar", _("Calendar")),
        ("cab:boards", _("CAB")),
        ("changes:templates", _("Templates")),
        ("changes:success", _("Success")),
    ]
    if viewer_of(request).may(Permission.MANAGE_CHANGES):
        found.append(("changes:risk", _("Risk and settings")))
    shown = []
    for name, label in found:
        url = reverse(name)
        here = request.path == url if name == LIST else request.path.startswith(url)
        shown.append((url, label, here))
    return shown


def page(request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    """Return a page of the room under its tabs."""
    return render(request, f"changes/{template}.html", {"tabs": tabs(request), **context}, status=status)


def submit[Result](form: forms.Form, verb: Callable[[dict[str, Any]], Result]) -> tuple[Result | None, int]:
    """Call the verb with the valid form's values; return what it returns, and 0; or None and the status of a refusal,
    which then stands on the form."""
    if not form.is_valid():
        return None, 422
    try:
        with transaction.atomic():
            return verb(form.cleaned_data), 0
    except Invalid as error:
        for name, text in error.fields.items():
            form.add_error(name if name in form.fields else None, text)
    except IllegalMove as error:
        form.add_error(None, error.message)
        return None, 409
    except ChangedMeanwhile as error:
        form.add_error(None, error.message)
        return None, 409
    return None, 422

"""The door of these pages, and how a form becomes a verb's call and its refusal a sentence beside the field."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, cast

from django import forms
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _

from itsm.accounts.access import desk_required
from itsm.accounts.changelog import ChangedMeanwhile, fingerprint
from itsm.accounts.models import User
from itsm.accounts.roles import Permission
from itsm.tickets.actors import Actor, Channel
from itsm.tickets.errors import Invalid, Refused, VerbError

View = Callable[..., HttpResponseBase]


def desk(permission: Permission = Permission.VIEW_TICKETS) -> Callable[[View], View]:
    """Let in people of the desk who have the permission, and turn a verb's refusal that the view leaves into a page."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            try:
                if not viewer_of(request).may(permission):
                    raise Refused(_("This page needs a right that your roles do not include. Ask an administrator."))
                return view(request, *args, **kwargs)
            except VerbError as error:
                return refusal(request, error)

        return desk_required(guarded)

    return decorate


def viewer_of(request: HttpRequest) -> User:
    """Return the person signed in; only for guarded views."""
    return cast(User, request.user)


def actor_of(request: HttpRequest) -> Actor:
    """Return the person signed in, acting at the desk."""
    return Actor(viewer_of(request), Channel.DESK)


def refusal(request: HttpRequest, error: VerbError) -> HttpResponse:
    """Return the page for something that was not done: why, and the way back."""
    status = 400 if isinstance(error, Invalid) else 403 if isinstance(error, Refused) else 409
    return render(request, "changes/calendar/refused.html", {"reason": error.message, "status": status}, status=status)


def submit[Result](
    form: forms.Form, verb: Callable[[dict[str, Any]], Result], *, state: Callable[[], Mapping[str, Any]] | None = None
) -> tuple[Result | None, int]:
    """Call the verb with the valid form's values; return what it returns, and 0, or None and the status of a refusal.

    What was refused stands on the form: 422 beside its field, 409 when somebody else was faster. What was typed stays,
    and the form then carries the present `state`, so that saving it again replaces that knowingly.
    """
    if not form.is_valid():
        return None, 422
    try:
        with transaction.atomic():
            return verb(form.cleaned_data), 0
    except Invalid as error:
        for name, text in error.fields.items():
            form.add_error(name if name in form.fields else None, text)
    except ChangedMeanwhile as error:
        form.add_error(None, error.message)
        if state is not None:
            form.data = form.data.copy()  # type: ignore[attr-defined]
            form.data[form.add_prefix("seen")] = fingerprint(state())  # type: ignore[index]
        return None, 409
    except IntegrityError:
        form.add_error(None, _("Somebody saved the same thing at this moment. Look at it, then try again."))
        return None, 409
    return None, 422

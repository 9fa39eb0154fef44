"""The door of the settings, and how a form becomes a verb's call and its refusal a sentence beside the field."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from itsm.accounts.changelog import ChangedMeanwhile, fingerprint
from itsm.tickets.actors import Actor, Channel
from itsm.tickets.errors import Invalid, Refused
from workspace.access import desk, person
from workspace.administration.sections import BY_KEY, grouped, has_settings

View = Callable[..., HttpResponse]


def settings_page(key: str) -> Callable[[View], View]:
    """Let in who may open the page of this key: requesters find nothing (404), other staff are told why not (403)."""
    section = BY_KEY[key]

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not person(request).may(section.permission):
                raise Refused(
                    _("The page “%(page)s” needs a right that your roles do not include. Ask an administrator.")
                    % {"page": section.label}
                )
            try:
                return view(request, *args, **kwargs)
            except PermissionDenied as error:
                raise Refused(str(error)) from error

        return desk(guarded)

    return decorate


def any_settings(view: View) -> View:
    """Let in who may open at least one page of the settings."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not has_settings(person(request)):
            raise Refused(
                _("The settings are for administrators, managers of service levels and changes, and auditors.")
            )
        return view(request, *args, **kwargs)

    return desk(guarded)


def actor_of(request: HttpRequest) -> Actor:
    """Return the signed-in person as an actor at the desk."""
    return Actor(person(request), Channel.DESK)


def page(request: HttpRequest, key: str, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    """Return a page of the settings with its side menu; `key` names the section it belongs to."""
    section = BY_KEY.get(key)
    shown = {"section": section, "groups": grouped(person(request)), **context}
    return render(request, f"workspace/administration/{template}.html", shown, status=status)


def submit[Result](
    form: forms.Form, verb: Callable[[dict[str, Any]], Result], *, state: Callable[[], Mapping[str, Any]] | None = None
) -> tuple[Result | None, int]:
    """Call the verb with the valid form's values; return what it returns, and 0, or None and the status of a refusal.

    What was refused stands on the form: 422 beside its field, 409 when somebody else was faster. What was typed stays,
    and the form then carries the present `state` (left out: as the refusal tells it), so that saving it again replaces
    that knowingly.
    """
    if not form.is_valid():
        return None, 422
    try:
        with transaction.atomic():
            return verb(form.cleaned_data), 0
    except Invalid as error:
        _add(form, {name: [text] for name, text in error.fields.items()})
    except ValidationError as error:
        _add(form, error.message_dict if hasattr(error, "error_dict") else {"": error.messages})
    except ChangedMeanwhile as error:
        form.add_error(None, error.message)
        now = fingerprint(state()) if state is not None else error.now
        if now:
            form.data = form.data.copy()  # type: ignore[attr-defined]
            form.data[form.add_prefix("seen")] = now  # type: ignore[index]
        return None, 409
    except IntegrityError:
        form.add_error(None, _("Somebody saved the same thing at this moment. Look at it, then try again."))
        return None, 409
    return None, 422


def _add(form: forms.Form, problems: dict[str, Any]) -> None:
    for name, texts in problems.items():
        for text in texts:
            form.add_error(name if name in form.fields else None, text)

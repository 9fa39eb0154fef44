"""Errors as problem details (RFC 9457): one shape for everything that can go wrong.

400 says that the request itself cannot be understood (its JSON, an unknown field, a query parameter), 422 that it was
understood and a value in its body does not fit.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import BadRequest as DjangoBadRequest
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import OperationalError
from django.http import Http404
from django.http.multipartparser import MultiPartParserError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import exceptions
from rest_framework.response import Response

from itsm.conditions import ConditionError
from itsm.tickets.errors import Invalid, Stale, VerbError

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
MAX_NAMED_ERRORS = 50
MAX_SENTENCE = 500  # a sentence may quote what was sent
Errors = Mapping[str, list[str]]

# code -> (status, title)
PROBLEMS = {
    "bad_request": (400, gettext_lazy("The request cannot be understood")),
    "unknown_field": (400, gettext_lazy("Unknown field")),
    "condition": (400, gettext_lazy("The query cannot be understood")),
    "not_authenticated": (401, gettext_lazy("Not signed in")),
    "refused": (403, gettext_lazy("Not allowed")),
    "scope": (403, gettext_lazy("The token does not reach that far")),
    "not_found": (404, gettext_lazy("Not found")),
    "method_not_allowed": (405, gettext_lazy("Method not allowed")),
    "not_acceptable": (406, gettext_lazy("Not acceptable")),
    "illegal_move": (409, gettext_lazy("Not possible in this state")),
    "stale": (409, gettext_lazy("Changed in the meantime")),
    "precondition_failed": (412, gettext_lazy("Changed in the meantime")),
    "too_large": (413, gettext_lazy("Too large")),
    "unsupported_media_type": (415, gettext_lazy("Unsupported media type")),
    "invalid": (422, gettext_lazy("Some values do not fit")),
    "throttled": (429, gettext_lazy("Too many requests")),
    "unavailable": (503, gettext_lazy("Not available now")),
}


class BadRequest(Exception):
    """The request itself cannot be understood; `errors` names the parameters or fields at fault."""

    def __init__(self, message: str, errors: Errors | None = None, *, code: str = "bad_request") -> None:
        super().__init__(message)
        self.message = message
        self.errors = dict(list((errors or {}).items())[:MAX_NAMED_ERRORS])
        self.code = code


class PreconditionFailed(Exception):
    """The ticket is no longer the version that `If-Match` names."""

    def __init__(self, stale: Stale) -> None:
        super().__init__(stale.message)
        self.stale = stale


def problem(code: str, detail: str, **more: Any) -> Response:
    """Return the answer for one of PROBLEMS; `more` are further members, left out where empty."""
    status, title = PROBLEMS[code]
    body: dict[str, Any] = {
        "type": f"urn:itsm:problem:{code}",
        "title": str(title),
        "status": status,
        "code": code,
        "detail": str(detail),
    }
    body.update({name: value for name, value in more.items() if value not in (None, {}, [])})
    return Response(body, status=status, content_type=MEDIA_TYPE)


def answer_problem(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """Return the problem for an error that a view raised, or None for one that nobody foresaw (Django answers 500)."""
    if isinstance(error, VerbError):
        return _of_verb(error)
    if isinstance(error, BadRequest):
        return problem(error.code, error.message, errors=error.errors)
    if isinstance(error, ConditionError):
        return problem("condition", error.message, errors={"q": [error.message]}, position=error.position)
    if isinstance(error, PreconditionFailed):
        return problem("precondition_failed", error.stale.message, version=error.stale.current)
    if isinstance(error, exceptions.APIException):
        return _of_framework(error)
    if isinstance(error, Http404):
        return problem("not_found", str(error) or _("There is nothing at this address that you can see."))
    if isinstance(error, PermissionDenied):
        return problem("refused", str(error) or _("You may not do this."))
    if isinstance(error, RequestDataTooBig):
        return problem("too_large", _("The request is too large. Send less at once."))
    if isinstance(error, SuspiciousOperation | DjangoBadRequest | MultiPartParserError):
        return problem("bad_request", _("The request cannot be read. Check its body and its headers."))
    if isinstance(error, OperationalError):
        logger.error("The database did not answer: %s", error)
        response = problem("unavailable", _("The database is busy or away. Try again in a moment."))
        response["Retry-After"] = "5"
        return response
    return None


def _of_verb(error: VerbError) -> Response:
    if isinstance(error, Invalid):
        return problem("invalid", error.message, errors={name: [text] for name, text in error.fields.items()})
    version = error.current if isinstance(error, Stale) else None
    return problem(error.code, error.message, version=version)


def _of_framework(error: exceptions.APIException) -> Response:
    if isinstance(error, exceptions.ValidationError):
        errors = flat(error.detail)
        return problem("invalid", " ".join(text for texts in errors.values() for text in texts), errors=errors)
    codes = {
        exceptions.ParseError: "bad_request",
        exceptions.AuthenticationFailed: "not_authenticated",
        exceptions.NotAuthenticated: "not_authenticated",
        exceptions.NotFound: "not_found",
        exceptions.MethodNotAllowed: "method_not_allowed",
        exceptions.NotAcceptable: "not_acceptable",
        exceptions.UnsupportedMediaType: "unsupported_media_type",
        exceptions.Throttled: "throttled",
    }
    code = codes.get(type(error), "refused")
    if code == "refused" and error.get_codes() == "scope":
        code = "scope"
    response = problem(code, str(error.detail))
    if header := getattr(error, "auth_header", None):
        response["WWW-Authenticate"] = header
    wait = getattr(error, "wait", None)
    if wait is not None:
        response["Retry-After"] = str(max(1, math.ceil(wait)))
    return response


def flat(detail: Any, path: str = "") -> dict[str, list[str]]:
    """Return nested errors as one level: `links.0.kind` -> sentences."""
    if isinstance(detail, Mapping):
        found: dict[str, list[str]] = {}
        for name, inner in detail.items():
            found.update(flat(inner, f"{path}.{name}" if path else str(name)))
        return found
    if isinstance(detail, list) and any(isinstance(item, Mapping | list) for item in detail):
        return flat({str(number): item for number, item in enumerate(detail) if item}, path)
    texts = detail if isinstance(detail, list) else [detail]
    return {path or "body": [str(text)[:MAX_SENTENCE] for text in texts]}

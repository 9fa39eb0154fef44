"""Reading what a caller sent: the body strictly by its declared fields, references by id or name."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.request import Request

from itsm.accounts.models import User
from itsm.api.problems import MAX_NAMED_ERRORS, BadRequest, PreconditionFailed
from itsm.tickets.errors import Stale

NO_OBJECT = gettext_lazy("Send a JSON object, such as {“name”: “value”}.")
MAX_REFERENCE = 500
MAX_KEY = 255
ENTITY_TAG = re.compile(r'(?:W/)?"(\d{1,9})"')


class StrictSerializer(serializers.Serializer[Any]):
    """Takes the declared fields and refuses all others by name, so that a misspelt field never passes silently."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """Return the values.

        Raises:
            BadRequest: not an object, or an unknown field. ValidationError: values that do not fit.
        """
        if not isinstance(data, Mapping):
            raise BadRequest(str(NO_OBJECT))
        refuse_unknown(data, [name for name, field in self.fields.items() if not field.read_only])
        values: dict[str, Any] = super().to_internal_value(data)
        return values


def refuse_unknown(given: Mapping[str, Any], known: list[str]) -> None:
    """Refuse names that are not known.

    Raises:
        BadRequest: names them.
    """
    unknown = sorted(str(name)[:60] for name in given if name not in known)[:MAX_NAMED_ERRORS]
    if unknown:
        sentence = _("There is no such field to write. Known are: %(names)s.") % {"names": ", ".join(known) or "–"}
        raise BadRequest(
            _("Unknown fields: %(names)s.") % {"names": ", ".join(unknown)},
            {name: [sentence] for name in unknown},
            code="unknown_field",
        )


def body_of(request: Request) -> Any:
    """Return the JSON body; an absent one is an empty object.

    Raises:
        UnsupportedMediaType: the body is something else. BadRequest, TooLarge: see `itsm.api.parsers`.
    """
    sent = request.META.get("CONTENT_LENGTH") or "0"
    if sent != "0" and request.content_type.partition(";")[0].strip().lower() != "application/json":
        raise UnsupportedMediaType(request.content_type[:100], _("Send the body as “Content-Type: application/json”."))
    return request.data


def checked(serializer: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    """Return the body's values as the serializer declares them.

    Raises:
        BadRequest, ValidationError: a sentence for each field at fault.
    """
    body = body_of(request)
    if body is None:  # the framework takes null for “nothing was sent”
        raise BadRequest(str(NO_OBJECT))
    reader = serializer(data=body, context={"request": request})
    reader.is_valid(raise_exception=True)
    values: dict[str, Any] = reader.validated_data
    return values


def expected_version(request: Request) -> int | None:
    """Return the version that `If-Match` names, or None when the header is absent or `*`.

    Raises:
        BadRequest: the header is no entity tag of ours.
    """
    header = request.META.get("HTTP_IF_MATCH", "").strip()
    if header in {"", "*"}:
        return None
    match = ENTITY_TAG.fullmatch(header)
    if match is None:
        raise BadRequest(
            _('Give the ETag of the last answer in If-Match, such as "3".'), {"If-Match": [_("This is no ETag.")]}
        )
    return int(match[1])


@contextmanager
def seen_version(request: Request, in_body: int | None) -> Iterator[int | None]:
    """Give the version that the caller has seen, from `If-Match` or else from the body; None when they name none.

    Raises:
        PreconditionFailed: the verb found the version of `If-Match` stale. Stale: it found the body's one stale.
    """
    tag = expected_version(request)
    try:
        yield tag if tag is not None else in_body
    except Stale as error:
        if tag is None:
            raise
        raise PreconditionFailed(error) from error


def idempotency_key(request: Request, purpose: str) -> str | None:
    """Return what is stored for `Idempotency-Key`: a digest of the key and of what it is used for, 64 characters.

    Raises:
        BadRequest: the key is empty, too long or not printable ASCII.
    """
    key = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if key is None:
        return None
    if not 1 <= len(key) <= MAX_KEY or not key.isascii() or not key.isprintable():
        sentence = _("Give 1 to %(max)d printable ASCII characters.") % {"max": MAX_KEY}
        raise BadRequest(_("The Idempotency-Key cannot be used."), {"Idempotency-Key": [sentence]})
    return hashlib.sha256(f"{purpose}\n{key}".encode()).hexdigest()


@extend_schema_field(OpenApiTypes.STR)
class ReferenceField(serializers.Field[Any, Any, Any, Any]):
    """A reference to something by its id or another name; an object with an `id`, as answers have it, is taken too.

    `find(text, viewer)` returns what is meant, or None where there is nothing that the viewer may name: the two are
    not told apart.
    """

    def __init__(self, find: Callable[[str, User], Any], message: str | Promise, **options: Any) -> None:
        super().__init__(**options)
        self.find = find
        self.message = message

    def to_internal_value(self, data: Any) -> Any:
        """Return what is meant.

        Raises:
            ValidationError: there is nothing of that name for the caller.
        """
        if isinstance(data, Mapping):
            data = data.get("id")
        if not isinstance(data, str):
            raise serializers.ValidationError(_("Give the id as a text."))
        text = data.strip()
        found = self.find(text, self.context["request"].user) if 0 < len(text) <= MAX_REFERENCE else None
        if found is None:
            raise serializers.ValidationError(str(self.message))
        return found

    def to_representation(self, value: Any) -> Any:
        """Return the public id."""
        return value.public_id


class Instant(serializers.DateTimeField):
    """An instant, always in UTC whatever zone the caller's pages use."""

    def __init__(self, **options: Any) -> None:
        super().__init__(read_only=True, default_timezone=UTC, **options)

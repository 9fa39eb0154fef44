"""The description of the API (OpenAPI 3.1): what drf-spectacular cannot see by itself."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.utils.translation import get_language
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from drf_spectacular.views import SpectacularAPIView
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from itsm.api.paging import DEFAULT_LIMIT, MAX_LIMIT
from itsm.api.problems import MEDIA_TYPE, PROBLEMS

PAGING_PARAMETERS = (
    OpenApiParameter(
        "limit",
        {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
        description="How many rows at most.",
    ),
    OpenApiParameter("cursor", OpenApiTypes.STR, description="Where the page begins; taken from `next`, never made."),
)
IF_MATCH = OpenApiParameter(
    "If-Match",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="The `ETag` last seen. When the ticket has changed since, nothing happens and the answer is 412.",
)
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description=(
        "1 to 255 printable ASCII characters. Sending the same key again writes nothing: the answer is 200 with what "
        "was made before and `Idempotent-Replay: true`."
    ),
)
PROBLEM = {
    "type": "object",
    "description": "What went wrong (RFC 9457).",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {
        "type": {"type": "string", "examples": ["urn:itsm:problem:invalid"]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "enum": sorted(PROBLEMS)},
        "detail": {"type": "string", "description": "A sentence for people."},
        "errors": {
            "type": "object",
            "description": "Sentences by field or parameter.",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        },
        "version": {"type": "integer", "description": "The current version, where the caller's was stale."},
        "position": {"type": "integer", "description": "Where in `q` the trouble begins, counted from 0."},
    },
}


def page_of_schema(row: type[serializers.Serializer[Any]], name: str = "") -> serializers.Serializer[Any]:
    """Return the description of a list whose rows are these, by default named after them. The same list for several
    addresses is one component of the description."""
    return _page(row, name or f"{row.__name__.removesuffix('Out')}List")


@cache
def _page(row: type[serializers.Serializer[Any]], name: str) -> serializers.Serializer[Any]:
    page: serializers.Serializer[Any] = inline_serializer(
        name,
        {
            "results": row(many=True, read_only=True),
            "next": serializers.URLField(allow_null=True, read_only=True),
        },
    )
    return page


def describe_problems(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Add the problem to every operation as what it answers beside the success (drf-spectacular calls this)."""
    result.setdefault("components", {}).setdefault("schemas", {})["Problem"] = PROBLEM
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for operations in result["paths"].values():
        for operation in operations.values():
            operation["responses"]["default"] = {"description": "Nothing happened; here is why.", "content": content}
    return result


class BearerScheme(OpenApiAuthenticationExtension):
    """Describes the token of `itsm.api.authentication`."""

    target_class = "itsm.api.authentication.BearerAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """Return OpenAPI's words for it."""
        return {"type": "http", "scheme": "bearer", "description": "A token of `bin/manage create_token`."}


@cache
def whole_schema(language: str | None) -> dict[str, Any]:
    """Return the description, made once for each language: it is the same for everybody."""
    found: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return found


class SchemaView(SpectacularAPIView):
    """Serves the description. It is the same in every installation and names no data, so anybody may read it."""

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Return the description as YAML or JSON, as the caller prefers."""
        return Response(
            data=whole_schema(get_language()),
            headers={"Content-Disposition": 'inline; filename="service-desk-api.yaml"'},
        )

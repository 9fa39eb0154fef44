"""The first page of the API, and what answers where there is nothing."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.urls import reverse
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from itsm.api.views import ApiViews

LISTS = (
    "incidents",
    "tasks",
    "approvals",
    "outages",
    "changes",
    "change-windows",
    "problems",
    "known-errors",
    "users",
    "me",
    "teams",
    "categories",
    "services",
    "rotas",
    "on-call",
)


class RootViews(ApiViews):
    """Where everything is."""

    @extend_schema(
        operation_id="root",
        responses=inline_serializer("Root", {name: serializers.URLField() for name in (*LISTS, "schema", "docs")}),
    )
    def index(self, request: Request) -> Response:
        """List the addresses of the API."""
        return Response(
            {name: request.build_absolute_uri(reverse(f"api:{name}")) for name in (*LISTS, "schema", "docs")}
        )


class NothingHere(ApiViews):
    """Answers every other address below /api/ as the rest of the API does."""

    @extend_schema(exclude=True)
    def nothing(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Answer 404.

        Raises:
            Http404: always.
        """
        raise Http404

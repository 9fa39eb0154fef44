"""Categories in the API: how they are named, listed and read."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.http import Http404
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from itsm.accounts.models import User
from itsm.api.bodies import ReferenceField
from itsm.api.paging import PAGING, page_answer, parameters_of
from itsm.api.schema import PAGING_PARAMETERS, page_of_schema
from itsm.api.views import ApiViews
from itsm.tickets.models import Category

NO_CATEGORY = _("There is no category with this id or path.")


def find_category(ref: str, viewer: User) -> Category | None:
    """Return the category that can be chosen, by public id or path (“Hardware / Printers”), or None."""
    categories = Category.objects.active().select_related("team", "parent__team")
    return categories.filter(Q(public_id=ref) | Q(path=ref)).first()


class CategoryField(ReferenceField):
    """A category by id or path."""

    def __init__(self, **options: Any) -> None:
        super().__init__(find_category, NO_CATEGORY, **options)


class CategoryRef(serializers.Serializer[Category]):
    """A category, briefly: its path holds the names from the root."""

    id = serializers.CharField(source="public_id", read_only=True)
    name = serializers.CharField(read_only=True)
    path = serializers.CharField(read_only=True)

    def to_representation(self, instance: Category) -> dict[str, Any]:
        """Return id, name and path."""
        return {"id": instance.public_id, "name": instance.name, "path": instance.path}


class CategoryOut(CategoryRef):
    """A category and the one that it is part of."""

    parent = serializers.CharField(  # type: ignore[assignment]  # the answer's name for it
        source="parent.public_id", default=None, read_only=True, allow_null=True
    )
    is_active = serializers.BooleanField(read_only=True)

    def to_representation(self, instance: Category) -> dict[str, Any]:
        """Return all declared fields."""
        return super(CategoryRef, self).to_representation(instance)


class CategoryViews(ApiViews):
    """What tickets can be about."""

    @extend_schema(
        operation_id="categories_list", parameters=[*PAGING_PARAMETERS], responses=page_of_schema(CategoryOut)
    )
    def index(self, request: Request) -> Response:
        """List the active categories by path."""
        parameters = parameters_of(request, PAGING)
        found = Category.objects.active().select_related("parent")
        return page_answer(request, found, ("path", "id"), lambda rows: self.shown_all(CategoryOut, rows), parameters)

    @extend_schema(operation_id="categories_get", responses=CategoryOut)
    def retrieve(self, request: Request, ref: str) -> Response:
        """Read one category by id."""
        found = find_category(ref, self.viewer)
        if found is None:
            raise Http404
        return Response(self.shown(CategoryOut, found))

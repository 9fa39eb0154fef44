"""Services in the API: how they are named, listed and read."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.http import Http404
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from cmdb.models import Service
from itsm.accounts.api import TeamRef
from itsm.accounts.models import User
from itsm.accounts.roles import Permission
from itsm.api.bodies import ReferenceField
from itsm.api.paging import PAGING, page_answer, parameters_of
from itsm.api.schema import PAGING_PARAMETERS, page_of_schema
from itsm.api.views import ApiViews

NO_SERVICE = _("There is no service with this id, key or name.")


def find_service(ref: str, viewer: User) -> Service | None:
    """Return the service that can be chosen, by public id, key or name, or None."""
    services = Service.objects.active().select_related("support_team")
    return services.filter(Q(public_id=ref) | Q(key=ref) | Q(name=ref)).first()


class ServiceField(ReferenceField):
    """A service by id, key or name."""

    def __init__(self, **options: Any) -> None:
        super().__init__(find_service, NO_SERVICE, **options)


class ServiceRef(serializers.Serializer[Service]):
    """A service, briefly."""

    id = serializers.CharField(source="public_id", read_only=True)
    name = serializers.CharField(read_only=True)
    key = serializers.CharField(read_only=True)

    def to_representation(self, instance: Service) -> dict[str, Any]:
        """Return id, name and key."""
        return {"id": instance.public_id, "name": instance.name, "key": instance.key}


class ServiceOut(ServiceRef):
    """A service; the team behind it is there for the desk."""

    description = serializers.CharField(read_only=True)
    is_active = serializers.BooleanField(read_only=True)
    support_team = TeamRef(required=False, allow_null=True)

    def to_representation(self, instance: Service) -> dict[str, Any]:
        """Return the declared fields that the viewer may see."""
        shown = super(ServiceRef, self).to_representation(instance)
        if not self.context["request"].user.may(Permission.USE_DESK):
            del shown["support_team"]
        return shown


class ServiceViews(ApiViews):
    """Services that tickets can be about."""

    @extend_schema(operation_id="services_list", parameters=[*PAGING_PARAMETERS], responses=page_of_schema(ServiceOut))
    def index(self, request: Request) -> Response:
        """List the active services by name."""
        parameters = parameters_of(request, PAGING)
        services = Service.objects.active().select_related("support_team")
        return page_answer(request, services, ("name", "id"), lambda rows: self.shown_all(ServiceOut, rows), parameters)

    @extend_schema(operation_id="services_get", responses=ServiceOut)
    def retrieve(self, request: Request, ref: str) -> Response:
        """Read one service by id, key or name."""
        service = find_service(ref, self.viewer)
        if service is None:
            raise Http404
        return Response(self.shown(ServiceOut, service))

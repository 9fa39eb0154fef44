"""People and teams in the API: how they are named, listed and read."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.http import Http404
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from itsm.accounts.models import ApiToken, Team, User
from itsm.accounts.roles import Permission
from itsm.api.bodies import ReferenceField
from itsm.api.paging import PAGING, page_answer, parameters_of
from itsm.api.schema import PAGING_PARAMETERS, page_of_schema
from itsm.api.views import ApiViews

NOBODY = _("There is nobody with this id or e-mail address whom you may name.")
NO_WORKER = _("Nobody with this id or e-mail address works on tickets.")
NO_TEAM = _("There is no team with this id or key that you may choose.")


def find_person(ref: str, viewer: User) -> User | None:
    """Return the active person with this public id or e-mail address, or None when the viewer sees nobody such."""
    return User.objects.visible_to(viewer).active().filter(_named(ref)).first()


def find_worker(ref: str, viewer: User) -> User | None:
    """Return the person to whom tickets can be assigned, or None when the viewer sees nobody such."""
    return User.objects.visible_to(viewer).workers().filter(_named(ref)).first()


def find_team(ref: str, viewer: User) -> Team | None:
    """Return the active team with this public id or key, or None when the viewer sees none such."""
    return Team.objects.visible_to(viewer).active().filter(Q(public_id=ref) | Q(key=ref)).first()


def _named(ref: str) -> Q:
    return Q(email=User.objects.normalise(ref)) if "@" in ref else Q(public_id=ref)


class PersonField(ReferenceField):
    """A person by id or e-mail address."""

    def __init__(self, **options: Any) -> None:
        super().__init__(find_person, NOBODY, **options)


class WorkerField(ReferenceField):
    """A person who works on tickets, by id or e-mail address."""

    def __init__(self, **options: Any) -> None:
        super().__init__(find_worker, NO_WORKER, **options)


class TeamField(ReferenceField):
    """A team by id or key."""

    def __init__(self, **options: Any) -> None:
        super().__init__(find_team, NO_TEAM, **options)


class PersonRef(serializers.Serializer[User]):
    """A person, briefly. The e-mail address is there for the desk and for oneself."""

    id = serializers.CharField(source="public_id", read_only=True)
    name = serializers.CharField(source="display_name", read_only=True)
    email = serializers.EmailField(required=False)

    def to_representation(self, instance: User) -> dict[str, Any]:
        """Return id and name, and the address where the viewer may see it."""
        viewer = self.context["request"].user
        shown = {"id": instance.public_id, "name": instance.display_name}
        if instance.pk == viewer.pk or viewer.may(Permission.VIEW_TICKETS):
            shown["email"] = instance.email
        return shown


class TeamRef(serializers.Serializer[Team]):
    """A team, briefly."""

    id = serializers.CharField(source="public_id", read_only=True)
    name = serializers.CharField(read_only=True)
    key = serializers.CharField(read_only=True)

    def to_representation(self, instance: Team) -> dict[str, Any]:
        """Return id, name and key."""
        return {"id": instance.public_id, "name": instance.name, "key": instance.key}


class UserOut(serializers.Serializer[User]):
    """A person as the desk sees them, or as they see themselves."""

    id = serializers.CharField(source="public_id", read_only=True)
    name = serializers.CharField(source="display_name", read_only=True)
    email = serializers.EmailField(read_only=True)
    phone = serializers.CharField(read_only=True)
    organisation = serializers.CharField(source="organisation.name", default=None, read_only=True, allow_null=True)
    department = serializers.CharField(source="department.name", default=None, read_only=True, allow_null=True)
    location = serializers.CharField(source="location.name", default=None, read_only=True, allow_null=True)
    time_zone = serializers.CharField(read_only=True)
    language = serializers.CharField(read_only=True)
    roles = serializers.ListField(child=serializers.CharField(), read_only=True)
    is_active = serializers.BooleanField(read_only=True)


class MeOut(UserOut):
    """Oneself, and how far the token reaches (null in a browser's session)."""

    permissions = serializers.SerializerMethodField()
    teams = serializers.SerializerMethodField()
    token_scope = serializers.SerializerMethodField()

    def get_permissions(self, user: User) -> list[str]:
        """Return the codes of all permissions."""
        return sorted(str(code) for code in user.permissions)

    def get_teams(self, user: User) -> list[str]:
        """Return the keys of the teams that the person belongs to or leads."""
        return sorted(Team.objects.of(user).values_list("key", flat=True))

    def get_token_scope(self, user: User) -> str | None:
        """Return the scope of the token."""
        token = self.context["request"].auth
        return token.scope if isinstance(token, ApiToken) else None


class TeamOut(TeamRef):
    """A team with its lead."""

    description = serializers.CharField(read_only=True)
    email = serializers.CharField(read_only=True)
    lead = PersonRef(read_only=True, allow_null=True)
    is_active = serializers.BooleanField(read_only=True)

    def to_representation(self, instance: Team) -> dict[str, Any]:
        """Return all declared fields."""
        return super(TeamRef, self).to_representation(instance)


class TeamDetail(TeamOut):
    """A team with its people."""

    members = PersonRef(many=True, read_only=True)


SEARCH = OpenApiParameter("q", OpenApiTypes.STR, description="Part of the name or e-mail address.")


class UserViews(ApiViews):
    """People: all of them for the desk, oneself for others."""

    @extend_schema(
        operation_id="users_list", parameters=[SEARCH, *PAGING_PARAMETERS], responses=page_of_schema(UserOut)
    )
    def index(self, request: Request) -> Response:
        """List people by name."""
        parameters = parameters_of(request, {"q", *PAGING})
        people = User.objects.visible_to(self.viewer).select_related("organisation", "department", "location")
        if parameters.get("q"):
            people = people.search(parameters["q"])
        return page_answer(
            request, people, ("display_name", "id"), lambda rows: self.shown_all(UserOut, rows), parameters
        )

    @extend_schema(operation_id="users_get", responses=UserOut)
    def retrieve(self, request: Request, ref: str) -> Response:
        """Read one person by id or e-mail address."""
        person = User.objects.visible_to(self.viewer).filter(_named(ref)).first()
        if person is None:
            raise Http404
        return Response(self.shown(UserOut, person))

    @extend_schema(operation_id="users_me", responses=MeOut)
    def me(self, request: Request) -> Response:
        """Read who one is, and how far one's token reaches."""
        return Response(self.shown(MeOut, self.viewer))


class TeamViews(ApiViews):
    """Teams, for the desk."""

    @extend_schema(operation_id="teams_list", parameters=[*PAGING_PARAMETERS], responses=page_of_schema(TeamOut))
    def index(self, request: Request) -> Response:
        """List teams by name."""
        parameters = parameters_of(request, PAGING)
        teams = Team.objects.visible_to(self.viewer).select_related("lead")
        return page_answer(request, teams, ("name", "id"), lambda rows: self.shown_all(TeamOut, rows), parameters)

    @extend_schema(operation_id="teams_get", responses=TeamDetail)
    def retrieve(self, request: Request, ref: str) -> Response:
        """Read one team, with its members, by id or key."""
        teams = Team.objects.visible_to(self.viewer).select_related("lead").prefetch_related("members")
        team = teams.filter(Q(public_id=ref) | Q(key=ref)).first()
        if team is None:
            raise Http404
        return Response(self.shown(TeamDetail, team))

"""What every endpoint stands on."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.viewsets import ViewSet

from itsm.accounts.models import User
from itsm.tickets.actors import Actor, Channel


class ApiViews(ViewSet):
    """Views over the verbs and querysets, for the person whose token or session it is."""

    @property
    def viewer(self) -> User:
        """The person who calls; the permission classes have made sure that there is one."""
        user: User = self.request.user  # type: ignore[assignment]
        return user

    @property
    def actor(self) -> Actor:
        """The person who calls, acting through the API."""
        return Actor(self.viewer, Channel.API)

    def shown(self, serializer: type[serializers.Serializer[Any]], thing: Any, **more: Any) -> dict[str, Any]:
        """Return the thing as plain values, as the caller may see it."""
        values: dict[str, Any] = serializer(thing, context={"request": self.request, **more}).data
        return values

    def shown_all(self, serializer: type[serializers.Serializer[Any]], things: list[Any], **more: Any) -> list[Any]:
        """Return the things as plain values, as the caller may see them."""
        context = {"request": self.request, **more}
        one = serializer(context=context)
        return [one.to_representation(thing) for thing in things]

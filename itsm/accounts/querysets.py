"""Questions about people and teams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import AnonymousUser, BaseUserManager
from django.db import models
from django.db.models import Q

from itsm.accounts.roles import ROLE_PERMISSIONS, Permission, Role

if TYPE_CHECKING:
    from itsm.accounts.models import User


class UserQuerySet(models.QuerySet["User"]):
    """Questions about users."""

    def active(self) -> UserQuerySet:
        """Return people who may sign in and be chosen."""
        return self.filter(is_active=True)

    def with_permission(self, permission: Permission) -> UserQuerySet:
        """Return active people one of whose roles carries the permission."""
        roles = [role for role, codes in ROLE_PERMISSIONS.items() if permission in codes]
        return self.active().filter(roles__overlap=roles)

    def workers(self) -> UserQuerySet:
        """Return active people to whom a ticket can be assigned."""
        return self.with_permission(Permission.WORK_TICKETS)

    def visible_to(self, user: User | AnonymousUser) -> UserQuerySet:
        """Return the people whose profile the viewer may see: all for desk staff, else only the viewer."""
        if not user.is_authenticated:
            return self.none()
        if user.may(Permission.VIEW_TICKETS):
            return self
        return self.filter(pk=user.pk)

    def search(self, text: str) -> UserQuerySet:
        """Return people whose name or e-mail address contains the text."""
        return self.filter(Q(display_name__icontains=text) | Q(email__icontains=text))


class UserManager(BaseUserManager["User"].from_queryset(UserQuerySet)):  # type: ignore[misc]
    """Makes users; an e-mail address is stored in lower case, so that one address is one person."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """Create and return a user; without a password the account cannot sign in with one.

        Raises:
            ValueError: the e-mail address is empty.
        """
        if not email:
            raise ValueError("A user needs an e-mail address.")
        fields.setdefault("roles", [Role.REQUESTER])
        fields.setdefault("display_name", email.partition("@")[0])
        user = self.model(email=self.normalise(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        """Create and return an administrator."""
        return self.create_user(email, password, **{**fields, "roles": [Role.REQUESTER, Role.ADMINISTRATOR]})

    def get_by_natural_key(self, username: str | None) -> User:
        """Return the user with this e-mail address, however it is capitalised."""
        return self.get(email=self.normalise(username or ""))

    @staticmethod
    def normalise(email: str) -> str:
        """Return the stored spelling of an address: trimmed, lower case."""
        return email.strip().lower()


class TeamQuerySet(models.QuerySet[Any]):
    """Questions about teams."""

    def active(self) -> TeamQuerySet:
        """Return the teams that tickets can be routed to."""
        return self.filter(is_active=True)

    def visible_to(self, user: User | AnonymousUser) -> TeamQuerySet:
        """Return the teams the viewer may list: all for desk staff, none for others."""
        return self if user.is_authenticated and user.may(Permission.USE_DESK) else self.none()

    def of(self, user: User) -> TeamQuerySet:
        """Return the teams that the user is a member or the lead of."""
        return self.filter(Q(members=user) | Q(lead=user)).distinct()

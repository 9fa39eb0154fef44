"""Answers Django's permission questions from the table of roles, and signs in by e-mail address and password."""

from typing import Any

from django.contrib.auth.backends import ModelBackend

from itsm.accounts.models import User


class RoleBackend(ModelBackend):
    """Roles give permissions; Django's per-user and per-group permission tables are not used."""

    def has_perm(self, user_obj: Any, perm: str, obj: object | None = None) -> bool:
        """Return whether an active user has the permission through one of their roles."""
        return isinstance(user_obj, User) and user_obj.may(perm)

    def get_all_permissions(self, user_obj: Any, obj: object | None = None) -> set[str]:
        """Return the codes of all permissions that the user has."""
        return {str(code) for code in user_obj.permissions} if isinstance(user_obj, User) else set()

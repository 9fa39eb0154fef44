"""What a token may be used for, beside what its person may do."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from itsm.accounts.models import ApiToken, TokenScope


class TokenReachesFar(BasePermission):
    """Refuses to write with a token made for reading. A session has no scope."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Return True, or raise PermissionDenied with the reason."""
        token = request.auth
        needed = TokenScope.READ if request.method in SAFE_METHODS else TokenScope.WRITE
        if isinstance(token, ApiToken) and not token.allows(needed):
            raise PermissionDenied(_("This token only reads. Use one made with “--scope write”."), code="scope")
        return True

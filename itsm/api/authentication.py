"""Signing in with `Authorization: Bearer TOKEN`."""

from __future__ import annotations

from django.utils.translation import gettext as _
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from itsm.accounts.actions import find_token
from itsm.accounts.models import ApiToken, User
from itsm.api.throttles import note_bad_token

SCHEME = "bearer"


class BearerAuthentication(BaseAuthentication):
    """Takes the token of the header; a request without one is left to the session."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        """Return the token's person and the token, or None when the header is absent or of another scheme.

        Raises:
            AuthenticationFailed: the token is unknown, expired or revoked, or its person is deactivated; which of these
                is not told.
            Throttled: the address has shown too many bad tokens in this minute.
        """
        scheme, _space, secret = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() != SCHEME:
            return None
        token = find_token(secret.strip())
        if token is None:
            note_bad_token(request)
            raise AuthenticationFailed(_("This token is not valid. Make a new one with “bin/manage create_token”."))
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        """Return what WWW-Authenticate says on a 401."""
        return "Bearer"

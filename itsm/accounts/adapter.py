"""How people sign in: accounts are made by administrators, never by strangers."""

from urllib.parse import quote, urljoin

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from itsm.accounts.actions import revoke_token
from itsm.accounts.models import User


class AccountAdapter(DefaultAccountAdapter):
    """Closes sign-up and sends people to the page that is theirs after login."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Return False: an account comes from an administrator."""
        return False

    def set_password(self, user: User, password: str) -> None:
        """Store the password. Somebody who comes by a reset link may have lost the account to a stranger before: the
        tokens that could have been made then end with the old password, as its sessions do."""
        super().set_password(user, password)
        if not self.request.user.is_authenticated:
            for token in user.api_tokens.filter(revoked_at__isnull=True):
                revoke_token(token)

    def get_reset_password_from_key_url(self, key: str) -> str:
        """Return the link at the desk's own address, whatever name the request came by."""
        path = reverse("account_reset_password_from_key", kwargs={"uidb36": "UID", "key": "KEY"})
        return urljoin(f"{settings.PUBLIC_URL}/", path.replace("UID-KEY", quote(key)))

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Return the desk for its staff, the portal for everybody else."""
        is_staff = request.user.is_authenticated and request.user.is_staff
        return reverse("workspace:home") if is_staff else reverse("portal:home")

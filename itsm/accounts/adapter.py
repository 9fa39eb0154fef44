"""How people sign in: accounts are made by administrators, never by strangers."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest
from django.urls import reverse


class AccountAdapter(DefaultAccountAdapter):
    """Closes sign-up and sends people to the page that is theirs after login."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Return False: an account comes from an administrator."""
        return False

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Return the desk for its staff, the portal for everybody else."""
        is_staff = request.user.is_authenticated and request.user.is_staff
        return reverse("workspace:home") if is_staff else reverse("portal:home")

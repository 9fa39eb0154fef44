"""The mail by which a person chooses a password: the reset's own link, in words for somebody who did not ask for it."""

from __future__ import annotations

from urllib.parse import urljoin

from allauth.account import app_settings
from allauth.account.adapter import get_adapter
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from itsm.accounts.changelog import Deed, record_change
from itsm.accounts.models import User

TEMPLATE = "account/email/choose_password"


def send_password_link(request: HttpRequest, person: User, *, by: User) -> bool:
    """Mail the person the link to choose a password; return whether the mail could be handed over.

    A link that was sent before ends as soon as a password is chosen.
    """
    adapter = get_adapter(request)
    token = app_settings.PASSWORD_RESET_TOKEN_GENERATOR().make_token(person)
    context = {
        "user": person,
        "password_reset_url": adapter.get_reset_password_from_key_url(f"{user_pk_to_url_str(person)}-{token}"),
        "again_url": urljoin(f"{settings.PUBLIC_URL}/", reverse("account_reset_password")),
    }
    try:
        adapter.send_mail(TEMPLATE, person.email, context)
    except OSError:  # the mail server is away or refuses; SMTP's errors are among these
        return False
    record_change(by, Deed.INVITED, person)
    return True

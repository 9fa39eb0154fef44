"""Addresses of sign-in, passwords and the profile.

Of allauth's pages only these are reachable: accounts and their e-mail addresses are the administrator's to change. The
redirects stand where allauth looks up names of pages that this desk does not have.
"""

from allauth.account import views as allauth
from django.urls import path, re_path
from django.views.generic import RedirectView

from itsm.accounts import views

urlpatterns = [
    path("profile/", views.profile, name="profile"),
    path("profile/tokens/", views.add_token, name="profile_add_token"),
    path("profile/tokens/<int:pk>/revoke/", views.remove_token, name="profile_remove_token"),
    path("accounts/login/", allauth.login, name="account_login"),
    path("accounts/logout/", allauth.logout, name="account_logout"),
    path("accounts/inactive/", allauth.account_inactive, name="account_inactive"),
    path("accounts/signup/", allauth.signup, name="account_signup"),
    path("accounts/reauthenticate/", allauth.reauthenticate, name="account_reauthenticate"),
    path("accounts/password/change/", allauth.password_change, name="account_change_password"),
    path("accounts/password/set/", allauth.password_set, name="account_set_password"),
    path("accounts/password/reset/", allauth.password_reset, name="account_reset_password"),
    path("accounts/password/reset/done/", allauth.password_reset_done, name="account_reset_password_done"),
    re_path(
        r"^accounts/password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        allauth.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path(
        "accounts/password/reset/key/done/",
        allauth.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
    path("accounts/email/", RedirectView.as_view(pattern_name="profile"), name="account_email"),
    path(
        "accounts/confirm-email/",
        RedirectView.as_view(pattern_name="account_login"),
        name="account_email_verification_sent",
    ),
]

"""One's own account: profile, appearance, API tokens."""

from __future__ import annotations

from typing import Any

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from itsm.accounts.actions import create_token, revoke_token
from itsm.accounts.forms import ProfileForm, TokenForm
from itsm.accounts.models import User

THEME_COOKIE = "theme"
A_YEAR = 365 * 24 * 3600


def _page(request: HttpRequest, status: int = 200, **context: Any) -> HttpResponse:
    person: User = request.user  # type: ignore[assignment]
    shell = "shells/desk.html" if person.is_staff else "shells/portal.html"
    context.setdefault("form", ProfileForm(instance=person))
    context.setdefault("token_form", TokenForm())
    tokens = person.api_tokens.filter(revoked_at__isnull=True)
    return render(request, "accounts/profile.html", {"shell": shell, "tokens": tokens, **context}, status=status)


@login_required
@require_http_methods(["GET", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    """Show and save what a person sets about themselves."""
    person: User = request.user  # type: ignore[assignment]
    if request.method == "GET":
        return _page(request)
    form = ProfileForm(request.POST, instance=User.objects.get(pk=person.pk))
    if not form.is_valid():
        return _page(request, status=422, form=form)
    saved = form.save()
    messages.success(request, _("Your profile is saved."))
    response = redirect("profile")
    response.set_cookie(THEME_COOKIE, saved.theme, max_age=A_YEAR, samesite="Lax", secure=request.is_secure())
    return response


@login_required
@reauthentication_required
@require_http_methods(["GET", "POST"])
@sensitive_variables("secret")
def add_token(request: HttpRequest) -> HttpResponse:
    """Create a token and show its secret once. Asks for the password again where the sign-in is not fresh: a session
    that was left open must not become a key that works for years."""
    person: User = request.user  # type: ignore[assignment]
    if request.method == "GET":  # back from typing the password, which takes a page of its own
        messages.info(request, _("Thank you. You can create the token now."))
        return redirect("profile")
    form = TokenForm(request.POST)
    if not form.is_valid():
        return _page(request, status=422, token_form=form)
    values = form.cleaned_data
    _token, secret = create_token(person, scope=values["scope"], days=values["days"], name=values["name"])
    return _page(request, secret=secret)


@login_required
@require_POST
def remove_token(request: HttpRequest, pk: int) -> HttpResponse:
    """Revoke one of one's own tokens."""
    person: User = request.user  # type: ignore[assignment]
    revoke_token(get_object_or_404(person.api_tokens, pk=pk))
    messages.success(request, _("The token is revoked: it opens nothing any more."))
    return redirect("profile")

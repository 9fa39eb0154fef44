"""People: the list, one person, and closing an account."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from itsm.accounts.actions import PERSON_FIELDS, activate_user, create_user, deactivate_user, update_user
from itsm.accounts.changelog import fingerprint, state_of
from itsm.accounts.invitations import send_password_link
from itsm.accounts.models import AdminEvent, User
from itsm.accounts.roles import Role
from itsm.tickets.models import Ticket
from itsm.tickets.paging import page_of
from workspace.access import person
from workspace.administration.access import page, settings_page, submit
from workspace.administration.forms.people import PeopleFilter, PersonForm

PAGE = 50
MOST = 99


@require_safe
@settings_page("people")
def people(request: HttpRequest) -> HttpResponse:
    """Everybody, by name, page by page."""
    form = PeopleFilter(request.GET)
    found = page_of(form.found(), ("display_name", "id"), limit=PAGE, cursor=request.GET.get("cursor"))
    asked = {name: request.GET[name] for name in ("q", "role", "organisation", "state") if request.GET.get(name)}

    def url(cursor: str | None) -> str:
        return f"?{urlencode({**asked, 'cursor': cursor})}" if cursor else ""

    context = {
        "form": form,
        "people": [(one, [Role(role).label for role in one.roles if role in Role.values]) for one in found.rows],
        "is_filtered": bool(asked),
        "next_url": url(found.next_cursor),
        "previous_url": url(found.previous_cursor),
    }
    return page(request, "people", "people", context)


def _invite(request: HttpRequest, user: User) -> None:
    if send_password_link(request, user, by=person(request)):
        messages.success(
            request,
            _("%(name)s was sent a link to choose a password: %(email)s.") % {"name": user, "email": user.email},
        )
    else:
        messages.error(
            request, _("The mail to %(email)s could not be sent. Send the link again later.") % {"email": user.email}
        )


@require_http_methods(["GET", "HEAD", "POST"])
@settings_page("people")
def create(request: HttpRequest) -> HttpResponse:
    """Make an account. Its owner is sent a link to choose the password."""
    context: dict[str, Any] = {"title": _("Add a person"), "one": None}
    if request.method != "POST":
        values = {"roles": [Role.REQUESTER], "time_zone": person(request).time_zone, "language": "en"}
        return page(request, "people", "person", {**context, "form": PersonForm(initial=values)})
    form = PersonForm(request.POST)
    saved, status = submit(form, lambda values: create_user(values, by=person(request)))
    if saved is None:
        return page(request, "people", "person", {**context, "form": form}, status)
    _invite(request, saved)
    return redirect("administration:person", saved.public_id)


@require_http_methods(["GET", "HEAD", "POST"])
@settings_page("people")
def edit(request: HttpRequest, ref: str) -> HttpResponse:
    """One person: what can be set, and what hangs on the account."""
    related = User.objects.select_related("organisation", "department", "location", "manager")
    user = get_object_or_404(related, public_id=ref)
    if request.method != "POST":
        initial = PersonForm.values_of(user) | {"seen": fingerprint(state_of(user, PERSON_FIELDS))}
        return _person_page(request, user, PersonForm(initial=initial, user=user))
    form = PersonForm(request.POST, user=user)
    saved, status = submit(
        form,
        lambda values: update_user(user, values, by=person(request), seen=values["seen"]),
        state=lambda: state_of(related.get(pk=user.pk), PERSON_FIELDS),
    )
    if saved is None:
        return _person_page(request, user, form, status)
    messages.success(request, _("%(name)s is saved.") % {"name": saved})
    if saved.pk == person(request).pk and not saved.is_superuser:
        return redirect("workspace:home")  # who gives up the right cannot come back to this page
    return redirect("administration:person", saved.public_id)


def _person_page(request: HttpRequest, user: User, form: PersonForm, status: int = 200) -> HttpResponse:
    history = AdminEvent.objects.filter(model="accounts.user", object_id=user.public_id).select_related("actor")
    assigned = Ticket.objects.open().filter(assignee=user).values("pk")[: MOST + 1].count()
    context = {
        "title": user.display_name,
        "one": user,
        "form": form,
        "teams": user.teams.all(),
        "led": user.led_teams.all(),
        "tokens": user.api_tokens.filter(revoked_at__isnull=True).count(),
        "assigned": f"{MOST}+" if assigned > MOST else assigned,
        "history": history[:5],
    }
    return page(request, "people", "person", context, status)


@require_POST
@settings_page("people")
def change(request: HttpRequest, ref: str, deed: str) -> HttpResponse:
    """Close an account or open it again, or send the link to choose a password."""
    user = get_object_or_404(User, public_id=ref)
    me = person(request)
    if deed == "off":
        try:
            deactivate_user(user, by=me)
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
        else:
            messages.success(request, _("%(name)s is deactivated: sessions and tokens have ended.") % {"name": user})
    elif deed == "on":
        user = activate_user(user, by=me)
        _invite(request, user)
    elif deed == "link":
        if user.is_active:
            _invite(request, user)
        else:
            messages.error(request, _("Activate the account first: nobody can sign in to it now."))
    else:
        raise Http404
    return redirect("administration:person", user.public_id)

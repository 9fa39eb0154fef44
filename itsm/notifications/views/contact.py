"""How one wants to be told."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from itsm.accounts.models import User
from itsm.notifications.actions import save_contact
from itsm.notifications.forms import ContactForm
from itsm.notifications.manners import manner_of
from itsm.tickets.errors import Invalid


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def contact(request: HttpRequest) -> HttpResponse:
    """Show and save what the person chose."""
    assert isinstance(request.user, User)  # noqa: S101  login_required has seen to it
    user = request.user
    chosen = manner_of(user).preference
    status = 200
    form = ContactForm(request.POST) if request.method == "POST" else ContactForm(initial=ContactForm.values_of(chosen))
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                save_contact(user, form.choice)
            except Invalid as error:
                for name, text in error.fields.items():
                    form.add_error(name if name in form.fields else "first" if name == "order" else None, text)
            else:
                messages.success(request, _("Saved. It counts for the next message."))
                return redirect("notifications:contact")
    shell = "shells/desk.html" if user.is_staff else "shells/portal.html"
    context = {"form": form, "shell": shell, "zone": user.time_zone, "secret": chosen.webhook_secret}
    return render(request, "notifications/contact.html", context, status=status)

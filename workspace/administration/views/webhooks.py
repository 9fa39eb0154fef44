"""Webhooks: the addresses that escalations call, their secrets, and every attempt at a call."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from itsm.notifications.actions import retry_delivery
from itsm.notifications.actions.endpoints import replace_secret, save_endpoint, send_test
from itsm.notifications.models import Delivery, Endpoint
from workspace.access import person
from workspace.administration.access import page, settings_page, submit

SHOWN = 50


class WebhookForm(forms.Form):
    """Name and address of a webhook."""

    name = forms.CharField(max_length=200, label=gettext_lazy("Name"))
    url = forms.CharField(
        max_length=500,
        label=gettext_lazy("Address"),
        help_text=gettext_lazy("Only https, and only public addresses, unless the server allows more."),
        widget=forms.URLInput(attrs={"dir": "ltr", "placeholder": "https://example.com/hooks/desk"}),
    )
    is_active = forms.BooleanField(required=False, initial=True, label=gettext_lazy("In use"))


@require_safe
@settings_page("webhooks")
def webhooks(request: HttpRequest) -> HttpResponse:
    """All webhooks, and the last calls."""
    calls = Delivery.objects.filter(endpoint__isnull=False).select_related("endpoint", "event__ticket")
    context = {"endpoints": Endpoint.objects.all(), "calls": calls.prefetch_related("tries")[:SHOWN]}
    return page(request, "webhooks", "webhooks", context)


@require_http_methods(["GET", "HEAD", "POST"])
@settings_page("webhooks")
def webhook(request: HttpRequest, ref: str = "") -> HttpResponse:
    """Add a webhook, or change one."""
    found = get_object_or_404(Endpoint, public_id=ref) if ref else None
    context: dict[str, Any] = {"title": found.name if found else _("Add a webhook"), "endpoint": found}
    initial = {"name": found.name, "url": found.url, "is_active": found.is_active} if found else {}
    form = WebhookForm(request.POST or None, initial=initial)
    if request.method != "POST":
        return page(request, "webhooks", "webhook", {**context, "form": WebhookForm(initial=initial)})
    saved, status = submit(form, lambda values: save_endpoint(found, by=person(request), **values))
    if saved is None:
        return page(request, "webhooks", "webhook", {**context, "form": form}, status)
    messages.success(request, _("“%(name)s” is saved.") % {"name": saved.name})
    return redirect("administration:webhook", ref=saved.public_id)


@require_POST
@settings_page("webhooks")
def change(request: HttpRequest, ref: str, deed: str) -> HttpResponse:
    """Give a webhook a new secret, try it, or (`again`) let its parked calls be tried again."""
    found = get_object_or_404(Endpoint, public_id=ref)
    if deed == "secret":
        replace_secret(found, by=person(request))
        messages.success(request, _("The secret is new. Give it to the other side before the next call."))
    elif deed == "test":
        send_test(found, by=person(request))
        messages.success(request, _("A test call goes out within seconds. Look below what came of it."))
    elif deed == "again":
        count = sum(retry_delivery(one) for one in found.deliveries.filter(status="parked")[:SHOWN])
        messages.success(request, _("%(count)d calls are tried again.") % {"count": count})
    else:
        raise Http404
    return redirect("administration:webhooks") if deed == "test" else redirect("administration:webhook", ref=ref)

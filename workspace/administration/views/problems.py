"""What a known error needs, and whether an accepted risk closes a problem."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from itsm.accounts.changelog import fingerprint, state_of
from problems.actions.settings import SETTINGS_FIELDS, save_settings
from problems.models import ProblemSettings
from workspace.administration.access import actor_of, page, settings_page, submit
from workspace.administration.forms.tickets import ProblemSettingsForm


@require_http_methods(["GET", "HEAD", "POST"])
@settings_page("problems")
def problems(request: HttpRequest) -> HttpResponse:
    """The settings of problems."""

    def state() -> dict[str, Any]:
        return state_of(ProblemSettings.current(), SETTINGS_FIELDS)

    if request.method != "POST":
        form = ProblemSettingsForm(initial={**state(), "seen": fingerprint(state())})
        return page(request, "problems", "problems", {"form": form})
    form = ProblemSettingsForm(request.POST)
    saved, status = submit(form, lambda values: save_settings(actor=actor_of(request), **values), state=state)
    if saved is None:
        return page(request, "problems", "problems", {"form": form}, status)
    messages.success(request, _("Saved. It counts from now on."))
    return redirect("administration:problems")

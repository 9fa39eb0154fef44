"""Holiday sets: the public holidays of a country or region, shared by calendars."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from itsm.accounts.changelog import fingerprint
from itsm.tickets.errors import Invalid
from slas.actions import remove_holiday_set, save_holiday_set
from slas.models import HolidaySet
from workspace.administration.access import actor_of, page, settings_page, submit
from workspace.administration.forms.calendars import HolidaySetForm


@require_http_methods(["GET", "HEAD", "POST"])
@settings_page("calendars")
def holiday_set(request: HttpRequest, ref: str = "") -> HttpResponse:
    """Add a holiday set or correct one by hand; calendars that use it get a version at once. `remove` removes it."""
    row = get_object_or_404(HolidaySet, public_id=ref) if ref else None
    context: dict[str, Any] = {"title": row.name if row else _("Add holidays"), "row": row}
    initial: dict[str, Any] = HolidaySetForm.values_of(row) if row else {}
    if row:
        days = [(day, name) for day, name in row.days.items()]
        context["years"] = [(year, list(listed)) for year, listed in groupby(days, key=lambda pair: pair[0][:4])]
        context["users"] = row.calendars.order_by("name")
        initial["seen"] = fingerprint({"added": row.added, "removed": row.removed})
    if request.method != "POST":
        form = HolidaySetForm(initial=initial, holiday_set=row)
        return page(request, "calendars", "holiday_set", {**context, "form": form})
    if row and "remove" in request.POST:
        return _removed(request, row)
    form = HolidaySetForm(request.POST, initial=initial, holiday_set=row)
    if form.is_valid() and row is None and HolidaySet.objects.filter(name__iexact=form.cleaned_data["name"]).exists():
        form.add_error("name", _("There is a set of this name already. Open it, or choose another name."))
    saved, status = submit(
        form,
        lambda values: save_holiday_set(
            values["name"],
            country=values["country"],
            region=values["region"],
            added=values["added_dates"],
            removed=values["removed_dates"],
            actor=actor_of(request),
            seen=values["seen"],
        ),
    )
    if saved is None:
        return page(request, "calendars", "holiday_set", {**context, "form": form}, status)
    messages.success(request, _("“%(name)s” is saved. Calendars that use it follow.") % {"name": saved.name})
    return redirect("administration:holiday_set", saved.public_id)


def _removed(request: HttpRequest, row: HolidaySet) -> HttpResponse:
    try:
        remove_holiday_set(row, actor=actor_of(request))
    except Invalid as error:
        messages.error(request, " ".join(error.fields.values()))
        return redirect("administration:holiday_set", row.public_id)
    messages.success(request, _("“%(name)s” is removed.") % {"name": row.name})
    return redirect("administration:calendars")

"""Business calendars: the list, and the editor with its holidays and its sentences to check."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from slas.actions import save_calendar
from slas.calendars import CalendarError, CalendarSpec
from slas.calendars.spec import MINUTES
from slas.models import BusinessCalendar
from workspace.administration import trials
from workspace.administration.access import actor_of, page, settings_page, submit
from workspace.administration.forms.calendars import HOLIDAY_YEARS, WEEK, CalendarForm
from workspace.administration.hours import Unreadable, sentences, write_spans

NINE_TO_FIVE = "09:00-17:00"
NINE_TO_FIVE_MINUTES = (9 * 60, 17 * 60)
SHOWN_VERSIONS = 10


@dataclass(frozen=True)
class WeekDay:
    """One day of the picture of a week: its name, its hours as text, and as (start, width) in percent of the day."""

    name: str
    text: str
    bars: list[tuple[str, str]]


def week_of(spec: CalendarSpec) -> list[WeekDay]:
    """Return the plain week for the picture."""
    return [
        WeekDay(
            str(WEEKDAYS_ABBR[day]),
            write_spans(spec.week[day]) or _("closed"),
            [(f"{a / MINUTES:.2%}", f"{(b - a) / MINUTES:.2%}") for a, b in spec.week[day]],
        )
        for day in WEEK
    ]


def spec_of(calendar: BusinessCalendar) -> CalendarSpec | None:
    """Return what the calendar says now."""
    return CalendarSpec.from_json(calendar.current.spec) if calendar.current else None


@require_safe
@settings_page("calendars")
def calendars(request: HttpRequest) -> HttpResponse:
    """All calendars with a picture of their week."""
    found = [(one, spec_of(one)) for one in BusinessCalendar.objects.select_related("current")]
    rows = [
        (one, spec, week_of(spec) if spec else [], sentences(spec, timezone.now())[:1] if spec else [])
        for one, spec in found
    ]
    return page(request, "calendars", "calendars", {"calendars": rows})


@require_http_methods(["GET", "HEAD", "POST"])
@settings_page("calendars")
def edit(request: HttpRequest, ref: str = "") -> HttpResponse:
    """Add a calendar, or make the next version of one. "Add holidays" and "Preview" store nothing."""
    calendar = get_object_or_404(BusinessCalendar.objects.select_related("current"), public_id=ref) if ref else None
    spec = spec_of(calendar) if calendar else None
    initial: dict[str, Any] = {f"day_{day}": NINE_TO_FIVE for day in range(5)}
    if calendar and spec:
        initial = CalendarForm.values_of(calendar.name, spec)
    elif calendar:
        initial["name"] = calendar.name
    if calendar and calendar.current:
        initial["seen"] = str(calendar.current.number)
    if request.method != "POST":
        shown = spec or CalendarSpec("UTC", ((NINE_TO_FIVE_MINUTES,),) * 5 + ((), ()))
        return _editor(request, calendar, CalendarForm(initial=initial, calendar=calendar), shown)
    if "holidays" in request.POST:
        return _with_holidays(request, calendar, initial)
    form = CalendarForm(request.POST, initial=initial, calendar=calendar)
    if "preview" in request.POST:
        is_good = form.is_valid()
        return _editor(request, calendar, form, form.spec, 200 if is_good else 422)
    if form.is_valid() and calendar and calendar.current and form.cleaned_data["seen"] not in ("", initial["seen"]):
        text = _("Somebody else saved version %(number)d meanwhile. Compare, then save again to replace it.")
        form.add_error(None, text % {"number": calendar.current.number})
        form.data = form.data.copy()  # type: ignore[attr-defined]
        form.data["seen"] = initial["seen"]  # type: ignore[index]
        return _editor(request, calendar, form, form.spec, 409)
    if (
        form.is_valid()
        and not calendar
        and BusinessCalendar.objects.filter(name__iexact=form.cleaned_data["name"]).exists()
    ):
        form.add_error("name", _("There is a calendar of this name already. Open it, or choose another name."))

    def save(values: dict[str, Any]) -> BusinessCalendar:
        return save_calendar(values["name"], form.spec or {}, actor=actor_of(request))

    if trials.is_asked(request) and form.is_valid():
        return trials.answer(
            request,
            form,
            save,
            trials.Edit(form.cleaned_data["name"]),
            lambda more, code: _editor(request, calendar, form, form.spec, code, **more),
        )
    saved, status = submit(form, save)
    if saved is None:
        return _editor(request, calendar, form, form.spec, status)
    number = saved.current.number if saved.current else 1
    text = _("“%(name)s” is saved as version %(number)d. Clocks that run go on by the new hours from now.")
    messages.success(request, text % {"name": saved.name, "number": number})
    return redirect("administration:calendars")


def _with_holidays(request: HttpRequest, calendar: BusinessCalendar | None, initial: dict[str, Any]) -> HttpResponse:
    form = CalendarForm(request.POST, initial=initial, calendar=calendar)
    try:
        dates = form.with_holidays(timezone.localdate().year)
    except Unreadable as error:
        form.add_error("dates", str(error))
        return _editor(request, calendar, form, None, 422)
    except CalendarError as error:
        form.add_error("country", _(error.template) % error.params)
        return _editor(request, calendar, form, None, 422)
    data = request.POST.copy()
    data["dates"] = dates
    form = CalendarForm(data, initial=initial, calendar=calendar)
    is_good = form.is_valid()
    text = _("The holidays of %(years)d years stand below. Save the calendar to keep them.")
    messages.info(request, text % {"years": HOLIDAY_YEARS})
    return _editor(request, calendar, form, form.spec, 200 if is_good else 422)


def _editor(
    request: HttpRequest,
    calendar: BusinessCalendar | None,
    form: CalendarForm,
    spec: CalendarSpec | None,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    context: dict[str, Any] = {**more, "title": calendar.name if calendar else _("Add a calendar"), "form": form}
    if spec:
        context |= {"week": week_of(spec), "sentences": sentences(spec, timezone.now())}
    if calendar:
        versions = calendar.versions.select_related("created_by").order_by("-number")
        context |= {"calendar": calendar, "versions": versions[:SHOWN_VERSIONS], "goals": calendar.goals.count()}
    return page(request, "calendars", "calendar", context, status)

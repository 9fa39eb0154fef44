"""Business calendars: the list, and the editor with its year, its sentences to check and its history."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from itsm.tickets.errors import Invalid
from slas.actions import Extras, save_calendar
from slas.actions.calendars import by_hand, extras_of, whole_spec
from slas.calendars import CalendarError, CalendarSpec
from slas.calendars import compile as compile_calendar
from slas.calendars.ical import LARGEST_FILE
from slas.calendars.spec import MINUTES
from slas.models import BusinessCalendar, HolidaySet, TeamCalendar
from workspace.administration import trials
from workspace.administration.access import actor_of, page, settings_page, submit
from workspace.administration.forms.calendars import WEEK, CalendarForm
from workspace.administration.hours import Unreadable, moment_words, sentences, write_duration, write_spans
from workspace.administration.targets import due_of, say_target
from workspace.administration.versions import differences
from workspace.administration.years import FIRST, LAST, year_of

NINE_TO_FIVE = "09:00-17:00"
NINE_TO_FIVE_SPEC = CalendarSpec("UTC", (((9 * 60, 17 * 60),),) * 5 + ((), ()))
SHOWN_VERSIONS = 12
IMPORTED_YEARS = 4


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
    """All calendars with a picture of their week, and the holiday sets they copy from."""
    found = [(one, spec_of(one)) for one in BusinessCalendar.objects.select_related("current")]
    rows = [
        (one, spec, week_of(spec) if spec else [], sentences(spec, timezone.now())[:1] if spec else [])
        for one, spec in found
    ]
    sets = HolidaySet.objects.prefetch_related("calendars")
    return page(request, "calendars", "calendars", {"calendars": rows, "sets": sets})


@require_http_methods(["GET", "HEAD", "POST"])
@settings_page("calendars")
def edit(request: HttpRequest, ref: str = "") -> HttpResponse:
    """Add a calendar, or make the next version of one. Every button but the one that saves stores nothing."""
    calendar = get_object_or_404(BusinessCalendar.objects.select_related("current"), public_id=ref) if ref else None
    initial: dict[str, Any] = {f"day_{day}": NINE_TO_FIVE for day in range(5)}
    if calendar:
        initial = CalendarForm.values_of(calendar)
    if request.method != "POST":
        version = calendar.current if calendar else None
        spec, extras = (
            (by_hand(version), extras_of(calendar)) if calendar and version else (NINE_TO_FIVE_SPEC, Extras())
        )
        form = CalendarForm(initial=initial, calendar=calendar)
        return _editor(request, calendar, form, spec=spec, extras=extras)
    if "import" in request.POST:
        return _with_file(request, calendar, initial)
    form = CalendarForm(request.POST, initial=initial, calendar=calendar)
    if {"preview", "try", "year"} & request.POST.keys():
        return _editor(request, calendar, form, 200 if form.is_valid() else 422)
    if (
        form.is_valid()
        and not calendar
        and BusinessCalendar.objects.filter(name__iexact=form.cleaned_data["name"]).exists()
    ):
        form.add_error("name", _("There is a calendar of this name already. Open it, or choose another name."))
    before = calendar.current if calendar else None

    def save(values: dict[str, Any]) -> BusinessCalendar:
        return save_calendar(
            values["name"], form.spec or {}, actor=actor_of(request), extras=form.extras, seen=values["seen"]
        )

    if trials.is_asked(request) and form.is_valid():
        what = trials.Edit(form.cleaned_data["name"])
        return trials.answer(
            request, form, save, what, lambda more, code: _editor(request, calendar, form, code, **more)
        )
    saved, status = submit(form, save)
    if saved is None:
        return _editor(request, calendar, form, status)
    if saved.current == before:
        text = _("“%(name)s” says what it said before, so it stays at version %(number)d.")
    else:
        text = _("“%(name)s” is saved as version %(number)d. Clocks that run go on by the new hours from now.")
    messages.success(request, text % {"name": saved.name, "number": saved.current.number if saved.current else 1})
    return redirect("administration:calendars")


def _with_file(request: HttpRequest, calendar: BusinessCalendar | None, initial: dict[str, Any]) -> HttpResponse:
    form = CalendarForm(request.POST, request.FILES, initial=initial, calendar=calendar)
    file = request.FILES.get("file")
    this_year = timezone.localdate().year
    first, last = date(this_year, 1, 1), date(this_year + IMPORTED_YEARS - 1, 12, 31)
    try:
        if file is None:
            raise Unreadable(_("Choose an iCalendar file (.ics)."))
        dates = form.with_file(file.read(LARGEST_FILE + 1), first, last)
    except CalendarError as error:
        form.add_error("file", _(error.template) % error.params)
        return _editor(request, calendar, form, 422)
    except Unreadable as error:
        form.add_error("file", str(error))
        return _editor(request, calendar, form, 422)
    data = request.POST.copy()
    data["dates"] = dates
    form = CalendarForm(data, initial=initial, calendar=calendar)
    is_good = form.is_valid()
    text = _(
        "The closed days of the file from %(first)d to %(last)d stand in the list. Save the calendar to keep them."
    )
    messages.info(request, text % {"first": first.year, "last": last.year})
    return _editor(request, calendar, form, 200 if is_good else 422)


def _editor(
    request: HttpRequest,
    calendar: BusinessCalendar | None,
    form: CalendarForm,
    status: int = 200,
    *,
    spec: CalendarSpec | None = None,
    extras: Extras | None = None,
    **more: Any,
) -> HttpResponse:
    """The editor around the form as it was typed; its pictures show what that would mean, also before it is saved."""
    context: dict[str, Any] = {**more, "title": calendar.name if calendar else _("Add a calendar"), "form": form}
    hours, said = (spec or form.spec), (extras or form.extras)
    if hours is not None:
        context |= _meaning(request, form, hours, said)
    if calendar:
        versions = list(calendar.versions.select_related("created_by").order_by("-number")[: SHOWN_VERSIONS + 1])
        history = [(one, differences(old, one)) for one, old in zip(versions, [*versions[1:], None], strict=True)]
        context |= {
            "calendar": calendar,
            "history": history[:SHOWN_VERSIONS],
            "goals": calendar.goals.select_related("policy"),
            "teams": TeamCalendar.objects.filter(calendar=calendar).select_related("team").order_by("team__name"),
        }
    return page(request, "calendars", "calendar", context, status)


def _meaning(request: HttpRequest, form: CalendarForm, hours: CalendarSpec, extras: Extras) -> dict[str, Any]:
    try:
        whole, holidays = whole_spec(hours, extras.holiday_sets)
    except Invalid as error:
        form.add_error(None, " ".join(error.fields.values()))
        return {}
    names = {day.isoformat(): text for day, text in extras.names.items()}

    def name_of(day: date) -> str:
        return names.get(day.isoformat()) or holidays.get(day.isoformat(), "")

    today = timezone.now().astimezone(ZoneInfo(whole.time_zone)).date()
    return {
        "week": week_of(whole),
        "sentences": sentences(whole, timezone.now()),
        "tried": _tried(form, whole, extras),
        "year": year_of(whole, _year_asked(request, today.year), name_of, today),
        "day_length": write_duration((extras.day_minutes or whole.usual_day_minutes) * 60),
    }


def _tried(form: CalendarForm, hours: CalendarSpec, extras: Extras) -> str:
    trial = form.trial() if form.is_bound and not form.errors else None
    if trial is None:
        return ""
    local, target = trial
    zone = ZoneInfo(hours.time_zone)
    start = local.replace(tzinfo=zone).astimezone(UTC)
    seconds = target.seconds or (target.count or 0) * (extras.day_minutes or hours.usual_day_minutes) * 60
    due = due_of(compile_calendar(hours), start, target.unit, seconds, target.count)
    words = {
        "target": say_target(target.unit, target.seconds, target.count),
        "start": moment_words(start.astimezone(zone)),
        "zone": hours.time_zone,
    }
    if due is None:
        return _("%(target)s from %(start)s (%(zone)s): never, there are no open hours for so long.") % words
    return _("%(target)s from %(start)s: due on %(due)s (%(zone)s).") % {
        **words,
        "due": moment_words(due.astimezone(zone)),
    }


def _year_asked(request: HttpRequest, present: int) -> int:
    asked = request.POST.get("year") or request.GET.get("year") or ""
    # A button of the year view sends its year; any other button the one that is shown.
    asked = asked if asked.isascii() and asked.isdigit() and len(asked) == 4 else request.POST.get("shown_year", "")
    year = int(asked) if asked.isascii() and asked.isdigit() and len(asked) == 4 else present
    return min(max(year, FIRST), LAST)

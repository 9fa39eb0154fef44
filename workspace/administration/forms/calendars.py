"""The form of a business calendar."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django import forms
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from itsm.accounts.forms import zone_choices
from itsm.tickets.errors import Invalid
from slas.actions import Extras
from slas.actions.calendars import by_hand, extras_of
from slas.actions.holidays import new_holiday_set
from slas.calendars import CalendarError, CalendarSpec
from slas.calendars.holidays import country_names
from slas.calendars.ical import closed_dates_of
from slas.calendars.spec import check_date
from slas.models import BusinessCalendar, HolidaySet
from workspace.administration.forms.base import SettingsForm
from workspace.administration.hours import (
    Dates,
    Unreadable,
    read_dates,
    read_duration,
    read_spans,
    write_dates,
    write_duration,
    write_spans,
)
from workspace.administration.targets import Target, read_target

NAME_MAX = 200
HOURS_MAX = 300
DATES_MAX = 60_000
WEEK = range(7)


class CalendarForm(SettingsForm):
    """Opening hours in a time zone. `spec` is what the valid form says."""

    name = forms.CharField(max_length=NAME_MAX, label=gettext_lazy("Name"))
    time_zone = forms.ChoiceField(
        label=gettext_lazy("Time zone"), widget=forms.Select(attrs={"data-combobox": ""}), initial="UTC"
    )
    dates = forms.CharField(
        max_length=DATES_MAX,
        required=False,
        label=gettext_lazy("Closed days and days with other hours"),
        help_text=gettext_lazy(
            "One date a line: 2026-12-25 is closed, 2026-12-24 09:00-12:00 has its own hours. # begins a name."
        ),
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false", "dir": "ltr"}),
    )
    holiday_sets = forms.ModelMultipleChoiceField(
        HolidaySet.objects.all(),
        to_field_name="public_id",
        required=False,
        label=gettext_lazy("Public holidays"),
        widget=forms.CheckboxSelectMultiple,
    )
    country = forms.ChoiceField(required=False, label=gettext_lazy("Country"))
    region = forms.CharField(max_length=20, required=False, label=gettext_lazy("Region (its code, if any)"))
    file = forms.FileField(
        required=False,
        label=gettext_lazy("iCalendar file"),
        widget=forms.FileInput(attrs={"accept": ".ics,text/calendar"}),
    )
    day_length = forms.CharField(
        max_length=20,
        required=False,
        label=gettext_lazy("Length of a business day"),
        help_text=gettext_lazy("For targets in business days, such as 8h. Empty: the most common length of a day."),
        widget=forms.TextInput(attrs={"dir": "ltr", "placeholder": "8h", "autocomplete": "off"}),
    )
    try_from = forms.CharField(
        max_length=20,
        required=False,
        label=gettext_lazy("From"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
    )
    try_for = forms.CharField(
        max_length=40,
        required=False,
        label=gettext_lazy("Open time or target"),
        widget=forms.TextInput(attrs={"dir": "ltr", "placeholder": "8h", "autocomplete": "off"}),
    )

    def __init__(self, *args: Any, calendar: BusinessCalendar | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.spec: CalendarSpec | None = None
        self.extras = Extras()
        zones = zone_choices()
        stored = str(self.initial.get("time_zone", "UTC"))
        if not any(stored == name for _group, names in zones for name, _label in names):
            zones[0][1].append((stored, stored))
        self.fields["time_zone"].choices = zones  # type: ignore[attr-defined]
        self.fields["country"].choices = country_choices()  # type: ignore[attr-defined]
        if calendar is not None:
            self.fields["name"].disabled = True
            self.fields["name"].help_text = _("The name stays: policies and the record name it.")
        for day in WEEK:
            self.fields[f"day_{day}"] = forms.CharField(
                max_length=HOURS_MAX,
                required=False,
                label=str(WEEKDAYS[day]),
                widget=forms.TextInput(attrs={"dir": "ltr"}),
            )

    @property
    def days(self) -> list[forms.BoundField]:
        """The seven fields of the week, Monday first."""
        return [self[f"day_{day}"] for day in WEEK]

    @staticmethod
    def values_of(calendar: BusinessCalendar) -> dict[str, Any]:
        """Return what the form shows of a stored calendar."""
        version = calendar.current
        if version is None:
            return {"name": calendar.name}
        spec, extras = by_hand(version), extras_of(calendar)
        values: dict[str, Any] = {f"day_{day}": write_spans(spec.weekly[day]) for day in WEEK}
        return values | {
            "name": calendar.name,
            "time_zone": spec.time_zone,
            "dates": write_dates(spec.closed_dates, spec.overrides, extras.names),
            "holiday_sets": [one.public_id for one in extras.holiday_sets],
            "day_length": write_duration(extras.day_minutes * 60) if extras.day_minutes else "",
            "seen": str(version.number),
        }

    def clean(self) -> dict[str, Any]:
        """Read hours, dates and lengths, each mistake beside its field."""
        values = super().clean() or {}
        weekly: list[tuple[tuple[int, int], ...]] = [()] * 7
        for day in WEEK:
            try:
                weekly[day] = tuple(read_spans(values.get(f"day_{day}", "")))
            except Unreadable as error:
                self.add_error(f"day_{day}", str(error))
        dates = Dates(set(), {}, {})
        try:
            dates = read_dates(values.get("dates", ""))
        except Unreadable as error:
            self.add_error("dates", str(error))
        minutes = self._day_minutes(values.get("day_length", ""))
        sets = [*values.get("holiday_sets", ())]
        if another := self._another_set(values):
            sets.append(another)
        if not self.errors:
            try:
                self.spec = CalendarSpec(values["time_zone"], tuple(weekly), frozenset(dates.closed), dates.special)
            except CalendarError as error:
                self.add_error(None, _(error.template) % error.params)
        self.extras = Extras(dates.names, tuple(sets), minutes)
        return values

    def _day_minutes(self, text: str) -> int | None:
        if not text.strip():
            return None
        try:
            seconds = read_duration(text)
        except Unreadable as error:
            self.add_error("day_length", str(error))
            return None
        if seconds % 60 or not 60 <= seconds <= 24 * 3600:
            self.add_error("day_length", _("A business day is 1 minute to 24 hours long, in whole minutes."))
        return seconds // 60

    def trial(self) -> tuple[datetime, Target] | None:
        """Return what somebody wants to try, its start by the calendar's clocks; None where that was left empty or
        cannot be read, which then stands beside its field."""
        begin, text = self.cleaned_data.get("try_from", ""), self.cleaned_data.get("try_for", "")
        if not begin and not text:
            return None
        try:
            start = datetime.fromisoformat(begin).replace(tzinfo=None)
            check_date(start.date())
        except ValueError:
            self.add_error("try_from", _("Give a date and a time, such as 2026-11-27 16:00."))
            return None
        try:
            return start, read_target(text)
        except Unreadable as error:
            self.add_error("try_for", str(error))
            return None

    def _another_set(self, values: dict[str, Any]) -> HolidaySet | None:
        """The set of the country that was chosen: the stored one, or a new one that saving the calendar stores."""
        country, region = values.get("country", ""), values.get("region", "").strip().upper()
        if not country:
            if region:
                self.add_error("country", _("Choose the country of this region."))
            return None
        stored = HolidaySet.objects.filter(country=country, region=region).first()
        if stored is not None:
            return None if stored in values.get("holiday_sets", ()) else stored
        try:
            return new_holiday_set(country, region)
        except Invalid as error:
            for name, text in error.fields.items():
                self.add_error(name if name in self.fields else None, text)
            return None

    def with_file(self, data: bytes, first: date, last: date) -> str:
        """Return the dates typed so far with the all-day events of an iCalendar file; what was typed stays.

        Raises:
            Unreadable, CalendarError.
        """
        typed = read_dates(self.data.get("dates", ""))
        found = closed_dates_of(data, first, last)
        new = {day: name for day, name in found.items() if day not in typed.special and day not in typed.closed}
        return write_dates(typed.closed | new.keys(), typed.special, new | typed.names)


class HolidaySetForm(SettingsForm):
    """The public holidays of a country or region, corrected by hand."""

    name = forms.CharField(max_length=NAME_MAX, label=gettext_lazy("Name"))
    country = forms.ChoiceField(label=gettext_lazy("Country"))
    region = forms.CharField(max_length=20, required=False, label=gettext_lazy("Region (its code, if any)"))
    added = forms.CharField(
        max_length=20_000,
        required=False,
        label=gettext_lazy("Holidays beside these"),
        help_text=gettext_lazy("One date a line with its name: 2027-05-14 # Bridge day"),
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false", "dir": "ltr"}),
    )
    removed = forms.CharField(
        max_length=20_000,
        required=False,
        label=gettext_lazy("Holidays on which you work"),
        help_text=gettext_lazy("One date a line: 2027-11-01"),
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "dir": "ltr"}),
    )

    def __init__(self, *args: Any, holiday_set: HolidaySet | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["country"].choices = country_choices()  # type: ignore[attr-defined]
        if holiday_set is not None:
            self.fields["name"].disabled = True

    @staticmethod
    def values_of(row: HolidaySet) -> dict[str, Any]:
        """Return what the form shows of a stored set."""
        added = {date.fromisoformat(day): str(name) for day, name in row.added.items()}
        return {
            "name": row.name,
            "country": row.country,
            "region": row.region,
            "added": write_dates(added, {}, added),
            "removed": "\n".join(row.removed),
        }

    def clean(self) -> dict[str, Any]:
        """Read the dates, each mistake beside its field."""
        values = super().clean() or {}
        for part in ("added", "removed"):
            try:
                dates = read_dates(values.get(part, ""))
            except Unreadable as error:
                self.add_error(part, str(error))
                continue
            if dates.special:
                self.add_error(part, _("Give dates without hours here; a calendar has dates with hours."))
            unnamed = sorted(dates.closed - dates.names.keys())
            if part == "added" and unnamed:
                text = _("Give %(date)s a name: %(date)s # Company holiday")
                self.add_error(part, text % {"date": unnamed[0].isoformat()})
            values[f"{part}_dates"] = dates.names if part == "added" else dates.closed
        values["region"] = values.get("region", "").strip().upper()
        return values


def country_choices() -> list[tuple[str, str]]:
    """Return the countries whose holidays are known, by name."""
    return [("", _("Choose a country")), *((code, f"{name} ({code})") for code, name in country_names().items())]

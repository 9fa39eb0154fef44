"""The form of a business calendar."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from itsm.accounts.forms import zone_choices
from slas.calendars import CalendarError, CalendarSpec
from slas.calendars.holidays import closed_dates, supported_regions
from slas.models import BusinessCalendar
from workspace.administration.forms.base import SettingsForm
from workspace.administration.hours import (
    Unreadable,
    read_dates,
    read_spans,
    write_dates,
    write_spans,
)

NAME_MAX = 200
HOURS_MAX = 300
DATES_MAX = 60_000
HOLIDAY_YEARS = 3
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
        help_text=gettext_lazy("One date a line: 2026-12-25 is closed, 2026-12-24 09:00-12:00 has its own hours."),
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false", "dir": "ltr"}),
    )
    country = forms.ChoiceField(required=False, label=gettext_lazy("Country"))
    region = forms.CharField(max_length=20, required=False, label=gettext_lazy("Region (its code, if any)"))

    def __init__(self, *args: Any, calendar: BusinessCalendar | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.spec: CalendarSpec | None = None
        self.fields["time_zone"].choices = zone_choices()  # type: ignore[attr-defined]
        codes = [(code, code) for code in supported_regions()]
        self.fields["country"].choices = [("", _("Choose a country")), *codes]  # type: ignore[attr-defined]
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
    def values_of(name: str, spec: CalendarSpec) -> dict[str, Any]:
        """Return what the form shows of a stored calendar."""
        values: dict[str, Any] = {f"day_{day}": write_spans(spec.weekly[day]) for day in WEEK}
        return values | {
            "name": name,
            "time_zone": spec.time_zone,
            "dates": write_dates(spec.closed_dates, spec.overrides),
        }

    def clean(self) -> dict[str, Any]:
        """Read hours and dates, each mistake beside its field."""
        values = super().clean() or {}
        weekly: list[tuple[tuple[int, int], ...]] = [()] * 7
        for day in WEEK:
            try:
                weekly[day] = tuple(read_spans(values.get(f"day_{day}", "")))
            except Unreadable as error:
                self.add_error(f"day_{day}", str(error))
        try:
            closed, special = read_dates(values.get("dates", ""))
        except Unreadable as error:
            self.add_error("dates", str(error))
        if not self.errors:
            try:
                self.spec = CalendarSpec(values["time_zone"], tuple(weekly), frozenset(closed), special)
            except CalendarError as error:
                self.add_error(None, _(error.template) % error.params)
        return values

    def with_holidays(self, year: int) -> str:
        """Return the dates typed so far with the public holidays of some years from this one on.

        Raises:
            Unreadable, CalendarError.
        """
        closed, special = read_dates(self.data.get("dates", ""))
        country, region = self.data.get("country", ""), self.data.get("region", "").strip().upper()
        found = closed_dates(country, year, year + HOLIDAY_YEARS - 1, region)
        return write_dates(closed | (found - special.keys()), special)

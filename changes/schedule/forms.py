"""The forms of windows: a recurrence as people type it, and what a window says."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from django import forms
from django.utils.dates import MONTHS, WEEKDAYS
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from changes.models import ChangeWindow, CollisionSettings, Weight, WindowKind
from changes.schedule.recurrence import LAST, LONGEST_DAYS, MOST_EVERY, Recurrence, Repeat, write_minute
from changes.schedule.words import nth_label
from changes.statuses import ChangeType, Risk
from cmdb.models import Service
from slas.calendars import CalendarError, zone_names

_SPLIT = re.compile(r"[\s,;]+")
REPEATS = (
    (Repeat.ONCE, gettext_lazy("Once")),
    (Repeat.DAILY, gettext_lazy("Daily")),
    (Repeat.WEEKLY, gettext_lazy("Weekly")),
    (Repeat.MONTHLY, gettext_lazy("Monthly")),
    (Repeat.YEARLY, gettext_lazy("Yearly")),
)


def _choice(label: Any, choices: Any, **more: Any) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, choices=choices, widget=forms.Select(attrs={"class": "form-select"}), **more)


def _typed(label: Any, kind: str, **more: Any) -> dict[str, Any]:
    return {
        "label": label,
        "widget": forms.DateInput(format="%Y-%m-%d", attrs={"type": kind, "class": "form-control"}),
    } | more


class RecurrenceForm(forms.Form):
    """When something comes. Only the fields of the chosen repetition are read; `rule` is what they say."""

    repeat = _choice(gettext_lazy("How often"), REPEATS)
    every = forms.IntegerField(
        label=gettext_lazy("Every"), min_value=1, max_value=MOST_EVERY, initial=1, required=False,
        help_text=gettext_lazy("2 with “Weekly”: every other week."),
    )  # fmt: skip
    weekdays = forms.TypedMultipleChoiceField(
        label=gettext_lazy("On"), coerce=int, required=False, choices=list(WEEKDAYS.items()),
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip
    month = forms.TypedChoiceField(
        label=gettext_lazy("In"), coerce=int, required=False, empty_value=None, choices=list(MONTHS.items()),
        widget=forms.Select(attrs={"class": "form-select"}),
    )  # fmt: skip
    nth = forms.TypedChoiceField(
        label=gettext_lazy("On the"), coerce=int, required=False, empty_value=None,
        widget=forms.Select(attrs={"class": "form-select"}),
    )  # fmt: skip
    month_day = forms.TypedChoiceField(
        label=gettext_lazy("Day of the month"), coerce=int, required=False, empty_value=None,
        widget=forms.Select(attrs={"class": "form-select"}),
    )  # fmt: skip
    weekday = forms.TypedChoiceField(
        label=gettext_lazy("Weekday"), coerce=int, required=False, empty_value=None, choices=list(WEEKDAYS.items()),
        widget=forms.Select(attrs={"class": "form-select"}),
    )  # fmt: skip
    first = forms.DateField(**_typed(gettext_lazy("On, or from this day on"), "date"))
    start = forms.TimeField(
        label=gettext_lazy("Starts at"),
        widget=forms.TimeInput(format="%H:%M", attrs={"type": "time", "class": "form-control"}),
    )
    end = forms.CharField(
        label=gettext_lazy("Ends at"),
        max_length=5,
        widget=forms.TextInput(attrs={"class": "form-control", "placeholder": "06:00", "inputmode": "numeric"}),
        help_text=gettext_lazy("24:00 is the end of the day."),
    )
    end_day = forms.IntegerField(
        label=gettext_lazy("Ends so many days later"), min_value=0, max_value=LONGEST_DAYS, required=False, initial=0,
        help_text=gettext_lazy("0: the same day. 1: over midnight."),
    )  # fmt: skip
    until = forms.DateField(**_typed(gettext_lazy("Last day"), "date", required=False))
    excluded = forms.CharField(
        label=gettext_lazy("But not on"), max_length=6000, required=False,
        widget=forms.TextInput(attrs={"class": "form-control", "placeholder": "2026-12-25, 2027-01-01"}),
        help_text=gettext_lazy("Days on which it does not begin."),
    )  # fmt: skip
    time_zone = _choice(gettext_lazy("Time zone"), ())
    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.rule: Recurrence | None = None
        fields: Any = self.fields
        fields["time_zone"].choices = [(one, one) for one in sorted(zone_names())]
        fields["nth"].choices = [(0, _("day of the month")), *((one, nth_label(one)) for one in (1, 2, 3, 4, 5, LAST))]
        fields["month_day"].choices = [*((one, str(one)) for one in range(1, 32)), (LAST, _("the last day"))]
        for name in ("every", "end_day"):
            fields[name].widget.attrs["class"] = "form-control"

    @staticmethod
    def values_of(rule: Recurrence) -> dict[str, Any]:
        """Return what the fields say for a rule."""
        return {
            "repeat": rule.repeat,
            "every": rule.every,
            "weekdays": list(rule.weekdays),
            "month": rule.month or 1,
            "nth": rule.nth,
            "month_day": rule.month_day or 1,
            "weekday": rule.weekday,
            "first": rule.first,
            "start": write_minute(rule.start_minute),
            "end": write_minute(rule.end_minute),
            "end_day": rule.end_day,
            "until": rule.until,
            "excluded": ", ".join(day.isoformat() for day in sorted(rule.excluded)),
            "time_zone": rule.time_zone,
        }

    def clean(self) -> dict[str, Any]:
        """Make the rule of the fields, or say what is wrong with it."""
        values = super().clean() or {}
        if self.errors:
            return values
        repeat, again = values["repeat"], values["repeat"] != Repeat.ONCE
        said: dict[str, Any] = {
            "time_zone": values["time_zone"],
            "repeat": repeat,
            "first": values["first"].isoformat(),
            "start": f"{values['start']:%H:%M}",
            "end": values["end"].strip(),
            "end_day": values["end_day"] or 0,
            "every": (values["every"] or 1) if again else 1,
        }
        if again and values["until"]:
            said["until"] = values["until"].isoformat()
        if again and values["excluded"]:
            said["excluded"] = [part for part in _SPLIT.split(values["excluded"]) if part]
        if repeat == Repeat.WEEKLY:
            said["weekdays"] = values["weekdays"]
        if repeat in (Repeat.MONTHLY, Repeat.YEARLY):
            by_weekday = bool(values["nth"])
            said |= (
                {"nth": values["nth"], "weekday": values["weekday"]}
                if by_weekday
                else {"month_day": values["month_day"]}
            )
        if repeat == Repeat.YEARLY:
            said["month"] = values["month"]
        try:
            self.rule = Recurrence.from_json(said)
        except CalendarError as error:
            self.add_error(None, _(error.template) % error.params)
        return values


class WindowForm(RecurrenceForm):
    """A freeze or maintenance window."""

    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=200, widget=forms.TextInput(attrs={"class": "form-control"})
    )
    kind = _choice(gettext_lazy("What it is"), WindowKind.choices)
    description = forms.CharField(
        label=gettext_lazy("Why (optional)"), max_length=2000, required=False,
        widget=forms.Textarea(attrs={"rows": 2, "class": "form-control"}),
    )  # fmt: skip
    weight = _choice(gettext_lazy("A change against it"), Weight.choices)
    services = forms.ModelMultipleChoiceField(
        Service.objects.active(), to_field_name="public_id", required=False, label=gettext_lazy("Services"),
        widget=forms.SelectMultiple(attrs={"class": "form-select", "size": 6}),
        help_text=gettext_lazy("None chosen: changes to any service."),
    )  # fmt: skip
    change_types = forms.MultipleChoiceField(
        label=gettext_lazy("Types of change"), choices=ChangeType.choices, required=False,
        widget=forms.CheckboxSelectMultiple, help_text=gettext_lazy("None chosen: all."),
    )  # fmt: skip
    risks = forms.TypedMultipleChoiceField(
        label=gettext_lazy("Risks"), choices=Risk.choices, coerce=int, required=False,
        widget=forms.CheckboxSelectMultiple, help_text=gettext_lazy("None chosen: any."),
    )  # fmt: skip
    is_active = forms.BooleanField(label=gettext_lazy("It counts"), required=False, initial=True)

    def __init__(self, *args: Any, window: ChangeWindow | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if window is not None:
            fields: Any = self.fields
            fields["services"].queryset = (
                Service.objects.active() | Service.objects.filter(pk__in=window.services.values("pk"))
            ).distinct()
            fields["kind"].choices = [(window.kind, WindowKind(window.kind).label)]

    @classmethod
    def initial_of(cls, window: ChangeWindow | None, today: date, zone: str) -> dict[str, Any]:
        """Return what the fields say at first."""
        if window is None:
            return {
                "repeat": Repeat.ONCE, "first": today, "start": "00:00", "end": "24:00", "time_zone": zone,
                "kind": WindowKind.FREEZE, "weight": Weight.BLOCK, "is_active": True, "every": 1, "end_day": 0,
                "month": today.month, "month_day": today.day,
            }  # fmt: skip
        return {
            **cls.values_of(window.recurrence),
            "name": window.name,
            "kind": window.kind,
            "description": window.description,
            "weight": window.weight,
            "services": [one.public_id for one in window.services.all()],
            "change_types": window.change_types,
            "risks": window.risks,
            "is_active": window.is_active,
        }

    def said(self) -> dict[str, Any]:
        """Return what the verb takes."""
        names = ("name", "kind", "description", "weight", "services", "change_types", "risks", "is_active", "seen")
        return {**{name: self.cleaned_data[name] for name in names}, "rule": self.rule}


class CollisionForm(forms.Form):
    """What collisions between two changes do."""

    same_service = _choice(gettext_lazy("Two changes on one service"), Weight.choices)
    related_service = _choice(gettext_lazy("A service and one that it is part of"), Weight.choices)
    double_booked = _choice(gettext_lazy("Somebody who is booked twice"), Weight.choices)
    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    @staticmethod
    def initial_of(settings: CollisionSettings) -> dict[str, str]:
        """Return what the fields say at first."""
        return {name: getattr(settings, name) for name in ("same_service", "related_service", "double_booked")}

"""The form by which somebody says how they want to be told."""

from __future__ import annotations

from datetime import time
from typing import Any

from django import forms
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from itsm.notifications.actions.contact import LONGEST_REMINDER, LONGEST_WAIT
from itsm.notifications.models import ContactPreference
from itsm.notifications.providers import providers

PLACES = 3
MIDNIGHT = 1440


def _time_field(label: Any) -> forms.TimeField:
    return forms.TimeField(
        label=label,
        widget=forms.TimeInput(format="%H:%M", attrs={"type": "time", "class": "form-control"}),
    )


class ContactForm(forms.Form):
    """The order of the ways, the hours, and what breaks through them."""

    first = forms.ChoiceField(label=gettext_lazy("First"), widget=forms.Select(attrs={"class": "form-select"}))
    second = forms.ChoiceField(
        label=gettext_lazy("Then"), required=False, widget=forms.Select(attrs={"class": "form-select"})
    )
    third = forms.ChoiceField(
        label=gettext_lazy("Last"), required=False, widget=forms.Select(attrs={"class": "form-select"})
    )
    wait_minutes = forms.IntegerField(
        min_value=0,
        max_value=LONGEST_WAIT,
        label=gettext_lazy("Minutes before the next way"),
        help_text=gettext_lazy("The next way is left out when you have read the notice by then. 0: all at once."),
        widget=forms.NumberInput(attrs={"class": "form-control"}),
    )
    webhook_url = forms.CharField(
        max_length=500,
        required=False,
        label=gettext_lazy("Address of my webhook"),
        help_text=gettext_lazy("Of a phone or chat service that calls you. Only https."),
        widget=forms.URLInput(attrs={"class": "form-control", "dir": "ltr"}),
    )
    hours_from = _time_field(gettext_lazy("My hours begin"))
    hours_to = _time_field(gettext_lazy("and end"))
    days = forms.TypedMultipleChoiceField(coerce=int, label=gettext_lazy("On"), widget=forms.CheckboxSelectMultiple)
    holds_back = forms.BooleanField(
        required=False,
        label=gettext_lazy("Hold messages back outside my hours"),
    )
    urgent_breaks_through = forms.BooleanField(
        required=False,
        label=gettext_lazy("What is urgent reaches me at any time"),
        help_text=gettext_lazy("Escalations are urgent, unless they were set up for hours only."),
    )
    remind_minutes = forms.IntegerField(
        min_value=1,
        max_value=LONGEST_REMINDER,
        required=False,
        label=gettext_lazy("Remind me of a shift, minutes before"),
        help_text=gettext_lazy("Empty: no reminder."),
        widget=forms.NumberInput(attrs={"class": "form-control"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        ways = [(one.code, str(one.label)) for one in providers()]
        self.fields["first"].choices = ways  # type: ignore[attr-defined]
        for name in ("second", "third"):
            self.fields[name].choices = [("", _("nothing else")), *ways]  # type: ignore[attr-defined]
        self.fields["days"].choices = [(day, str(WEEKDAYS[day])) for day in range(7)]  # type: ignore[attr-defined]

    @staticmethod
    def values_of(chosen: ContactPreference) -> dict[str, Any]:
        """Return what the form shows of a stored choice."""
        order = [*chosen.order, "", "", ""]
        return {
            "first": order[0],
            "second": order[1],
            "third": order[2],
            "wait_minutes": chosen.wait_minutes,
            "webhook_url": chosen.webhook_url,
            "hours_from": _clock(chosen.hours_from),
            "hours_to": _clock(chosen.hours_to % MIDNIGHT),
            "days": chosen.days,
            "holds_back": chosen.holds_back,
            "urgent_breaks_through": chosen.urgent_breaks_through,
            "remind_minutes": chosen.remind_minutes,
        }

    @property
    def choice(self) -> dict[str, Any]:
        """The valid form's values as `save_contact` takes them."""
        values = dict(self.cleaned_data)
        order = [values.pop(name) for name in ("first", "second", "third")]
        begin, end = values["hours_from"], values["hours_to"]
        return values | {
            "order": list(dict.fromkeys(code for code in order if code)),
            "hours_from": begin.hour * 60 + begin.minute,
            "hours_to": end.hour * 60 + end.minute,
        }


def _clock(minute: int) -> time:
    return time(minute // 60, minute % 60)

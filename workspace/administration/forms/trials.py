"""The form that chooses the past tickets of a rehearsal."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from itsm.conditions import ConditionError, parse
from itsm.tickets.schema import ticket_schema
from reports.period import FIRST_YEAR, LAST_YEAR
from slas.actions.trials import Selection
from slas.models import ServiceLevelPolicy
from workspace.administration.forms.base import ConditionField, at_place

MONTHS = ((1, 1), (3, 3), (6, 6), (12, 12), (24, 24))


class TicketsField(ConditionField):
    """A condition that lists tickets: all of the search bar may be used, text search included."""

    def clean(self, value: Any) -> Any:
        """Return the condition as JSON.

        Raises:
            ValidationError: with what to do, and where.
        """
        text = forms.CharField.clean(self, value)
        if not text:
            return {}
        try:
            return parse(text, ticket_schema()).to_json()
        except ConditionError as error:
            raise forms.ValidationError(at_place(error, text)) from error


class SelectionForm(forms.Form):
    """The last months, or a range of days; and which tickets."""

    months = forms.TypedChoiceField(
        coerce=int, required=False, initial="3", label=gettext_lazy("Tickets opened in the last")
    )
    opened_from = forms.DateField(
        required=False, label=gettext_lazy("or from"), widget=forms.DateInput(attrs={"type": "date"})
    )
    opened_until = forms.DateField(
        required=False, label=gettext_lazy("until (this day included)"), widget=forms.DateInput(attrs={"type": "date"})
    )
    condition = TicketsField(
        required=False,
        label=gettext_lazy("Only tickets like this"),
        help_text=gettext_lazy("As in the search bar, such as service:mail. Empty: every ticket."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        words = {1: _("month"), 3: _("3 months"), 6: _("6 months"), 12: _("12 months"), 24: _("24 months")}
        self.fields["months"].choices = [(str(n), words[n]) for n, _n in MONTHS] + [("", _("the days beside"))]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Ask for both ends of a range, within the years of which there are tickets."""
        values = super().clean() or {}
        if self.errors or values.get("months"):
            return values
        for name in ("opened_from", "opened_until"):
            day = values.get(name)
            if day is None:
                self.add_error(name, _("Give both days, or choose a number of months."))
            elif not FIRST_YEAR <= day.year <= LAST_YEAR:
                years = {"first": FIRST_YEAR, "last": LAST_YEAR}
                self.add_error(name, _("Give a day of the years %(first)d to %(last)d.") % years)
        return values

    @property
    def selection(self) -> Selection:
        """What the valid form chooses; days begin in the person's zone."""
        values = self.cleaned_data
        zone = timezone.get_current_timezone()
        if values["months"]:
            end = timezone.localtime()
            start = _months_before(end.date(), values["months"])
            return Selection(datetime.combine(start, time(), zone), end, values["condition"])
        first: date = values["opened_from"]
        last: date = values["opened_until"]
        return Selection(
            datetime.combine(first, time(), zone),
            datetime.combine(last + timedelta(days=1), time(), zone),
            values["condition"],
        )


def _months_before(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month + 1, last)
        except ValueError:
            continue
    raise ValueError(day)


class StoredPolicyForm(forms.Form):
    """Which stored policy is rehearsed as it stands."""

    policy = forms.ModelChoiceField(
        ServiceLevelPolicy.objects.all(),
        to_field_name="public_id",
        label=gettext_lazy("Policy as it is stored"),
        empty_label=gettext_lazy("Choose"),
    )

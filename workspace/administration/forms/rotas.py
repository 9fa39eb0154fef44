"""The forms of a rota and its layers."""

from __future__ import annotations

from datetime import time
from typing import Any

from django import forms
from django.db.models import Q
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from itsm.accounts.forms import zone_choices
from itsm.accounts.models import User
from slas.models import BusinessCalendar, Rota, RotaLevel
from slas.oncall.plan import MAX_EVERY, Unit, Within
from workspace.administration.forms.base import SettingsForm, TeamChoice, dress
from workspace.administration.hours import Unreadable, read_spans, write_spans

NAME_MAX = 200
SLOTS = 20
SPARE = 2
MOST_PEOPLE = 300
WEEK = range(7)
ALWAYS, OWN, IN_CALENDAR, OUT_OF_CALENDAR = "always", "own", "in", "out"


class RotaForm(SettingsForm):
    """Name, team and zone of a rota; its layers are a set of forms of their own."""

    name = forms.CharField(max_length=NAME_MAX, label=gettext_lazy("Name"))
    team = TeamChoice(required=False, empty_label=gettext_lazy("No team"))
    time_zone = forms.ChoiceField(
        label=gettext_lazy("Time zone"),
        widget=forms.Select(attrs={"data-combobox": ""}),
        help_text=gettext_lazy("Hand-overs are at this zone's local time, also when its clocks change."),
    )
    is_active = forms.BooleanField(required=False, initial=True, label=gettext_lazy("In use"))

    def __init__(self, *args: Any, rota: Rota | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["time_zone"].choices = zone_choices()  # type: ignore[attr-defined]
        team: TeamChoice = self.fields["team"]  # type: ignore[assignment]
        team.keep(rota.team if rota else None)


def choosable(rota: Rota | None) -> list[tuple[str, str]]:
    """Return who can be put into a layer: people who work on tickets, and those who stand there already."""
    named = rota.spec.people if rota else set()
    people = User.objects.filter(Q(pk__in=User.objects.workers().values("pk")) | Q(pk__in=named)).order_by(
        "display_name", "pk"
    )
    words = _("%(name)s (account closed)")
    return [
        (one.public_id, one.display_name if one.is_active else words % {"name": one.display_name})
        for one in people[:MOST_PEOPLE]
    ]


class LayerForm(forms.Form):
    """People who take turns. A layer without people is no layer."""

    name = forms.CharField(max_length=100, required=False, label=gettext_lazy("Name of the layer"))
    level = forms.TypedChoiceField(choices=RotaLevel, coerce=int, required=False, label=gettext_lazy("Level"))
    every = forms.IntegerField(
        min_value=1, max_value=MAX_EVERY, required=False, label=pgettext_lazy("turn", "Each turn lasts")
    )
    unit = forms.ChoiceField(
        choices=((Unit.WEEK, gettext_lazy("weeks")), (Unit.DAY, gettext_lazy("days"))),
        required=False,
        label=gettext_lazy("Weeks or days"),
    )
    weekday = forms.TypedChoiceField(coerce=int, required=False, label=gettext_lazy("Hand-over on"))
    handover = forms.TimeField(
        required=False, label=gettext_lazy("At"), widget=forms.TimeInput(format="%H:%M", attrs={"type": "time"})
    )
    starts = forms.DateField(
        required=False, label=gettext_lazy("From"), widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )
    ends = forms.DateField(
        required=False, label=gettext_lazy("Until"), widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )
    hours = forms.ChoiceField(
        choices=(
            (ALWAYS, gettext_lazy("round the clock")),
            (OWN, gettext_lazy("in the hours given below")),
            (IN_CALENDAR, gettext_lazy("in the hours of a calendar")),
            (OUT_OF_CALENDAR, gettext_lazy("outside the hours of a calendar")),
        ),
        required=False,
        label=gettext_lazy("On call"),
    )
    calendar = forms.ModelChoiceField(
        BusinessCalendar.objects.all(),
        to_field_name="public_id",
        required=False,
        empty_label=gettext_lazy("No calendar"),
        label=gettext_lazy("Calendar"),
    )

    def __init__(self, *args: Any, people: list[tuple[str, str]] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["weekday"].choices = [(day, str(WEEKDAYS[day])) for day in WEEK]  # type: ignore[attr-defined]
        offered = [("", _("Nobody")), *(people or [])]
        for slot in range(SLOTS):
            self.fields[f"member_{slot}"] = forms.ChoiceField(choices=offered, required=False)
        for day in WEEK:
            self.fields[f"day_{day}"] = forms.CharField(
                max_length=100,
                required=False,
                label=str(WEEKDAYS[day]),
                widget=forms.TextInput(attrs={"dir": "ltr", "placeholder": "18:00-08:00"}),
            )
        dress(self)

    @property
    def slots(self) -> list[forms.BoundField]:
        """The places for people: those that are taken, and a few more."""
        taken = [slot for slot in range(SLOTS) if self[f"member_{slot}"].value()]
        return [self[f"member_{slot}"] for slot in range(min((taken[-1] + 1 if taken else 1) + SPARE, SLOTS))]

    @property
    def days(self) -> list[forms.BoundField]:
        """The seven fields of the week, Monday first."""
        return [self[f"day_{day}"] for day in WEEK]

    @property
    def has_people(self) -> bool:
        """Whether the valid row is a layer."""
        return any(self.cleaned_data.get(f"member_{slot}") for slot in range(SLOTS))

    def clean(self) -> dict[str, Any]:
        """Ask for what a layer with people needs, and read its hours."""
        values = super().clean() or {}
        self.weekly: list[list[tuple[int, int]]] = [[] for _day in WEEK]
        if not any(values.get(f"member_{slot}") for slot in range(SLOTS)):
            return values
        for name, text in (
            ("every", _("Say how long a turn lasts.")),
            ("handover", _("Say when the hand-over is, such as 09:00.")),
            ("starts", _("Say from when the layer counts.")),
        ):
            if values.get(name) is None and name not in self.errors:
                self.add_error(name, text)
        if values.get("hours") == OWN:
            self._read_hours(values)
        if values.get("hours") in (IN_CALENDAR, OUT_OF_CALENDAR) and not values.get("calendar"):
            self.add_error("calendar", _("Choose the calendar."))
        return values

    def _read_hours(self, values: dict[str, Any]) -> None:
        for day in WEEK:
            try:
                self.weekly[day] = read_spans(values.get(f"day_{day}") or "")
            except Unreadable as error:
                self.add_error(f"day_{day}", str(error))
        if not any(self.weekly) and not self.errors:
            self.add_error("day_0", _("Give hours for at least one day."))

    def layer(self, ids: dict[str, int]) -> dict[str, Any]:
        """Return the layer of the valid row as it is stored. `ids`: people's ids by their public ids."""
        values = self.cleaned_data
        chosen = [values[f"member_{slot}"] for slot in range(SLOTS)]
        hours, at = values.get("hours") or ALWAYS, values["handover"]
        by_calendar = hours in (IN_CALENDAR, OUT_OF_CALENDAR)
        weekly = [[[_clock(a), _clock(b)] for a, b in day] for day in self.weekly] if hours == OWN else None
        return {
            "name": values["name"],
            "level": values["level"] or 1,
            "members": [ids[ref] for ref in chosen if ref in ids],
            "unit": values["unit"] or Unit.WEEK,
            "every": values["every"],
            "minute": at.hour * 60 + at.minute,
            "weekday": values["weekday"] or 0,
            "starts": values["starts"].isoformat(),
            "ends": values["ends"].isoformat() if values["ends"] else None,
            "weekly": weekly,
            "calendar": values["calendar"].pk if by_calendar else None,
            "within": Within.OUTSIDE if hours == OUT_OF_CALENDAR else Within.HOURS,
        }

    @staticmethod
    def values_of(layer: Any, refs: dict[int, str], calendars: dict[int, str]) -> dict[str, Any]:
        """Return what a row shows of a stored layer. `refs` and `calendars`: public ids by id."""
        hours = ALWAYS
        if layer.weekly is not None:
            hours = OWN
        elif layer.calendar is not None:
            hours = OUT_OF_CALENDAR if layer.within == Within.OUTSIDE else IN_CALENDAR
        values: dict[str, Any] = {
            "name": layer.name,
            "level": layer.level,
            "every": layer.every,
            "unit": str(layer.unit),
            "weekday": layer.weekday,
            "handover": time(layer.minute // 60, layer.minute % 60),
            "starts": layer.starts,
            "ends": layer.ends,
            "hours": hours,
            "calendar": calendars.get(layer.calendar or 0, ""),
        }
        values |= {f"member_{slot}": refs.get(pk, "") for slot, pk in enumerate(layer.members[:SLOTS])}
        return values | {f"day_{day}": write_spans(layer.weekly[day]) for day in WEEK if layer.weekly is not None}


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


LayerSet = forms.formset_factory(LayerForm, extra=1, max_num=12, absolute_max=12)

"""Forms about service levels: calendars, policies with their goals, escalations."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from itsm.accounts.forms import zone_choices
from itsm.accounts.models import Team
from slas.actions import GoalSpec
from slas.actions.effects import ASSIGN_TEAM, NOTIFY, RAISE_PRIORITY
from slas.calendars import CalendarError, CalendarSpec
from slas.calendars.holidays import closed_dates, supported_regions
from slas.models import BusinessCalendar, EscalationChain, Kind, Metric, ServiceLevelPolicy
from slas.models.policies import on_hold
from workspace.administration.conditions import readable
from workspace.administration.forms.base import ConditionField, SettingsForm
from workspace.administration.hours import (
    Unreadable,
    read_dates,
    read_duration,
    read_spans,
    write_dates,
    write_duration,
    write_spans,
)

NAME_MAX = 200
HOURS_MAX = 300
DATES_MAX = 60_000
HOLIDAY_YEARS = 3
WEEK = range(7)
EVERYONE = (
    ("assignee", gettext_lazy("the assignee")),
    ("team_lead", gettext_lazy("the team's lead")),
    ("team", gettext_lazy("the whole team")),
)


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


class PolicyForm(SettingsForm):
    """A promise: which tickets, and what is timed. Its goals are a set of forms of their own."""

    PAUSES = (
        ("on_hold", gettext_lazy("While the ticket is on hold")),
        ("never", gettext_lazy("Never")),
        ("other", gettext_lazy("While this condition holds:")),
    )
    name = forms.CharField(max_length=NAME_MAX, label=gettext_lazy("Name"))
    metric = forms.ChoiceField(choices=Metric.choices, label=gettext_lazy("What is timed"))
    kind = forms.ChoiceField(choices=Kind.choices, label=gettext_lazy("Kind of promise"))
    condition = ConditionField(
        required=False,
        label=gettext_lazy("For tickets like this"),
        help_text=gettext_lazy("As in the search bar, such as kind:incident service:mail. Empty: every ticket."),
    )
    pause = forms.ChoiceField(choices=PAUSES, label=gettext_lazy("The clock stands still"))
    pause_condition = ConditionField(required=False, label=gettext_lazy("Condition under which it stands still"))
    order = forms.IntegerField(
        min_value=1,
        max_value=100_000,
        initial=100,
        label=gettext_lazy("Order"),
        help_text=gettext_lazy("The policy with the lowest number that fits a ticket counts."),
    )
    is_active = forms.BooleanField(
        required=False,
        initial=True,
        label=gettext_lazy("Active"),
        help_text=gettext_lazy("Switching it off cancels the clocks that run by it."),
    )

    def __init__(self, *args: Any, policy: ServiceLevelPolicy | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if policy is not None:
            self.fields["name"].disabled = True
            self.fields["name"].help_text = _("The name stays: reports and the record name it.")

    @staticmethod
    def values_of(policy: ServiceLevelPolicy) -> dict[str, Any]:
        """Return what the form shows of a stored policy."""
        names = ("name", "metric", "kind", "order", "is_active")
        values: dict[str, Any] = {name: getattr(policy, name) for name in names}
        stored = policy.pause_condition
        values["pause"] = "never" if stored is None else "on_hold" if stored == on_hold() else "other"
        values["pause_condition"] = readable(stored).text if values["pause"] == "other" else ""
        return values | {"condition": readable(policy.condition).text}

    @property
    def pause_value(self) -> Any:
        """The pause condition of the valid form, as the verb takes it."""
        choice = self.cleaned_data["pause"]
        return None if choice == "never" else on_hold() if choice == "on_hold" else self.cleaned_data["pause_condition"]

    def clean(self) -> dict[str, Any]:
        """Ask for the condition where one is meant."""
        values = super().clean() or {}
        if (
            values.get("pause") == "other"
            and not values.get("pause_condition")
            and "pause_condition" not in self.errors
        ):
            self.add_error("pause_condition", _("Say when the clock stands still."))
        return values


class GoalForm(forms.Form):
    """One goal. A row without a target is no goal."""

    condition = ConditionField(required=False, label=gettext_lazy("Tickets"))
    target = forms.CharField(max_length=40, required=False, label=gettext_lazy("Target"))
    calendar = forms.ModelChoiceField(
        BusinessCalendar.objects.filter(current__isnull=False),
        to_field_name="public_id",
        required=False,
        label=gettext_lazy("Calendar"),
        empty_label=gettext_lazy("Choose"),
    )
    chain = forms.ModelChoiceField(
        EscalationChain.objects.filter(current__isnull=False),
        to_field_name="public_id",
        required=False,
        label=gettext_lazy("Escalation"),
        empty_label=gettext_lazy("None"),
    )

    def clean(self) -> dict[str, Any]:
        """Read the target, and ask for a calendar."""
        values = super().clean() or {}
        text = values.get("target", "")
        values["seconds"] = 0
        if text:
            try:
                values["seconds"] = read_duration(text)
            except Unreadable as error:
                self.add_error("target", str(error))
            if values.get("calendar") is None and "calendar" not in self.errors:
                self.add_error("calendar", _("Choose by which hours the target counts."))
        elif values.get("condition"):
            self.add_error("target", _("Give a target such as 4h, or clear the row."))
        return values

    @property
    def goal(self) -> GoalSpec | None:
        """The goal of the valid row, or None for a row without a target."""
        values = self.cleaned_data
        if not values.get("seconds"):
            return None
        return GoalSpec(values["seconds"], values["calendar"], values["condition"], values["chain"])

    @staticmethod
    def values_of(goal: Any) -> dict[str, Any]:
        """Return what a row shows of a stored goal."""
        return {
            "condition": readable(goal.condition).text,
            "target": write_duration(goal.target_s),
            "calendar": goal.calendar.public_id,
            "chain": goal.chain.public_id if goal.chain else "",
        }


GoalSet = forms.formset_factory(GoalForm, extra=2, max_num=100, absolute_max=110)


class ChainForm(SettingsForm):
    """The name of an escalation; its steps are a set of forms of their own."""

    name = forms.CharField(max_length=NAME_MAX, label=gettext_lazy("Name"))

    def __init__(self, *args: Any, chain: EscalationChain | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if chain is not None:
            self.fields["name"].disabled = True


class StepForm(forms.Form):
    """What happens when a share of the target is used up. A row without a percentage is no step."""

    percent = forms.IntegerField(min_value=1, max_value=1000, required=False, label=gettext_lazy("When used up (%)"))
    who = forms.MultipleChoiceField(
        choices=EVERYONE, required=False, widget=forms.CheckboxSelectMultiple, label=gettext_lazy("Tell")
    )
    team = forms.ModelChoiceField(
        Team.objects.active(),
        to_field_name="public_id",
        required=False,
        label=gettext_lazy("Give to team"),
        empty_label=gettext_lazy("Leave it where it is"),
    )
    raise_priority = forms.BooleanField(required=False, label=gettext_lazy("Raise the priority"))

    def clean(self) -> dict[str, Any]:
        """Ask for the percentage of a row that does something, and for a deed of a row that has one."""
        values = super().clean() or {}
        does = bool(values.get("who") or values.get("team") or values.get("raise_priority"))
        if does and values.get("percent") is None and "percent" not in self.errors:
            self.add_error("percent", _("Say when: 75 means three quarters of the target."))
        if not does and values.get("percent") is not None and not self.errors:
            self.add_error("percent", _("Say what is done, or clear the row."))
        return values

    @property
    def step(self) -> dict[str, Any] | None:
        """The step of the valid row, or None for an empty one."""
        values = self.cleaned_data
        if values.get("percent") is None:
            return None
        actions: list[dict[str, Any]] = []
        if values["who"]:
            actions.append({"do": NOTIFY, "who": values["who"]})
        if values["team"]:
            actions.append({"do": ASSIGN_TEAM, "team": values["team"].pk})
        if values["raise_priority"]:
            actions.append({"do": RAISE_PRIORITY})
        return {"percent": values["percent"], "actions": actions}

    @staticmethod
    def values_of(step: dict[str, Any]) -> dict[str, Any]:
        """Return what a row shows of a stored step."""
        values: dict[str, Any] = {"percent": step["percent"], "who": []}
        for action in step["actions"]:
            if action["do"] == NOTIFY:
                values["who"] = action["who"]
            elif action["do"] == ASSIGN_TEAM:
                team = Team.objects.filter(pk=action["team"]).first()
                values["team"] = team.public_id if team else ""
            else:
                values["raise_priority"] = True
        return values


StepSet = forms.formset_factory(StepForm, extra=2, max_num=20, absolute_max=30)

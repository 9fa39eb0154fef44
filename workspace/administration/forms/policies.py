"""The forms of a service-level policy and its goals."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from slas.actions import GoalSpec, Rules
from slas.models import (
    BusinessCalendar,
    EscalationChain,
    Kind,
    LateSteps,
    Metric,
    OnReopen,
    OnRetarget,
    ServiceLevelPolicy,
    StartFrom,
    ZoneFrom,
)
from slas.models.policies import on_hold
from workspace.administration.conditions import readable
from workspace.administration.forms.base import ConditionField, SettingsForm
from workspace.administration.hours import Unreadable
from workspace.administration.targets import Target, read_target, write_target

NAME_MAX = 200
CONDITIONS = ("stop_condition", "cancel_condition", "reset_condition")
CHOICES = ("start_from", "on_retarget", "on_reopen", "late_steps")


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
    start_from = forms.ChoiceField(
        required=False, choices=StartFrom.choices, initial=StartFrom.ATTACH, label=gettext_lazy("Counts from")
    )
    on_retarget = forms.ChoiceField(
        required=False,
        choices=OnRetarget.choices,
        initial=OnRetarget.KEEP,
        label=gettext_lazy("When another goal comes to apply"),
    )
    on_reopen = forms.ChoiceField(
        required=False,
        choices=OnReopen.choices,
        initial=OnReopen.RESUME,
        label=gettext_lazy("When the ticket is taken up again"),
    )
    late_steps = forms.ChoiceField(
        required=False,
        choices=LateSteps.choices,
        initial=LateSteps.HIGHEST,
        label=gettext_lazy("Escalation steps that a new target puts into the past"),
    )
    stop_condition = ConditionField(
        required=False,
        label=gettext_lazy("Also stopped when"),
        help_text=gettext_lazy("Beside what ends it anyway, such as the reply or the resolution."),
    )
    reset_condition = ConditionField(
        required=False,
        label=gettext_lazy("Started anew when"),
        help_text=gettext_lazy("The clock ends, and one that begins at zero takes its place."),
    )
    cancel_condition = ConditionField(
        required=False,
        label=gettext_lazy("Cancelled when"),
        help_text=gettext_lazy("The promise no longer applies; nothing is recorded as met or missed."),
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
        names = ("name", "metric", "kind", "order", "is_active", *CHOICES)
        values: dict[str, Any] = {name: getattr(policy, name) for name in names}
        stored = policy.pause_condition
        values["pause"] = "never" if stored is None else "on_hold" if stored == on_hold() else "other"
        values["pause_condition"] = readable(stored).text if values["pause"] == "other" else ""
        for part in CONDITIONS:
            condition = getattr(policy, part)
            values[part] = "" if condition is None else readable(condition).text
        return values | {"condition": readable(policy.condition).text}

    @property
    def has_rules(self) -> bool:
        """Whether one of the rules that most policies leave alone says something, or is wrong."""
        if any(self[part].errors or self[part].value() for part in CONDITIONS):
            return True
        plain = Rules()
        return any(self[part].errors or self[part].value() != getattr(plain, part) for part in CHOICES)

    @property
    def rules(self) -> Rules:
        """The further rules of the valid form."""
        said: dict[str, Any] = {part: self.cleaned_data[part] or None for part in CONDITIONS}
        said |= {part: value for part in CHOICES if (value := self.cleaned_data[part])}
        return Rules(**said)

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
    target = forms.CharField(max_length=60, required=False, label=gettext_lazy("Target"))
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
    use_team_calendar = forms.BooleanField(
        required=False, label=gettext_lazy("By the team's own calendar, where it has one")
    )
    zone_from = forms.ChoiceField(
        choices=ZoneFrom.choices,
        initial=ZoneFrom.CALENDAR,
        required=False,
        label=gettext_lazy("Hours are read by"),
    )

    def clean(self) -> dict[str, Any]:
        """Read the target, and ask for a calendar."""
        values = super().clean() or {}
        text = values.get("target", "")
        values["read_target"] = None
        if text:
            try:
                values["read_target"] = read_target(text)
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
        target: Target | None = values.get("read_target")
        if target is None:
            return None
        return GoalSpec(
            target.seconds,
            values["calendar"],
            values["condition"],
            values["chain"],
            target.unit,
            target.count,
            values["use_team_calendar"],
            values["zone_from"] or ZoneFrom.CALENDAR,
        )

    @property
    def has_more(self) -> bool:
        """Whether the row says more than most do."""
        return bool(self["use_team_calendar"].value() or self["zone_from"].value() not in ("", None, ZoneFrom.CALENDAR))

    @staticmethod
    def values_of(goal: Any) -> dict[str, Any]:
        """Return what a row shows of a stored goal."""
        return {
            "condition": readable(goal.condition).text,
            "target": write_target(goal.target_unit, goal.target_s, goal.target_count),
            "calendar": goal.calendar.public_id,
            "chain": goal.chain.public_id if goal.chain else "",
            "use_team_calendar": goal.use_team_calendar,
            "zone_from": goal.zone_from,
        }


GoalSet = forms.formset_factory(GoalForm, extra=2, max_num=100, absolute_max=110)

"""The forms of a service-level policy and its goals."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from slas.actions import GoalSpec
from slas.models import BusinessCalendar, EscalationChain, Kind, Metric, ServiceLevelPolicy
from slas.models.policies import on_hold
from workspace.administration.conditions import readable
from workspace.administration.forms.base import ConditionField, SettingsForm
from workspace.administration.hours import (
    Unreadable,
    read_duration,
    write_duration,
)

NAME_MAX = 200


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

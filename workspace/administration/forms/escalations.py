"""The forms of an escalation and its steps."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from itsm.accounts.models import Team
from slas.actions.orders import ASSIGN_TEAM, NOTIFY, RAISE_PRIORITY
from slas.models import EscalationChain
from workspace.administration.forms.base import SettingsForm

NAME_MAX = 200
EVERYONE = (
    ("assignee", gettext_lazy("the assignee")),
    ("team_lead", gettext_lazy("the team's lead")),
    ("team", gettext_lazy("the whole team")),
)


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

"""The form of a rule that proposes or accepts major incidents."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from incidents.major.models import IMPACT_MAX
from incidents.major.rules.models import LEAST, MOST, RULE_NAME_MAX, MajorRule, RuleDeed
from itsm.accounts.models import User
from workspace.administration.conditions import readable
from workspace.administration.forms.base import ConditionField, SettingsForm, TeamChoice

IMPACT_ROWS = 4


def _count(label: Any, help_text: Any) -> forms.IntegerField:
    return forms.IntegerField(
        min_value=LEAST,
        max_value=MOST,
        required=False,
        label=label,
        help_text=help_text,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )


class MajorRuleForm(SettingsForm):
    """If an incident is like this and so many are hit, then it is proposed or accepted as a major one."""

    name = forms.CharField(
        max_length=RULE_NAME_MAX,
        label=gettext_lazy("Name"),
        help_text=gettext_lazy("It stands in the proposal and in the timeline, so say what the rule looks for."),
    )
    condition = ConditionField(
        required=False,
        label=gettext_lazy("If an incident is like this"),
        help_text=gettext_lazy(
            "As in the search bar: priority:1, service:mail, category:Hardware, team:network, vip:yes. Words beside "
            "each other must all hold; OR and brackets work too. Empty: any incident, as far as so many are hit."
        ),
    )
    min_children = _count(
        gettext_lazy("And at least this many incidents are part of it"),
        gettext_lazy("By “Me too” in the portal, or because the desk put them there. Cancelled ones do not count."),
    )
    min_people = _count(
        gettext_lazy("And at least this many people are affected"),
        gettext_lazy("Its requester and those of the incidents that are part of it or merged into it, each once."),
    )
    deed = forms.ChoiceField(
        choices=RuleDeed.choices,
        initial=RuleDeed.PROPOSE,
        label=gettext_lazy("Then"),
        help_text=gettext_lazy("A proposal waits for a team lead or manager. Accepting at once asks nobody."),
    )
    impact = forms.CharField(
        max_length=IMPACT_MAX,
        required=False,
        label=gettext_lazy("Business impact"),
        help_text=gettext_lazy(
            "Needed to accept at once. Filled in: {number}, {title}, {priority}, {service}, {children}, {people}."
        ),
        widget=forms.Textarea(attrs={"rows": IMPACT_ROWS, "dir": "auto"}),
    )
    commander = forms.ModelChoiceField(
        User.objects.workers().order_by("display_name"),
        to_field_name="public_id",
        required=False,
        label=gettext_lazy("Commander, when it accepts"),
        empty_label=gettext_lazy("Nobody yet"),
    )
    commander_team = TeamChoice(
        required=False,
        label=gettext_lazy("Or whoever is on call of"),
        empty_label=gettext_lazy("No team"),
        help_text=gettext_lazy("The first level of the team's rotas, at the moment of acceptance."),
    )
    is_active = forms.BooleanField(
        required=False,
        initial=True,
        label=gettext_lazy("Active"),
        help_text=gettext_lazy("It looks at an incident when something happens to it, from now on."),
    )

    def __init__(self, *args: Any, rule: MajorRule | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if rule is None:
            return
        if rule.commander_id is not None:  # offered too where they no longer work on tickets, because they stand there
            both = User.objects.workers() | User.objects.filter(pk=rule.commander_id)
            self.fields["commander"].queryset = both.order_by("display_name")  # type: ignore[attr-defined]
        self.fields["commander_team"].keep(rule.commander_team)  # type: ignore[attr-defined]

    @staticmethod
    def values_of(rule: MajorRule) -> dict[str, Any]:
        """Return what the form shows of a stored rule."""
        return {
            "name": rule.name,
            "condition": readable(rule.condition).text if rule.condition else "",
            "min_children": rule.min_children,
            "min_people": rule.min_people,
            "deed": rule.deed,
            "impact": rule.impact,
            "commander": rule.commander.public_id if rule.commander else "",
            "commander_team": rule.commander_team.public_id if rule.commander_team else "",
            "is_active": rule.is_active,
        }

    def draft(self) -> MajorRule | None:
        """Return what the sent form asks of an incident, to try it; None where that cannot be read or is nothing."""
        values = {name: self.cleaned_data.get(name) for name in ("min_children", "min_people")}
        condition = self.cleaned_data.get("condition")
        if condition is None or {"condition", *values} & self.errors.keys():
            return None
        if not condition and not any(values.values()):
            return None
        return MajorRule(condition=condition, **values)

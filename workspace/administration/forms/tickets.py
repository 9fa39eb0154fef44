"""Forms about tickets: matrix, categories, routing rules, incidents, services."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cmdb.models import Service
from incidents.models import IncidentSettings
from itsm.tickets.actions.settings import NAME_MAX, RULE_NAME_MAX
from itsm.tickets.models import Category, Level, Priority, RoutingRule
from problems.models import KnownErrorRule
from workspace.administration.conditions import readable
from workspace.administration.forms.base import ConditionField, PersonChoice, SettingsForm, TeamChoice
from workspace.filters import kind_choices

MOST_DAYS = 90
FIRST_KIND = "incident"


class MatrixForm(SettingsForm):
    """Nine choices, one for each impact and urgency."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for impact, impact_word in Level.choices:
            for urgency, urgency_word in Level.choices:
                words = _("Impact %(impact)s, urgency %(urgency)s") % {"impact": impact_word, "urgency": urgency_word}
                self.fields[self.name(impact, urgency)] = forms.TypedChoiceField(
                    choices=Priority.choices, coerce=int, label=words, widget=forms.Select(attrs={"aria-label": words})
                )

    @staticmethod
    def name(impact: int, urgency: int) -> str:
        """Return the field's name of a cell."""
        return f"cell_{impact}_{urgency}"

    @property
    def matrix(self) -> dict[tuple[int, int], int]:
        """The priorities of the valid form by impact and urgency."""
        return {
            (impact, urgency): self.cleaned_data[self.name(impact, urgency)]
            for impact in Level.values
            for urgency in Level.values
        }

    @property
    def rows(self) -> list[tuple[str, list[forms.BoundField]]]:
        """The fields by impact, for the table."""
        return [
            (str(word), [self[self.name(impact, urgency)] for urgency in Level.values])
            for impact, word in Level.choices
        ]


class CategoryForm(SettingsForm):
    """One category and its place in the tree."""

    name = forms.CharField(max_length=NAME_MAX, label=gettext_lazy("Name"))
    parent = forms.ModelChoiceField(
        Category.objects.all(),
        to_field_name="public_id",
        required=False,
        label=gettext_lazy("Part of"),
        empty_label=gettext_lazy("Nothing: it stands at the top"),
    )
    team = TeamChoice(
        required=False,
        label=gettext_lazy("Team"),
        empty_label=gettext_lazy("As the category above"),
        help_text=gettext_lazy("Where tickets go when no routing rule and no service says otherwise."),
    )
    is_active = forms.BooleanField(
        required=False,
        initial=True,
        label=gettext_lazy("Can be chosen"),
        help_text=gettext_lazy("Switching it off takes everything below it away too. Tickets keep theirs."),
    )

    def __init__(self, *args: Any, category: Category | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if category is not None:
            inside = Category.objects.within(category).values("pk")
            self.fields["parent"].queryset = Category.objects.exclude(pk__in=inside)  # type: ignore[attr-defined]
            self.fields["team"].keep(category.team)  # type: ignore[attr-defined]


class RuleForm(SettingsForm):
    """A routing rule: if a ticket is like this, then that team."""

    name = forms.CharField(max_length=RULE_NAME_MAX, label=gettext_lazy("Name"))
    kind = forms.ChoiceField(choices=kind_choices, label=gettext_lazy("For"), initial=FIRST_KIND, required=False)
    condition = ConditionField(
        label=gettext_lazy("If a new ticket is like this"),
        help_text=gettext_lazy(
            "As in the search bar: title:vpn, service:mail, category:Hardware, impact:1, requester:ann@example.com, "
            "vip:yes. Words beside each other must all hold; OR and brackets work too."
        ),
    )
    team = TeamChoice(label=gettext_lazy("then it goes to"), empty_label=gettext_lazy("Choose a team"))
    is_active = forms.BooleanField(required=False, initial=True, label=gettext_lazy("Active"))

    def __init__(self, *args: Any, rule: RoutingRule | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if rule is not None:
            self.fields["team"].keep(rule.team)  # type: ignore[attr-defined]

    def clean_kind(self) -> str:
        """Return the kind; incidents where the form that was sent is one from before there were others."""
        return str(self.cleaned_data["kind"] or FIRST_KIND)

    @staticmethod
    def values_of(rule: RoutingRule) -> dict[str, Any]:
        """Return what the form shows of a stored rule."""
        return {
            "name": rule.name,
            "kind": rule.kind,
            "condition": readable(rule.condition).text,
            "team": rule.team.public_id,
            "is_active": rule.is_active,
        }


class IncidentSettingsForm(SettingsForm):
    """How incidents end."""

    auto_close_days = forms.IntegerField(min_value=1, max_value=MOST_DAYS)
    reopen_days = forms.IntegerField(min_value=1, max_value=MOST_DAYS)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            if name != "seen":
                words = IncidentSettings._meta.get_field(name).verbose_name  # type: ignore[union-attr]
                field.label = str(words)[:1].upper() + str(words)[1:]
                field.widget.attrs["inputmode"] = "numeric"


class ProblemSettingsForm(SettingsForm):
    """What a known error needs, and whether an accepted risk closes."""

    known_error_needs = forms.ChoiceField(label=gettext_lazy("A known error needs"), choices=KnownErrorRule.choices)
    accepted_risk_closes = forms.BooleanField(
        required=False, label=gettext_lazy("An accepted risk closes the problem at once")
    )


class ServiceForm(SettingsForm):
    """A service that people know by name."""

    name = forms.CharField(max_length=200, label=gettext_lazy("Name"))
    key = forms.SlugField(
        max_length=60,
        label=gettext_lazy("Key"),
        help_text=gettext_lazy("Small letters, digits and hyphens. Conditions and links name the service by it."),
    )
    description = forms.CharField(
        max_length=5000,
        required=False,
        label=gettext_lazy("Description"),
        help_text=gettext_lazy("One sentence in the words of those who use it: the portal shows it."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    support_team = TeamChoice(
        required=False, label=gettext_lazy("Support team"), empty_label=gettext_lazy("None: rules and categories say")
    )
    owner = PersonChoice(required=False, label=gettext_lazy("Owner"))
    part_of = forms.ModelChoiceField(
        Service.objects.active(),
        to_field_name="public_id",
        required=False,
        label=gettext_lazy("Part of"),
        empty_label=gettext_lazy("Stands by itself"),
        help_text=gettext_lazy("Changes to a service and to what it is part of are watched for collisions."),
    )
    is_active = forms.BooleanField(
        required=False, initial=True, label=gettext_lazy("Can be chosen on tickets and in the portal")
    )

    def __init__(self, *args: Any, service: Service | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if service is not None:
            self.fields["support_team"].keep(service.support_team)  # type: ignore[attr-defined]
            others = Service.objects.active() | Service.objects.filter(parts=service.pk)
            self.fields["part_of"].queryset = others.exclude(pk=service.pk)  # type: ignore[attr-defined]
        self.fields["owner"].show(self, "owner", service.owner if service else None)  # type: ignore[attr-defined]

    def clean_key(self) -> str:
        """Return the key in small letters."""
        return str(self.cleaned_data["key"]).lower()

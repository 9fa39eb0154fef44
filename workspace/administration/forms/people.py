"""Forms about people and teams."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.db.models import Q
from django.utils.translation import gettext_lazy

from itsm.accounts.forms import zone_choices
from itsm.accounts.models import Department, Location, Organisation, Team, User
from itsm.accounts.roles import Role
from slas.models import BusinessCalendar, TeamCalendar
from workspace.administration.forms.base import PersonChoice, SettingsForm

BELONGS = ("organisation", "department", "location")


def _place(model: type[Any], label: Any) -> forms.ModelChoiceField:
    widget = forms.Select(attrs={"data-combobox": ""})
    return forms.ModelChoiceField(
        model.objects.all(), required=False, label=label, widget=widget, empty_label=gettext_lazy("None")
    )


class PersonForm(SettingsForm):
    """What an administrator sets about a person. The password is theirs alone."""

    display_name = forms.CharField(max_length=150, label=gettext_lazy("Name"))
    email = forms.EmailField(
        max_length=254, label=gettext_lazy("E-mail address"), help_text=gettext_lazy("They sign in with it.")
    )
    roles = forms.MultipleChoiceField(
        choices=Role.choices, widget=forms.CheckboxSelectMultiple, label=gettext_lazy("Roles"), initial=[Role.REQUESTER]
    )
    organisation = _place(Organisation, gettext_lazy("Organisation"))
    department = _place(Department, gettext_lazy("Department"))
    location = _place(Location, gettext_lazy("Location"))
    manager = PersonChoice(required=False, label=gettext_lazy("Manager"))
    phone = forms.CharField(max_length=40, required=False, label=gettext_lazy("Phone"))
    time_zone = forms.ChoiceField(label=gettext_lazy("Time zone"), widget=forms.Select(attrs={"data-combobox": ""}))
    language = forms.ChoiceField(label=gettext_lazy("Language"), choices=settings.LANGUAGES)
    is_vip = forms.BooleanField(
        required=False, label=gettext_lazy("VIP"), help_text=gettext_lazy("Rules and queues can ask for vip:yes.")
    )

    def __init__(self, *args: Any, user: User | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices: list[Any] = zone_choices()
        current = user.time_zone if user else "UTC"
        if not any(current == name for _group, zones in choices for name, _label in zones):
            choices.insert(0, (current, current))
        self.fields["time_zone"].choices = choices  # type: ignore[attr-defined]
        self.fields["manager"].show(self, "manager", user.manager if user else None)  # type: ignore[attr-defined]

    @staticmethod
    def values_of(user: User) -> dict[str, Any]:
        """Return what the form shows of a stored person."""
        names = ("display_name", "email", "roles", "phone", "time_zone", "language", "is_vip")
        values: dict[str, Any] = {name: getattr(user, name) for name in names}
        values |= {name: getattr(user, f"{name}_id") for name in BELONGS}
        return values | {"manager": user.manager.public_id if user.manager else ""}


class PeopleFilter(forms.Form):
    """What the list of people shows."""

    STATES = (
        ("", gettext_lazy("Active")),
        ("off", gettext_lazy("Deactivated")),
        ("all", gettext_lazy("Everybody")),
    )
    q = forms.CharField(max_length=200, required=False, label=gettext_lazy("Name or e-mail address"))
    role = forms.ChoiceField(
        choices=[("", gettext_lazy("Any role")), *Role.choices], required=False, label=gettext_lazy("Role")
    )
    organisation = forms.ModelChoiceField(
        Organisation.objects.all(),
        required=False,
        label=gettext_lazy("Organisation"),
        empty_label=gettext_lazy("Any organisation"),
    )
    state = forms.ChoiceField(choices=STATES, required=False, label=gettext_lazy("State"))

    def found(self) -> Any:
        """Return the people that the form asks for; what does not fit in it is left out."""
        people = User.objects.select_related("organisation", "department")
        self.is_valid()
        asked = self.cleaned_data
        if asked.get("q"):
            people = people.search(asked["q"])
        if asked.get("role"):
            people = people.filter(roles__contains=[asked["role"]])
        if asked.get("organisation"):
            people = people.filter(organisation=asked["organisation"])
        if asked.get("state") != "all":
            people = people.filter(is_active=asked.get("state") != "off")
        return people


class TeamForm(SettingsForm):
    """A team with its people."""

    name = forms.CharField(max_length=200, label=gettext_lazy("Name"))
    description = forms.CharField(
        max_length=5000,
        required=False,
        label=gettext_lazy("What it does"),
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    email = forms.EmailField(
        required=False,
        label=gettext_lazy("E-mail address of the team"),
        help_text=gettext_lazy("Notices to the team go there; left empty, to each member."),
    )
    lead = forms.ModelChoiceField(
        User.objects.none(),
        to_field_name="public_id",
        required=False,
        label=gettext_lazy("Lead"),
        empty_label=gettext_lazy("Nobody"),
        widget=forms.Select(attrs={"data-combobox": ""}),
    )
    members = forms.ModelMultipleChoiceField(
        User.objects.none(),
        to_field_name="public_id",
        required=False,
        label=gettext_lazy("Members"),
        help_text=gettext_lazy("Only people with a role that works on tickets."),
        widget=forms.CheckboxSelectMultiple,
    )
    is_active = forms.BooleanField(
        required=False,
        initial=True,
        label=gettext_lazy("Active"),
        help_text=gettext_lazy("A team that is off gets no new tickets. Those it has stay with it."),
    )

    calendar = forms.ModelChoiceField(
        BusinessCalendar.objects.filter(current__isnull=False),
        to_field_name="public_id",
        required=False,
        label=gettext_lazy("Business hours"),
        empty_label=gettext_lazy("As each goal says"),
        help_text=gettext_lazy("For goals that go by the team's own calendar, such as the time with the team."),
    )

    def __init__(self, *args: Any, team: Team | None = None, with_calendar: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not with_calendar:
            del self.fields["calendar"]
        workers = User.objects.workers().values("pk")
        known = Q(pk__in=workers)
        if team is not None:
            known |= Q(memberships__team=team) | Q(led_teams=team)
        people = User.objects.filter(known).distinct()
        self.fields["lead"].queryset = people  # type: ignore[attr-defined]
        self.fields["members"].queryset = people  # type: ignore[attr-defined]

    @staticmethod
    def values_of(team: Team) -> dict[str, Any]:
        """Return what the form shows of a stored team."""
        values: dict[str, Any] = {name: getattr(team, name) for name in ("name", "description", "email", "is_active")}
        values["lead"] = team.lead.public_id if team.lead else ""
        own = TeamCalendar.objects.filter(team=team).select_related("calendar").first()
        values["calendar"] = own.calendar.public_id if own else ""
        return values | {"members": [member.public_id for member in team.members.all()]}

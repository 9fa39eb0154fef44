"""The forms of an escalation and its steps."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from itsm.accounts.models import Team, User
from itsm.accounts.roles import Role
from itsm.notifications.models import Endpoint
from slas.actions.chains import DESK_ROLES, LONGEST_REPEAT, MOST_REPETITIONS
from slas.actions.orders import (
    ADD_WATCHER,
    ASSIGN_PERSON,
    ASSIGN_TEAM,
    NOTIFY,
    RAISE_PRIORITY,
    WEBHOOK,
)
from slas.chain_words import role_labels
from slas.models import BusinessCalendar, EscalationChain, Rota, RotaLevel
from slas.steps import LARGEST_OFFSET, By
from workspace.administration.forms.base import PersonChoice, SettingsForm, TeamChoice, dress
from workspace.administration.hours import Unreadable, read_duration

NAME_MAX = 200
PERCENT, BEFORE, AFTER = "percent", "before", "after"
PEOPLE = ("person_0", "person_1", "person_2")
CLOCKS = ((By.BUSINESS, gettext_lazy("working time")), (By.WALL, gettext_lazy("the clock on the wall")))


class ChainForm(SettingsForm):
    """The name of an escalation; its steps are a set of forms of their own."""

    name = forms.CharField(max_length=NAME_MAX, label=gettext_lazy("Name"))

    def __init__(self, *args: Any, chain: EscalationChain | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if chain is not None:
            self.fields["name"].disabled = True


class ExampleForm(forms.Form):
    """The ticket for which the steps are shown with their instants, and the one for which people are looked up."""

    target = forms.CharField(max_length=40, label=gettext_lazy("Target"), initial="4h")
    start = forms.DateTimeField(
        label=gettext_lazy("Raised"),
        input_formats=["%Y-%m-%dT%H:%M"],
        widget=forms.DateTimeInput(format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local"}),
    )
    calendar = forms.ModelChoiceField(
        BusinessCalendar.objects.exclude(current=None),
        to_field_name="public_id",
        empty_label=None,
        label=gettext_lazy("Hours"),
    )
    ticket = forms.CharField(
        max_length=40,
        required=False,
        label=gettext_lazy("Ticket"),
        widget=forms.TextInput(attrs={"placeholder": "INC"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["prefix"] = "example"
        super().__init__(*args, **kwargs)
        dress(self)

    def clean_target(self) -> int:
        """Return the target in seconds."""
        try:
            return read_duration(self.cleaned_data["target"])
        except Unreadable as error:
            raise forms.ValidationError(str(error)) from error


class StepForm(forms.Form):
    """What happens at one instant of the target. A row without a number is no step."""

    place = forms.ChoiceField(
        choices=(
            (PERCENT, gettext_lazy("% of the target")),
            (BEFORE, gettext_lazy("minutes before it is due")),
            (AFTER, gettext_lazy("minutes after it was due")),
        ),
        required=False,
        initial=PERCENT,
        label=gettext_lazy("What the number means"),
    )
    number = forms.IntegerField(min_value=1, max_value=LARGEST_OFFSET, required=False, label=gettext_lazy("When"))
    clock = forms.ChoiceField(choices=CLOCKS, required=False, label=gettext_lazy("Minutes by"))
    who = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple, label=gettext_lazy("Tell"))
    on_call = forms.MultipleChoiceField(
        required=False, widget=forms.CheckboxSelectMultiple, label=gettext_lazy("Who is on call")
    )
    person_0 = PersonChoice(required=False, label=gettext_lazy("A person"))
    person_1 = PersonChoice(required=False, label=gettext_lazy("Another person"))
    person_2 = PersonChoice(required=False, label=gettext_lazy("A third person"))
    role = forms.ChoiceField(required=False, label=gettext_lazy("Everybody with the role"))
    in_hours = forms.BooleanField(required=False, label=gettext_lazy("Only in the hours of each"))
    team = TeamChoice(required=False, label=gettext_lazy("Give to team"), empty_label=gettext_lazy("Leave it"))
    assignee = PersonChoice(required=False, label=gettext_lazy("Assign to"))
    watcher = PersonChoice(required=False, label=gettext_lazy("Let watch"))
    webhook = forms.ModelChoiceField(
        Endpoint.objects.all(),
        to_field_name="public_id",
        required=False,
        label=gettext_lazy("Call the webhook"),
        empty_label=gettext_lazy("None"),
    )
    raise_priority = forms.BooleanField(required=False, label=gettext_lazy("Raise the priority"))
    repeat_minutes = forms.IntegerField(
        min_value=1, max_value=LONGEST_REPEAT, required=False, label=gettext_lazy("Again every (minutes)")
    )
    repeat_most = forms.IntegerField(
        min_value=1, max_value=MOST_REPETITIONS, required=False, label=gettext_lazy("At most (times)")
    )
    repeat_clock = forms.ChoiceField(choices=tuple(reversed(CLOCKS)), required=False, label=gettext_lazy("Minutes by"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["who"].choices = list(role_labels().items())  # type: ignore[attr-defined]
        self.fields["on_call"].choices = on_call_choices()  # type: ignore[attr-defined]
        roles = [("", _("Nobody")), *((str(role), str(Role(role).label)) for role in DESK_ROLES)]
        self.fields["role"].choices = roles  # type: ignore[attr-defined]
        for name in (*PEOPLE, "assignee", "watcher"):
            field: PersonChoice = self.fields[name]  # type: ignore[assignment]
            field.show(self, name, self.initial.get(f"{name}_row"))
        team: TeamChoice = self.fields["team"]  # type: ignore[assignment]
        team.keep(self.initial.get("team_row"))
        dress(self)

    @property
    def people(self) -> list[forms.BoundField]:
        """The places for people."""
        return [self[name] for name in PEOPLE]

    @property
    def has_more(self) -> bool:
        """Whether something is chosen beyond whom to tell."""
        names = ("team", "assignee", "watcher", "webhook", "raise_priority", "repeat_minutes")
        return any(self[name].value() for name in names) or any(self[name].errors for name in (*names, "repeat_most"))

    def clean(self) -> dict[str, Any]:
        """Ask for the number of a row that does something, and for a deed of a row that has one."""
        values = super().clean() or {}
        does = any(
            values.get(name)
            for name in ("who", "on_call", *PEOPLE, "role", "team", "assignee", "watcher", "webhook", "raise_priority")
        )
        number = values.get("number")
        if does and number is None and "number" not in self.errors:
            self.add_error("number", _("Say when: 75 means three quarters of the target."))
        if not does and number is not None and not self.errors:
            self.add_error("number", _("Say what is done, or clear the row."))
        if bool(values.get("repeat_minutes")) != bool(values.get("repeat_most")) and not self.errors:
            self.add_error("repeat_minutes", _("Say both: how many minutes, and how often at most."))
        return values

    @property
    def step(self) -> dict[str, Any] | None:
        """The step of the valid row, or None for an empty one."""
        values = self.cleaned_data
        if values.get("number") is None:
            return None
        place, number = values["place"] or PERCENT, values["number"]
        step: dict[str, Any] = {"percent": number}
        if place != PERCENT:
            step = {"minutes": -number if place == BEFORE else number, "clock": values["clock"] or By.BUSINESS}
        step["actions"] = [*self._notices(values), *self._deeds(values)]
        if values["repeat_minutes"]:
            clock = values["repeat_clock"] or By.WALL
            step["repeat"] = {"minutes": values["repeat_minutes"], "most": values["repeat_most"], "clock": clock}
        return step

    def _notices(self, values: dict[str, Any]) -> list[dict[str, Any]]:
        people = [values[name].pk for name in PEOPLE if values[name]]
        on_call = [[int(part) for part in one.split("-")] for one in values["on_call"]]
        if not (values["who"] or people or on_call or values["role"]):
            return []
        return [
            {
                "do": NOTIFY,
                "who": values["who"],
                "people": people,
                "roles": [values["role"]] if values["role"] else [],
                "on_call": on_call,
                "in_hours": values["in_hours"],
            }
        ]

    def _deeds(self, values: dict[str, Any]) -> list[dict[str, Any]]:
        deeds: list[dict[str, Any]] = []
        if values["team"]:
            deeds.append({"do": ASSIGN_TEAM, "team": values["team"].pk})
        if values["assignee"]:
            deeds.append({"do": ASSIGN_PERSON, "person": values["assignee"].pk})
        if values["watcher"]:
            deeds.append({"do": ADD_WATCHER, "person": values["watcher"].pk})
        if values["raise_priority"]:
            deeds.append({"do": RAISE_PRIORITY})
        if values["webhook"]:
            deeds.append({"do": WEBHOOK, "endpoint": values["webhook"].pk})
        return deeds

    @staticmethod
    def values_of(step: dict[str, Any]) -> dict[str, Any]:
        """Return what a row shows of a stored step."""
        values: dict[str, Any] = {"place": PERCENT, "number": step.get("percent"), "who": [], "on_call": []}
        if "minutes" in step:
            values["place"] = BEFORE if step["minutes"] < 0 else AFTER
            values |= {"number": abs(step["minutes"]), "clock": step.get("clock", By.BUSINESS)}
        people: list[int] = []
        for action in step["actions"]:
            if action["do"] == NOTIFY:
                values["who"] += action.get("who", [])
                values["on_call"] += [f"{rota}-{level}" for rota, level in action.get("on_call", ())]
                values["role"] = next(iter(action.get("roles", ())), values.get("role", ""))
                values["in_hours"] = bool(action.get("in_hours")) or values.get("in_hours", False)
                people += action.get("people", ())
            elif action["do"] == ASSIGN_TEAM:
                team = Team.objects.filter(pk=action["team"]).first()
                values |= {"team": team.public_id if team else "", "team_row": team}
            elif action["do"] == RAISE_PRIORITY:
                values["raise_priority"] = True
            elif action["do"] == WEBHOOK:
                endpoint = Endpoint.objects.filter(pk=action["endpoint"]).first()
                values["webhook"] = endpoint.public_id if endpoint else ""
            else:
                name = "assignee" if action["do"] == ASSIGN_PERSON else "watcher"
                values |= _person_values(name, action["person"])
        for name, pk in zip(PEOPLE, people, strict=False):
            values |= _person_values(name, pk)
        if repeat := step.get("repeat"):
            values |= {"repeat_minutes": repeat["minutes"], "repeat_most": repeat["most"]}
            values["repeat_clock"] = repeat.get("clock", By.WALL)
        return values


def _person_values(name: str, pk: int) -> dict[str, Any]:
    person = User.objects.filter(pk=pk).first()
    return {name: person.public_id if person else "", f"{name}_row": person}


def on_call_choices() -> list[tuple[str, str]]:
    """Return each level of each rota that a step can call."""
    return [
        (f"{rota.pk}-{level}", f"{rota.name}: {str(RotaLevel(level).label).lower()}")
        for rota in Rota.objects.all()
        for level in sorted({layer.level for layer in rota.spec.layers})
    ]


StepSet = forms.formset_factory(StepForm, extra=1, max_num=20, absolute_max=30)

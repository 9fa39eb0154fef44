"""The form of a board."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from changes.cab.agenda import condition_text
from changes.cab.models import CabBoard
from changes.schedule.forms import RecurrenceForm
from changes.schedule.recurrence import Repeat
from itsm.accounts.models import Team, User
from itsm.accounts.roles import ROLE_PERMISSIONS, Permission

MEMBER_ROLES = [str(role) for role, permissions in ROLE_PERMISSIONS.items() if Permission.VIEW_TICKETS in permissions]


def desk_people() -> Any:
    """Return the people who may take part: those of the desk whose accounts are open."""
    return User.objects.active().filter(roles__overlap=MEMBER_ROLES).order_by("display_name", "pk")


class BoardForm(RecurrenceForm):
    """Who meets when, about which changes."""

    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=200, widget=forms.TextInput(attrs={"class": "form-control"})
    )
    chair = forms.ModelChoiceField(
        User.objects.none(), to_field_name="public_id", label=gettext_lazy("Chair"),
        widget=forms.Select(attrs={"class": "form-select"}),
    )  # fmt: skip
    people = forms.ModelMultipleChoiceField(
        User.objects.none(), to_field_name="public_id", required=False, label=gettext_lazy("Members"),
        widget=forms.SelectMultiple(attrs={"class": "form-select", "size": 6}),
    )  # fmt: skip
    teams = forms.ModelMultipleChoiceField(
        Team.objects.active(), to_field_name="public_id", required=False, label=gettext_lazy("Teams"),
        widget=forms.SelectMultiple(attrs={"class": "form-select", "size": 4}),
    )  # fmt: skip
    condition = forms.CharField(
        label=gettext_lazy("Changes on the agenda"), max_length=1000,
        widget=forms.TextInput(attrs={"class": "form-control", "spellcheck": "false"}),
        help_text=gettext_lazy("As in the search bar: status:authorise risk:1,2. Single changes can be pinned too."),
    )  # fmt: skip
    place = forms.CharField(
        label=gettext_lazy("Where (a room, a link)"), max_length=500, required=False,
        widget=forms.TextInput(attrs={"class": "form-control"}),
    )  # fmt: skip
    notice_days = forms.IntegerField(
        label=gettext_lazy("Invite so many days before"), min_value=0, max_value=30, initial=2,
        widget=forms.NumberInput(attrs={"class": "form-control"}),
    )  # fmt: skip
    is_active = forms.BooleanField(label=gettext_lazy("It meets"), required=False, initial=True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        fields["chair"].queryset = fields["people"].queryset = desk_people()

    @classmethod
    def initial_of(cls, board: CabBoard | None, today: date, zone: str, chair: User) -> dict[str, Any]:
        """Return what the fields say at first."""
        if board is None:
            return {
                "repeat": Repeat.WEEKLY, "weekdays": [1], "first": today, "start": "10:00", "end": "11:00",
                "time_zone": zone, "every": 1, "end_day": 0, "month": 1, "month_day": 1, "chair": chair.public_id,
                "condition": "status:authorise", "notice_days": 2, "is_active": True,
            }  # fmt: skip
        return {
            **cls.values_of(board.recurrence),
            "name": board.name,
            "chair": board.chair.public_id,
            "people": [one.public_id for one in board.people.all()],
            "teams": [one.public_id for one in board.teams.all()],
            "condition": condition_text(board),
            "place": board.place,
            "notice_days": board.notice_days,
            "is_active": board.is_active,
        }

    def said(self) -> dict[str, Any]:
        """Return what the verb takes."""
        names = ("name", "chair", "people", "teams", "condition", "place", "notice_days", "is_active", "seen")
        return {**{name: self.cleaned_data[name] for name in names}, "rule": self.rule}

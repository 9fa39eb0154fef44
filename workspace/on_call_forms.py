"""The forms of the on-call pages. Times are typed and shown in the viewer's zone."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from itsm.accounts.models import User
from slas.models import Rota, RotaLevel

REASON_MAX = 300
MOST_PEOPLE = 300


def moment_field(label: Any) -> forms.DateTimeField:
    """Return a field for a date and a time in the viewer's zone."""
    return forms.DateTimeField(
        label=label,
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"],
        widget=forms.DateTimeInput(format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local", "class": "form-control"}),
    )


def takers(rota: Rota) -> list[User]:
    """Return the people who take part in the rota: named in a layer, or of its team; able to work on tickets."""
    wanted = Q(pk__in=rota.spec.people)
    if rota.team_id is not None:
        wanted |= Q(teams=rota.team_id) | Q(led_teams=rota.team_id)
    return list(User.objects.workers().filter(wanted).distinct().order_by("display_name", "pk")[:MOST_PEOPLE])


class StretchForm(forms.Form):
    """From when until when."""

    starts_at = moment_field(gettext_lazy("From"))
    ends_at = moment_field(gettext_lazy("Until"))


class OverrideForm(StretchForm):
    """Who is on call for a while, whatever the layers say."""

    person = forms.ChoiceField(
        label=gettext_lazy("Who is on call"), widget=forms.Select(attrs={"class": "form-select"})
    )
    level = forms.TypedChoiceField(
        choices=RotaLevel, coerce=int, label=gettext_lazy("Level"), widget=forms.Select(attrs={"class": "form-select"})
    )
    reason = forms.CharField(
        max_length=REASON_MAX,
        required=False,
        label=gettext_lazy("Why (optional)"),
        widget=forms.TextInput(attrs={"class": "form-control"}),
    )
    field_order = ("person", "level", "starts_at", "ends_at", "reason")

    def __init__(self, *args: Any, people: list[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.people = {one.public_id: one for one in people}
        choices = [(one.public_id, one.display_name) for one in people]
        self.fields["person"].choices = choices  # type: ignore[attr-defined]

    def clean_person(self) -> User:
        """Return the person."""
        return self.people[self.cleaned_data["person"]]


class SwapForm(StretchForm):
    """Which of one's own shifts somebody else should take."""

    level = forms.TypedChoiceField(choices=RotaLevel, coerce=int, widget=forms.HiddenInput, initial=1)
    asked = forms.ChoiceField(
        label=gettext_lazy("Whom do you ask?"), required=False, widget=forms.Select(attrs={"class": "form-select"})
    )
    return_starts_at = moment_field(gettext_lazy("In return I take, from"))
    return_ends_at = moment_field(gettext_lazy("until"))
    note = forms.CharField(
        max_length=REASON_MAX,
        required=False,
        label=gettext_lazy("Note (optional)"),
        widget=forms.TextInput(attrs={"class": "form-control"}),
    )
    field_order = ("level", "starts_at", "ends_at", "asked", "return_starts_at", "return_ends_at", "note")

    def __init__(self, *args: Any, people: list[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.people = {one.public_id: one for one in people}
        everybody = [("", _("Everybody of the rota")), *((one.public_id, one.display_name) for one in people)]
        self.fields["asked"].choices = everybody  # type: ignore[attr-defined]
        for name in ("return_starts_at", "return_ends_at"):
            self.fields[name].required = False

    def clean(self) -> dict[str, Any]:
        """Ask for both ends of the shift in return, or none."""
        values = super().clean() or {}
        if bool(values.get("return_starts_at")) != bool(values.get("return_ends_at")):
            self.add_error("return_ends_at", _("Give both ends of the shift in return, or leave both empty."))
        return values

    def clean_asked(self) -> User | None:
        """Return the person, or None for everybody."""
        return self.people.get(self.cleaned_data["asked"])


class TimeOffForm(StretchForm):
    """When one is away."""

    note = forms.CharField(
        max_length=REASON_MAX,
        required=False,
        label=gettext_lazy("Note (optional)"),
        widget=forms.TextInput(attrs={"class": "form-control"}),
    )

"""The forms of approvals. Times are typed and shown in the viewer's zone."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from itsm.accounts.models import User
from itsm.approvals.actions.delegating import NOTE_MAX
from itsm.approvals.subjects import subjects
from itsm.tickets.kinds import kind_of


def moment_field(label: Any) -> forms.DateTimeField:
    """Return a field for a date and a time in the viewer's zone."""
    return forms.DateTimeField(
        label=label,
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"],
        widget=forms.DateTimeInput(format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local", "class": "form-control"}),
    )


def person_field(label: Any, *, required: bool = True) -> forms.EmailField:
    """Return a field in which a person is named by the e-mail address: not everybody may list people."""
    widget = forms.EmailInput(attrs={"class": "form-control", "autocomplete": "off", "placeholder": "name@example.com"})
    return forms.EmailField(label=label, required=required, max_length=254, widget=widget)


class DelegationForm(forms.Form):
    """Who decides for whom, and when."""

    giver = person_field(gettext_lazy("For whom (empty: for you)"), required=False)
    receiver = person_field(gettext_lazy("Who decides (e-mail address)"))
    starts_at = moment_field(gettext_lazy("From"))
    ends_at = moment_field(gettext_lazy("Until"))
    kinds = forms.MultipleChoiceField(
        label=gettext_lazy("Only for (nothing chosen: for all)"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    note = forms.CharField(
        label=gettext_lazy("Note (optional)"),
        required=False,
        max_length=NOTE_MAX,
        widget=forms.TextInput(attrs={"class": "form-control"}),
    )

    def __init__(self, *args: Any, for_others: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not for_others:
            del self.fields["giver"]
        choices = [(code, kind_of(code).label) for code in subjects()]
        if len(choices) > 1:
            self.fields["kinds"].choices = choices  # type: ignore[attr-defined]
        else:
            del self.fields["kinds"]

    def clean_giver(self) -> User | None:
        """Return the person, or None where nobody was named."""
        return _person(self.cleaned_data["giver"]) if self.cleaned_data["giver"] else None

    def clean_receiver(self) -> User:
        """Return the person."""
        return _person(self.cleaned_data["receiver"])


def _person(address: str) -> User:
    found = User.objects.active().filter(email=User.objects.normalise(address)).first()
    if found is None:
        raise forms.ValidationError(_("Nobody with an open account has this address."))
    return found

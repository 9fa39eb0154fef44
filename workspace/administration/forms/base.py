"""What the forms of the settings share."""

from __future__ import annotations

from typing import Any

from django import forms
from django.urls import reverse, reverse_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from itsm.accounts.models import Team, User
from itsm.conditions import MAX_QUERY, ConditionError
from workspace.administration.conditions import read_rule


class SettingsForm(forms.Form):
    """A form that says which state its reader saw, so that nobody overwrites what they never read."""

    seen = forms.CharField(max_length=64, required=False, widget=forms.HiddenInput)


class ConditionField(forms.CharField):
    """A condition typed in the language of the search bar; its value is the JSON form. Mistakes name their place."""

    def __init__(self, **options: Any) -> None:
        suggest = {
            "data-suggest": reverse_lazy("administration:suggest"),
            "autocomplete": "off",
            "autocapitalize": "off",
            "spellcheck": "false",
            "dir": "ltr",
        }
        super().__init__(max_length=MAX_QUERY, widget=forms.TextInput(attrs=suggest), **options)

    def clean(self, value: Any) -> Any:
        """Return the condition as JSON; an empty text is the condition that everything meets.

        Raises:
            ValidationError: with what to do, and where.
        """
        text = super().clean(value)
        if not text:
            return {}
        try:
            return read_rule(text).to_json()
        except ConditionError as error:
            raise forms.ValidationError(at_place(error, text)) from error


def dress(form: forms.Form) -> None:
    """Give the form's own widgets the looks of the product, for rows that are laid out by hand."""
    for field in form.fields.values():
        widget = field.widget
        if isinstance(widget, forms.CheckboxInput | forms.CheckboxSelectMultiple | forms.RadioSelect):
            continue
        widget.attrs.setdefault("class", "form-select" if isinstance(widget, forms.Select) else "form-control")


def at_place(error: ConditionError, text: str) -> str:
    """Return the sentence about a mistake with its place in the text."""
    if error.position is None:
        return error.message
    word = text[error.position : error.position + max(len(error.word), 12)].split(" ")[0]
    place = {"message": error.message, "at": error.position + 1, "word": word}
    if not word:
        return _("%(message)s (at the end)") % place
    return _("%(message)s (at character %(at)d: “%(word)s”)") % place


class TeamChoice(forms.ModelChoiceField):
    """An active team, or the one that is chosen already."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("label", gettext_lazy("Team"))
        super().__init__(Team.objects.active(), to_field_name="public_id", **options)

    def keep(self, team: Team | None) -> None:
        """Offer a team that is no longer active too, because it stands there already."""
        if team is not None and not team.is_active:
            self.queryset = Team.objects.active() | Team.objects.filter(pk=team.pk)


class PersonChoice(forms.ModelChoiceField):
    """A person found by typing a part of the name; only the chosen one stands in the page."""

    def __init__(self, **options: Any) -> None:
        widget = forms.Select(attrs={"data-combobox": ""})
        super().__init__(User.objects.active(), to_field_name="public_id", widget=widget, **options)

    def show(self, form: forms.Form, name: str, person: User | None) -> None:
        """Put the chosen person into the page: the one sent with the form, or the one stored."""
        chosen = person
        if form.is_bound:
            ref = str(form.data.get(form.add_prefix(name), ""))
            chosen = User.objects.filter(public_id=ref).first() if ref.isalnum() else None
        if person is not None and not person.is_active:
            self.queryset = User.objects.active() | User.objects.filter(pk=person.pk)
        options = [("", _("Nobody"))]
        if chosen is not None:
            options.append((chosen.public_id, f"{chosen.display_name} · {chosen.email}"))
        self.widget.choices = options
        self.widget.attrs["data-url"] = reverse("workspace:people") + "?q="

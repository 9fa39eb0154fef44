"""The portal's questions, in the words of people who do not work in IT."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django import forms
from django.utils.translation import gettext_lazy as _

from cmdb.models import Service
from itsm.tickets.models import Category, Level
from itsm.tickets.models.ticket import TEXT_MAX, TITLE_MAX

HOW_MANY = (
    (Level.LOW, _("Only me")),
    (Level.MEDIUM, _("My team or department")),
    (Level.HIGH, _("Many people, or customers")),
)
HOW_BAD = (
    (Level.LOW, _("It is a nuisance, but I can work")),
    (Level.MEDIUM, _("I work slower, or with a detour")),
    (Level.HIGH, _("I cannot work")),
)


class ManyFilesInput(forms.ClearableFileInput):
    """A file field that takes several."""

    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Any number of files; the verbs check each of them."""

    widget = ManyFilesInput

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        """Return the files as a list."""
        return [file for file in (data if isinstance(data, list | tuple) else [data]) if file]


class ReportForm(forms.Form):
    """What is wrong, for how many people, and how bad it is."""

    title = forms.CharField(
        label=_("What is wrong?"),
        max_length=TITLE_MAX,
        help_text=_("One sentence, such as “I cannot open the expenses application”."),
        widget=forms.TextInput(attrs={"autofocus": True, "autocomplete": "off"}),
    )
    description = forms.CharField(
        label=_("What happened?"),
        required=False,
        max_length=TEXT_MAX,
        help_text=_("What did you do, what did you see? Messages word by word help most."),
        widget=forms.Textarea(attrs={"rows": 6, "data-draft-key": "portal-report"}),
    )
    service = forms.ModelChoiceField(
        label=_("What is it about?"), queryset=Service.objects.none(), required=False, empty_label=_("I do not know")
    )
    category = forms.ModelChoiceField(
        label=_("Category"), queryset=Category.objects.none(), required=False, empty_label=_("I do not know")
    )
    impact = forms.TypedChoiceField(
        label=_("How many people does it affect?"), choices=HOW_MANY, coerce=int, initial=Level.LOW,
        widget=forms.RadioSelect,
    )  # fmt: skip
    urgency = forms.TypedChoiceField(
        label=_("How bad is it?"), choices=HOW_BAD, coerce=int, initial=Level.LOW, widget=forms.RadioSelect
    )
    files = FilesField(  # type: ignore[assignment]  # a form field of that name is what makes it a field
        label=_("Pictures or files"),
        required=False,
        help_text=_("Up to ten, 25 MB each. You can also paste a picture."),
    )
    submission_key = forms.CharField(widget=forms.HiddenInput, max_length=64)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["service"].queryset = Service.objects.active()  # type: ignore[attr-defined]
        self.fields["category"].queryset = Category.objects.active()  # type: ignore[attr-defined]
        self.fields["submission_key"].initial = uuid4().hex

    def add_problems(self, problems: dict[str, str]) -> None:
        """Show a verb's objections at the fields they are about."""
        for name, sentence in problems.items():
            self.add_error(name if name in self.fields else None, sentence)

"""Forms of the ticket page, made from the table of moves. What is right or wrong is said by the verbs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from incidents.models import Incident
from itsm.tickets.models import Priority
from itsm.tickets.moves import Move, MoveField


class VerbForm(forms.Form):
    """A form whose errors are the verb's, so that the browser and the API say the same about the same mistake."""

    def __init__(
        self, data: Mapping[str, Any] | None = None, problems: Mapping[str, str] | None = None, **options: Any
    ) -> None:
        self.problems = problems or {}
        super().__init__(data, **options)

    def full_clean(self) -> None:
        """Put the verb's sentences in the place of Django's own."""
        super().full_clean()
        if not self.is_bound:
            return
        self.errors.clear()
        for name, sentence in self.problems.items():
            self.add_error(name if name in self.fields else None, sentence)


class MoveForm(VerbForm):
    """The fields of one move."""

    def __init__(
        self,
        move: Move,
        data: Mapping[str, Any] | None = None,
        problems: Mapping[str, str] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(data, problems, auto_id=f"{move.name}-%s", **options)
        for one in move.fields:
            self.fields[one.name] = _form_field(one)


def _form_field(one: MoveField) -> forms.Field:
    words: dict[str, Any] = {"label": one.label, "help_text": one.help_text, "required": one.required is True}
    if one.choices:
        return forms.ChoiceField(choices=[("", _("Choose …")), *one.choices], **words)
    # Without maxlength: browsers cut a pasted text there without a word, the verb says how much is too much.
    return forms.CharField(widget=forms.Textarea(attrs={"rows": 4}) if one.multiline else forms.TextInput(), **words)


class PriorityForm(VerbForm):
    """A priority set by hand, with its reason."""

    priority = forms.ChoiceField(label=gettext_lazy("Priority"), choices=Priority.choices)
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        help_text=gettext_lazy("The matrix of impact and urgency gives another priority: say why this one is right."),
    )

    @classmethod
    def of(cls, incident: Incident) -> PriorityForm:
        """Return the form as the incident stands."""
        return cls(
            initial={"priority": incident.priority, "reason": incident.priority_reason}, auto_id="set-priority-%s"
        )


class TextForm(VerbForm):
    """Title or description on a page of its own."""

    def __init__(
        self, name: str, label: str, data: Mapping[str, Any] | None = None,
        problems: Mapping[str, str] | None = None, **options: Any,
    ) -> None:  # fmt: skip
        super().__init__(data, problems, **options)
        widget = forms.Textarea(attrs={"rows": 12}) if name == "description" else forms.TextInput()
        self.fields[name] = forms.CharField(label=label, required=name == "title", widget=widget)

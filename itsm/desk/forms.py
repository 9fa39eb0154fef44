"""Forms of the ticket page, made from the table of moves. What is right or wrong is said by the verbs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from itsm.accounts.models import User
from itsm.desk.choices import OFFERED
from itsm.desk.links import kind_url
from itsm.desk.models import UndoTime
from itsm.desk.properties import REF_MAX, Pair, Property
from itsm.tickets.kinds import kind_of
from itsm.tickets.models import Priority
from itsm.tickets.moves import Move, MoveField
from itsm.tickets.values import local_text


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


def once(find: Callable[[], list[Pair]]) -> Callable[[], list[Pair]]:
    """Return the function made to find only once, and not before it is asked: a form walks its choices several times,
    and a dialog that nobody draws should cost nothing."""
    found: list[list[Pair]] = []

    def choices() -> list[Pair]:
        if not found:
            found.append(find())
        return found[0]

    return choices


class LocalTimeInput(forms.TextInput):
    """A date and a time in the viewer's zone."""

    input_type = "datetime-local"


class DayInput(forms.TextInput):
    """A date."""

    input_type = "date"


class MoveForm(VerbForm):
    """The fields of one move, as the ticket stands (None: before there is one)."""

    def __init__(
        self,
        move: Move,
        data: Mapping[str, Any] | None = None,
        problems: Mapping[str, str] | None = None,
        *,
        ticket: Any = None,
        initial: Mapping[str, Any] | None = None,
    ) -> None:
        given = initial or {}
        stands = {one.name: local_text(one.initial(ticket)) for one in move.fields if one.initial and ticket}
        super().__init__(data, problems, auto_id=f"{move.name}-%s", initial={**stands, **given})
        for one in move.fields:
            value = self.data.get(one.name) if self.is_bound else self.initial.get(one.name)
            self.fields[one.name] = _form_field(one, ticket, value)


def _form_field(one: MoveField, ticket: Any, value: Any) -> forms.Field:
    words: dict[str, Any] = {"label": one.label, "help_text": one.help_text, "required": one.required is True}
    if one.kind == "bool":
        return forms.BooleanField(**words)
    if one.choices:
        return forms.ChoiceField(choices=[("", _("Choose …")), *one.choices], **words)
    if one.kind == "datetime":
        return forms.CharField(widget=LocalTimeInput(), **words)
    if one.kind == "date":
        return forms.CharField(widget=DayInput(), **words)
    if one.kind == "ticket":
        hint = ", ".join(f"{kind_of(kind).prefix}0010001" for kind in one.ticket_kinds) or "INC0010001"
        return forms.CharField(widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": hint}), **words)
    if one.kind == "person":
        return _person_field(ticket, one, value, words)
    # Without maxlength: browsers cut a pasted text there without a word, the verb says how much is too much.
    return forms.CharField(widget=forms.Textarea(attrs={"rows": 4}) if one.multiline else forms.TextInput(), **words)


def _person_field(ticket: Any, one: MoveField, value: Any, words: dict[str, Any]) -> forms.Field:
    """Return a select that looks people up while one types; without JavaScript it offers the first of them."""
    attrs = {"autocomplete": "off"}
    what = "assignee" if one.workers_only else "person"
    if ticket is not None:
        attrs |= {"data-combobox": "", "data-url": kind_url(ticket.kind, "choices", what) + "?q="}
    return forms.ChoiceField(choices=once(partial(_people, one, value)), widget=forms.Select(attrs=attrs), **words)


def _people(one: MoveField, value: Any) -> list[Pair]:
    people = User.objects.workers() if one.workers_only else User.objects.active()
    found = list(people.order_by("display_name").values_list("public_id", "display_name")[:OFFERED])
    if value and value not in dict(found):
        chosen = User.objects.filter(public_id=str(value)[:REF_MAX])
        found = [*chosen.values_list("public_id", "display_name"), *found]
    return [("", _("Choose …")), *found]


class PriorityForm(VerbForm):
    """A priority set by hand, with its reason."""

    priority = forms.ChoiceField(label=gettext_lazy("Priority"), choices=Priority.choices)
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        help_text=gettext_lazy("The matrix of impact and urgency gives another priority: say why this one is right."),
    )

    @classmethod
    def of(cls, ticket: Any) -> PriorityForm:
        """Return the form as the ticket stands."""
        return cls(initial={"priority": ticket.priority, "reason": ticket.priority_reason}, auto_id="set-priority-%s")


class TextForm(VerbForm):
    """A property that is edited on a page of its own."""

    def __init__(
        self,
        prop: Property,
        data: Mapping[str, Any] | None = None,
        problems: Mapping[str, str] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(data, problems, **options)
        widget = forms.Textarea(attrs={"rows": 12}) if prop.input == "text" else forms.TextInput()
        self.fields[prop.name] = forms.CharField(label=str(prop.label), required=prop.name == "title", widget=widget)


class SendingForm(forms.Form):
    """For how long one's replies can be taken back."""

    undo_seconds = forms.TypedChoiceField(
        label=gettext_lazy("Undo for replies"),
        choices=UndoTime.choices,
        coerce=int,
        widget=forms.RadioSelect,
        help_text=gettext_lazy("A reply waits this long before it goes out, also when you close the page."),
    )

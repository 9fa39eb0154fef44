"""The form that adds a task to a ticket. What is right or wrong is said by the verb."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any
from uuid import uuid4

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from itsm.accounts.models import Team, User
from itsm.desk.choices import OFFERED
from itsm.desk.forms import LocalTimeInput, VerbForm, once
from itsm.desk.links import kind_url
from itsm.tasking.registry import TaskRules

REF_MAX = 32


class TaskForm(VerbForm):
    """A new task."""

    title = forms.CharField(label=gettext_lazy("What is to be done"))
    task_type = forms.ChoiceField(label=gettext_lazy("Type"))
    assignee = forms.ChoiceField(label=gettext_lazy("Who does it"), required=False)
    team = forms.ChoiceField(label=gettext_lazy("Team"), required=False)
    planned_start = forms.CharField(label=gettext_lazy("Planned start"), required=False, widget=LocalTimeInput())
    planned_end = forms.CharField(label=gettext_lazy("Planned end"), required=False, widget=LocalTimeInput())
    order = forms.CharField(
        label=gettext_lazy("Order"),
        required=False,
        widget=forms.NumberInput(attrs={"min": 0, "max": 999}),
        help_text=gettext_lazy("Tasks of the same order are done side by side; a higher one waits for all lower ones."),
    )
    description = forms.CharField(
        label=gettext_lazy("Description"), required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    submission_key = forms.CharField(required=False, widget=forms.HiddenInput())

    def __init__(
        self, rules: TaskRules, data: Mapping[str, Any] | None = None, problems: Mapping[str, str] | None = None
    ) -> None:
        initial = {"order": 0, "submission_key": uuid4().hex, "task_type": rules.types[0][0]}
        super().__init__(data, problems, auto_id="task-%s", initial=initial)
        types: forms.ChoiceField = self.fields["task_type"]  # type: ignore[assignment]
        types.choices = list(rules.types)
        if len(rules.types) == 1 and "task_type" not in self.problems:
            types.widget = forms.HiddenInput()
        self._offer("assignee", _people, _("Nobody yet"))
        self._offer("team", _teams, _("The team of this ticket"))

    def _offer(self, name: str, find: Any, nothing: str) -> None:
        """Let the select look up while one types; without JavaScript it offers the first of them. Nothing is asked of
        the database before the form is drawn."""
        field: forms.ChoiceField = self.fields[name]  # type: ignore[assignment]
        field.widget = forms.Select(
            attrs={"autocomplete": "off", "data-combobox": "", "data-url": kind_url("task", "choices", name) + "?q="}
        )
        field.choices = once(partial(find, self.data.get(name) if self.is_bound else "", nothing))


def _people(chosen: str | None, nothing: str) -> list[tuple[str, str]]:
    rows = User.objects.workers().order_by("display_name").values_list("public_id", "display_name")
    return _with_chosen(rows, chosen, nothing)


def _teams(chosen: str | None, nothing: str) -> list[tuple[str, str]]:
    return _with_chosen(Team.objects.active().order_by("name").values_list("public_id", "name"), chosen, nothing)


def _with_chosen(rows: Any, chosen: str | None, nothing: str) -> list[tuple[str, str]]:
    found = list(rows[:OFFERED])
    if chosen and chosen not in dict(found):
        found = [*rows.filter(public_id=str(chosen)[:REF_MAX]), *found]
    return [("", nothing), *found]

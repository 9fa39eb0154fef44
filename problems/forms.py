"""Forms of the pages of problems. What is right or wrong is said by the verbs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cmdb.models import Service
from itsm.accounts.models import Team, User
from itsm.desk.forms import LocalTimeInput, VerbForm
from itsm.tickets.models import Category, Level
from problems.models import Problem

OFFERED = 500


def _area(label: Any, rows: int = 4, help_text: Any = "", required: bool = False) -> forms.CharField:
    # Without maxlength: browsers cut a pasted text there without a word, the verb says how much is too much.
    return forms.CharField(
        label=label, required=required, help_text=help_text, widget=forms.Textarea(attrs={"rows": rows, "dir": "auto"})
    )


class ProblemForm(VerbForm):
    """A form of the ticket page: `of` fills it as the problem stands, `names` are what it sends."""

    prefix_id = ""

    @classmethod
    def names(cls) -> list[str]:
        """Return the names of its fields."""
        return list(cls.base_fields)

    @classmethod
    def of(cls, problem: Problem) -> ProblemForm:
        """Return the form as the problem stands."""
        return cls(initial={name: getattr(problem, name, "") for name in cls.names()}, auto_id=cls.prefix_id)

    @classmethod
    def sent(cls, data: Mapping[str, Any], problems: Mapping[str, str]) -> ProblemForm:
        """Return the form as it was sent, with what is wrong with it."""
        return cls(data, problems, auto_id=cls.prefix_id)


class AnalysisForm(ProblemForm):
    """Cause and fix."""

    prefix_id = "analysis-%s"
    cause_notes = _area(gettext_lazy("Cause"))
    fix_notes = _area(gettext_lazy("Fix"))


class WorkaroundForm(ProblemForm):
    """The workaround, as a new version."""

    prefix_id = "workaround-%s"
    workaround = _area(
        gettext_lazy("Workaround"), 5, gettext_lazy("Requesters read it as you write it once you communicate it.")
    )


class FixForm(ProblemForm):
    """What is said of the fix."""

    prefix_id = "fix-%s"
    text = _area(gettext_lazy("Message about the fix"), 3)


class PublicationForm(ProblemForm):
    """What everybody may read of a known error."""

    prefix_id = "publication-%s"
    title = forms.CharField(label=gettext_lazy("Title"), widget=forms.TextInput(attrs={"dir": "auto"}))
    symptoms = _area(gettext_lazy("How one notices it"), 3)
    workaround = _area(gettext_lazy("What one can do"), 4)

    @classmethod
    def of(cls, problem: Problem) -> ProblemForm:
        """Return the form with the public texts; before the first time with the problem's title and workaround."""
        given = {
            "title": problem.public_title or problem.title,
            "symptoms": problem.public_symptoms,
            "workaround": problem.public_workaround or problem.workaround,
        }
        return cls(initial=given, auto_id=cls.prefix_id)


class ReviewForm(ProblemForm):
    """The review of a major problem."""

    prefix_id = "review-%s"
    review_went_well = _area(gettext_lazy("What went well"), 3)
    review_went_wrong = _area(gettext_lazy("What went wrong"), 3)
    review_prevention = _area(gettext_lazy("How it will not happen again"), 3)


class TimelineForm(ProblemForm):
    """What happened, and when."""

    prefix_id = "timeline-%s"
    at = forms.CharField(label=gettext_lazy("When"), widget=LocalTimeInput())
    text = forms.CharField(label=gettext_lazy("What happened"), widget=forms.TextInput(attrs={"dir": "auto"}))


class IncidentsForm(ProblemForm):
    """Incidents to link, by their numbers."""

    prefix_id = "incidents-%s"
    numbers = forms.CharField(
        label=gettext_lazy("Numbers of incidents"),
        help_text=gettext_lazy("One or several, with spaces or commas between them."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "INC0010001"}),
    )


class NewProblemForm(VerbForm):
    """A problem to be opened."""

    title = forms.CharField(label=gettext_lazy("Title"), widget=forms.TextInput(attrs={"dir": "auto"}))
    description = _area(gettext_lazy("Description"), 7, gettext_lazy("What is seen, when, and by whom."))
    incidents = forms.CharField(
        label=gettext_lazy("Incidents"),
        required=False,
        help_text=gettext_lazy("Their numbers, with spaces or commas between them. They are linked at once."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "INC0010001"}),
    )
    service = forms.ModelChoiceField(
        label=gettext_lazy("Service"),
        queryset=Service.objects.none(),
        to_field_name="public_id",
        required=False,
        empty_label=gettext_lazy("None"),
        widget=forms.Select(attrs={"data-combobox": ""}),
    )
    category = forms.ModelChoiceField(
        label=gettext_lazy("Category"),
        queryset=Category.objects.none(),
        to_field_name="public_id",
        required=False,
        empty_label=gettext_lazy("None"),
        widget=forms.Select(attrs={"data-combobox": ""}),
    )
    impact = forms.TypedChoiceField(label=gettext_lazy("Impact"), choices=Level.choices, coerce=int)
    urgency = forms.TypedChoiceField(label=gettext_lazy("Urgency"), choices=Level.choices, coerce=int)
    team = forms.ModelChoiceField(
        label=gettext_lazy("Team"),
        queryset=Team.objects.none(),
        to_field_name="public_id",
        required=False,
        empty_label=gettext_lazy("None"),
        help_text=gettext_lazy("Left empty, the routing rules choose."),
        widget=forms.Select(attrs={"data-combobox": ""}),
    )
    assignee = forms.ModelChoiceField(
        label=gettext_lazy("Coordinator"),
        queryset=User.objects.none(),
        to_field_name="public_id",
        required=False,
        empty_label=gettext_lazy("None"),
        widget=forms.Select(attrs={"data-combobox": ""}),
    )
    submission_key = forms.CharField(widget=forms.HiddenInput(), required=False)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["service"].queryset = Service.objects.active()  # type: ignore[attr-defined]
        self.fields["category"].queryset = Category.objects.active()  # type: ignore[attr-defined]
        self.fields["team"].queryset = Team.objects.active()  # type: ignore[attr-defined]
        self.fields["assignee"].queryset = User.objects.workers().order_by("display_name")  # type: ignore[attr-defined]
        if not self.is_bound:
            self.initial.setdefault("submission_key", uuid4().hex)
            self.initial.setdefault("impact", Level.LOW)
            self.initial.setdefault("urgency", Level.LOW)

    def values(self) -> dict[str, Any]:
        """Return what was chosen, as the verb takes it.

        Raises:
            ValueError: something chosen is none of the choices (`problems` then says what).
        """
        forms.Form.full_clean(self)
        wrong = {
            name: _("Choose one from the list.")
            for name in ("service", "category", "team", "assignee", "impact", "urgency")
            if name in self.errors
        }
        if wrong:
            self.problems = wrong
            raise ValueError(wrong)
        chosen = dict(self.cleaned_data)
        return {
            "title": self.data.get("title", ""),
            "description": self.data.get("description", ""),
            "submission_key": self.data.get("submission_key", "")[:100] or None,
            **{name: chosen.get(name) for name in ("service", "category", "team", "assignee", "impact", "urgency")},
        }

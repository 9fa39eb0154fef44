"""The forms of the room's pages."""

from __future__ import annotations

from typing import Any

from django import forms
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from changes.models import ChangeTemplate, Track
from changes.models.change import PLAN_MAX
from changes.models.library import TaskType
from changes.statuses import ChangeType
from cmdb.models import Service
from itsm.accounts.models import Team, User
from itsm.tickets.models.ticket import TEXT_MAX, TITLE_MAX

LOCAL = "%Y-%m-%dT%H:%M"


class Moment(forms.DateTimeField):
    """A date and a time in the zone of the person who types it."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("required", False)
        widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format=LOCAL)
        super().__init__(widget=widget, input_formats=[LOCAL, f"{LOCAL}:%S"], **options)


class Lines(forms.CharField):
    """Several short texts, one a line."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("required", False)
        super().__init__(widget=forms.Textarea(attrs={"rows": 2, "dir": "auto"}), max_length=20_000, **options)

    def clean(self, value: Any) -> list[str]:
        """Return the lines that hold something."""
        return [line.strip() for line in str(super().clean(value)).splitlines() if line.strip()]

    def prepare_value(self, value: Any) -> Any:
        """Return a list as lines."""
        return "\n".join(value) if isinstance(value, list | tuple) else value


class Services(forms.ModelMultipleChoiceField):
    """Services of the register, by public id."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("required", False)
        options.setdefault("label", gettext_lazy("Affected services"))
        widget = forms.SelectMultiple(attrs={"data-combobox": "", "size": 6})
        super().__init__(Service.objects.active(), to_field_name="public_id", widget=widget, **options)

    def keep(self, services: Any) -> None:
        """Offer services too that can no longer be chosen, because they stand there already."""
        kept = [service.pk for service in services if not service.is_active]
        if kept:
            self.queryset = Service.objects.active() | Service.objects.filter(pk__in=kept)


def text_field(label: Any, *, rows: int = 4, longest: int = PLAN_MAX, required: bool = False) -> Any:
    """Return a field for a longer text."""
    return forms.CharField(
        label=label,
        required=required,
        max_length=longest,
        widget=forms.Textarea(attrs={"rows": rows, "dir": "auto"}),
    )


def team_field(**options: Any) -> Any:
    """Return a field for an active team."""
    return forms.ModelChoiceField(
        Team.objects.active(),
        to_field_name="public_id",
        required=False,
        label=gettext_lazy("Team"),
        widget=forms.Select(attrs={"data-combobox": ""}),
        **options,
    )


class PersonField(forms.ModelChoiceField):
    """A person found by typing a part of the name; only the one chosen stands in the page."""

    def __init__(self, *, works: bool = False, **options: Any) -> None:
        people = User.objects.workers() if works else User.objects.active()
        self.works = works
        widget = forms.Select(attrs={"data-combobox": ""})
        super().__init__(people, to_field_name="public_id", required=False, widget=widget, **options)

    def show(self, form: forms.Form, name: str, person: User | None = None) -> None:
        """Put the chosen person into the page: the one sent with the form, or the one given."""
        if form.is_bound:
            ref = str(form.data.get(form.add_prefix(name), ""))
            person = User.objects.filter(public_id=ref).first() if ref.isalnum() else None
        self.widget.choices = [("", _("Nobody")), *([(person.public_id, str(person))] if person else [])]
        self.widget.attrs["data-url"] = reverse("workspace:people") + ("?work=1&q=" if self.works else "?q=")


class _OpenForm(forms.Form):
    submission_key = forms.CharField(max_length=100, required=False, widget=forms.HiddenInput)
    title = forms.CharField(
        label=gettext_lazy("Title"), max_length=TITLE_MAX, widget=forms.TextInput(attrs={"dir": "auto"})
    )
    description = text_field(gettext_lazy("Description"), rows=4, longest=TEXT_MAX)
    affected = Services()
    affected_other = Lines(
        label=gettext_lazy("Also affected"), help_text=gettext_lazy("What stands in no register: one thing a line.")
    )
    requester = PersonField(label=gettext_lazy("Requested by"))
    team = team_field(help_text=gettext_lazy("Left empty, the team behind the first affected service makes it."))
    assignee = PersonField(works=True, label=gettext_lazy("Assignee"))
    planned_start = Moment(label=gettext_lazy("Planned start"))
    planned_end = Moment(label=gettext_lazy("Planned end"))

    def __init__(self, *args: Any, viewer: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["requester"].show(self, "requester", viewer)  # type: ignore[attr-defined]
        self.fields["assignee"].show(self, "assignee")  # type: ignore[attr-defined]


class OpenForm(_OpenForm):
    """A new change, normal or emergency; its plans follow on its page."""

    fixes = forms.CharField(max_length=40, required=False, widget=forms.HiddenInput)
    change_type = forms.ChoiceField(
        label=gettext_lazy("Type"),
        choices=[(ChangeType.NORMAL, ChangeType.NORMAL.label), (ChangeType.EMERGENCY, ChangeType.EMERGENCY.label)],
        initial=ChangeType.NORMAL,
        widget=forms.RadioSelect,
    )
    is_retroactive = forms.BooleanField(
        required=False,
        label=gettext_lazy("It has been made already (emergencies only)"),
        help_text=gettext_lazy("It is then authorised afterwards, and reviewed."),
    )
    actual_start = Moment(label=gettext_lazy("Made from"))
    actual_end = Moment(label=gettext_lazy("Made until"))
    field_order = ("change_type", "title", "description")


class FromTemplateForm(_OpenForm):
    """A new change from a template of the library."""

    justification = text_field(gettext_lazy("Justification"), rows=2)
    field_order = ("title", "justification", "description")

    def __init__(self, *args: Any, template: ChangeTemplate, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["planned_end"].help_text = _("Left empty, it follows from the template's usual length.")
        self.fields["affected"].help_text = _("What the template affects is there already; name what comes on top.")


class TemplateForm(forms.Form):
    """What a template says."""

    name = forms.CharField(label=gettext_lazy("Name of the template"), max_length=TITLE_MAX)
    key = forms.SlugField(
        label=gettext_lazy("Key"), max_length=60, help_text=gettext_lazy("Programs name the template by it.")
    )
    wanted_track = forms.ChoiceField(
        label=gettext_lazy("What it makes"),
        choices=Track.choices,
        initial=Track.NORMAL,
        widget=forms.RadioSelect,
        help_text=gettext_lazy("A change manager decides. What proves itself as normal is offered as standard."),
    )
    title = forms.CharField(label=gettext_lazy("Title of the change"), max_length=TITLE_MAX)
    description = text_field(gettext_lazy("Description"), rows=2, longest=TEXT_MAX)
    justification = text_field(gettext_lazy("Justification"), rows=2)
    implementation_plan = text_field(gettext_lazy("Implementation plan"), required=True)
    backout_plan = text_field(gettext_lazy("Back-out plan"), required=True)
    test_plan = text_field(gettext_lazy("Test plan"), required=True)
    duration_minutes = forms.IntegerField(
        label=gettext_lazy("Usual length in minutes"), min_value=1, max_value=60 * 24 * 30, initial=60
    )
    team = team_field()
    services = Services()
    affected_other = Lines(label=gettext_lazy("Also affected"))

    def __init__(self, *args: Any, template: ChangeTemplate | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if template is not None:
            del self.fields["name"], self.fields["key"]


class TaskRow(forms.Form):
    """A task of a template; a row without a title is none."""

    title = forms.CharField(label=gettext_lazy("Task"), required=False, max_length=TITLE_MAX)
    task_type = forms.ChoiceField(
        label=gettext_lazy("Type"), required=False, choices=TaskType.choices, initial=TaskType.IMPLEMENTATION
    )
    team = forms.ModelChoiceField(
        Team.objects.active(),
        to_field_name="public_id",
        required=False,
        label=gettext_lazy("Team"),
        empty_label=gettext_lazy("The change's"),
    )
    starts_after = forms.IntegerField(label=gettext_lazy("Starts after (min)"), required=False, min_value=0)
    takes = forms.IntegerField(label=gettext_lazy("Takes (min)"), required=False, min_value=1)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            css = "form-select" if isinstance(field.widget, forms.Select) else "form-control"
            field.widget.attrs["class"] = f"{css} {css}-sm"


TaskRows = forms.formset_factory(TaskRow, extra=3, max_num=50, validate_max=True)


class SettingsForm(forms.Form):
    """How risk is turned into levels, and what a template has to show."""

    seen = forms.CharField(max_length=64, required=False, widget=forms.HiddenInput)
    moderate_from = forms.IntegerField(label=gettext_lazy("Moderate from"), min_value=-1000, max_value=1000)
    high_from = forms.IntegerField(label=gettext_lazy("High from"), min_value=-1000, max_value=1000)
    very_high_from = forms.IntegerField(label=gettext_lazy("Very high from"), min_value=-1000, max_value=1000)
    success_days = forms.IntegerField(
        label=gettext_lazy("A team's success rate counts this many days back"), min_value=7, max_value=1000
    )
    clean_runs = forms.IntegerField(
        label=gettext_lazy("Clean runs until a template is offered as standard"), min_value=1, max_value=100
    )


class RuleForm(forms.Form):
    """A rule about risk."""

    seen = forms.CharField(max_length=64, required=False, widget=forms.HiddenInput)
    name = forms.CharField(label=gettext_lazy("Name"), max_length=200)
    condition = forms.CharField(
        label=gettext_lazy("Condition"),
        max_length=1000,
        widget=forms.TextInput(attrs={"dir": "ltr", "autocomplete": "off", "spellcheck": "false"}),
        help_text=gettext_lazy(
            "Names: type, criticality (1 to 4), services, business_hours, lead_hours, success_rate, closed, "
            "retroactive. For example: criticality:1 services:>=5"
        ),
    )
    points = forms.IntegerField(label=gettext_lazy("Points"), min_value=-100, max_value=100)
    order = forms.IntegerField(label=gettext_lazy("Order"), min_value=0, max_value=100_000, initial=100)
    is_active = forms.BooleanField(label=gettext_lazy("Counts"), required=False, initial=True)


class QuestionsForm(forms.Form):
    """The questions about risk, as a text."""

    number = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=0)
    questions = forms.CharField(
        label=gettext_lazy("Questions"),
        max_length=30_000,
        widget=forms.Textarea(attrs={"rows": 18, "dir": "auto", "spellcheck": "false"}),
        help_text=gettext_lazy(
            "A question begins a line with its key: “tested: How was it tested?”. Its answers follow, each with key "
            "and points: “- partly: Partly = 5”."
        ),
    )


class ReasonForm(forms.Form):
    """Why."""

    note = forms.CharField(label=gettext_lazy("Reason"), required=False, max_length=1000)
    track = forms.ChoiceField(required=False, choices=Track.choices)


class PlanForm(forms.Form):
    """The plans of a change."""

    justification = text_field(gettext_lazy("Justification"), rows=3)
    implementation_plan = text_field(gettext_lazy("Implementation plan"), rows=7)
    backout_plan = text_field(gettext_lazy("Back-out plan"), rows=5)
    test_plan = text_field(gettext_lazy("Test plan"), rows=4)

    def keep_template(self) -> None:
        """Leave out what a standard change keeps from its template."""
        for name in ("implementation_plan", "backout_plan", "test_plan"):
            del self.fields[name]


class ScopeForm(forms.Form):
    """What a change touches."""

    affected = Services()
    affected_other = Lines(
        label=gettext_lazy("Also affected"), help_text=gettext_lazy("What stands in no register: one thing a line.")
    )


class TimesForm(forms.Form):
    """A start and an end; both may be empty."""

    start = Moment()
    end = Moment()

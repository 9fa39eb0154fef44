"""The form with which an agent opens an incident for somebody who called or came by."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cmdb.models import Service
from itsm.accounts.models import Team, User
from itsm.tickets.actions.files import MAX_FILES
from itsm.tickets.actors import Channel
from itsm.tickets.models import Category, Level
from itsm.tickets.models.ticket import TEXT_MAX, TITLE_MAX

CHANNELS = (
    (Channel.PHONE, gettext_lazy("Phone")),
    (Channel.WALK_UP, gettext_lazy("In person")),
    (Channel.DESK, gettext_lazy("Other")),
)


class ManyFiles(forms.ClearableFileInput):
    """A file field that takes several files."""

    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Several uploaded files, or none."""

    widget = ManyFiles

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile]:
        """Return the files.

        Raises:
            ValidationError: too many at once, or one that is empty or has no name.
        """
        given = data if isinstance(data, list | tuple) else [data] if data else []
        if len(given) > MAX_FILES:
            raise forms.ValidationError(_("At most %(max)d files at once.") % {"max": MAX_FILES})
        return [super(FilesField, self).clean(one, initial) for one in given]


class PickedPerson(forms.ModelChoiceField):
    """A person chosen by public id, who need not be one of the options that the page listed."""

    def label_from_instance(self, obj: Any) -> str:
        """Return name and address, so that two of one name are told apart."""
        return f"{obj.display_name} · {obj.email}"


class OpenIncidentForm(forms.Form):
    """What an agent writes down while somebody describes what is wrong."""

    requester = PickedPerson(
        User.objects.none(), to_field_name="public_id", required=False, label=gettext_lazy("Who needs help?")
    )
    requester_email = forms.EmailField(required=False, label=gettext_lazy("E-mail address of who needs help"))
    channel = forms.ChoiceField(
        choices=CHANNELS, initial=Channel.PHONE, widget=forms.RadioSelect, label=gettext_lazy("How did they reach you?")
    )
    title = forms.CharField(max_length=TITLE_MAX, label=gettext_lazy("Title"))
    description = forms.CharField(
        max_length=TEXT_MAX, required=False, widget=forms.Textarea, label=gettext_lazy("What happened")
    )
    category = forms.ModelChoiceField(
        Category.objects.none(), to_field_name="public_id", required=False, label=gettext_lazy("Category")
    )
    service = forms.ModelChoiceField(
        Service.objects.none(), to_field_name="public_id", required=False, label=gettext_lazy("Service")
    )
    impact = forms.TypedChoiceField(choices=Level, coerce=int, initial=Level.LOW, label=gettext_lazy("Impact"))
    urgency = forms.TypedChoiceField(choices=Level, coerce=int, initial=Level.LOW, label=gettext_lazy("Urgency"))
    team = forms.ModelChoiceField(
        Team.objects.none(), to_field_name="public_id", required=False, label=gettext_lazy("Team")
    )
    assignee = PickedPerson(
        User.objects.none(), to_field_name="public_id", required=False, label=gettext_lazy("Assignee")
    )
    files = FilesField(required=False, label=gettext_lazy("Files"))  # type: ignore[assignment]  # a field, taken out by Form
    submission_key = forms.CharField(max_length=100, required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        sources: dict[str, Any] = {
            "requester": User.objects.visible_to(user).active(),
            "assignee": User.objects.visible_to(user).workers(),
            "team": Team.objects.visible_to(user).active(),
            "category": Category.objects.active(),
            "service": Service.objects.active(),
        }
        for name, queryset in sources.items():
            self.fields[name].queryset = queryset  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Take the requester by address where the page had no list to choose from."""
        values: dict[str, Any] = super().clean() or {}
        address = values.pop("requester_email", "")
        if not values.get("requester") and "requester" not in self.errors:
            picked = self.fields["requester"].queryset.filter(email=address.lower()).first() if address else None  # type: ignore[attr-defined]
            if picked is None:
                self.add_error("requester", _no_requester(address))
            values["requester"] = picked
        return values

    def picked(self, name: str) -> Any:
        """Return the person whom the sent or the opening form names, to be drawn as the one option; or None."""
        value = self[name].value()
        if isinstance(value, User) or not value:
            return value or None
        return self.fields[name].queryset.filter(public_id=str(value)[:32]).first()  # type: ignore[attr-defined]


def _no_requester(address: str) -> str:
    if address:
        return _("Nobody has the address %(address)s. Check it, or ask for an account.") % {"address": address}
    return _("Choose who needs help.")

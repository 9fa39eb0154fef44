"""Forms about one's own account."""

from __future__ import annotations

import zoneinfo
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from itsm.accounts.models import TokenScope, User
from itsm.accounts.roles import Permission

LONGEST_TOKEN_DAYS = 3650
NOT_PLACES = ("Etc/", "posix", "right", "SystemV/", "US/")


def zone_choices() -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the IANA zones that people live in, grouped by continent."""
    groups: dict[str, list[tuple[str, str]]] = {_("General"): [("UTC", "UTC")]}
    for name in sorted(zoneinfo.available_timezones()):
        continent, slash, place = name.partition("/")
        if slash and not name.startswith(NOT_PLACES):
            groups.setdefault(continent, []).append((name, place.replace("_", " ")))
    return list(groups.items())


class ProfileForm(forms.ModelForm):
    """What a person sets about themselves. E-mail address, roles and organisation are the administrator's."""

    language = forms.ChoiceField(label=gettext_lazy("Language"), choices=settings.LANGUAGES)

    class Meta:
        model = User
        fields = ("display_name", "phone", "time_zone", "language", "theme", "single_keys")
        help_texts = {
            "time_zone": gettext_lazy("All times are shown in this zone."),
            "single_keys": gettext_lazy("Work with single letters such as R for reply. ? shows what is possible."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        current = self.instance.time_zone
        choices: list[Any] = zone_choices()
        if not any(current == name for _group, zones in choices for name, _label in zones):
            choices.insert(0, (current, current))
        self.fields["time_zone"] = forms.ChoiceField(
            label=gettext_lazy("Time zone"),
            choices=choices,
            help_text=self.fields["time_zone"].help_text,
            widget=forms.Select(attrs={"data-combobox": ""}),
        )
        if not self.instance.may(Permission.USE_DESK):
            del self.fields["single_keys"]


class TokenForm(forms.Form):
    """A new API token."""

    name = forms.CharField(label=gettext_lazy("What is it for?"), max_length=100)
    scope = forms.ChoiceField(label=gettext_lazy("It may"), choices=TokenScope.choices, initial=TokenScope.READ)
    days = forms.IntegerField(
        label=gettext_lazy("Valid for (days)"), min_value=1, max_value=LONGEST_TOKEN_DAYS, initial=365
    )

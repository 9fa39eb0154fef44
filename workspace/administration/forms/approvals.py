"""The forms of an approval policy, its stages, and what holds for all approvals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from itsm.accounts.models import Team, User
from itsm.accounts.roles import Role
from itsm.approvals.models import ApprovalPolicy, Expiry, Mode, OnChange, Source
from itsm.approvals.specs import LONGEST_HOURS, MAX_STAGES, MOST_OF, StageSpec
from itsm.approvals.subjects import groups, subjects
from itsm.tickets.kinds import kind_of
from slas.models import BusinessCalendar
from workspace.administration.conditions import readable
from workspace.administration.forms.base import ConditionField, PersonChoice, SettingsForm, TeamChoice, dress

NAME_MAX = 200
LEAST_PLACES = 3
FROM_TICKET = (
    Source.TICKET_TEAM,
    Source.TEAM_LEAD,
    Source.SERVICE_OWNER,
    Source.OWNER_MANAGER,
    Source.REQUESTER_MANAGER,
)
TEAMS = tuple(f"team_{number}" for number in range(MOST_OF[Source.TEAM]))
GROUPS = ("people", "more")  # two groups of named people


def coded_sources() -> list[tuple[str, str]]:
    """Return the sources that need no more than a tick: of the ticket, registered groups, roles of the desk."""
    found = [(f"{source}:", str(source.label)) for source in FROM_TICKET]
    found += [(f"group:{group.code}", str(group.label)) for group in groups()]
    roles = [role for role in Role if role != Role.REQUESTER]
    return found + [(f"role:{role}", _("Role %(role)s") % {"role": role.label}) for role in roles]


def source_of(code: str) -> dict[str, Any]:
    """Return the source that a tick means."""
    kind, _colon, value = code.partition(":")
    named = {"group": "code", "role": "role"}.get(kind)
    return {"from": kind, named: value} if named else {"from": kind}


def code_of(source: Mapping[str, Any]) -> str:
    """Return the tick that a stored source is; empty for one that is no tick."""
    kind = source.get("from", "")
    if kind in (Source.PEOPLE, Source.TEAM):
        return ""
    return f"{kind}:{source.get('code') or source.get('role') or ''}"


class ApprovalPolicyForm(SettingsForm):
    """Which tickets a policy is for. Its stages are a set of forms of their own."""

    name = forms.CharField(max_length=NAME_MAX, label=gettext_lazy("Name"))
    what = forms.ChoiceField(label=gettext_lazy("What is approved"))
    condition = ConditionField(
        required=False,
        label=gettext_lazy("For tickets like this"),
        help_text=gettext_lazy("As in the search bar, such as risk:<=2 service:mail. Empty: every one."),
    )
    on_change = forms.ChoiceField(
        choices=OnChange.choices,
        initial=OnChange.RESTART,
        label=gettext_lazy("When the plan changes while people are asked"),
    )
    order = forms.IntegerField(
        min_value=1,
        max_value=100_000,
        initial=100,
        label=gettext_lazy("Order"),
        help_text=gettext_lazy("The policy with the lowest number that fits a ticket counts."),
    )
    is_active = forms.BooleanField(
        required=False,
        initial=True,
        label=gettext_lazy("Active"),
        help_text=gettext_lazy("What is being asked already goes on as it began."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["what"].choices = [  # type: ignore[attr-defined]
            (f"{kind}:{purpose}", f"{kind_of(kind).label}: {label}")
            for kind, subject in subjects().items()
            for purpose, label in subject.purposes
        ]

    @staticmethod
    def values_of(policy: ApprovalPolicy) -> dict[str, Any]:
        """Return what the form shows of a stored policy."""
        version = policy.current
        return {
            "name": policy.name,
            "what": f"{policy.kind}:{policy.purpose}",
            "condition": readable(version.condition).text if version else "",
            "on_change": version.on_change if version else OnChange.RESTART,
            "order": policy.order,
            "is_active": policy.is_active,
        }


class StageForm(forms.Form):
    """One stage. A row without a name is none."""

    name = forms.CharField(max_length=NAME_MAX, required=False, label=gettext_lazy("Name of the stage"))
    mode = forms.ChoiceField(choices=Mode.choices, required=False, label=gettext_lazy("Who has to approve"))
    needed = forms.IntegerField(min_value=1, max_value=1000, required=False, label=gettext_lazy("How many"))
    condition = ConditionField(required=False, label=gettext_lazy("Only where (empty: always)"))
    sources = forms.MultipleChoiceField(
        required=False, widget=forms.CheckboxSelectMultiple, label=gettext_lazy("Who is asked")
    )
    expires_hours = forms.IntegerField(
        min_value=0, max_value=LONGEST_HOURS, required=False, label=gettext_lazy("Time to decide (hours)")
    )
    calendar = forms.ModelChoiceField(
        BusinessCalendar.objects.exclude(current=None),
        to_field_name="public_id",
        required=False,
        empty_label=gettext_lazy("Round the clock"),
        label=gettext_lazy("Hours of"),
    )
    then = forms.ChoiceField(choices=Expiry.choices, required=False, label=gettext_lazy("When it is over"))
    to = forms.MultipleChoiceField(
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label=gettext_lazy("Then ask (nothing: the fallback role)"),
    )
    to_team = TeamChoice(required=False, label=gettext_lazy("Then ask the team"), empty_label=gettext_lazy("None"))
    to_person = PersonChoice(required=False, label=gettext_lazy("Then ask the person"))
    remind_hours = forms.IntegerField(
        min_value=0, max_value=LONGEST_HOURS, required=False, label=gettext_lazy("Remind every (hours)")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["sources"].choices = coded_sources()  # type: ignore[attr-defined]
        self.fields["to"].choices = coded_sources()  # type: ignore[attr-defined]
        for number, name in enumerate(TEAMS, start=1):
            label = gettext_lazy("Team") if number == 1 else gettext_lazy("Another team")
            self.fields[name] = TeamChoice(required=False, label=label, empty_label=gettext_lazy("None"))
        for group in GROUPS:
            for place in range(self._places(group)):
                name = f"{group}_{place}"
                self.fields[name] = PersonChoice(required=False, label=gettext_lazy("Person"))
        for name, field in self.fields.items():
            if isinstance(field, PersonChoice):
                field.show(self, name, self.initial.get(f"{name}_row"))
            elif isinstance(field, TeamChoice):
                field.keep(self.initial.get(f"{name}_row"))
        dress(self)

    def _places(self, group: str) -> int:
        """As many places as were sent or are stored, and one more."""
        if self.is_bound:
            begin = self.add_prefix(f"{group}_")
            sent = [name.removeprefix(begin) for name in self.data if name.startswith(begin)]
            taken = max((int(one) + 1 for one in sent if one.isascii() and one.isdigit() and len(one) < 3), default=0)
            return max(taken, LEAST_PLACES)
        return max(len(self.initial.get(group, ())) + 1, LEAST_PLACES)

    @property
    def people(self) -> list[forms.BoundField]:
        """The places of the first group of named people."""
        return [self[name] for name in self.fields if name.startswith("people_")]

    @property
    def more(self) -> list[forms.BoundField]:
        """The places of the second group."""
        return [self[name] for name in self.fields if name.startswith("more_")]

    @property
    def teams(self) -> list[forms.BoundField]:
        """The places for teams."""
        return [self[name] for name in TEAMS]

    @property
    def has_time(self) -> bool:
        """Whether the part about time says something, or is wrong."""
        names = ("expires_hours", "remind_hours")
        return any(self[name].errors or self[name].value() for name in names)

    @property
    def spec(self) -> StageSpec | None:
        """The stage that the valid form says; None for a row without a name."""
        values = self.cleaned_data
        if not values.get("name"):
            return None
        sources = [source_of(code) for code in values["sources"]]
        sources += [{"from": Source.TEAM, "id": values[name].pk} for name in TEAMS if values[name]]
        for group in GROUPS:
            named = [name for name in self.fields if name.startswith(f"{group}_")]
            ids = [values[name].pk for name in named if values[name]]
            if ids:
                sources.append({"from": Source.PEOPLE, "ids": ids})
        to = [source_of(code) for code in values["to"]]
        to += [{"from": Source.TEAM, "id": values["to_team"].pk}] if values["to_team"] else []
        to += [{"from": Source.PEOPLE, "ids": [values["to_person"].pk]}] if values["to_person"] else []
        return StageSpec(
            name=values["name"],
            approvers=sources,
            mode=values["mode"] or Mode.ANY,
            needed=values["needed"] or 1,
            condition=values["condition"],
            expires_hours=values["expires_hours"] or 0,
            calendar=values["calendar"],
            then=values["then"] or Expiry.REMIND,
            escalate_to=to,
            remind_hours=values["remind_hours"] or 0,
        )

    def clean(self) -> dict[str, Any]:
        """Ask for the name of a row in which something else stands."""
        values = super().clean() or {}
        if not values.get("name") and any(values.get(name) for name in ("sources", "condition", *TEAMS)):
            self.add_error("name", _("Give the stage a name, or clear the row."))
        if values.get("mode") == Mode.N_OF_M and not values.get("needed") and "needed" not in self.errors:
            self.add_error("needed", _("Say how many have to approve."))
        return values

    @staticmethod
    def values_of(stage: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the form shows of a stored stage."""
        expires = stage.get("expires") or {}
        calendar = BusinessCalendar.objects.filter(pk=expires.get("calendar") or 0).first()
        values: dict[str, Any] = {
            "name": stage["name"],
            "mode": stage["mode"],
            "needed": stage.get("needed") if stage["mode"] == Mode.N_OF_M else None,
            "condition": readable(stage.get("condition") or {}).text,
            "sources": [code for source in stage["approvers"] if (code := code_of(source))],
            "expires_hours": expires.get("hours"),
            "calendar": calendar.public_id if calendar else "",
            "then": expires.get("then", Expiry.REMIND),
            "to": [code for source in expires.get("to", ()) if (code := code_of(source))],
            "remind_hours": stage.get("remind_hours") or None,
        }
        for name, team in zip(TEAMS, _teams(stage["approvers"]), strict=False):
            values |= {name: team.public_id, f"{name}_row": team}
        for group, people in zip(GROUPS, _people(stage["approvers"]), strict=False):
            values[group] = people
            for place, person in enumerate(people):
                values |= {f"{group}_{place}": person.public_id, f"{group}_{place}_row": person}
        for team in _teams(expires.get("to", ())):
            values |= {"to_team": team.public_id, "to_team_row": team}
        for people in _people(expires.get("to", ())):
            values |= {"to_person": people[0].public_id, "to_person_row": people[0]} if people else {}
        return values


def _teams(sources: Iterable[Mapping[str, Any]]) -> list[Team]:
    ids = [source["id"] for source in sources if source["from"] == Source.TEAM]
    found = Team.objects.in_bulk(ids)
    return [found[pk] for pk in ids if pk in found]


def _people(sources: Iterable[Mapping[str, Any]]) -> list[Sequence[User]]:
    named = [source["ids"] for source in sources if source["from"] == Source.PEOPLE]
    found = User.objects.in_bulk([pk for ids in named for pk in ids])
    return [[found[pk] for pk in ids if pk in found] for ids in named]


class ApprovalSettingsForm(SettingsForm):
    """What holds for all approvals."""

    fallback_role = forms.ChoiceField(
        label=gettext_lazy("Asked when nobody else is found"),
        help_text=gettext_lazy("Where this role has nobody, administrators are asked. Nothing approves itself."),
    )
    link_days = forms.IntegerField(
        min_value=1, max_value=90, label=gettext_lazy("Days that a link in a mail is good for")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        roles = [(str(role), str(role.label)) for role in Role if role != Role.REQUESTER]
        self.fields["fallback_role"].choices = roles  # type: ignore[attr-defined]


StageSet = forms.formset_factory(StageForm, extra=1, max_num=MAX_STAGES, absolute_max=MAX_STAGES + 10)

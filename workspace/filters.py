"""Filters as a form. What is chosen becomes a condition, so that a filter, a chip and the search bar are one thing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import django_filters
from django import forms
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from cmdb.models import Service
from itsm.accounts.models import Team
from itsm.conditions import AllOf, AnyOf, Condition, Leaf, normalise, to_q, to_text
from itsm.tickets.kinds import all_kinds
from itsm.tickets.models import Category, Priority, Ticket
from workspace.schema import context_of, queue_schema

if TYPE_CHECKING:
    from workspace.board import Board

ME, NOBODY = "me", "none"
OWNERS = ((ME, _("Me")), (NOBODY, _("Nobody")))
FIELDS = ("kind", "status", "priority", "assignee", "team", "service", "category", "vip")


def _active(model: Any) -> Callable[[HttpRequest], Any]:
    return lambda request: model.objects.active()


def kind_choices() -> list[tuple[str, Any]]:
    """Return the kinds of ticket by code."""
    return [(kind.code, kind.label) for kind in all_kinds()]


def status_choices(kinds: Iterable[str] = ()) -> list[tuple[str, Any]]:
    """Return the statuses of these kinds (none named: of all) by code, each once."""
    wanted = set(kinds)
    found: dict[str, Any] = {}
    for kind in all_kinds():
        if not wanted or kind.code in wanted:
            for code, label in kind.statuses.items():
                found.setdefault(code, label)
    return list(found.items())


class TicketFilter(django_filters.FilterSet):
    """The filters of a queue. Together they are one condition; `qs` is what that condition finds."""

    kind = django_filters.MultipleChoiceFilter(
        label=_("Kind"), choices=kind_choices, widget=forms.CheckboxSelectMultiple
    )
    status = django_filters.MultipleChoiceFilter(
        label=_("Status"), choices=status_choices, widget=forms.CheckboxSelectMultiple
    )
    priority = django_filters.MultipleChoiceFilter(
        label=_("Priority"), choices=Priority.choices, widget=forms.CheckboxSelectMultiple
    )
    assignee = django_filters.MultipleChoiceFilter(
        label=_("Assignee"), choices=OWNERS, widget=forms.CheckboxSelectMultiple
    )
    team = django_filters.ModelMultipleChoiceFilter(label=_("Team"), queryset=_active(Team), to_field_name="key")
    service = django_filters.ModelMultipleChoiceFilter(
        label=_("Service"), queryset=_active(Service), to_field_name="key"
    )
    category = django_filters.ModelMultipleChoiceFilter(
        label=_("Category"), queryset=_active(Category), to_field_name="path"
    )
    vip = django_filters.BooleanFilter(label=_("Requester is VIP"), widget=forms.CheckboxInput)

    class Meta:
        model = Ticket
        fields: ClassVar[list[str]] = []

    def filter_queryset(self, queryset: Any) -> Any:
        """Return the tickets that meet the condition."""
        return queryset.filter(to_q(self.condition(), queue_schema(), context_of(self.request)))

    def condition(self) -> Condition:
        """Return what the valid form asks for; nothing chosen is the condition that everything meets."""
        chosen = self.form.cleaned_data
        parts = [
            *one_of("kind", map(str, chosen["kind"])),
            *one_of("status", map(str, chosen["status"])),
            *one_of("priority", map(int, chosen["priority"])),
            *_owner(chosen["assignee"]),
            *one_of("team", (team.key for team in chosen["team"])),
            *one_of("service", (service.key for service in chosen["service"])),
            *one_of("category", (category.path for category in chosen["category"])),
        ]
        return AllOf((*parts, Leaf("is", "eq", "vip")) if chosen["vip"] else tuple(parts))


def one_of(field: str, values: Iterable[Any]) -> list[Condition]:
    """Return “the field is one of these” as a list of one condition, or of none when there are no values."""
    found = tuple(values)
    if not found:
        return []
    return [Leaf(field, "eq", found[0]) if len(found) == 1 else Leaf(field, "in", found)]


def _owner(chosen: Iterable[str]) -> list[Condition]:
    parts: dict[str, Condition] = {ME: Leaf("assignee", "eq", "me"), NOBODY: Leaf("assignee", "is_empty")}
    found = tuple(parts[value] for value in chosen)
    return [AnyOf(found)] if len(found) > 1 else list(found)


def take_apart(condition: Condition) -> tuple[dict[str, list[Any]], list[Condition]]:
    """Return what the filters' form can show of the condition, by field, and the parts that it cannot."""
    whole = normalise(condition)
    values: dict[str, list[Any]] = {}
    rest: list[Condition] = []
    for part in whole.children if isinstance(whole, AllOf) else (whole,):
        name, found = _as_filter(part)
        if name and name not in values:
            values[name] = found
        else:
            rest.append(part)
    return values, rest


def _as_filter(part: Condition) -> tuple[str, list[Any]]:
    if isinstance(part, AnyOf) and {*part.children} == {*_owner([ME, NOBODY])[0].children}:  # type: ignore[attr-defined]
        return "assignee", [ME, NOBODY]
    if not isinstance(part, Leaf):
        return "", []
    if part.field == "assignee":
        only_me = part.op == "eq" and part.value == ME
        return ("assignee", [ME if only_me else NOBODY]) if only_me or part.op == "is_empty" else ("", [])
    if part == Leaf("is", "eq", "vip"):
        return "vip", [True]
    if part.field in FIELDS and part.op in ("eq", "in"):
        return part.field, list(part.values())
    return "", []


def merged(condition: Condition, chosen: Condition, fields: Iterable[str]) -> str:
    """Return the search text in which the named filters have the chosen values and all else is as it was."""
    values, rest = take_apart(condition)
    kept = [part for name, found in values.items() if name not in fields for part in as_parts(name, found)]
    return to_text(AllOf((*rest, *kept, chosen)), queue_schema())


def as_parts(name: str, values: list[Any]) -> list[Condition]:
    """Return a filter's values as conditions."""
    if name == "assignee":
        return _owner(values)
    return [Leaf("is", "eq", "vip")] if name == "vip" else one_of(name, values)


@dataclass(frozen=True)
class QuickMenu:
    """A filter as a small menu above the list: (value, words, whether it is chosen) for each choice."""

    name: str
    label: str | Promise
    options: Sequence[tuple[Any, Any, bool]]
    chosen: int


def quick_menus(board: Board) -> list[QuickMenu]:
    """Return the menus of the filters that need no list from the database."""
    values: Mapping[str, list[Any]] = take_apart(board.search.condition)[0] if not board.search.problem else {}
    kinds = values.get("kind") or [board.queue.kind or "incident"]
    # Statuses of everything would make a long menu: it holds those of the kind that is looked at.
    statuses = status_choices(kinds)
    menus = []
    for name, label, choices in (
        *(() if board.queue.kind or len(all_kinds()) < 2 else (("kind", _("Kind"), kind_choices()),)),
        ("status", _("Status"), statuses),
        ("priority", _("Priority"), Priority.choices),
        ("assignee", _("Assignee"), OWNERS),
    ):
        chosen = values.get(name, [])
        options = [(value, words, value in chosen) for value, words in choices]
        menus.append(QuickMenu(name, label, options, len(chosen)))
    return menus

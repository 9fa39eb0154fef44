"""Which tickets a list shows: parameters by field, the condition language, a fixed set of orders."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django_filters import rest_framework as filters

from cmdb.api import NO_SERVICE, find_service
from itsm.accounts.api import NO_TEAM, NO_WORKER, NOBODY, find_person, find_team
from itsm.accounts.models import User
from itsm.accounts.roles import Permission
from itsm.api.paging import PAGING
from itsm.api.problems import BadRequest
from itsm.conditions import Context, Schema, parse, to_q
from itsm.tickets.api.categories import NO_CATEGORY, find_category
from itsm.tickets.models import Category, Priority
from itsm.tickets.models.ticket import STILL_OPEN
from itsm.tickets.schema import ticket_schema

NONE, ME = "none", "me"
DESK_ONLY = frozenset({"team", "assignee"})
# What a requester cannot see on a ticket they cannot ask for either: the answer would tell.
HIDDEN_FROM_REQUESTERS = ("watcher", "vip", "assignee", "team", "due")

ORDERS = {
    "-opened_at": ("-opened_at", "-id"),
    "opened_at": ("opened_at", "id"),
    "-updated_at": ("-updated_at", "-id"),
    "updated_at": ("updated_at", "id"),
    "priority": ("priority", "opened_at", "id"),
    "-priority": ("-priority", "-opened_at", "-id"),
    "next_target_at": ("queue_due_at", "priority", "opened_at", "id"),
}
DESK_ORDERS = frozenset({"next_target_at"})
DEFAULT_ORDER = "-opened_at"


class ChoicesFilter(django_filters.BaseInFilter, django_filters.ChoiceFilter):
    """One value or several with commas."""

    def filter(self, qs: QuerySet[Any], value: Any) -> QuerySet[Any]:
        """Keep rows that have one of the values.

        Raises:
            BadRequest: there is nothing between two commas.
        """
        if value and "" in value:
            sentence = _("Put a value before and after each comma.")
            raise BadRequest(sentence, {str(self.field_name): [sentence]})
        rows: QuerySet[Any] = super().filter(qs, value)
        return rows


class TicketFilter(filters.FilterSet):
    """The parameters of the list, each declared; the statuses come from the kind."""

    priority = ChoicesFilter(choices=Priority.choices)
    team = django_filters.CharFilter(method="by_team")
    assignee = django_filters.CharFilter(method="by_assignee")
    requester = django_filters.CharFilter(method="by_requester")
    category = django_filters.CharFilter(method="by_category")
    service = django_filters.CharFilter(method="by_service")
    external_id = django_filters.CharFilter()
    opened_after = django_filters.IsoDateTimeFilter(field_name="opened_at", lookup_expr="gte")
    opened_before = django_filters.IsoDateTimeFilter(field_name="opened_at", lookup_expr="lt")
    updated_since = django_filters.IsoDateTimeFilter(field_name="updated_at", lookup_expr="gte")
    open = django_filters.ChoiceFilter(choices=(("true", "true"), ("false", "false")), method="by_open")

    def by_team(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Keep tickets of the team (id or key), or of none."""
        if value == NONE:
            return rows.filter(team__isnull=True)
        return rows.filter(team=self._found(find_team, name, value, str(NO_TEAM)))

    def by_assignee(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Keep tickets of the person (id, e-mail address, `me`), or of nobody (`none`)."""
        if value == NONE:
            return rows.filter(assignee__isnull=True)
        return rows.filter(assignee=self._person(name, value, str(NO_WORKER)))

    def by_requester(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Keep tickets that the person (id, e-mail address, `me`) asked for."""
        return rows.filter(requester=self._person(name, value, str(NOBODY)))

    def by_category(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Keep tickets of the category (id or path) or anything below it."""
        category = self._found(find_category, name, value, str(NO_CATEGORY))
        return rows.filter(category__in=Category.objects.within(category))

    def by_service(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Keep tickets of the service (id, key or name)."""
        return rows.filter(service=self._found(find_service, name, value, str(NO_SERVICE)))

    def by_open(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Keep tickets on which work is still to be done, or the others."""
        return rows.filter(STILL_OPEN) if value == "true" else rows.exclude(STILL_OPEN)

    def _person(self, name: str, value: str, message: str) -> User:
        if value == ME:
            viewer: User = self.request.user
            return viewer
        person: User = self._found(find_person, name, value, message)
        return person

    def _found(self, find: Callable[[str, User], Any], name: str, value: str, message: str) -> Any:
        found = find(value.strip(), self.request.user)
        if found is None:
            raise BadRequest(message, {name: [message]})
        return found


def known_parameters(declared: type[TicketFilter], viewer: User) -> list[str]:
    """Return the names of the parameters that the viewer may use."""
    hidden = frozenset() if viewer.may(Permission.VIEW_TICKETS) else DESK_ONLY
    return [*(name for name in declared.base_filters if name not in hidden), "q", "ordering", *PAGING]


def narrowed(
    rows: QuerySet[Any], declared: type[TicketFilter], parameters: dict[str, str], request: Any
) -> QuerySet[Any]:
    """Return the rows that meet all parameters and the condition in `q`.

    Raises:
        BadRequest, ConditionError: with the parameter, or the place in the condition.
    """
    asked = {name: value for name, value in parameters.items() if name in declared.base_filters}
    if asked:
        reader = declared(data=asked, queryset=rows, request=request)
        if not reader.is_valid():
            errors = {name: [str(text) for text in texts] for name, texts in reader.errors.items()}
            raise BadRequest(_("Some parameters of the address do not fit."), errors)
        rows = reader.qs
    if parameters.get("q"):
        viewer = request.user
        schema = ticket_schema() if viewer.may(Permission.VIEW_TICKETS) else requester_schema()
        condition = parse(parameters["q"], schema)
        rows = rows.filter(to_q(condition, schema, Context(user=viewer, now=timezone.now(), zone=viewer.zone)))
    return rows


@cache
def requester_schema() -> Schema:
    """Return what people outside the desk may ask: what they see on their tickets, and of people only themselves."""
    schema = ticket_schema().without(*HIDDEN_FROM_REQUESTERS)
    fields = tuple(
        replace(field, resolver=lambda words, context: {}, complete=None) if field.name == "requester" else field
        for field in schema.fields
    )
    return replace(schema, fields=fields)


def order_of(parameters: dict[str, str], viewer: User) -> tuple[str, ...]:
    """Return the order that `ordering` names.

    Raises:
        BadRequest: there is no such order for the viewer.
    """
    name = parameters.get("ordering", DEFAULT_ORDER)
    allowed = [order for order in ORDERS if order not in DESK_ORDERS or viewer.may(Permission.VIEW_TICKETS)]
    if name not in allowed:
        sentence = _("Choose one of: %(names)s.") % {"names": ", ".join(allowed)}
        raise BadRequest(sentence, {"ordering": [sentence]})
    return ORDERS[name]

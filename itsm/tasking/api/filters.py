"""Which tasks a list shows, beyond what every ticket can be asked."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import QuerySet

from itsm.desk.api.filters import TicketFilter
from itsm.tasking.api.serializers import NO_PARENT, find_parent


class TaskFilter(TicketFilter):
    """The parameters of the list of tasks."""

    parent = django_filters.CharFilter(method="by_parent")
    task_type = django_filters.CharFilter()
    held = django_filters.ChoiceFilter(choices=(("true", "true"), ("false", "false")), method="by_held")
    planned_after = django_filters.IsoDateTimeFilter(field_name="planned_start", lookup_expr="gte")
    planned_before = django_filters.IsoDateTimeFilter(field_name="planned_start", lookup_expr="lt")

    def by_parent(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Keep the tasks of the ticket (id or number)."""
        return rows.filter(parent_id=self._found(find_parent, name, value, str(NO_PARENT)).pk)

    def by_held(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Keep the tasks that are on hold, or the others."""
        return rows.filter(is_held=value == "true")

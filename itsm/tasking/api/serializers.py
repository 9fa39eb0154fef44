"""How tasks read and are written in the API, beyond what every ticket has."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from itsm.accounts.api import TeamField, WorkerField
from itsm.accounts.models import User
from itsm.api.bodies import Instant, ReferenceField, StrictSerializer
from itsm.desk.api.serializers import TicketOut, TicketPatch
from itsm.tasking.models import ORDER_MAX
from itsm.tasking.registry import has_tasks
from itsm.tasking.statuses import Status
from itsm.tickets.api.base import TicketRef
from itsm.tickets.models import Ticket
from itsm.tickets.models.ticket import TEXT_MAX, TITLE_MAX

NO_PARENT = _("There is no ticket with this id or number that can have tasks.")
NUMBER_MAX = 32


def find_parent(ref: str, viewer: User) -> Any:
    """Return the ticket, as its kind, with this id or number; None: the viewer sees none such that can have tasks."""
    found = Ticket.objects.visible_to(viewer).by_ref(ref).first() if len(ref) <= NUMBER_MAX else None
    if found is None or not has_tasks(found.kind):
        return None
    return found.kind_info.model.objects.get(pk=found.pk)


class ParentField(ReferenceField):
    """A ticket that can have tasks, by id or number."""

    def __init__(self, **options: Any) -> None:
        super().__init__(find_parent, NO_PARENT, **options)


class TaskOut(TicketOut):
    """A task below another ticket (`parent`). Instants are in UTC. `held_by_parent`: on hold as long as the parent is.
    `notes`: how it ended."""

    status = serializers.ChoiceField(Status.choices, read_only=True)
    parent = TicketRef(read_only=True)
    task_type = serializers.CharField(read_only=True)
    order = serializers.IntegerField(read_only=True, min_value=0, max_value=ORDER_MAX)
    planned_start = Instant(allow_null=True)
    planned_end = Instant(allow_null=True)
    is_held = serializers.BooleanField(read_only=True)
    held_by_parent = serializers.BooleanField(read_only=True)
    hold_reason = serializers.CharField(read_only=True)
    is_generated = serializers.BooleanField(read_only=True)
    notes = serializers.CharField(read_only=True)


class TaskBelowIn(StrictSerializer):
    """A new task below the ticket of the address. Without a team it goes to the ticket's."""

    title = serializers.CharField(max_length=TITLE_MAX)
    description = serializers.CharField(max_length=TEXT_MAX, allow_blank=True, default="")
    task_type = serializers.CharField(max_length=30, required=False)
    team = TeamField(required=False, allow_null=True)
    assignee = WorkerField(required=False, allow_null=True)
    order = serializers.IntegerField(min_value=0, max_value=ORDER_MAX, default=0)
    planned_start = serializers.DateTimeField(required=False, allow_null=True)
    planned_end = serializers.DateTimeField(required=False, allow_null=True)


class TaskIn(TaskBelowIn):
    """A new task below `parent`, a ticket by id or number. Without a team it goes to the ticket's."""

    parent = ParentField()  # type: ignore[assignment]  # the framework takes fields out of the class


class TaskPatch(TicketPatch):
    """What is to change; what is not named stays. A priority given by hand needs its reason."""

    task_type = serializers.CharField(max_length=30, required=False)
    order = serializers.IntegerField(min_value=0, max_value=ORDER_MAX, required=False)
    planned_start = serializers.DateTimeField(required=False, allow_null=True)
    planned_end = serializers.DateTimeField(required=False, allow_null=True)

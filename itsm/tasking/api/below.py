"""The tasks of one ticket over the API: `/api/v1/{incidents, changes, …, tickets}/{ref}/tasks/`."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from itsm.accounts.roles import Permission
from itsm.api.bodies import checked, idempotency_key
from itsm.api.paging import PAGING, page_answer, parameters_of
from itsm.api.schema import IDEMPOTENCY_KEY, PAGING_PARAMETERS, page_of_schema
from itsm.api.views import ApiViews
from itsm.tasking.api.serializers import TaskBelowIn, TaskOut
from itsm.tasking.api.writing import open_below
from itsm.tasking.models import Task
from itsm.tasking.registry import kinds_with_tasks
from itsm.tickets.errors import Refused
from itsm.tickets.kinds import kind_of
from itsm.tickets.models import Ticket
from itsm.tickets.querysets import get_visible

ANY = "tickets"
ORDER = ("order", "id")
PLURAL = OpenApiParameter(
    "plural",
    OpenApiTypes.STR,
    OpenApiParameter.PATH,
    description="`incidents`, `problems`, `changes`, or `tickets` for any of them.",
)


class TasksBelow(ApiViews):
    """The tasks of one ticket, for the desk."""

    def _parent(self, plural: str, ref: str) -> Any:
        """Return the ticket, as its kind.

        Raises:
            Http404: there is none of that kind that the caller sees, or none that can have tasks.
            Refused: the caller sees the ticket, but is not of the desk.
        """
        kinds = {f"{code}s": code for code in kinds_with_tasks()}
        if plural == ANY:
            found = get_visible(Ticket.objects.only("kind"), self.viewer, ref)
            kind = found.kind
        else:
            kind = kinds.get(plural, "")
        if kind not in kinds.values():
            raise Http404(_("There is no such ticket."))
        parent = get_visible(kind_of(kind).model.objects.defer("search"), self.viewer, ref)
        if not self.viewer.may(Permission.VIEW_TICKETS):
            raise Refused(_("Only the service desk sees the tasks of a ticket."))
        return parent

    @extend_schema(
        operation_id="ticket_tasks_list",
        parameters=[PLURAL, *PAGING_PARAMETERS],
        responses=page_of_schema(TaskOut),
    )
    def index(self, request: Request, plural: str, ref: str) -> Response:
        """List the ticket's tasks in the order in which they are to be done."""
        parameters = parameters_of(request, PAGING)
        tasks = Task.objects.below(self._parent(plural, ref)).with_people().select_related("opened_by", "parent")
        return page_answer(request, tasks, ORDER, lambda rows: self.shown_all(TaskOut, rows), parameters)

    @extend_schema(
        operation_id="ticket_tasks_create",
        parameters=[PLURAL, IDEMPOTENCY_KEY],
        request=TaskBelowIn,
        responses={201: TaskOut, 200: TaskOut},
    )
    def create(self, request: Request, plural: str, ref: str) -> Response:
        """Add a task to the ticket."""
        parent = self._parent(plural, ref)
        key = idempotency_key(request, f"task below {parent.public_id}")
        before = Task.objects.filter(opened_by=self.viewer, submission_key=key).first() if key else None
        if before is not None:
            return self._answer(before, headers={"Idempotent-Replay": "true"})
        values = checked(TaskBelowIn, request)
        task = open_below(actor=self.actor, parent=parent, submission_key=key, **values)
        return self._answer(task, status=201)

    def _answer(self, task: Task, **options: Any) -> Response:
        response = Response(self.shown(TaskOut, task), **options)
        response["ETag"] = f'"{task.version}"'
        return response

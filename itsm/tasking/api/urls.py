"""Tasks in the API: `/api/v1/tasks/`."""

from itsm.desk.api.kinds import TicketApi
from itsm.desk.api.urls import ticket_api_urls
from itsm.tasking.api.filters import TaskFilter
from itsm.tasking.api.serializers import TaskIn, TaskOut, TaskPatch
from itsm.tasking.api.writing import open_below, plan
from itsm.tasking.statuses import Status

urlpatterns = ticket_api_urls(
    TicketApi(
        kind="task",
        a="a task",
        plural="tasks",
        statuses=Status.choices,
        out=TaskOut,
        body=TaskIn,
        patch=TaskPatch,
        opener=open_below,
        edit=plan,
        related=("parent",),
        filters=TaskFilter,
    )
)

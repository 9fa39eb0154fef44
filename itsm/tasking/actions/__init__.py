"""The verbs of tasks. Pages, API and the rooms of the tickets above call these and nothing else."""

from itsm.tasking.actions.lifecycle import (
    cancel,
    close_incomplete,
    complete,
    hold,
    open_now,
    perform,
    reopen,
    resume,
    skip,
    start,
)
from itsm.tasking.actions.opening import open_task
from itsm.tasking.actions.planning import plan_task
from itsm.tasking.actions.talking import Reply, reply
from itsm.tasking.actions.together import end_open_tasks, hold_tasks, move_tasks, open_ready_tasks, resume_tasks

__all__ = [
    "Reply",
    "cancel",
    "close_incomplete",
    "complete",
    "end_open_tasks",
    "hold",
    "hold_tasks",
    "move_tasks",
    "open_now",
    "open_ready_tasks",
    "open_task",
    "perform",
    "plan_task",
    "reopen",
    "reply",
    "resume",
    "resume_tasks",
    "skip",
    "start",
]

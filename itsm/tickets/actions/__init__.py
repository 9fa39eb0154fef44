"""The verbs that every kind of ticket has. Each locks the row, checks version and right, writes one event."""

from itsm.tickets.actions.base import begin, begin_move, lock
from itsm.tickets.actions.editing import UNSET, assign, override_priority, update
from itsm.tickets.actions.files import StoredFile, attach, discard, store_upload
from itsm.tickets.actions.opening import matrix_priority, open_ticket
from itsm.tickets.actions.relations import link, unlink, unwatch, watch
from itsm.tickets.actions.talking import comment

__all__ = [
    "UNSET",
    "StoredFile",
    "assign",
    "attach",
    "begin",
    "begin_move",
    "comment",
    "discard",
    "link",
    "lock",
    "matrix_priority",
    "open_ticket",
    "override_priority",
    "store_upload",
    "unlink",
    "unwatch",
    "update",
    "watch",
]

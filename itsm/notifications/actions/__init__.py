"""The verbs of notices: reading the inbox, sending what waits, giving a parked mail another chance."""

from itsm.notifications.actions.inbox import (
    mark_all_read,
    mark_read,
    notices_for,
    retry,
    unread_count,
)
from itsm.notifications.actions.sending import headers_of, send_due

__all__ = [
    "headers_of",
    "mark_all_read",
    "mark_read",
    "notices_for",
    "retry",
    "send_due",
    "unread_count",
]

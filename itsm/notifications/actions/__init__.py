"""The verbs of notices: reading the inbox, sending what waits, giving a parked mail another chance."""

from itsm.notifications.actions.contact import save_contact
from itsm.notifications.actions.deliveries import deliver_due, retry_delivery
from itsm.notifications.actions.direct import Words, tell_person
from itsm.notifications.actions.inbox import (
    mark_all_read,
    mark_read,
    notices_for,
    retry,
    unread_count,
)
from itsm.notifications.actions.sending import headers_of, send_due

__all__ = [
    "Words",
    "deliver_due",
    "headers_of",
    "mark_all_read",
    "mark_read",
    "notices_for",
    "retry",
    "retry_delivery",
    "save_contact",
    "send_due",
    "tell_person",
    "unread_count",
]

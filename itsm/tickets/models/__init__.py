"""The ticket and its children."""

from itsm.tickets.models.children import Attachment, Comment, Link, LinkKind, Visibility, Watcher
from itsm.tickets.models.event import OutboxEntry, TicketEvent
from itsm.tickets.models.settings import Category, PriorityCell, RoutingRule
from itsm.tickets.models.spreading import Spread, SpreadState, SpreadTarget, Tally
from itsm.tickets.models.ticket import NO_TARGET, Level, Priority, Ticket

__all__ = [
    "NO_TARGET",
    "Attachment",
    "Category",
    "Comment",
    "Level",
    "Link",
    "LinkKind",
    "OutboxEntry",
    "Priority",
    "PriorityCell",
    "RoutingRule",
    "Spread",
    "SpreadState",
    "SpreadTarget",
    "Tally",
    "Ticket",
    "TicketEvent",
    "Visibility",
    "Watcher",
]

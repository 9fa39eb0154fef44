"""What happened on a ticket, for one reader: comments and events in order, in a fixed number of queries."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.utils.translation import gettext as _

from itsm.accounts.models import User
from itsm.tickets.events import event_type, people_in, words_of
from itsm.tickets.models import Attachment, Comment, TicketEvent
from itsm.tickets.querysets import sees_all_tickets

SHOWN_AS_COMMENT = frozenset({"ticket.commented", "ticket.noted"})


@dataclass(frozen=True)
class Entry:
    """One entry: either a comment (with its files) or an event in words."""

    at: datetime
    actor: User | None
    actor_name: str
    comment: Comment | None = None
    event: TicketEvent | None = None
    text: str = ""
    icon: str = "point"
    internal: bool = False

    @property
    def is_comment(self) -> bool:
        """Whether somebody wrote it, rather than it having happened."""
        return self.comment is not None


def timeline(ticket: Any, viewer: User | AnonymousUser) -> list[Entry]:
    """Return the entries that the viewer may read, oldest first. Takes four queries, however long the ticket.

    Each comment gets its files as `shown_files`; the ticket gets those that hang on no comment as `loose_files`, and
    the events in order as `shown_events`.
    """
    files: dict[int | None, list[Attachment]] = defaultdict(list)
    for file in Attachment.objects.visible_to(viewer).filter(ticket_id=ticket.pk):
        files[file.comment_id].append(file)
    ticket.loose_files = files[None]
    comments = list(Comment.objects.visible_to(viewer).filter(ticket_id=ticket.pk).select_related("author"))
    for comment in comments:
        comment.shown_files = files[comment.pk]
    events = list(
        TicketEvent.objects.visible_to(viewer)
        .filter(ticket_id=ticket.pk)
        .exclude(code__in=SHOWN_AS_COMMENT)
        .select_related("actor")
    )
    ticket.shown_events = events
    wanted = set().union(*(people_in(event.data) for event in events)) if events else set()
    names = dict(User.objects.filter(pk__in=wanted).values_list("pk", "display_name")) if wanted else {}
    inside = sees_all_tickets(viewer)
    entries = [
        Entry(
            at=comment.created_at,
            actor=comment.author,
            actor_name=_actor_name(comment.author),
            comment=comment,
            internal=comment.is_internal,
        )
        for comment in comments
    ]
    for event in events:
        known = event_type(event.code)
        entries.append(
            Entry(
                at=event.at,
                actor=event.actor,
                actor_name=_actor_name(event.actor),
                event=event,
                text=words_of(event.code, event.data, names, inside=inside),
                icon=known.icon,
                internal=event.internal,
            )
        )
    entries.sort(key=lambda entry: (entry.at, entry.event.seq if entry.event else 0))
    return entries


def _actor_name(actor: User | None) -> str:
    return actor.display_name if actor else _("The system")

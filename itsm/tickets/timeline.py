"""What happened on a ticket, for one reader: comments and events in order, in a fixed number of queries."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import Exists, F, QuerySet
from django.utils.translation import gettext as _

from itsm.accounts.models import User
from itsm.tickets.events import event_type, people_in, words_of
from itsm.tickets.models import Attachment, Comment, Ticket, TicketEvent, Visibility
from itsm.tickets.querysets import sees_all_tickets

SHOWN_AS_COMMENT = frozenset({"ticket.commented", "ticket.noted"})


@dataclass(frozen=True)
class Entry:
    """One entry: either a comment (with its files) or an event in words.

    `origin`: the number of the ticket on which a comment was written, where that is another one: this one was split
    from it, or it was merged into this one.
    """

    at: datetime
    actor: User | None
    actor_name: str
    comment: Comment | None = None
    event: TicketEvent | None = None
    text: str = ""
    icon: str = "point"
    internal: bool = False
    origin: str = ""

    @property
    def is_comment(self) -> bool:
        """Whether somebody wrote it, rather than it having happened."""
        return self.comment is not None


def timeline(ticket: Any, viewer: User | AnonymousUser) -> list[Entry]:
    """Return the entries that the viewer may read, oldest first. Takes four queries, however long the ticket; five on
    one into which others were merged.

    Messages on tickets that were merged into this one are among them: public ones for everybody who may read this one,
    work notes for the desk; their files only where the viewer may read that ticket too. Each comment gets its files as
    `shown_files`; the ticket gets those that hang on no comment as `loose_files`, and the events in order as
    `shown_events`.
    """
    files: dict[int | None, list[Attachment]] = defaultdict(list)
    absorbed = ticket.kind_info.absorbed(ticket)
    for file in Attachment.objects.visible_to(viewer).filter(ticket_id__in=[ticket.pk, *absorbed]):
        if file.ticket_id == ticket.pk or file.comment_id is not None:
            files[file.comment_id].append(file)
    ticket.loose_files = files[None]
    comments = list(_comments(ticket, absorbed, viewer))
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
    numbers = {ticket.pk: ""}
    entries = [
        Entry(
            at=comment.created_at,
            actor=comment.author,
            actor_name=_actor_name(comment.author),
            comment=comment,
            internal=comment.is_internal,
            origin=comment.origin_number or numbers.get(comment.ticket_id, comment.ticket_number),
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


def _comments(ticket: Any, absorbed: list[int], viewer: User | AnonymousUser) -> QuerySet[Any]:
    found = Comment.objects.filter(ticket_id__in=[ticket.pk, *absorbed])
    if not sees_all_tickets(viewer):
        this = Ticket.objects.visible_to(viewer).filter(pk=ticket.pk)
        found = found.filter(Exists(this), visibility=Visibility.PUBLIC)
    named = {"origin_number": F("copied_from__ticket__number"), "ticket_number": F("ticket__number")}
    return found.select_related("author").annotate(**named)


def _actor_name(actor: User | None) -> str:
    return actor.display_name if actor else _("The system")

"""An event with what is around it, as far as telling people of it needs: looked up once, and only when asked for."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from itsm.accounts.models import Team, User
from itsm.tickets.events import event_type, people_in
from itsm.tickets.models import Comment, Ticket, TicketEvent, Visibility


class Occasion:
    """What happened, to which ticket, by whom."""

    def __init__(self, event: TicketEvent, ticket: Ticket | None = None) -> None:
        self.event = event
        self.ticket: Any = ticket if ticket is not None else event.ticket
        self.data: Mapping[str, Any] = event.data
        self.actor: User | None = event.actor

    @cached_property
    def record(self) -> Any:
        """The ticket as its kind, with the fields that the kernel does not know."""
        return self.ticket.kind_info.model.objects.get(pk=self.ticket.pk)

    @cached_property
    def comment(self) -> str:
        """The text of the public comment that the event wrote; empty when there is none. Never a work note."""
        ref = self.data.get("comment")
        if not ref:
            return ""
        found = Comment.objects.filter(public_id=ref, ticket_id=self.ticket.pk, visibility=Visibility.PUBLIC)
        return found.values_list("body", flat=True).first() or ""

    @cached_property
    def resolution(self) -> str:
        """What this resolution said was done, also when the ticket was reopened before the event was handed over."""
        if self.record.resolved_at == self.event.at:
            return str(getattr(self.record, "resolution_notes", ""))
        later = TicketEvent.objects.filter(
            ticket_id=self.ticket.pk, seq__gt=self.event.seq, code=f"{self.ticket.kind}.reopened"
        )
        data = later.order_by("seq").values_list("data", flat=True).first() or {}
        return str(data.get("resolution_notes", ""))

    @property
    def by_desk(self) -> bool:
        """Whether the system or somebody of the desk did it, and not as the one who asks for help."""
        if self.actor is None:
            return True
        return self.actor.is_staff and self.actor.pk != self.ticket.requester_id

    @property
    def new_assignee_id(self) -> int | None:
        """The person that the event gave the ticket to, if it did."""
        given = self._given("assignee")
        return given.get("user") if isinstance(given, Mapping) else None

    @property
    def new_team_id(self) -> int | None:
        """The team that the event brought the ticket to without naming a person, if it did."""
        given = self._given("team")
        if not isinstance(given, Mapping) or self.new_assignee_id or self.ticket.assignee_id:
            return None
        return given.get("id")

    def _given(self, field: str) -> Any:
        if field in self.data:
            return self.data[field]
        return (self.data.get("changes", {}).get(field) or [None, None])[1]

    def team_named(self, pk: int | None) -> Team | None:
        """Return the team, or None when there is none or it is no longer active."""
        return Team.objects.filter(pk=pk, is_active=True).first() if pk else None

    @property
    def said(self) -> str:
        """The event in the words of the timeline, in the current language."""
        wanted = people_in(self.data)
        names = dict(User.objects.filter(pk__in=wanted).values_list("pk", "display_name")) if wanted else {}
        return event_type(self.event.code).wording(self.data, names)

    def values(self) -> dict[str, str]:
        """Return what a sentence about the occasion may name; nothing else can be put into one."""
        return {
            "number": self.ticket.number,
            "title": self.ticket.title,
            "actor": self.actor.display_name if self.actor else "",
            "continued": str(self.data.get("number", "")),
        }

"""Tickets that a tick has locked, as far as telling of their steps needs them: no objects of the model, of which very
many would cost a storm of steps half its time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from itsm.accounts.models import Team, User


@dataclass(slots=True)
class LockedTicket:
    """A locked ticket: reads like one for those who find out whom to tell, and takes events (`write_many`)."""

    people: People
    pk: int
    public_id: str
    event_seq: int
    event_hash: str
    team_id: int | None
    assignee_id: int | None
    requester_id: int

    @property
    def team(self) -> Team | None:
        """The ticket's team, with its lead."""
        return self.people.teams[self.team_id] if self.team_id is not None else None

    @property
    def assignee(self) -> User | None:
        """Who works on it."""
        return self.people.assignees[self.assignee_id] if self.assignee_id is not None else None

    @property
    def requester(self) -> User:
        """Who asked, with their manager."""
        return self.people.requesters[self.requester_id]


class People:
    """The people and teams of a batch of tickets: each kind is read once for all, and only if it is asked for."""

    def __init__(self) -> None:
        self._tickets: list[LockedTicket] = []

    def of(self, ticket: LockedTicket) -> LockedTicket:
        """Take the ticket in, and return it."""
        self._tickets.append(ticket)
        return ticket

    @cached_property
    def teams(self) -> dict[int, Team]:
        """The teams by key."""
        wanted = {ticket.team_id for ticket in self._tickets if ticket.team_id is not None}
        return Team.objects.select_related("lead").in_bulk(wanted)

    @cached_property
    def assignees(self) -> dict[int, User]:
        """The assignees by key."""
        wanted = {ticket.assignee_id for ticket in self._tickets if ticket.assignee_id is not None}
        return User.objects.in_bulk(wanted)

    @cached_property
    def requesters(self) -> dict[int, User]:
        """The requesters by key."""
        return User.objects.select_related("manager").in_bulk({ticket.requester_id for ticket in self._tickets})

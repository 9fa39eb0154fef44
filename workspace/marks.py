"""What a row says beside its ticket's own facts: that somebody has it open, that the reader left a text there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from itsm.accounts.models import User
from itsm.desk.models import StoredDraft
from itsm.desk.presence import opened_by


@dataclass(frozen=True)
class Marks:
    """The marks of a page of rows for one reader: ids of tickets with a draft of theirs, and who has which one open."""

    drafts: frozenset[int] = frozenset()
    opened: dict[str, str] = field(default_factory=dict)

    def of(self, ticket: Any) -> tuple[bool, str]:
        """Return whether the reader has a draft on the ticket, and the names of others who have it open."""
        return ticket.pk in self.drafts, self.opened.get(ticket.public_id, "")


NO_MARKS = Marks()


def marks_of(tickets: Iterable[Any], user: User) -> Marks:
    """Return the marks of the tickets with one query and one question to the cache server."""
    found = list(tickets)
    drafts = StoredDraft.objects.of(user).unsent().filter(ticket__in=[one.pk for one in found])
    return Marks(
        frozenset(drafts.values_list("ticket_id", flat=True)), opened_by([one.public_id for one in found], user)
    )

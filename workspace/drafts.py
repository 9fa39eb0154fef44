"""What the person has written and not sent, for Home."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils.translation import gettext as _

from itsm.accounts.models import User
from itsm.desk.links import ticket_url
from itsm.desk.models import StoredDraft
from itsm.tickets.models import Ticket, Visibility

SHOWN = 8
TEXT_SHOWN = 120
_WORDS = {
    Visibility.PUBLIC: ("arrow-back-up", lambda: _("Reply")),
    Visibility.INTERNAL: ("lock", lambda: _("Work note")),
    "portal": ("world", lambda: _("Message in the portal")),
    "new-incident": ("plus", lambda: _("New incident")),
    "portal-report": ("lifebuoy", lambda: _("Report a problem")),
}
_ADDRESSES = {"new-incident": "workspace:new", "portal-report": "portal:report"}


@dataclass(frozen=True)
class ShownDraft:
    """One draft as Home lists it."""

    what: str
    icon: str
    number: str
    text: str
    url: str
    at: datetime
    problem: str


def drafts_shown(user: User) -> dict[str, Any] | None:
    """Return how many drafts the person has, and the last eight of them; None: none. One query."""
    seen = Exists(Ticket.objects.visible_to(user).filter(pk=OuterRef("ticket")))
    found = StoredDraft.objects.of(user).unsent().filter(Q(ticket=None) | seen).select_related("ticket")
    rows = list(found.defer("versions", "files"))
    return {"count": len(rows), "rows": [_shown(row) for row in rows[:SHOWN]]} if rows else None


def _shown(draft: StoredDraft) -> ShownDraft:
    icon, words = _WORDS.get(draft.place, ("pencil", lambda: _("Draft")))
    ticket = draft.ticket
    if ticket is None:
        url = reverse(_ADDRESSES[draft.place])
    else:
        url = reverse("portal:request", args=[ticket.number]) if draft.place == "portal" else ticket_url(ticket)
    text = draft.body.strip() or draft.fields.get("title", "")
    return ShownDraft(
        what=words(),
        icon=icon,
        number=ticket.number if ticket is not None else "",
        text=" ".join(text[:TEXT_SHOWN].split()) or _("Files only"),
        url=url,
        at=draft.updated_at,
        problem=draft.problem,
    )

"""What stands in the composer of the ticket page: when it is sent, and when it is shown with a draft."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.utils.dateparse import parse_datetime

from itsm.accounts.models import User
from itsm.desk.models import StoredDraft
from itsm.tickets.models import Visibility

SEND = ""


@dataclass(frozen=True)
class Draft:
    """What stands in the composer. `then`: the way to send. `seen`: the last event its writer saw; None: not checked.
    `force`: send anyway. `wants_undo`: the page can take it back for a while. `base`: the revision of the stored draft
    that the page knows. `kept`: keys of files that were stored with the draft."""

    body: str
    visibility: str = Visibility.PUBLIC
    then: str = SEND
    seen: int | None = None
    force: bool = False
    submission_key: str = ""
    wants_undo: bool = False
    base: str = ""
    kept: tuple[str, ...] = ()


def drafts_on(ticket: Any, viewer: User) -> tuple[dict[str, StoredDraft], list[StoredDraft], list[str]]:
    """Return what the viewer has written on the ticket by place, what of it waits to go out, and the names of others
    whose reply does.

    One query. Of others nothing but the name leaves this function.
    """
    rows = StoredDraft.objects.filter(ticket_id=ticket.pk, discarded_at=None).select_related("author")
    found = list(rows.filter(Q(author=viewer) | Q(sends_at__isnull=False)).order_by("sends_at", "pk"))
    own = {row.place: row for row in found if row.author_id == viewer.pk and row.sends_at is None}
    held = [row for row in found if row.author_id == viewer.pk and row.sends_at is not None]
    others = {str(row.author) for row in found if row.author_id != viewer.pk}
    return own, held, sorted(others)


def shown_draft(draft: StoredDraft) -> dict[str, Any]:
    """Return what the browser is told of a draft."""
    return {
        "body": draft.body,
        "rev": draft.revision,
        "at": int(draft.updated_at.timestamp() * 1000),
        "fields": draft.fields,
        "files": [{"key": file["storage_key"], "name": file["name"]} for file in draft.files],
        "versions": [
            {"body": one["body"], "at": int((parse_datetime(one["at"]) or draft.updated_at).timestamp() * 1000)}
            for one in draft.versions
        ],
    }


def stored_text(drafts: Mapping[str, StoredDraft]) -> str:
    """Return the drafts by place as the attribute `data-drafts` of a form holds them."""
    return json.dumps({place: shown_draft(draft) for place, draft in drafts.items()})


def form_draft(user: User, place: str, ticket: Any = None) -> StoredDraft | None:
    """Return what the person has written in the form with this key, or in this place of the ticket."""
    found = StoredDraft.objects.of(user).unsent().filter(place=place)
    return (found.filter(ticket=None) if ticket is None else found.filter(ticket_id=ticket.pk)).first()


def form_context(draft: StoredDraft | None, place: str) -> dict[str, Any]:
    """Return what the templates need of the draft of a form."""
    return {"draft": draft, "stored": stored_text({place: draft} if draft is not None else {})}


def form_initial(draft: StoredDraft | None, body: str = "description") -> dict[str, str]:
    """Return the values with which a form begins where something was left in it."""
    return {} if draft is None else {**draft.fields, body: draft.body}

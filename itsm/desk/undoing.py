"""Addresses that take something back, for toasts and buttons."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from itsm.desk.models import StoredDraft


def take_back_url(held: StoredDraft, ticket: Any) -> str:
    """Return the address that makes the held message a draft again; it names the ticket to go on with."""
    return f"{reverse('desk:take_back', args=[held.public_id])}?{urlencode({'ticket': ticket.number})}"


def restore_url(draft: StoredDraft) -> str:
    """Return the address that brings a draft back that was thrown away."""
    return reverse("desk:restore", args=[draft.public_id])

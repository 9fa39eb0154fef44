"""What a form that was sent leaves behind: nothing of its draft."""

from __future__ import annotations

from typing import Any, cast

from django.http import HttpRequest

from itsm.accounts.models import User
from itsm.desk.keeping import forget_sent


def forget_form(request: HttpRequest, place: str, ticket: Any = None, field: str = "body") -> None:
    """Delete the person's draft of the form that was sent, its unused files too. `field`: where its text stands."""
    posted = request.POST
    base, kept = posted.get("draft_rev", ""), posted.getlist("kept")
    forget_sent(cast(User, request.user), ticket, place, posted.get(field, ""), base, kept)

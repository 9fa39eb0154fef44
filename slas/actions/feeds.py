"""Secret addresses under which calendars read shifts: made, replaced, taken back."""

from __future__ import annotations

import hashlib
import secrets

from django.db import transaction
from django.utils.translation import gettext as _

from itsm.accounts.models import User
from itsm.accounts.roles import Permission
from itsm.tickets.clock import db_now
from itsm.tickets.errors import Refused
from slas.models import Rota, RotaFeed

TOKEN_LENGTH = 32


def token_digest(token: str) -> str:
    """Return what is stored of a secret. It has 128 random bits, so a plain SHA-256 cannot be searched back."""
    return hashlib.sha256(token.encode()).hexdigest()


@transaction.atomic
def make_feed(owner: User, rota: Rota | None) -> tuple[RotaFeed, str]:
    """Make a new address and return it with its secret, which is shown once and not stored. The former one ends.

    `rota` None: the owner's own shifts of all rotas.

    Raises:
        Refused: not a person of the desk.
    """
    if not owner.may(Permission.USE_DESK):
        raise Refused(_("Calendars of rotas are for people of the service desk."))
    User.objects.select_for_update().get(pk=owner.pk)
    revoke_feed(owner, rota)
    token = secrets.token_hex(TOKEN_LENGTH // 2)
    return RotaFeed.objects.create(owner=owner, rota=rota, digest=token_digest(token), created_at=db_now()), token


def revoke_feed(owner: User, rota: Rota | None) -> int:
    """End the person's address for the rota (None: for their own shifts); return how many ended."""
    return RotaFeed.objects.filter(owner=owner, rota=rota, revoked_at=None).update(revoked_at=db_now())


def find_feed(token: str) -> RotaFeed | None:
    """Return the feed with this secret; None where it was revoked or its owner has left the desk."""
    feeds = RotaFeed.objects.select_related("owner", "rota").filter(digest=token_digest(token), revoked_at=None)
    found = feeds.first()
    return found if found is not None and found.owner.may(Permission.USE_DESK) else None

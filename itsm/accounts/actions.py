"""Verbs on accounts: tokens made and revoked, people put into teams and deactivated."""

import hashlib
import secrets
from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify

from itsm.accounts.models import ApiToken, Team, TeamMembership, TokenScope, User

TOKEN_PREFIX = "itsm_"  # noqa: S105  not a secret: it tells scanners whose token they found
TOKEN_BYTES = 32
LAST_USED_PRECISION = timedelta(minutes=1)


def token_digest(secret: str) -> str:
    """Return what is stored of a token. The secret has 256 random bits, so a plain SHA-256 cannot be searched back."""
    return hashlib.sha256(secret.encode()).hexdigest()


def create_token(user: User, *, scope: str = TokenScope.WRITE, days: int = 365, name: str = "") -> tuple[ApiToken, str]:
    """Create a token for the user; return it with its secret, which is shown once and not stored.

    Raises:
        ValueError: the scope is unknown or the number of days is not between 1 and 3650.
    """
    if scope not in TokenScope.values:
        raise ValueError(f"Unknown scope {scope!r}: choose one of {', '.join(TokenScope.values)}.")
    if not 1 <= days <= 3650:
        raise ValueError("A token lives between 1 and 3650 days.")
    secret = TOKEN_PREFIX + secrets.token_urlsafe(TOKEN_BYTES)
    token = ApiToken.objects.create(
        user=user,
        name=name,
        scope=scope,
        digest=token_digest(secret),
        hint=secret[len(TOKEN_PREFIX) :][:6],
        expires_at=timezone.now() + timedelta(days=days),
    )
    return token, secret


def find_token(secret: str) -> ApiToken | None:
    """Return the valid token with this secret and note that it was used, or None."""
    token = ApiToken.objects.select_related("user").filter(digest=token_digest(secret)).first()
    now = timezone.now()
    if token is None or not token.is_valid_at(now):
        return None
    if token.last_used_at is None or now - token.last_used_at > LAST_USED_PRECISION:
        token.last_used_at = now
        token.save(update_fields=["last_used_at"])
    return token


def revoke_token(token: ApiToken) -> ApiToken:
    """Make the token useless from now on; a second call changes nothing."""
    if token.revoked_at is None:
        token.revoked_at = timezone.now()
        token.save(update_fields=["revoked_at"])
    return token


@transaction.atomic
def create_team(name: str, *, lead: User | None = None, members: tuple[User, ...] = (), description: str = "") -> Team:
    """Create a team with its members and return it; its key is made from the name and is unique."""
    base = slugify(name)[:50] or "team"
    key, number = base, 1
    while Team.objects.filter(key=key).exists():
        number += 1
        key = f"{base}-{number}"
    team = Team.objects.create(name=name, key=key, lead=lead, description=description)
    for member in members:
        add_member(team, member)
    return team


def add_member(team: Team, user: User) -> TeamMembership:
    """Put the user into the team; adding them twice changes nothing."""
    return TeamMembership.objects.get_or_create(team=team, user=user)[0]

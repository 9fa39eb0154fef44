"""Verbs on accounts: tokens made and revoked; people, teams and organisations set up.

Verbs that set up take `by`, the person who does it (None: the system itself), and append to the change log. They raise
Django's `PermissionDenied` and `ValidationError` (a sentence for each field), and `ChangedMeanwhile` where `seen` is
the fingerprint of a state that is no longer.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any

from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from itsm.accounts.changelog import Deed, check_seen, record_change, state_of
from itsm.accounts.directory import (
    check_free,
    check_manager,
    check_workers,
    checked_roles,
    free_key,
    line,
    lock_person,
    require,
)
from itsm.accounts.models import (
    ApiToken,
    Department,
    Location,
    Organisation,
    Team,
    TeamMembership,
    TokenScope,
    User,
    check_time_zone,
)
from itsm.accounts.roles import Permission, Role

TOKEN_PREFIX = "itsm_"  # noqa: S105  not a secret: it tells scanners whose token they found
TOKEN_BYTES = 32
LAST_USED_PRECISION = timedelta(minutes=1)
PERSON_FIELDS = (
    "display_name",
    "email",
    "roles",
    "phone",
    "organisation",
    "department",
    "location",
    "manager",
    "time_zone",
    "language",
    "is_vip",
)
TEAM_FIELDS = ("name", "description", "email", "lead", "members", "is_active")
Place = Organisation | Department | Location


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
    key = free_key(Team, name, "team")
    team = Team.objects.create(name=name, key=key, lead=lead, description=description)
    for member in members:
        add_member(team, member)
    return team


def add_member(team: Team, user: User) -> TeamMembership:
    """Put the user into the team; adding them twice changes nothing."""
    return TeamMembership.objects.get_or_create(team=team, user=user)[0]


@transaction.atomic
def create_user(values: Mapping[str, Any], *, by: User | None) -> User:
    """Create a person without a password and return them; they choose one by the link that they are sent.

    `values`: any of PERSON_FIELDS; name and e-mail address are needed.

    Raises:
        PermissionDenied, ValidationError.
    """
    require(by, Permission.MANAGE_ACCOUNTS)
    person = User()
    person.set_unusable_password()
    _fill_person(person, values, by)
    person.save()
    record_change(by, Deed.CREATED, person, None, state_of(person, PERSON_FIELDS))
    return person


@transaction.atomic
def update_user(person: User, values: Mapping[str, Any], *, by: User | None, seen: str = "") -> User:
    """Change what an administrator sets about a person, and return them. A new address ends the old one's links.

    Raises:
        PermissionDenied: not an administrator, or roles that carry more than the giver has.
        ValidationError: values that do not fit; the last active administrator would lose the role.
        ChangedMeanwhile.
    """
    require(by, Permission.MANAGE_ACCOUNTS)
    fresh, is_last = lock_person(person)
    before = state_of(fresh, PERSON_FIELDS)
    check_seen(before, seen)
    address = fresh.email
    _fill_person(fresh, values, by)
    if is_last and Role.ADMINISTRATOR not in fresh.roles:
        raise ValidationError(
            {"roles": _("This is the last active administrator. Make somebody else an administrator first.")}
        )
    fresh.save(update_fields=PERSON_FIELDS)
    if fresh.email != address:
        # Who still reads the old mailbox must not be able to reset the password.
        EmailAddress.objects.filter(user_id=fresh.pk).delete()
    record_change(by, Deed.CHANGED, fresh, before, state_of(fresh, PERSON_FIELDS))
    return fresh


def _fill_person(person: User, values: Mapping[str, Any], by: User | None) -> None:
    before = list(person.roles)
    for name in values.keys() & set(PERSON_FIELDS):
        setattr(person, name, values[name])
    person.display_name = line(person.display_name, "display_name", 150)
    person.phone = line(person.phone, "phone", 40, required=False)
    person.email = User.objects.normalise(line(person.email, "email", 254))
    check_free(User.objects.all(), "email", person.email, person)
    person.roles = checked_roles(person.roles, before=before, by=by)
    check_manager(person, person.manager)
    person.full_clean(exclude=["password"])


@transaction.atomic
def deactivate_user(person: User, *, by: User | None) -> User:
    """Close the account: sessions and tokens end at once, for good; a second call changes nothing.

    The password goes too, because open sessions hang on it: who comes back chooses a new one.

    Raises:
        PermissionDenied.
        ValidationError: the last active administrator.
    """
    require(by, Permission.MANAGE_ACCOUNTS)
    fresh, is_last = lock_person(person)
    if not fresh.is_active:
        return fresh
    if is_last:
        raise ValidationError(_("This is the last active administrator. Make somebody else an administrator first."))
    fresh.is_active = False
    fresh.set_unusable_password()
    fresh.save(update_fields=["is_active", "password"])
    for token in fresh.api_tokens.filter(revoked_at__isnull=True):
        revoke_token(token)
    record_change(by, Deed.DEACTIVATED, fresh)
    return fresh


@transaction.atomic
def activate_user(person: User, *, by: User | None) -> User:
    """Open a closed account again; the person chooses a new password by the link that they are sent.

    Raises:
        PermissionDenied: not an administrator, or the account's roles carry more than the giver has.
    """
    require(by, Permission.MANAGE_ACCOUNTS)
    fresh, _is_last = lock_person(person)
    if fresh.is_active:
        return fresh
    checked_roles(fresh.roles or [Role.REQUESTER], before=[], by=by)
    fresh.is_active = True
    fresh.save(update_fields=["is_active"])
    fresh.__dict__.pop("permissions", None)
    record_change(by, Deed.ACTIVATED, fresh)
    return fresh


@transaction.atomic
def save_team(
    team: Team | None,
    *,
    name: str,
    by: User | None,
    description: str = "",
    email: str = "",
    lead: User | None = None,
    members: Collection[User] = (),
    is_active: bool = True,
    seen: str = "",
) -> Team:
    """Create the team (None) or change it, and return it. The key of a team never changes: conditions name it.

    Raises:
        PermissionDenied, ValidationError, ChangedMeanwhile.
    """
    require(by, Permission.MANAGE_ACCOUNTS)
    title = line(name, "name", 200)
    fresh = Team.objects.select_for_update().get(pk=team.pk) if team else Team(key=free_key(Team, title, "team"))
    before = state_of(fresh, TEAM_FIELDS) if team else {}
    check_seen(before, seen)
    check_free(Team.objects.all(), "name", title, fresh)
    check_workers(team, lead, members)
    fresh.name, fresh.lead, fresh.is_active = title, lead, is_active
    fresh.description, fresh.email = description.replace("\r\n", "\n").strip(), email.strip()
    line(fresh.description, "description", 5000, required=False)
    fresh.full_clean(exclude=["name", "key"])
    fresh.save()
    wanted = {member.pk for member in members}
    fresh.memberships.exclude(user_id__in=wanted).delete()
    for member in members:
        add_member(fresh, member)
    after = state_of(fresh, TEAM_FIELDS)
    record_change(by, Deed.CHANGED if team else Deed.CREATED, fresh, before, after)
    return fresh


@transaction.atomic
def save_place(place: Place, *, name: str, by: User | None, time_zone: str | None = None) -> Place:
    """Create (a row without a key) or change an organisation, department or location, and return it.

    `time_zone`: the IANA zone of a location's clocks, blank for none; left out, it stays.

    Raises:
        PermissionDenied, ValidationError.
    """
    require(by, Permission.MANAGE_ACCOUNTS)
    is_new = place.pk is None
    model = type(place)
    fresh: Place = place if is_new else model.objects.select_for_update().get(pk=place.pk)
    names = place_fields(fresh)
    before = {} if is_new else state_of(fresh, names)
    title = line(name, "name", 200)
    check_free(model.objects.all(), "name", title, fresh)
    fresh.name = title
    if isinstance(fresh, Location) and time_zone is not None:
        if time_zone:
            check_time_zone(time_zone)
        fresh.time_zone = time_zone
    fresh.save()
    record_change(by, Deed.CREATED if is_new else Deed.CHANGED, fresh, before, state_of(fresh, names))
    return fresh


def place_fields(place: Place) -> list[str]:
    """Return the names of what the change log keeps of a place."""
    return ["name", "time_zone"] if isinstance(place, Location) else ["name"]


@transaction.atomic
def remove_place(place: Place, *, by: User | None) -> None:
    """Remove an organisation, department or location that nobody belongs to.

    Raises:
        PermissionDenied.
        ValidationError: people belong to it.
    """
    require(by, Permission.MANAGE_ACCOUNTS)
    fresh = type(place).objects.select_for_update().filter(pk=place.pk).first()
    if fresh is None:
        return
    if fresh.people.exists():
        raise ValidationError(_("People belong to “%(name)s”. Move them first.") % {"name": fresh.name})
    record_change(by, Deed.REMOVED, fresh, state_of(fresh, place_fields(fresh)), {})
    fresh.delete()

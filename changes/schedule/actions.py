"""Verbs of the schedule: windows, what collisions do, letting a change go on all the same, links for calendars."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from changes.models import CalendarFeed, Change, ChangeWindow, CollisionSettings, Conflict, Weight, WindowKind
from changes.schedule.gate import blocking
from changes.schedule.keeping import recheck, recheck_window, take_turn
from changes.schedule.recurrence import Recurrence
from changes.statuses import ChangeType, Risk
from cmdb.models import Service
from itsm.accounts.changelog import Deed, check_seen, record_change, state_of
from itsm.accounts.models import Team, User
from itsm.accounts.roles import Permission
from itsm.tickets.actions import begin
from itsm.tickets.actors import Actor
from itsm.tickets.clock import db_now
from itsm.tickets.errors import IllegalMove, Invalid, Refused
from itsm.tickets.log import write
from itsm.tickets.texts import clean_text
from slas.calendars import CalendarError

NAME_MAX, TEXT_MAX, REASON_MAX = 200, 2000, 1000
TOKEN_LENGTH = 32
WINDOW_FIELDS = ("name", "description", "kind", "rule", "services", "change_types", "risks", "weight", "is_active")
SETTINGS_FIELDS = ("same_service", "related_service", "double_booked")


def require_manager(actor: Actor) -> None:
    """Refuse who does not manage changes.

    Raises:
        Refused.
    """
    if not actor.may(Permission.MANAGE_CHANGES):
        raise Refused(_("Only a change manager can do this."))


def clean_rule(given: Recurrence | Mapping[str, Any], field: str = "rule") -> Recurrence:
    """Return the recurrence.

    Raises:
        Invalid: it is none; the sentence says what to do.
    """
    try:
        return given if isinstance(given, Recurrence) else Recurrence.from_json(given)
    except CalendarError as error:
        raise Invalid({field: _(error.template) % error.params}) from error


@transaction.atomic
def save_window(
    window: ChangeWindow | None,
    *,
    name: str,
    kind: str,
    rule: Recurrence | Mapping[str, Any],
    actor: Actor,
    description: str = "",
    services: Iterable[Service] = (),
    change_types: Iterable[str] = (),
    risks: Iterable[int] = (),
    weight: str = Weight.BLOCK,
    is_active: bool = True,
    seen: str = "",
) -> ChangeWindow:
    """Create the window (None) or change it, and return it. Changes ahead that it hits or hits no more are found at
    once, and whom they are assigned to is told.

    Raises:
        Refused, Invalid, ChangedMeanwhile.
    """
    require_manager(actor)
    title = clean_text(name, "name", NAME_MAX, required=True, one_line=True)
    why = clean_text(description, "description", TEXT_MAX)
    recurrence = clean_rule(rule)
    types, levels = sorted(set(change_types)), sorted(set(risks))
    _check_choices(kind, weight, types, levels)
    take_turn()
    fresh = ChangeWindow.objects.select_for_update().get(pk=window.pk) if window else ChangeWindow()
    before = state_of(fresh, WINDOW_FIELDS) if window else {}
    check_seen(before, seen)
    if ChangeWindow.objects.filter(name__iexact=title).exclude(pk=fresh.pk).exists():
        raise Invalid({"name": _("There is a window of this name already. Open it, or choose another name.")})
    if window is not None and fresh.kind != kind:
        raise Invalid({"kind": _("A freeze stays a freeze. Switch this one off and add another.")})
    former = frozenset(fresh.services.values_list("pk", flat=True)) if window else frozenset()
    now = db_now()
    fresh.name, fresh.description, fresh.kind, fresh.weight, fresh.is_active = title, why, kind, weight, is_active
    fresh.rule, fresh.change_types, fresh.risks = recurrence.to_json(), types, levels
    fresh.updated_at, fresh.updated_by = now, actor.user
    fresh.save()
    fresh.services.set(services)
    deed = Deed.CHANGED if window else Deed.CREATED
    record_change(actor.user, deed, fresh, before, state_of(fresh, WINDOW_FIELDS))
    # A window that concerned all services is taken from all of them.
    recheck_window(fresh, before=(former or None) if window else former, at=now, by=actor.user)
    return fresh


def _check_choices(kind: str, weight: str, types: list[str], levels: list[int]) -> None:
    problems = {}
    if kind not in WindowKind.values:
        problems["kind"] = _("Choose a freeze or a maintenance window.")
    if weight not in Weight.values:
        problems["weight"] = _("Choose what it does from the list.")
    if not set(types) <= set(ChangeType.values):
        problems["change_types"] = _("Choose types from the list.")
    if not set(levels) <= set(Risk.values):
        problems["risks"] = _("Choose risks from the list.")
    if problems:
        raise Invalid(problems)


@transaction.atomic
def save_collision_settings(
    *, same_service: str, related_service: str, double_booked: str, actor: Actor, seen: str = ""
) -> CollisionSettings:
    """Say what collisions between two changes do, and return the settings. It counts at once.

    Raises:
        Refused, Invalid, ChangedMeanwhile.
    """
    require_manager(actor)
    given = {"same_service": same_service, "related_service": related_service, "double_booked": double_booked}
    problems = {name: _("Choose from the list.") for name, value in given.items() if value not in Weight.values}
    if problems:
        raise Invalid(problems)
    CollisionSettings.objects.get_or_create(pk=1)
    fresh = CollisionSettings.objects.select_for_update().get(pk=1)
    before = state_of(fresh, SETTINGS_FIELDS)
    check_seen(before, seen)
    for name, value in given.items():
        setattr(fresh, name, value)
    fresh.save()
    record_change(actor.user, Deed.CHANGED, fresh, before, state_of(fresh, SETTINGS_FIELDS))
    return fresh


@transaction.atomic
def override_conflicts(change: Change, *, reason: str, actor: Actor, version: int | None = None) -> Change:
    """Let the change go on in spite of the collisions that block it now, and return it. Those that come later, or
    grow, block again.

    Raises:
        Refused: not a change manager. Invalid: no reason. IllegalMove: nothing blocks it. Stale.
    """
    require_manager(actor)
    locked: Change = begin(change, "ticket.edit", actor=actor, version=version)
    why = clean_text(reason, "reason", REASON_MAX, required=True)
    now = db_now()
    rows = blocking(locked, now)
    if not rows:
        raise IllegalMove(_("Nothing blocks this change any more."))
    Conflict.objects.filter(pk__in=[row.pk for row in rows]).update(
        overridden_by=actor.user, overridden_at=now, override_reason=why
    )
    said = [
        {
            "kind": row.kind,
            "other": row.other.number if row.other else "",
            "window": str(row.window or ""),
            "service": str(row.service or ""),
            "person": {"user": row.person_id} if row.person_id else None,
        }
        for row in rows
    ]
    write(locked, "change.conflicts_overridden", actor=actor, data={"reason": why, "conflicts": said}, at=now)
    del locked._blocking  # type: ignore[attr-defined]
    return locked


def look_again(change: Change, *, actor: Actor) -> None:
    """Look anew in what the change collides, for example after a person's tasks were moved elsewhere.

    Raises:
        Refused.
    """
    with transaction.atomic():
        recheck(begin(change, "ticket.edit", actor=actor), by=actor.user)


def token_digest(token: str) -> str:
    """Return what is stored of a secret. It has 128 random bits, so a plain SHA-256 cannot be searched back."""
    return hashlib.sha256(token.encode()).hexdigest()


@transaction.atomic
def make_feed(
    owner: User, *, team: Team | None = None, service: Service | None = None, is_mine: bool = False
) -> tuple[CalendarFeed, str]:
    """Make a new address for the change calendar, narrowed to a team, a service or the owner's own changes, and return
    it with its secret, which is shown once and not stored. The former one for the same choice ends.

    Raises:
        Refused: not a person of the desk.
    """
    if not owner.may(Permission.VIEW_TICKETS):
        raise Refused(_("The change calendar is for people of the service desk."))
    User.objects.select_for_update(no_key=True).get(pk=owner.pk)
    now = db_now()
    same = CalendarFeed.objects.filter(owner=owner, team=team, service=service, is_mine=is_mine, revoked_at=None)
    same.update(revoked_at=now)
    token = secrets.token_hex(TOKEN_LENGTH // 2)
    feed = CalendarFeed.objects.create(
        owner=owner, team=team, service=service, is_mine=is_mine, digest=token_digest(token), created_at=now
    )
    return feed, token


def revoke_feed(owner: User, ref: str) -> int:
    """End the person's address with this public id; return how many ended: none where it is not theirs or is over."""
    return CalendarFeed.objects.filter(owner=owner, public_id=ref, revoked_at=None).update(revoked_at=db_now())


def find_feed(token: str) -> CalendarFeed | None:
    """Return the feed with this secret; None where it was revoked or its owner has left the desk."""
    feeds = CalendarFeed.objects.select_related("owner", "team", "service")
    found = feeds.filter(digest=token_digest(token), revoked_at=None).first()
    return found if found is not None and found.owner.is_active and found.owner.may(Permission.VIEW_TICKETS) else None

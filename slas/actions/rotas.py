"""Setting up rotas, covering for somebody, and being away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from itsm.accounts.changelog import Deed, check_seen, record_change, state_of
from itsm.accounts.models import Team, User
from itsm.accounts.roles import Permission
from itsm.tickets.actors import Actor
from itsm.tickets.clock import db_now
from itsm.tickets.errors import IllegalMove, Invalid, Refused
from itsm.tickets.texts import clean_text
from slas.actions.setting_up import NAME_MAX, require_manager
from slas.calendars import CalendarError
from slas.models import BusinessCalendar, Rota, RotaLevel, RotaOverride, TimeOff
from slas.oncall import RotaSpec

REASON_MAX = 300
LONGEST = timedelta(days=400)
FARTHEST = timedelta(days=3650)
ROTA_FIELDS = ("name", "team", "time_zone", "layers", "is_active")


@transaction.atomic
def save_rota(
    rota: Rota | None,
    *,
    name: str,
    team: Team | None,
    time_zone: str,
    layers: Sequence[Mapping[str, Any]],
    actor: Actor,
    is_active: bool = True,
    seen: str = "",
) -> Rota:
    """Create the rota (None) or change it, and return it. `layers`: as `slas.oncall.plan.LayerSpec.to_json` gives them.

    Overrides and swaps stay as they are. Whoever is on call is found anew each time, so that a change counts at once.

    Raises:
        Refused, Invalid, ChangedMeanwhile.
    """
    require_manager(actor)
    title = clean_text(name, "name", NAME_MAX, required=True, one_line=True)
    fresh = Rota.objects.select_for_update().get(pk=rota.pk) if rota else Rota()
    before = state_of(fresh, ROTA_FIELDS) if rota else {}
    check_seen(before, seen)
    if Rota.objects.filter(name__iexact=title).exclude(pk=fresh.pk).exists():
        raise Invalid({"name": _("There is a rota of this name already. Open it, or choose another name.")})
    try:
        spec = RotaSpec.from_json(time_zone, list(layers))
    except CalendarError as error:
        raise Invalid({"layers": _(error.template) % error.params}) from error
    _check_named(spec, fresh.spec if rota else None)
    fresh.name, fresh.team, fresh.time_zone, fresh.is_active = title, team, time_zone, is_active
    fresh.layers = [layer.to_json() for layer in spec.layers]
    fresh.updated_at, fresh.updated_by = db_now(), actor.user
    fresh.save()
    after = state_of(fresh, ROTA_FIELDS)
    record_change(actor.user, Deed.CHANGED if rota else Deed.CREATED, fresh, before, after)
    return fresh


def _check_named(spec: RotaSpec, former: RotaSpec | None) -> None:
    """Refuse people and calendars that there are not. Who has left may stay where they stood: warnings say so."""
    people = spec.people - (former.people if former else set())
    workers = set(User.objects.workers().filter(pk__in=people).values_list("pk", flat=True))
    if people - workers:
        raise Invalid({"layers": _("Choose people who work on tickets and whose accounts are open.")})
    if BusinessCalendar.objects.filter(pk__in=spec.calendars).count() != len(spec.calendars):
        raise Invalid({"layers": _("Choose a calendar from the list.")})


def may_manage(actor: Actor, rota: Rota) -> bool:
    """Return whether the actor may plan for others: service-level managers, and the lead of the rota's team."""
    lead = rota.team is not None and actor.user is not None and rota.team.lead_id == actor.user.pk
    return actor.may(Permission.MANAGE_SERVICE_LEVELS) or lead


def takes_part(user: User | None, rota: Rota) -> bool:
    """Return whether the person may take shifts of the rota: named in a layer, or of the rota's team, and able to work
    on tickets."""
    if user is None or not user.may(Permission.WORK_TICKETS):
        return False
    return user.pk in rota.spec.people or (
        rota.team_id is not None and Team.objects.of(user).filter(pk=rota.team_id).exists()
    )


@transaction.atomic
def add_override(
    rota: Rota,
    person: User,
    *,
    starts_at: datetime,
    ends_at: datetime,
    actor: Actor,
    level: int = RotaLevel.FIRST,
    reason: str = "",
) -> RotaOverride:
    """Give the person the level from start to end (aware), whatever the layers say, and return the override. The same
    once more (a second click) is the one that is there.

    Who takes part may take over; others are planned for by who manages the rota.

    Raises:
        Refused, Invalid.
    """
    own = actor.user is not None and actor.user.pk == person.pk and takes_part(actor.user, rota)
    if not own and not may_manage(actor, rota):
        raise Refused(_("Only a service-level manager or the team's lead plans for others in this rota."))
    why = clean_text(reason, "reason", REASON_MAX, one_line=True)
    check_stretch(starts_at, ends_at)
    if level not in RotaLevel.values:
        raise Invalid({"level": _("Choose a level from the list.")})
    if not person.is_active or not person.may(Permission.WORK_TICKETS):
        raise Invalid({"person": _("Choose somebody who works on tickets and whose account is open.")})
    Rota.objects.select_for_update(no_key=True).get(pk=rota.pk)
    place = {"rota": rota, "level": level, "person": person, "starts_at": starts_at, "ends_at": ends_at}
    same = RotaOverride.objects.filter(**place, removed_at=None).first()
    if same is not None:
        return same
    made = RotaOverride.objects.create(**place, reason=why, created_by=actor.user, created_at=db_now())
    record_change(actor.user, Deed.CHANGED, rota, {}, {"override": override_words(made)})
    return made


@transaction.atomic
def remove_override(override: RotaOverride, *, actor: Actor) -> RotaOverride:
    """Take the override back from now on; what is past stays. Over or taken back already: nothing changes.

    Raises:
        Refused: neither the rota's manager nor the one who made it.
        IllegalMove: it came from a swap that two people agreed on, and the actor does not manage the rota.
    """
    fresh = (
        RotaOverride.objects.select_for_update(of=("self",)).select_related("rota__team", "person").get(pk=override.pk)
    )
    made_it = actor.user is not None and fresh.created_by_id == actor.user.pk
    if not made_it and not may_manage(actor, fresh.rota):
        raise Refused(_("Only a service-level manager, the team's lead or who made an override takes it back."))
    now = db_now()
    if fresh.removed_at is not None or fresh.ends_at <= now:
        return fresh
    if fresh.swap_id is not None and not may_manage(actor, fresh.rota):
        raise IllegalMove(_("Two people agreed on this swap. Ask for another one to turn it back."))
    before = {"override": override_words(fresh)}
    if fresh.starts_at < now:
        fresh.ends_at = now
        fresh.save(update_fields=["ends_at"])
    else:
        fresh.removed_at = now
        fresh.save(update_fields=["removed_at"])
    record_change(actor.user, Deed.CHANGED, fresh.rota, before, {})
    return fresh


@transaction.atomic
def add_time_off(person: User, *, starts_at: datetime, ends_at: datetime, actor: Actor, note: str = "") -> TimeOff:
    """Note that the person is away from start to end (aware), and return the note. Rotas pass them over meanwhile. The
    same once more (a second click) is the note that is there.

    Raises:
        Refused, Invalid.
    """
    _require_planner(person, actor)
    text = clean_text(note, "note", REASON_MAX, one_line=True)
    check_stretch(starts_at, ends_at)
    User.objects.select_for_update(no_key=True).get(pk=person.pk)
    same = TimeOff.objects.filter(person=person, starts_at=starts_at, ends_at=ends_at).first()
    if same is not None:
        return same
    made = TimeOff.objects.create(
        person=person, starts_at=starts_at, ends_at=ends_at, note=text, created_by=actor.user, created_at=db_now()
    )
    record_change(actor.user, Deed.CREATED, made, {}, state_of(made, ("person", "starts_at", "ends_at")))
    return made


@transaction.atomic
def remove_time_off(time_off: TimeOff, *, actor: Actor) -> None:
    """Take the note back; the person counts again. Gone already: nothing happens.

    Raises:
        Refused.
    """
    fresh = TimeOff.objects.select_for_update(of=("self",)).select_related("person").filter(pk=time_off.pk).first()
    if fresh is None:
        return
    _require_planner(fresh.person, actor)
    record_change(actor.user, Deed.REMOVED, fresh, state_of(fresh, ("person", "starts_at", "ends_at")), {})
    fresh.delete()


def _require_planner(person: User, actor: Actor) -> None:
    is_own = actor.user is not None and actor.user.pk == person.pk
    leads = actor.user is not None and Team.objects.filter(lead=actor.user, members=person).exists()
    if not (is_own or leads or actor.may(Permission.MANAGE_SERVICE_LEVELS)):
        raise Refused(_("Only the person, their team's lead or a service-level manager plans time off."))


def check_stretch(starts_at: datetime, ends_at: datetime) -> None:
    """Refuse a stretch of time that is none, is over, is too long, or lies too far ahead.

    Raises:
        Invalid.
    """
    if ends_at <= starts_at:
        raise Invalid({"ends_at": _("The end must be after the start.")})
    if ends_at <= db_now():
        raise Invalid({"ends_at": _("This is over already. Choose an end that is still to come.")})
    # An instant at the end of the years that Python counts is another one in UTC, which cannot be read back.
    if ends_at - db_now() > FARTHEST:
        raise Invalid({"ends_at": _("This lies too far ahead. Plan ten years at most.")})
    if ends_at - starts_at > LONGEST:
        raise Invalid({"ends_at": _("At most %(days)d days at once.") % {"days": LONGEST.days}})


def override_words(override: RotaOverride) -> str:
    """Return the override for the change log."""
    return f"{override.person} · {override.level} · {override.starts_at.isoformat()} – {override.ends_at.isoformat()}"

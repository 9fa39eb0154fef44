"""Holiday sets: public holidays of a country or region that calendars share, kept some years ahead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from itsm.accounts.changelog import Deed, check_seen, record_change, state_of
from itsm.tickets.actors import SYSTEM, Actor
from itsm.tickets.clock import db_now
from itsm.tickets.errors import Invalid
from itsm.tickets.texts import clean_text
from slas.actions.batches import follow_setup
from slas.actions.calendars import DATE_NAME_MAX, HOLIDAY_SET_PARTS, by_hand, extras_of, store_version
from slas.actions.setting_up import MOVED_AT_ONCE, NAME_MAX, require_manager
from slas.calendars import CalendarError
from slas.calendars.holidays import country_names, public_holidays
from slas.calendars.spec import check_date
from slas.models import BusinessCalendar, HolidaySet

# Calendars know so many years beyond the present one: targets are due in days, a year view looks further.
YEARS_AHEAD = 3
MOST_BY_HAND = 200


def save_holiday_set(
    name: str,
    *,
    country: str,
    actor: Actor,
    region: str = "",
    added: Mapping[date, str] | None = None,
    removed: Iterable[date] = (),
    seen: str = "",
) -> HolidaySet:
    """Store the holidays of a country or region under this name, from this year on, and return them.

    `added` and `removed` correct what the library says. Calendars that use the set get a new version where that changes
    their closed days. `seen`: the fingerprint of the corrections (`added` and `removed`) that the caller saw.

    Raises:
        Refused: the actor does not manage service levels.
        ChangedMeanwhile: somebody else corrected it since.
        Invalid: unknown country or region, or a date that is not one.
    """
    require_manager(actor)
    title = clean_text(name, "name", NAME_MAX, required=True, one_line=True)
    extra, gone = dict(added or {}), sorted(set(removed))
    _check_by_hand(extra, gone)
    with transaction.atomic():
        old = HolidaySet.objects.select_for_update().filter(name=title).first()
        now = db_now()
        row = old or HolidaySet(name=title, first_year=now.year)
        before = state_of(old, HOLIDAY_SET_PARTS) if old else {}
        if old:
            check_seen({"added": old.added, "removed": old.removed}, seen)
        row.country, row.region = country, region
        row.last_year = max(row.last_year or 0, now.year + YEARS_AHEAD)
        row.added = {day.isoformat(): text for day, text in sorted(extra.items())}
        row.removed = [day.isoformat() for day in gone]
        row.days = _days_of(row)
        row.updated_at = now
        row.save()
        record_change(actor.user, Deed.CHANGED if old else Deed.CREATED, row, before, state_of(row, HOLIDAY_SET_PARTS))
        _copy_into_calendars(row, actor)
    follow_setup(actor=actor, limit=MOVED_AT_ONCE)
    return row


def new_holiday_set(country: str, region: str = "") -> HolidaySet:
    """Return the holidays of a country or region under a name of their own, not stored yet.

    Raises:
        Invalid: unknown country or region.
    """
    year = db_now().year
    name = country_names().get(country, country) + (f" ({region})" if region else "")
    row = HolidaySet(name=name, country=country, region=region, first_year=year, last_year=year + YEARS_AHEAD)
    row.days = _days_of(row)
    return row


def remove_holiday_set(row: HolidaySet, *, actor: Actor) -> None:
    """Remove a holiday set that no calendar uses.

    Raises:
        Refused: the actor does not manage service levels.
        Invalid: calendars use it.
    """
    require_manager(actor)
    with transaction.atomic():
        fresh = HolidaySet.objects.select_for_update().filter(pk=row.pk).first()
        if fresh is None:
            return
        users = list(fresh.calendars.values_list("name", flat=True)[:5])
        if users:
            text = _("Calendars use it: %(names)s. Take it out of them first.") % {"names": ", ".join(users)}
            raise Invalid({"name": text})
        record_change(actor.user, Deed.REMOVED, fresh, state_of(fresh, HOLIDAY_SET_PARTS), {})
        fresh.delete()


def refresh_holiday_sets(*, actor: Actor = SYSTEM) -> list[str]:
    """Top up every set some years ahead and take over what the library has learnt; return the names of those that
    changed. A set without a difference is not written, and a calendar without one gets no version."""
    changed = []
    for pk in HolidaySet.objects.order_by("pk").values_list("pk", flat=True):
        with transaction.atomic():
            row = HolidaySet.objects.select_for_update().get(pk=pk)
            now = db_now()
            before, former = state_of(row, HOLIDAY_SET_PARTS), row.days
            row.last_year = max(row.last_year, now.year + YEARS_AHEAD)
            row.days = _days_of(row)
            if row.days == former and row.last_year == before["last_year"]:
                continue
            row.updated_at = now
            row.save(update_fields=["days", "last_year", "updated_at"])
            moved = {day: text for day, text in row.days.items() if day not in former}
            gone = {day: text for day, text in former.items() if day not in row.days}
            record_change(
                actor.user,
                Deed.CHANGED,
                row,
                {**before, "days": gone},
                {**state_of(row, HOLIDAY_SET_PARTS), "days": moved},
            )
            _copy_into_calendars(row, actor, hours_only=True)
            changed.append(row.name)
    return changed


def _days_of(row: HolidaySet) -> dict[str, str]:
    try:
        found = public_holidays(row.country, row.first_year, row.last_year, row.region)
    except CalendarError as error:
        part = "region" if row.region and "region" in error.template else "country"
        raise Invalid({part: _(error.template) % error.params}) from error
    days = {day.isoformat(): text for day, text in found} | row.added
    return {day: days[day] for day in sorted(days) if day not in row.removed}


def _copy_into_calendars(row: HolidaySet, actor: Actor, *, hours_only: bool = False) -> None:
    for calendar in BusinessCalendar.objects.select_for_update(of=("self",)).filter(holiday_sets=row).order_by("pk"):
        if calendar.current is not None:
            store_version(calendar, by_hand(calendar.current), extras_of(calendar), actor=actor, hours_only=hours_only)


def _check_by_hand(added: Mapping[date, Any], removed: Iterable[date]) -> None:
    gone = list(removed)
    if len(added) + len(gone) > MOST_BY_HAND:
        raise Invalid({"added": _("At most %(most)d dates can be added or removed by hand.") % {"most": MOST_BY_HAND}})
    try:
        for day in (*added, *gone):
            check_date(day)
    except CalendarError as error:
        raise Invalid({"added": _(error.template) % error.params}) from error
    for text in added.values():
        clean_text(text, "added", DATE_NAME_MAX, required=True, one_line=True)

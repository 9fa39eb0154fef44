"""Saving calendars: an edit makes the next version, and clocks go on by it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from itsm.accounts.changelog import Deed, record_change
from itsm.tickets.actors import Actor
from itsm.tickets.clock import db_now
from itsm.tickets.errors import Invalid
from itsm.tickets.texts import clean_text
from slas.actions.batches import follow_setup
from slas.actions.setting_up import MOVED_AT_ONCE, NAME_MAX, check_can_be_due, require_manager, touch_setup
from slas.calendars import CalendarError, CalendarSpec
from slas.models import (
    BusinessCalendar,
    CalendarVersion,
)


def save_calendar(name: str, spec: CalendarSpec | Mapping[str, Any], *, actor: Actor) -> BusinessCalendar:
    """Store what the calendar of this name says from now on, and return it. The same content makes no new version.

    Timers that run by it go on by the new hours from now; what has elapsed stays. They are moved after the calendar is
    stored, ticket by ticket: the first at once, the others by the task that follows edits.

    Raises:
        Refused: the actor does not manage service levels.
        Invalid: the calendar is not one, or a target that uses it could never be due.
    """
    require_manager(actor)
    title = clean_text(name, "name", NAME_MAX, required=True, one_line=True)
    try:
        wanted = spec if isinstance(spec, CalendarSpec) else CalendarSpec.from_json(spec)
    except CalendarError as error:
        raise Invalid({"spec": _(error.template) % error.params}) from error
    with transaction.atomic():
        calendar, _is_new = BusinessCalendar.objects.select_for_update().get_or_create(name=title)
        longest = max(calendar.goals.values_list("target_s", flat=True), default=0)
        check_can_be_due(wanted, longest, "spec")
        if calendar.current is None or calendar.current.digest != wanted.content_digest:
            number = calendar.current.number + 1 if calendar.current else 1
            before = calendar.current.spec if calendar.current else {}
            calendar.current = CalendarVersion.objects.create(
                calendar=calendar,
                number=number,
                spec=wanted.to_json(),
                digest=wanted.content_digest,
                valid_from=db_now(),
                created_by=actor.user,
            )
            calendar.save(update_fields=["current"])
            touch_setup()
            record_change(actor.user, Deed.CHANGED if before else Deed.CREATED, calendar, before, wanted.to_json())
    follow_setup(actor=actor, limit=MOVED_AT_ONCE)
    return calendar

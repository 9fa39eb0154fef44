"""The verb that sets how incidents end: days until they close by themselves, days in which they can be reopened."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from incidents.models import IncidentSettings
from itsm.accounts.changelog import Deed, check_seen, record_change, state_of
from itsm.accounts.roles import Permission
from itsm.tickets.actors import Actor
from itsm.tickets.errors import Invalid, Refused

SETTINGS_FIELDS = ("auto_close_days", "reopen_days")


@transaction.atomic
def save_settings(*, auto_close_days: int, reopen_days: int, actor: Actor, seen: str = "") -> IncidentSettings:
    """Store the settings of incidents and return them. They count at once, also for incidents resolved before.

    Raises:
        Refused: the actor may not set up the desk.
        Invalid: a number of days that does not fit.
        ChangedMeanwhile.
    """
    if not actor.may(Permission.MANAGE_DESK):
        raise Refused(_("Only an administrator may set up the desk."))
    IncidentSettings.objects.get_or_create(pk=1)
    row = IncidentSettings.objects.select_for_update().get(pk=1)
    before = state_of(row, SETTINGS_FIELDS)
    check_seen(before, seen)
    row.auto_close_days, row.reopen_days = auto_close_days, reopen_days
    try:
        row.full_clean()
    except ValidationError as error:
        raise Invalid({field: " ".join(texts) for field, texts in error.message_dict.items()}) from error
    row.save()
    record_change(actor.user, Deed.CHANGED, row, before, state_of(row, SETTINGS_FIELDS))
    return row

"""The verb that sets what a known error needs, and whether an accepted risk closes a problem."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from itsm.accounts.changelog import Deed, check_seen, record_change, state_of
from itsm.accounts.roles import Permission
from itsm.tickets.actors import Actor
from itsm.tickets.errors import Invalid, Refused
from problems.models import ProblemSettings

SETTINGS_FIELDS = ("known_error_needs", "accepted_risk_closes")


@transaction.atomic
def save_settings(
    *, known_error_needs: str, accepted_risk_closes: bool, actor: Actor, seen: str = ""
) -> ProblemSettings:
    """Store the settings of problems and return them. Known errors that exist stay what they are.

    Raises:
        Refused: the actor may not set up the desk. Invalid: no such choice. ChangedMeanwhile.
    """
    if not actor.may(Permission.MANAGE_DESK):
        raise Refused(_("Only an administrator may set up the desk."))
    ProblemSettings.objects.get_or_create(pk=1)
    row = ProblemSettings.objects.select_for_update().get(pk=1)
    before = state_of(row, SETTINGS_FIELDS)
    check_seen(before, seen)
    row.known_error_needs, row.accepted_risk_closes = known_error_needs, accepted_risk_closes
    try:
        row.full_clean()
    except ValidationError as error:
        raise Invalid({field: " ".join(texts) for field, texts in error.message_dict.items()}) from error
    row.save()
    record_change(actor.user, Deed.CHANGED, row, before, state_of(row, SETTINGS_FIELDS))
    return row

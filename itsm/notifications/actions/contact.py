"""Choosing how one is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from itsm.accounts.models import User
from itsm.accounts.roles import Permission
from itsm.notifications.models import ContactPreference
from itsm.notifications.outbound import NotAllowed, check_url
from itsm.notifications.providers import WEBHOOK, provider_named
from itsm.notifications.webhooks import new_secret
from itsm.tickets.errors import Invalid

LONGEST_WAIT = 120
LONGEST_REMINDER = 10_080
MINUTES = 1440


@transaction.atomic
def save_contact(user: User, values: Mapping[str, Any]) -> ContactPreference:
    """Store what the person chose and return it. `values`: any fields of ContactPreference but the secret.

    Raises:
        Invalid: with a sentence for each field that does not fit.
    """
    User.objects.select_for_update().get(pk=user.pk)
    chosen = ContactPreference.objects.filter(user=user).first() or ContactPreference(user=user)
    for name in values.keys() & _FIELDS:
        setattr(chosen, name, values[name])
    wrong: dict[str, str] = {}
    order = list(dict.fromkeys(chosen.order))
    if not order or any(provider_named(code) is None for code in order):
        wrong["order"] = _("Choose at least one way to be told.")
    if WEBHOOK in order and not chosen.webhook_url:
        wrong["webhook_url"] = _("Give the address that is called, or choose other ways.")
    if chosen.webhook_url:
        try:
            check_url(chosen.webhook_url, inside=user.may(Permission.USE_DESK))
        except NotAllowed as error:
            wrong["webhook_url"] = str(error)
        chosen.webhook_secret = chosen.webhook_secret or new_secret()
    if not 0 <= chosen.wait_minutes <= LONGEST_WAIT:
        wrong["wait_minutes"] = _("Wait between 0 and %(most)d minutes.") % {"most": LONGEST_WAIT}
    if not (0 <= chosen.hours_from < MINUTES and 0 <= chosen.hours_to <= MINUTES):
        wrong["hours_from"] = _("Give times of the day.")
    days = sorted(set(chosen.days))
    if not days or not set(days) <= set(range(7)):
        wrong["days"] = _("Choose at least one day.")
    if chosen.remind_minutes is not None and not 1 <= chosen.remind_minutes <= LONGEST_REMINDER:
        wrong["remind_minutes"] = _("Between 1 minute and %(most)d minutes; empty for no reminder.") % {
            "most": LONGEST_REMINDER
        }
    if wrong:
        raise Invalid(wrong)
    chosen.order, chosen.days = order, days
    chosen.save()
    return chosen


_FIELDS = {
    "order",
    "wait_minutes",
    "webhook_url",
    "hours_from",
    "hours_to",
    "days",
    "holds_back",
    "urgent_breaks_through",
    "remind_minutes",
}

"""Setting up the webhooks that escalations call."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from itsm.accounts.changelog import Deed, record_change, state_of
from itsm.accounts.directory import check_free, line, require
from itsm.accounts.models import User
from itsm.accounts.roles import Permission
from itsm.notifications.models import Delivery, Endpoint
from itsm.notifications.outbound import NotAllowed, check_url
from itsm.notifications.providers import WEBHOOK
from itsm.notifications.webhooks import new_secret
from itsm.tickets.clock import db_now

FIELDS = ("name", "url", "is_active")


@transaction.atomic
def save_endpoint(
    endpoint: Endpoint | None, *, name: str, url: str, by: User | None, is_active: bool = True
) -> Endpoint:
    """Create the webhook (None), with a secret of its own, or change it, and return it.

    Raises:
        PermissionDenied.
        ValidationError: a name that is taken, or an address that may not be called.
    """
    require(by, Permission.MANAGE_SERVICE_LEVELS)
    title = line(name, "name", 200)
    fresh = Endpoint.objects.select_for_update().get(pk=endpoint.pk) if endpoint else Endpoint(secret=new_secret())
    before = state_of(fresh, FIELDS) if endpoint else {}
    check_free(Endpoint.objects.all(), "name", title, fresh)
    fresh.name, fresh.url, fresh.is_active = title, line(url, "url", 500), is_active
    try:
        check_url(fresh.url)
    except NotAllowed as error:
        raise ValidationError({"url": str(error)}) from error
    fresh.save()
    record_change(by, Deed.CHANGED if endpoint else Deed.CREATED, fresh, before, state_of(fresh, FIELDS))
    return fresh


@transaction.atomic
def replace_secret(endpoint: Endpoint, *, by: User | None) -> Endpoint:
    """Give the webhook a new secret; what is sent from now on is signed with it.

    Raises:
        PermissionDenied.
    """
    require(by, Permission.MANAGE_SERVICE_LEVELS)
    fresh = Endpoint.objects.select_for_update().get(pk=endpoint.pk)
    fresh.secret = new_secret()
    fresh.save(update_fields=["secret"])
    record_change(by, Deed.CHANGED, fresh, {"secret": _("the former one")}, {"secret": _("a new one")})
    return fresh


def send_test(endpoint: Endpoint, *, by: User | None) -> Delivery:
    """Put a call without meaning into the queue and return it, so that somebody can see what arrives.

    Raises:
        PermissionDenied.
    """
    require(by, Permission.MANAGE_SERVICE_LEVELS)
    now = db_now()
    stamp = int(now.timestamp() * 1000)
    return Delivery.objects.create(
        key=f"test:{endpoint.pk}:{stamp}",
        message_id=f"test_{endpoint.pk}_{stamp}",
        provider=WEBHOOK,
        endpoint=endpoint,
        body=f'{{"type": "test", "timestamp": "{now.isoformat()}", "data": {{}}}}',
        next_attempt_at=now,
        created_at=now,
    )

"""Webhooks after the Standard Webhooks specification: an id, a time and a signature over both and the body.

https://www.standardwebhooks.com. Who receives one checks the signature with the secret, and knows by the id (which is
also sent as `Idempotency-Key`) whether it has been here before: a delivery may come more than once.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import secrets
import time

from django.utils.translation import gettext_lazy as _

from itsm.accounts.roles import Permission
from itsm.notifications.models import Delivery
from itsm.notifications.outbound import NotAllowed, post
from itsm.notifications.providers import WEBHOOK, Outcome, Provider, register_provider

PREFIX = "whsec_"
GONE = 410


def new_secret() -> str:
    """Return a secret to sign with: 24 random bytes in the notation of the specification."""
    return PREFIX + base64.b64encode(secrets.token_bytes(24)).decode()


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """Return the value of the header `webhook-signature`."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def deliver(delivery: Delivery) -> Outcome:
    """Make one attempt. Every 2xx answer is a success; 410 (gone) and a refused address end the attempts."""
    url, secret = _target(delivery)
    if not url:
        return Outcome(False, error=str(_("The webhook has been removed or switched off.")), for_good=True)
    body, now = delivery.body.encode(), int(time.time())
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "service-desk-webhooks",
        "webhook-id": delivery.message_id,
        "webhook-timestamp": str(now),
        "webhook-signature": signature(secret, delivery.message_id, now, body),
        "Idempotency-Key": delivery.message_id,
    }
    try:
        answer = post(url, body, headers, inside=_may_call_inside(delivery))
    except NotAllowed as error:
        return Outcome(False, error=str(error), for_good=True)
    except (OSError, http.client.HTTPException, ValueError) as error:
        return Outcome(False, error=f"{type(error).__name__}: {error}")
    if 200 <= answer.status < 300:
        return Outcome(True, answer.status)
    said = answer.body[:200].decode("utf-8", "replace").replace("\x00", "")
    return Outcome(False, answer.status, " ".join(said.split()), for_good=answer.status == GONE)


def _target(delivery: Delivery) -> tuple[str, str]:
    if delivery.endpoint is not None:
        return (delivery.endpoint.url, delivery.endpoint.secret) if delivery.endpoint.is_active else ("", "")
    chosen = getattr(delivery.user, "contact", None) if delivery.user is not None and delivery.user.is_active else None
    return (chosen.webhook_url, chosen.webhook_secret) if chosen is not None else ("", "")


def _may_call_inside(delivery: Delivery) -> bool:
    """Whether networks of the house may be called: webhooks that managers set up, and those of people of the desk.
    What a requester typed must not become a way in, also where an administrator of the server opened one."""
    return delivery.user is None or delivery.user.may(Permission.USE_DESK)


def register() -> None:
    """Make webhooks one of the ways to reach a person."""
    register_provider(Provider(WEBHOOK, _("By webhook"), deliver))

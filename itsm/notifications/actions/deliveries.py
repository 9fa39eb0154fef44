"""Making the calls that wait: each at least once, always under one id, every attempt on record.

As with mail: claimed (committed, with a lease), called outside any transaction, then marked. A call that fails is tried
again after a wait that doubles, twelve times at most, and then parked.
"""

from __future__ import annotations

import logging
import time
from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from itsm.notifications.actions.sending import FIRST_WAIT, LEASE, LONGEST_WAIT, MAX_ATTEMPTS
from itsm.notifications.models import UNSENT, Delivery, DeliveryAttempt, MailStatus, Notice
from itsm.notifications.providers import Outcome, provider_named

logger = logging.getLogger(__name__)

LONGEST_RUN_S = 45.0


def deliver_due(limit: int = 200) -> int:
    """Make the calls that are due, oldest first; return how many succeeded. Any number of workers may do this.

    Whoever does not answer is not called again in this run, so that one silent target does not keep all others waiting.
    """
    sent, until = 0, time.monotonic() + LONGEST_RUN_S
    silent = Q()
    for _attempt in range(limit):
        delivery = _claim(silent) if time.monotonic() < until else None
        if delivery is None:
            break
        outcome = _attempt_one(delivery)
        sent += outcome.ok
        if not outcome.ok and outcome.status_code is None:
            # By the one of the two that the call has: the other is NULL, which equals nothing.
            target = {"endpoint": delivery.endpoint_id} if delivery.endpoint_id else {"user": delivery.user_id}
            silent |= Q(**target, **{f"{name}__isnull": False for name in target})
    return sent


def retry_delivery(delivery: Delivery) -> bool:
    """Let a parked call be tried again; return whether it was parked. Its attempts go on being counted."""
    parked = Delivery.objects.filter(pk=delivery.pk, status=MailStatus.PARKED)
    return bool(parked.update(status=MailStatus.WAITING, next_attempt_at=Now()))


@transaction.atomic
def _claim(silent: Q) -> Delivery | None:
    due = Delivery.objects.select_for_update(skip_locked=True, of=("self",)).select_related("endpoint", "user__contact")
    due = due.exclude(silent) if silent else due
    while one := due.filter(UNSENT, next_attempt_at__lte=Now()).order_by("next_attempt_at", "pk").first():
        mine = Delivery.objects.filter(pk=one.pk)
        if one.unless_read and Notice.objects.filter(event=one.event_id, user=one.user_id, read_at__isnull=False):
            mine.update(status=MailStatus.SKIPPED)
            continue
        one.attempts += 1
        mine.update(status=MailStatus.SENDING, attempts=one.attempts, next_attempt_at=Now() + LEASE)
        return one
    return None


def _attempt_one(delivery: Delivery) -> Outcome:
    provider = provider_named(delivery.provider)
    started = time.monotonic()
    if provider is None or provider.deliver is None:
        outcome = Outcome(False, error=f"No provider is registered as {delivery.provider}.", for_good=True)
    else:
        outcome = provider.deliver(delivery)
    took = int((time.monotonic() - started) * 1000)
    with transaction.atomic():
        # Unless the lease ran out and another worker took it: attempts counts the claims.
        mine = Delivery.objects.filter(pk=delivery.pk, status=MailStatus.SENDING, attempts=delivery.attempts)
        DeliveryAttempt.objects.bulk_create(
            [
                DeliveryAttempt(
                    delivery=delivery,
                    number=delivery.attempts,
                    took_ms=took,
                    status_code=outcome.status_code,
                    error=outcome.error[:300],
                )
            ],
            ignore_conflicts=True,
        )
        if outcome.ok:
            mine.update(status=MailStatus.SENT, sent_at=Now())
            return outcome
        logger.warning("Delivery %s failed: %s", delivery.key, outcome.status_code or outcome.error[:80])
        parked = outcome.for_good or delivery.attempts % MAX_ATTEMPTS == 0
        wait = min(FIRST_WAIT * 2 ** ((delivery.attempts - 1) % MAX_ATTEMPTS), LONGEST_WAIT)
        mine.update(
            status=MailStatus.PARKED if parked else MailStatus.WAITING,
            next_attempt_at=Now() + max(wait, timedelta(seconds=1)),
        )
    return outcome

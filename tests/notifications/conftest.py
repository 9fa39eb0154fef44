"""What the tests of notices share: handing over, sending, and the mails by address."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core import mail as django_mail
from django.core.mail import EmailMultiAlternatives

from incidents.actions import open_incident
from incidents.models import Incident
from itsm.notifications.models import Mail
from itsm.notifications.tasks import dispatch_outbox, send_mail_due
from tests.cast import Cast, as_


@pytest.fixture
def deliver() -> Callable[[], list[EmailMultiAlternatives]]:
    """Return a function that hands over all events, sends all mails, and returns those that went out since."""

    def run() -> list[EmailMultiAlternatives]:
        before = len(django_mail.outbox)
        while dispatch_outbox():
            pass
        send_mail_due()
        return django_mail.outbox[before:]

    return run


@pytest.fixture
def incident(cast: Cast) -> Incident:
    """Rita's incident in the queue of the network team, handed to nobody yet."""
    return open_incident(actor=as_(cast.rita), title="VPN is slow", description="Since this morning.")


def told(incident: Incident) -> set[tuple[str, str]]:
    """Return who was mailed about the incident, and what kind of mail."""
    return set(Mail.objects.filter(ticket_id=incident.pk).values_list("address", "kind"))

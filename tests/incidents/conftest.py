"""What the tests of the incidents' pages share."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from incidents.actions import open_incident
from incidents.models import Incident
from itsm.accounts.models import User
from itsm.tickets.actors import Channel
from tests.cast import Cast, as_


@pytest.fixture
def incident(cast: Cast) -> Incident:
    """Rita's incident, routed to the network team."""
    return open_incident(
        actor=as_(cast.rita, Channel.PORTAL), title="The vpn drops", description="It **always** drops at noon."
    )


@pytest.fixture
def anna(cast: Cast, signed_in: Callable[[User], Client]) -> Client:
    """The browser of Anna, an agent."""
    return signed_in(cast.anna)

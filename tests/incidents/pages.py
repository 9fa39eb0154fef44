"""What the tests of the ticket page share: addresses, both roads (plain and htmx), incidents in a state."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from incidents.actions import open_incident, perform
from incidents.models import Incident
from itsm.tickets.actors import Channel
from itsm.tickets.models import TicketEvent
from tests.cast import Cast, as_
from tests.incidents.test_lifecycle import FIELDS

HX = {"HX-Request": "true"}
ROADS = pytest.mark.parametrize("headers", [{}, HX], ids=["plain", "htmx"])
LONG = "x" * 100_001


def url(incident: Incident, name: str, *args: Any) -> str:
    return reverse(f"incidents:{name}", args=[incident.number, *args])


def events(incident: Incident) -> int:
    return TicketEvent.objects.filter(ticket=incident).count()


def ok(headers: dict[str, str]) -> int:
    return 200 if headers else 303


def in_status(cast: Cast, status: str) -> Incident:
    """Return an incident that got to the status by moves."""
    incident = open_incident(actor=as_(cast.rita, Channel.PORTAL), title="The vpn drops")
    roads = {"new": (), "in_progress": ("start",), "on_hold": ("hold",), "resolved": ("resolve",),
             "closed": ("resolve", "close"), "cancelled": ("cancel",)}  # fmt: skip
    for move in roads[status]:
        incident = perform(incident, move, actor=as_(cast.anna), fields=FIELDS[move])
    return incident

"""What the tests of problems share."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from incidents.actions import open_incident
from incidents.models import Incident
from itsm.accounts.models import User
from itsm.accounts.roles import Role
from itsm.tickets.actors import Channel
from problems.actions import open_problem
from problems.models import Problem
from tests.cast import PASSWORD, Cast, as_


@pytest.fixture
def paula(cast: Cast) -> User:
    """A problem manager."""
    return User.objects.create_user(
        "paula@example.com", PASSWORD, display_name="Paula Example", roles=[Role.REQUESTER, Role.PROBLEM_MANAGER]
    )


@pytest.fixture
def problem(cast: Cast) -> Problem:
    """A new problem that Anna raised."""
    return open_problem(actor=as_(cast.anna), title="The vpn drops at noon", description="Every day at twelve.")


@pytest.fixture
def incidents(cast: Cast) -> list[Incident]:
    """Three incidents of Rita's, all the same."""
    return [
        open_incident(actor=as_(cast.rita, Channel.PORTAL), title=f"The vpn drops ({number})") for number in range(3)
    ]


@pytest.fixture
def anna(cast: Cast, signed_in: Callable[[User], Client]) -> Client:
    """The browser of Anna, an agent."""
    return signed_in(cast.anna)

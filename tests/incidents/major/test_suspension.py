"""While an incident is proposed or accepted as a major one, its ordinary moves stay its own (domain rule 2.2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from incidents.actions import hold, open_incident, reopen, resolve, resume, set_parent, start
from incidents.major.actions import accept, demote, propose, reject
from incidents.models import Incident
from itsm.accounts.models import User
from itsm.notifications.models import Mail
from itsm.tickets.models import Spread
from itsm.tickets.outbox import dispatch
from itsm.tickets.spreading import work
from tests.cast import Cast, as_

WHY = {"reason": "All of Kiruna is without VPN."}
ACCEPTED = {"impact": "400 people cannot work.", "note": "Bridge opened."}
FIXED = {"resolution_code": "solution_provided", "resolution_notes": "Replaced the switch."}
WAITS = {"hold_reason": "awaiting_vendor"}


@pytest.fixture
def family(cast: Cast) -> list[Incident]:
    """A parent of Rita, and two that are part of it, of Rosa and Rolf."""
    people = (cast.rita, cast.rosa, cast.rolf)
    parent, *children = (open_incident(actor=as_(cast.anna), title="No vpn", requester=who) for who in people)
    for child in children:
        set_parent(child, parent, actor=as_(cast.anna))
    return [parent, *children]


def stands(family: list[Incident]) -> list[str]:
    work()
    return [Incident.objects.get(pk=one.pk).status for one in family]


def told() -> list[str]:
    """Hand out everything and return whom the mails of a resolution went to."""
    while dispatch():
        pass
    mails = Mail.objects.filter(kind__contains="resolved").order_by("user__display_name")
    return list(mails.values_list("user__display_name", flat=True))


def _proposed(parent: Incident, cast: Cast) -> Incident:
    return propose(parent, actor=as_(cast.anna), **WHY)


def _accepted(parent: Incident, cast: Cast) -> Incident:
    return accept(_proposed(parent, cast), actor=as_(cast.lena), **ACCEPTED)


@pytest.mark.parametrize("become", [_proposed, _accepted])
def test_ordinary_moves_stay_its_own_and_the_end_is_passed_on(
    family: list[Incident], cast: Cast, become: Callable[[Incident, Cast], Incident]
) -> None:
    lead = as_(cast.lena)
    parent = start(become(family[0], cast), actor=lead)
    assert stands(family) == ["in_progress", "new", "new"]
    parent = resume(hold(parent, actor=lead, **WAITS), actor=lead)
    assert stands(family) == ["in_progress", "new", "new"]
    assert not Spread.objects.exists()

    parent = resolve(parent, actor=lead, **FIXED)
    assert stands(family) == ["resolved"] * 3
    assert told() == ["Rita Example", "Rolf Example", "Rosa Example"]
    reopen(parent, actor=lead, comment="It came back.")
    assert stands(family) == ["in_progress"] * 3


def _rejected(parent: Incident, cast: Cast) -> Incident:
    return reject(parent, actor=as_(cast.lena), reason="One floor only.")


def _demoted(parent: Incident, cast: Cast) -> Incident:
    return demote(
        accept(parent, actor=as_(cast.lena), **ACCEPTED), actor=as_(cast.lena), reason="Smaller than thought."
    )


@pytest.mark.parametrize("end", [_rejected, _demoted])
def test_after_a_no_it_is_passed_on_again_and_nothing_is_made_up_for(
    family: list[Incident], cast: Cast, end: Callable[[Incident, Cast], Incident]
) -> None:
    anna = as_(cast.anna)
    parent = end(start(_proposed(family[0], cast), actor=anna), cast)
    assert stands(family) == ["in_progress", "new", "new"]
    parent = hold(parent, actor=anna, **WAITS)
    assert stands(family) == ["on_hold"] * 3
    # What the children wait for from before goes on while it is proposed anew, until the whole is resolved.
    parent = resume(_proposed(parent, cast), actor=anna)
    assert stands(family) == ["in_progress", "on_hold", "on_hold"]


def test_what_was_ordered_before_the_proposal_is_still_done(family: list[Incident], cast: Cast) -> None:
    parent = start(family[0], actor=as_(cast.anna))
    _proposed(parent, cast)
    assert stands(family) == ["in_progress"] * 3


def test_both_pages_of_a_family_say_that_it_is_suspended_and_why(
    family: list[Incident], cast: Cast, signed_in: Callable[[User], Client]
) -> None:
    anna = signed_in(cast.anna)

    def shown(incident: Any) -> str:
        return anna.get(reverse("incidents:detail", args=[incident.number])).content.decode()

    usual, said = "does the same to each of them", "is not passed on to"
    parent, child, _other = family
    assert usual in shown(parent)
    assert said not in shown(parent) + shown(child)
    _proposed(parent, cast)
    assert "This is proposed as a major incident, so starting" in shown(parent)
    assert usual not in shown(parent)
    assert "That is proposed as a major incident: starting" in shown(child)
    accept(parent, actor=as_(cast.lena), **ACCEPTED)
    assert "This is a major incident, so starting" in shown(parent)
    assert "That is a major incident: starting" in shown(child)
    demote(parent, actor=as_(cast.lena), reason="Smaller than thought.")
    assert usual in shown(parent)
    assert said not in shown(parent) + shown(child)

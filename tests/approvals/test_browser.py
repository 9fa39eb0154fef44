"""The pages of approvals in a real browser: accessible, fitting, in both themes, with and without scripts."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from incidents.actions import open_incident
from incidents.models import Incident
from itsm.accounts.models import User
from itsm.accounts.roles import Role
from itsm.approvals.actions import decide, delegate, request_approval
from itsm.approvals.links import make_token
from itsm.approvals.models import ApprovalRound, Ask, Mode
from itsm.tickets.clock import db_now
from tests.administration.test_browser import FINDINGS, TAGS
from tests.approvals.conftest import add_person, people, policy, stage
from tests.cast import Cast, as_
from tests.workspace.conftest import axe, open_page

__all__ = ["axe", "open_page"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
OpenPage = Callable[..., Any]
SHOTS = os.environ.get("APPROVAL_SHOTS", "")


@pytest.fixture
def scene(cast: Cast) -> tuple[ApprovalRound, User, Incident]:
    """A request in its second stage, with words, a delegate, somebody left out, and long names."""
    chris = add_person("Chris", Role.CHANGE_MANAGER)
    boss = add_person("Berta")
    ticket = open_incident(
        actor=as_(cast.carl),
        title="Replace the core switch in the eastern computing centre before the winter freeze begins",
        description="Both lines move to the new switch, one after the other.\n\nNobody loses the network for long.",
        requester=cast.rita,
        team=cast.network,
        assignee=cast.anna,
        service=cast.vpn,
    )
    policy(
        chris,
        stage({"from": "ticket_team"}, name="Technical review"),
        stage(
            people(boss, cast.sven, cast.lena),
            people(cast.olaf),
            name="Business",
            mode=Mode.PER_GROUP,
            expires_hours=48,
            then="escalate",
            remind_hours=24,
        ),
        name="Network changes",
        condition={"field": "team", "op": "eq", "value": "network"},
    )
    now = db_now()
    delegate(cast.sven, cast.ben, actor=as_(cast.sven), starts_at=now - timedelta(1), ends_at=now + timedelta(7))
    round_ = request_approval(ticket, actor=as_(cast.carl))
    decide(round_, actor=as_(cast.lena), decision="approve", comment="Window and way back are fine. " * 3)
    return round_, boss, ticket


def looked_at(page: Any, name: str) -> None:
    """Keep a picture for whoever asked for them."""
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"), full_page=True)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_pages_are_accessible_and_fit(
    cast: Cast, scene: tuple[ApprovalRound, User, Incident], open_page: OpenPage, axe: str, theme: str, width: int
) -> None:
    round_, boss, ticket = scene
    link = make_token(Ask.objects.get(person=boss), boss)
    stored = round_.version.policy.public_id if round_.version else ""
    visits = {
        boss: ("/approvals/", f"/approvals/{round_.public_id}/", f"/approvals/r/{link}/"),
        cast.ben: ("/approvals/", f"/approvals/{round_.public_id}/", "/approvals/delegations/"),
        cast.ada: (
            f"/desk/incidents/{ticket.number}/",
            f"/desk/settings/approvals/?try={ticket.number}",
            f"/desk/settings/approvals/{stored}/",
        ),
    }
    for person, paths in visits.items():
        page = open_page(person, paths[0], width=width, theme=theme)
        root = page.url.removesuffix(paths[0])
        for number, path in enumerate(paths):
            page.goto(root + path)
            page.wait_for_selector("html.ready")
            looked_at(page, f"{person.display_name.split()[0]}-{number}-{width}-{theme}")
            assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, path
            page.evaluate(axe)
            assert page.evaluate(FINDINGS, TAGS) == [], path


def test_a_manager_decides_without_scripts_on_a_phone(
    cast: Cast, scene: tuple[ApprovalRound, User, Incident], open_page: OpenPage
) -> None:
    round_, boss, _ticket = scene
    page = open_page(boss, f"/approvals/{round_.public_id}/", width=390, scripts=False)
    page.click("button[value=reject]")
    assert "Say why" in page.inner_text("main")
    page.fill("textarea[name=comment]", "Not in the week of the fair")
    page.click("button[value=reject]")
    assert "Your answer: rejected" in page.inner_text("main")
    assert ApprovalRound.objects.get(pk=round_.pk).reason == "Not in the week of the fair"

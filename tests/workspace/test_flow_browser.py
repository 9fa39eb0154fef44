"""The whole practice with clicks: a flood of incidents, the problem behind it, the change that fixes it, the end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.apps import apps

from changes.cab.actions import save_board
from changes.defaults import install_policies
from changes.models import Change
from incidents.actions import open_incident
from incidents.models import Incident
from itsm.accounts.models import User
from itsm.accounts.roles import Role
from itsm.approvals.actions import save_policy
from itsm.approvals.specs import StageSpec
from itsm.notifications.models import Mail
from itsm.tickets import outbox, spreading
from itsm.tickets.actors import Channel
from itsm.tickets.clock import db_now
from itsm.tickets.models import Comment, LinkKind
from problems.models import Problem
from tests.cast import PASSWORD, Cast, as_

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

OpenPage = Callable[..., Any]
WORKAROUND = "Choose the gateway in Leeds, it is not affected."
FIXED = "The gateways have their old timeout back. Please connect as usual."
WEEKLY = {"time_zone": "Europe/Berlin", "repeat": "weekly", "weekdays": [1], "first": "2026-01-01"}


@pytest.fixture
def mona(cast: Cast) -> User:
    """Mona manages changes and chairs the board, which authorises every change."""
    mona = User.objects.create_user(
        "mona@example.com", PASSWORD, display_name="Mona Example", roles=[Role.REQUESTER, Role.CHANGE_MANAGER]
    )
    save_board(
        None,
        name="Weekly CAB",
        chair=mona,
        rule={**WEEKLY, "start": "10:00", "end": "11:00"},
        condition="kind:change status:authorise",
        actor=as_(mona),
    )
    # A test before this one may have emptied the tables, with what migrations store.
    install_policies(lambda name: apps.get_model("approvals", name))
    save_policy(
        "Authorisation by the board",
        actor=as_(cast.ada),
        kind="change",
        purpose="authorise",
        stages=[StageSpec("CAB", [{"from": "group", "code": "cab"}])],
        order=10,
    )
    return mona


def worker() -> None:
    """Do all that waits for a worker."""
    while spreading.work() or outbox.dispatch():
        pass


def move(page: Any, label: str, **fields: str) -> None:
    """Make a move of the ticket page by its button, with the fields of its dialog, and wait until it is done."""
    before = page.inner_text(".ticket-facts .badge, .ticket-facts .status, .ticket-facts > :first-child")
    button = page.locator("#ticket-head .ticket-top .btn", has_text=label).first
    button.click()
    if fields:
        dialog = page.locator("dialog[open]")
        for name, value in fields.items():
            field = dialog.locator(f"[name={name}]")
            if field.evaluate("one => one.tagName") == "SELECT":
                field.select_option(value)
            else:
                field.fill(value)
        dialog.locator(".dialog-foot button[type=submit]").click()
    elif page.locator("dialog[open]").count():
        page.locator("dialog[open] .dialog-foot button[type=submit]").click()
    page.wait_for_function(
        "before => document.querySelector('.ticket-facts > :first-child').innerText.trim() !== before.trim()",
        arg=before,
    )


def local(page_user: User, instant: Any) -> str:
    """Return the instant as the person's own form takes it."""
    return str(instant.astimezone(ZoneInfo(page_user.time_zone or "UTC")).strftime("%Y-%m-%dT%H:%M"))


def test_three_incidents_become_a_problem_a_change_and_one_message_each(
    cast: Cast, mona: User, open_page: OpenPage
) -> None:
    people = [cast.rita, cast.rosa, cast.rolf]
    incidents = [
        open_incident(actor=as_(one, Channel.PORTAL), title=f"VPN drops all the time ({one})", service=cast.vpn)
        for one in people
    ]

    # Anna opens a problem from the first and links the others.
    page = open_page(cast.anna, f"/desk/incidents/{incidents[0].number}/")
    root = page.url.split("/desk/")[0]
    page.get_by_role("link", name="Open a problem from this incident").click()
    page.fill("[name=title]", "The gateway ends sessions that are in use")
    page.get_by_role("button", name="Open problem").click()
    page.wait_for_selector("#panel-incidents, [id^=panel-]:visible")
    problem = Problem.objects.get()
    page.locator("#incidents-add summary").click()
    page.fill("#incidents-add [name=numbers]", f"{incidents[1].number} {incidents[2].number}")
    page.locator("#incidents-add button[type=submit]").click()
    page.wait_for_selector(f".pn-tickets >> text={incidents[2].number}")

    # The workaround goes to all three.
    page.locator("#workaround-edit summary").click()
    page.fill("#workaround-edit textarea", WORKAROUND)
    page.locator("#workaround-edit button[type=submit]").click()
    page.get_by_role("button", name="Communicate workaround").click()
    page.wait_for_selector(".pn-said")
    worker()
    for one in incidents:
        page.goto(f"{root}/desk/incidents/{one.number}/")
        page.wait_for_selector("html.ready")
        assert WORKAROUND in page.inner_text("main")
        move(page, "Start")
        move(page, "hold", hold_reason="awaiting_problem")

    # Anna analyses, and opens the change from the problem.
    page.goto(f"{root}/desk/problems/{problem.number}/")
    page.wait_for_selector("html.ready")
    move(page, "Assess")
    move(page, "Confirm the problem")
    move(page, "Begin the fix", cause_notes="The timeout is too short.", fix_notes="Set the timeout back to an hour.")
    page.get_by_role("link", name="Open a change that fixes this").click()
    page.fill("[name=title]", "Set the idle timeout back to an hour")
    now = db_now()
    page.fill("[name=planned_start]", local(cast.anna, now - timedelta(minutes=5)))
    page.fill("[name=planned_end]", local(cast.anna, now + timedelta(hours=2)))
    page.get_by_role("button", name="Open change").click()
    page.wait_for_selector("#ticket-head")
    change = Change.objects.get()
    assert problem.links_out.get(kind=LinkKind.FIXED_BY).target_id == change.pk
    page.get_by_role("link", name="Edit the plan").click()
    for name in ("justification", "implementation_plan", "backout_plan", "test_plan"):
        page.fill(f"[name={name}]", f"What the {name.replace('_', ' ')} says.")
    page.get_by_role("button", name="Save").click()
    page.wait_for_selector("#ticket-head")
    move(page, "Request approval")

    # Ben assesses it; the board authorises it.
    theirs = open_page(cast.ben, "/approvals/")
    theirs.get_by_role("link", name=change.number).first.click()
    theirs.get_by_role("button", name="Approve").click()
    theirs.wait_for_load_state()
    assert Change.objects.get().status == "authorise"
    board = open_page(mona, "/desk/changes/cab/")
    board.locator("a[href*='/meetings/']").first.click()
    board.get_by_role("button", name="Start", exact=True).click()
    board.wait_for_selector(".cab-sheet, .cab-items")
    if board.get_by_role("link", name="Run sheet").count():
        board.get_by_role("link", name="Run sheet").click()
    board.fill("#words", "Agreed, tonight.")
    board.get_by_role("button", name="Approve").click()
    board.wait_for_load_state()
    assert Change.objects.get().status == "scheduled"

    # It is made, reviewed and closed, and with it the problem is solved.
    page.reload()
    page.wait_for_selector("html.ready")
    move(page, "Start")
    move(page, "Finish")
    move(page, "Close", close_code="successful", close_notes="Made as planned.")
    worker()
    page.goto(f"{root}/desk/problems/{problem.number}/")
    page.wait_for_selector("html.ready")
    move(page, "Resolve", message=FIXED)
    worker()

    problem = Problem.objects.get()
    assert (problem.status, problem.resolution_code) == ("resolved", "fix_applied")
    assert Change.objects.get().close_code == "successful"
    for person, incident in zip(people, Incident.objects.order_by("pk"), strict=True):
        assert (incident.status, incident.resolution_code) == ("resolved", "resolved_by_problem")
        assert incident.resolution_notes == FIXED
        said = Comment.objects.filter(ticket=incident, visibility="public").values_list("body", flat=True)
        assert [text for text in said if WORKAROUND in text] == [WORKAROUND]
        mails = list(Mail.objects.filter(user=person))
        assert len([one for one in mails if WORKAROUND in one.text]) == 1
        assert len([one for one in mails if FIXED in one.text]) == 1
        assert len([one for one in mails if one.kind == "resolved"]) == 1
        assert {one.ticket_id for one in mails} == {incident.pk}

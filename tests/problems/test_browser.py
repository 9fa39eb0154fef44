"""The pages of problems in a real browser: reachable for everybody, nothing refused, written without a reload."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as project
from django.utils import timezone

from incidents.actions import open_incident, resolve
from incidents.models import Incident
from itsm.accounts.models import User
from itsm.accounts.roles import Role
from itsm.tickets.actors import Channel
from problems.actions import (
    add_timeline_entry,
    communicate_workaround,
    confirm,
    declare_known_error,
    open_problem,
    publish,
    save_analysis,
    save_workaround,
    set_major,
)
from problems.actions.lifecycle import assess
from problems.actions.trends import start_run
from problems.models import Problem
from problems.trends import running
from tests.cast import PASSWORD, Cast, as_, make_cast
from tests.workspace.conftest import open_page  # noqa: F401  a fixture

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Open = Callable[..., Any]
AXE = Path(project.BASE_DIR) / "node_modules/axe-core/axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
FINDINGS = """tags => axe.run(document, {runOnly: tags}).then(result => result.violations.map(
    found => found.id + ': ' + found.nodes.map(node => node.html.slice(0, 160)).join(' | ')))"""
SIDEWAYS = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
PICTURES = os.environ.get("PICTURES", "")


def make_desk() -> tuple[Cast, User, Problem]:
    """Make a desk with a flood of incidents and a problem behind them about which all is known."""
    cast = make_cast()
    paula = User.objects.create_user(
        "paula@example.com", PASSWORD, display_name="Paula Example", roles=[Role.REQUESTER, Role.PROBLEM_MANAGER]
    )
    anna = as_(cast.anna)
    titles = ("VPN drops at noon", "The VPN drops every day", "vpn drops and does not come back", "VPN drops again")
    later = timezone.now() - timedelta(hours=30)
    flood = [open_incident(actor=as_(cast.rita, Channel.PORTAL), title=title, service=cast.vpn) for title in titles]
    for number in range(4):
        open_incident(actor=as_(cast.rolf, Channel.PORTAL), title=f"Badge rejected at door {number}")
    Incident.objects.update(opened_at=later)
    resolve(flood[3], actor=anna, resolution_code="workaround_provided", resolution_notes="Reconnect.")
    problem = open_problem(
        actor=anna,
        title="The VPN gateway drops sessions when its certificate is renewed",
        description="Sessions end at noon, for everybody at once.",
        service=cast.vpn,
        impact=2,
        urgency=2,
        incidents=flood,
    )
    problem = confirm(assess(problem, actor=anna), actor=anna)
    whys = [
        {"why": "Why do sessions drop at noon?", "answer": "The gateway reloads when its certificate is renewed."},
        {"why": "Why does it reload?", "answer": "Renewal restarts the whole service instead of one worker."},
        {"why": "Why was that not seen in tests?", "answer": ""},
    ]
    analysis = {
        "cause_notes": "Certificate renewal **restarts** the gateway and drops every session.",
        "fix_notes": "Let renewal reload one worker at a time.",
        "whys": whys,
    }
    problem = save_analysis(problem, analysis, actor=anna)
    problem = save_workaround(problem, "Reconnect a minute after noon.", actor=anna)
    problem = save_workaround(problem, "Reconnect, or use the *second* gateway in the client's list.", actor=anna)
    problem = declare_known_error(problem, actor=anna)
    problem = publish(
        problem,
        actor=as_(paula),
        title="Remote access stops at noon",
        symptoms="The connection ends around noon, for everybody at once.",
        workaround="Connect again, or choose the **second** gateway in the list.",
    )
    problem = set_major(problem, True, actor=as_(paula))
    now = timezone.now()
    for ago, text in ((180, "The renewal ran"), (179, "All sessions dropped"), (120, "The second gateway was offered")):
        add_timeline_entry(problem, now - timedelta(minutes=ago), text, actor=anna)
    communicate_workaround(problem, actor=anna)
    problem.refresh_from_db()
    return cast, paula, problem


def look_through(cast: Cast) -> None:
    """Let the trend job do one run over everything."""
    now = timezone.now()
    start_run(now - timedelta(days=3), now + timedelta(minutes=1), least=3, actor=as_(cast.anna))
    while running.work():
        pass
    running.work()


def fine(page: Any, name: str) -> None:
    """Hold the page to the rules, and keep a picture of it where PICTURES names a folder."""
    if PICTURES:
        Path(PICTURES).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=f"{PICTURES}/{name}.png", full_page=True)
    assert not page.evaluate(SIDEWAYS), name
    page.evaluate(AXE.read_text())
    assert page.evaluate(FINDINGS, TAGS) == [], name


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_every_page_can_be_read_by_everybody(open_page: Open, width: int, theme: str) -> None:  # noqa: F811
    cast, paula, problem = make_desk()
    look_through(cast)
    fresh = open_incident(actor=as_(cast.rita, Channel.PORTAL), title="My VPN drops sessions at noon")
    pages = {
        "problem": (paula, f"/desk/problems/{problem.number}/"),
        "list": (cast.anna, "/desk/problems/"),
        "known": (cast.anna, "/desk/problems/known-errors/"),
        "trends": (cast.anna, "/desk/problems/trends/"),
        "new": (cast.anna, f"/desk/problems/new/?incident={fresh.number}"),
        "incident": (cast.anna, f"/desk/incidents/{fresh.number}/"),
        "portal": (cast.rita, "/known-errors/"),
        "settings": (cast.ada, "/desk/settings/problems/"),
    }
    for name, (person, path) in pages.items():
        page = open_page(person, path, width=width, theme=theme)
        if name == "problem":
            page.set_viewport_size({"width": width, "height": 3600 if PICTURES else 844})
            page.evaluate("document.querySelectorAll('.pn-fold').forEach(one => { one.open = true })")
        fine(page, f"{name}-{width}-{theme}")
        page.close()


def test_the_main_flow_without_a_reload(open_page: Open) -> None:  # noqa: F811
    _cast, paula, problem = make_desk()
    page = open_page(paula, f"/desk/problems/{problem.number}/")
    page.evaluate("window.sameDocument = true")
    page.click("#analysis-edit > summary")
    page.fill("#analysis-fix_notes", "Reload one worker at a time, in the night.")
    page.click("#analysis-edit button[type=submit]")
    page.wait_for_selector("text=in the night")
    page.click("#workaround-edit > summary")
    page.fill("#workaround-workaround", "Use the second gateway.")
    page.click("#workaround-edit button[type=submit]")
    page.wait_for_selector("text=Version 3")
    page.click("text=Communicate workaround")
    page.wait_for_selector("text=Workaround told to 3 incidents >> nth=1")
    page.click("#timeline-add > summary")
    page.fill("#timeline-text", "It ended")
    page.click("#timeline-add button[type=submit]")
    page.wait_for_selector("#panel-problem-timeline .field-error, #panel-problem-timeline .invalid-feedback")
    page.fill("#timeline-at", "2026-01-01T10:00")
    page.click("#timeline-add button[type=submit]")
    page.wait_for_selector(".pn-happened >> text=It ended")
    assert page.evaluate("window.sameDocument") is True
    problem.refresh_from_db()
    assert problem.workaround_version == 3

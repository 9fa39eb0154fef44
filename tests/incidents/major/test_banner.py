"""What other pages show of a running major incident: the banner in the portal and at the desk, the rail, the list."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from incidents.actions import resolve, set_parent
from incidents.major.actions import accept, demote, save_plan, send_update
from incidents.major.models import MajorIncident
from incidents.models import Incident
from itsm.accounts.models import User
from itsm.tickets.actions import link
from itsm.tickets.clock import db_now
from itsm.tickets.models import LinkKind
from problems.actions import open_problem
from tests.cast import Cast, as_
from tests.incidents.major.test_deciding import ACCEPTED, FIXED, WHY, incident_of, major_of

SAID = {"headline": "Mail <b>is</b> down", "text": "Use the telephone."}
BANNER = 'class="status-banner"'
LATE = "The next update is overdue"
SignedIn = Callable[[User], Client]


def page(client: Client, name: str, *args: Any) -> str:
    """Return the page without the toasts, which are live regions of their own."""
    answer = client.get(reverse(name, args=args))
    assert answer.status_code == 200
    return str(answer.content.decode())


def late(major: Incident) -> None:
    MajorIncident.objects.filter(pk=major.pk).update(next_update_at=db_now() - timedelta(minutes=9))


def test_everybody_reads_what_was_sent_and_when_more_is_promised(cast: Cast, signed_in: SignedIn) -> None:
    major, lena = major_of(cast, service=cast.vpn), as_(cast.lena)
    child = set_parent(incident_of(cast), major, actor=as_(cast.anna))
    rita, rosa = signed_in(cast.rita), signed_in(cast.rosa)
    asked = [(rita, "portal:home"), (rosa, "portal:outages"), (rita, "portal:request", child.number)]
    for client, *where in asked:
        assert BANNER not in page(client, *where)  # nothing was sent to the portal yet
    send_update(major, actor=lena, **SAID, to_portal=True)
    for client, *where in asked:
        shown = page(client, *where)
        assert BANNER in shown
        assert 'role="status"' in shown[shown.index(BANNER) :]
        assert 'role="alert"' not in shown[shown.index(BANNER) : shown.index("</main>")]
        for words in ("Mail &lt;b&gt;is&lt;/b&gt; down", "Use the telephone.", "Remote access", "Next update by"):
            assert words in shown, words
        for secret in ("ajor incident", "400 people", LATE, major.number if client is rosa else "Lena"):
            assert secret not in shown, secret
    late(major)
    assert all(LATE in page(client, *where) for client, *where in asked)
    save_plan(major, actor=lena, cadence_minutes=30, to_portal=False)  # the portal is promised nothing any more
    shown = page(rosa, "portal:outages")
    assert BANNER in shown
    assert "Next update by" not in shown
    resolve(Incident.objects.get(pk=major.pk), actor=lena, **FIXED)
    for client, *where in asked:
        assert BANNER not in page(client, *where)


def test_the_desk_is_led_from_children_and_linked_tickets(cast: Cast, signed_in: SignedIn) -> None:
    major, anna = major_of(cast, service=cast.vpn), signed_in(cast.anna)
    child = set_parent(incident_of(cast, service=cast.mail), major, actor=as_(cast.anna))
    problem = open_problem(actor=as_(cast.anna), title="Behind it")
    link(major, problem, LinkKind.PROBLEM, actor=as_(cast.anna))
    other = incident_of(cast)
    there = f'href="{reverse("incidents:major", args=[major.number])}"'
    for where in (("incidents:detail", child.number), ("problems:detail", problem.number)):
        shown = page(anna, *where)
        assert BANNER in shown
        assert there in shown
        assert "No update yet" in shown
    assert "E-mail" in page(anna, "incidents:detail", child.number)
    send_update(major, actor=as_(cast.lena), **SAID, to_stakeholders=True)
    late(major)
    shown = page(anna, "incidents:detail", child.number)
    assert "Use the telephone." in shown
    assert LATE in shown
    for number in (major.number, other.number):
        assert BANNER not in page(anna, "incidents:detail", number)
    demote(Incident.objects.get(pk=major.pk), actor=as_(cast.lena), **WHY)
    assert BANNER not in page(anna, "incidents:detail", child.number)


def test_the_rail_leads_there(cast: Cast, signed_in: SignedIn) -> None:
    anna, lena = signed_in(cast.anna), signed_in(cast.lena)
    entry = f'href="{reverse("incidents:majors")}"'
    assert entry not in page(anna, "workspace:queue")
    assert entry in page(lena, "workspace:queue")  # she decides on them
    assert page(lena, "incidents:majors").count("None is running.") == 0
    opened = [incident_of(cast) for _number in range(2)]
    page(anna, "workspace:queue")
    with CaptureQueriesContext(connection) as before:
        page(anna, "workspace:queue")
    running = [accept(one, actor=as_(cast.lena), **ACCEPTED) for one in opened]
    with CaptureQueriesContext(connection) as after:
        shown = page(anna, "workspace:queue")
    assert len(after) == len(before)
    assert '<span class="rail-count is-alert">2</span>' in shown[shown.index(entry) :][:600]
    late(running[1])
    listed = page(anna, "incidents:majors")
    assert listed.index(running[1].number) < listed.index(running[0].number)
    assert listed.count("Overdue") == 1
    assert listed.count("Lena Example") >= 2


def test_the_page_says_how_many_have_it_by_site(cast: Cast, signed_in: SignedIn) -> None:
    major = major_of(cast)
    for _number in range(3):
        set_parent(incident_of(cast), major, actor=as_(cast.anna))
    shown = page(signed_in(cast.lena), "incidents:major", major.number)
    assert '<td>No site known</td><td class="num">3</td>' in shown

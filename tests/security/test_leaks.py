"""What a requester must not see is on no way in, and what strangers typed is never run."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings as project
from django.test import Client

from cmdb.models import Service
from incidents.actions import open_incident, reply
from incidents.models import Incident
from itsm.accounts.actions import create_team
from itsm.accounts.models import User
from itsm.notifications.models import Mail
from itsm.tickets.actions import assign, store_upload, watch
from itsm.tickets.actors import Channel
from itsm.tickets.models import Category, Visibility
from itsm.tickets.outbox import dispatch
from tests.cast import Cast, as_, make_cast
from tests.e2e.conftest import REFUSED
from tests.memory import remembered
from tests.security.addresses import address_of, routes
from tests.security.world import World, make_world

# Searched for by its beginning, so that a page that repeats the question does not look like a leak.
SECRET, BEGINNING = "Zanzibar7Quokka", "Zanzibar"
LISTS = (
    "/requests/",
    "/api/v1/incidents/",
    "/api/v1/users/",
    "/api/v1/teams/",
    "/api/v1/categories/",
    "/api/v1/services/",
)
QUESTIONS = (
    f"?q={BEGINNING}",
    f"?q=title:{BEGINNING}",
    f"?state=all&q={BEGINNING}",
    "?state=all",
    "?limit=100",
    "?ordering=title",
    "?requester=rolf@example.com",
    "?team=network",
    f"?q=notes:{BEGINNING}",
    "?q=requester:rolf@example.com",
)


@pytest.fixture
def secret(cast: Cast) -> World:
    """The desk, with the secret in everything that Rita must not see."""
    found = remembered("secret world", lambda: make_world(cast, SECRET))
    found.cast = cast
    return found


def text_of(client: Client, address: str) -> str:
    """Return the answer with its headers, as text."""
    answer = client.get(address)
    content = answer.getvalue() if answer.streaming else answer.content
    return f"{answer.headers} {content.decode('utf-8', 'replace')}"


# The secret in such an address is itself the right to read what it leads to, whoever holds it: an approver's mail, a
# calendar programme.
BY_LINK = frozenset({"approvals:link", "change_schedule:feed"})


def test_the_secret_is_nowhere_for_a_requester(secret: World, signed_in: Callable[[User], Client]) -> None:
    rita, anna = signed_in(secret.cast.rita), signed_in(secret.cast.anna)
    assert SECRET in text_of(anna, f"/desk/incidents/{secret.incident.number}/")
    assert SECRET in text_of(anna, f"/api/v1/incidents/?q={BEGINNING}")
    addresses = {address_of(name, route, secret) for name, route in routes() if name not in BY_LINK}
    for ticket in (secret.foreign.number, secret.foreign.public_id):
        addresses |= {one.replace(secret.incident.number, ticket) for one in addresses if secret.incident.number in one}
    for file in {secret.hidden_file, *secret.foreign.attachments.all()}:
        addresses |= {f"/attachments/{file.public_id}/x.txt", f"/api/v1/attachments/{file.public_id}/"}
    addresses |= {one + question for one in LISTS for question in QUESTIONS}
    found = {address for address in addresses if SECRET in text_of(rita, address)}
    assert found == set()


def test_a_search_finds_no_more_for_whom_it_is_hidden(secret: World, signed_in: Callable[[User], Client]) -> None:
    rita = signed_in(secret.cast.rita)
    assert rita.get(f"/api/v1/incidents/?q={BEGINNING}").json()["results"] == []
    theirs = {one["number"] for one in rita.get("/api/v1/incidents/?limit=100").json()["results"]}
    assert theirs == {secret.incident.number, secret.resolved.number}
    statuses = {}
    for question in ("priority:1..5", "team:network", "assignee:none", "-status:closed"):
        answer = rita.get("/api/v1/incidents/", {"q": question})
        statuses[question] = answer.status_code
        if answer.status_code == 200:
            assert {one["number"] for one in answer.json()["results"]} <= theirs
    assert statuses == {"priority:1..5": 200, "team:network": 400, "assignee:none": 400, "-status:closed": 200}


def test_no_mail_tells_a_requester_the_secret(secret: World) -> None:
    told = Mail.objects.all()
    assert told.filter(text__contains=SECRET).exists()
    hers = told.filter(address=secret.cast.rita.email)
    assert hers.exists()
    assert not [mail for mail in hers if SECRET in f"{mail.subject}{mail.text}{mail.html}"]


PAYLOADS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "[go](javascript:alert(1)) javascript:alert(1)",
    "{{7*7}} ${7*7} {% now 'Y' %}",
    "<a data-hx-get='/accounts/logout/' hx-trigger='load' hx-on:load='alert(1)'>x</a>",
    "'-alert(1)-'</textarea></title><svg onload=alert(1)>",
)
ALL = " ".join(PAYLOADS)
# What a page that ran or believed a payload would hold.
BELIEVED = """() => [...document.querySelectorAll('[onerror], [onload], [data-hx-get*=logout], img[src=x], main script,'
    + ' a[href^="javascript:" i]')].map(one => one.outerHTML)"""


@pytest.fixture
def hostile(db: None) -> World:
    """A desk on which every name and every text is hostile."""
    cast = make_cast()
    User.objects.filter(pk__in=[cast.rita.pk, cast.anna.pk]).update(display_name=PAYLOADS[1], phone="<b>1</b>")
    cast.rita.refresh_from_db()
    cast.anna.refresh_from_db()
    team = create_team(PAYLOADS[0], members=(cast.anna,))
    service = Service.objects.create(name=PAYLOADS[4][:80], key="evil", description=ALL, support_team=team)
    category = Category.objects.create(name=PAYLOADS[3], path=PAYLOADS[3], team=team)
    world = make_world(cast)
    rita, anna = as_(cast.rita, Channel.PORTAL), as_(cast.anna)
    for payload in PAYLOADS:
        incident = open_incident(
            actor=rita, title=payload, description=f"{ALL}\n\n```\n{ALL}\n```", service=service, category=category
        )
        file = store_upload(_file(payload))
        incident = reply(incident, f"{payload}\n\n> {ALL}", actor=rita, files=[file]).incident
        incident = assign(incident, actor=anna, assignee=cast.anna, team=team)
        reply(incident, ALL, actor=anna)
        reply(incident, ALL, actor=anna, visibility=Visibility.INTERNAL)
        watch(incident, cast.ben, actor=anna)
    dispatch(1000)
    world.incident = Incident.objects.get(pk=incident.pk)
    world.mail = Mail.objects.filter(ticket=incident)[0]
    return world


def _file(name: str) -> Any:
    from django.core.files.uploadedfile import SimpleUploadedFile

    return SimpleUploadedFile(f"{name.replace('/', '_')[:80]}.html", b"<script>alert(1)</script>", "text/html")


@pytest.fixture
def windows(chromium: Any, live_server: Any) -> Iterator[Callable[[User], Any]]:
    """Return a function that opens a browser window in which somebody is signed in; nothing may ask, be refused by the
    content policy, or fail in any of them."""
    complaints: list[str] = []
    opened: list[Any] = []

    def complain(what: str) -> None:
        complaints.append(what)

    def open_window(user: User) -> Any:
        client = Client()
        client.force_login(user, backend="itsm.accounts.backends.RoleBackend")
        window = chromium.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB")
        opened.append(window)
        name = project.SESSION_COOKIE_NAME
        window.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live_server.url}])
        page = window.new_page()
        page.on("dialog", lambda dialog: (complain(f"dialog on {page.url}"), dialog.dismiss()))
        page.on("pageerror", lambda error: complain(f"{page.url}: {error}"))
        page.on("console", lambda said: complain(f"{page.url}: {said.text}") if REFUSED.search(said.text) else None)
        return page

    yield open_window
    for window in opened:
        window.close()
    assert complaints == []


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_what_strangers_typed_is_shown_and_never_run(
    windows: Callable[[User], Any], live_server: Any, hostile: World
) -> None:
    number, cast = hostile.incident.number, hostile.cast
    pages = {
        cast.rita: [
            "/",
            "/requests/?state=all",
            f"/requests/{number}/",
            "/report/?service=evil",
            "/notices/",
            "/profile/",
        ],
        cast.anna: [
            "/desk/",
            "/desk/queue/?view=all&layout=table",
            f"/desk/queue/?view=all&layout=list&open={number}",
            "/desk/queue/?q=%22%3E%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E",
            f"/desk/incidents/{number}/",
            f"/desk/incidents/{number}/history/",
            f"/desk/incidents/{number}/moves/resolve/",
            f"/desk/new/?requester={cast.rita.public_id}&title=%3Cscript%3Ealert(1)%3C/script%3E",
            "/notices/",
        ],
        cast.ada: [
            "/outbox/",
            f"/outbox/{hostile.mail.public_id}/",
            "/desk/settings/people/",
            f"/desk/settings/people/{cast.rita.public_id}/",
            "/desk/settings/teams/",
            "/desk/settings/services/",
            "/desk/settings/categories/",
            "/desk/settings/changes/",
            "/nowhere/%3Cscript%3Ealert(1)%3C/script%3E",
        ],
    }
    for user, addresses in pages.items():
        page = windows(user)
        for address in addresses:
            answer = page.goto(live_server.url + address)
            assert answer.status in {200, 404, 422}, address
            assert page.evaluate(BELIEVED) == [], address
        if user == cast.anna:
            page.goto(f"{live_server.url}/desk/incidents/{number}/")
            words = page.inner_text("#timeline")
            assert re.search(r"\{\{7\*7\}\} \$\{7\*7\}", words)
            page.wait_for_selector("html.ready")
            page.click("#prop-assignee")
            page.wait_for_selector(".ts-dropdown")

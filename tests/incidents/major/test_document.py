"""The review as a PDF: read back out of the file, in every script, for the desk alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pypdf import PdfReader

from incidents.actions import resolve
from incidents.major.actions import add_entry, edit_line, finish_review, give_role, save_review
from incidents.major.timeline import timeline_of
from incidents.models import Incident
from itsm.accounts.models import User
from itsm.tasking.actions import open_task
from itsm.tickets.actions import comment
from itsm.tickets.clock import db_now
from itsm.tickets.models import Visibility
from tests.cast import Cast, as_
from tests.incidents.major.test_deciding import FIXED, incident_of, major_of

SCRIPTS = {
    "Cyrillic": "Сеть не работает",
    "Greek": "Το δίκτυο δεν λειτουργεί",
    "Hebrew": "שלום",
    "Chinese": "网络中断",
    "Japanese": "かなカナ",
    "Korean": "한국어",
}


def text_of(content: bytes) -> str:
    """Return the text of all pages, its lines joined; the reader gives a zero byte before each Chinese letter."""
    text = " ".join(page.extract_text() for page in PdfReader(BytesIO(content)).pages)
    return " ".join(text.replace("\x00", "").split())


def download(client: Client, incident: Incident) -> Any:
    return client.get(reverse("incidents:major_review", args=[incident.number]))


@pytest.fixture
def over(cast: Cast) -> Incident:
    """A major incident that is over, with an agreed record of it."""
    lena, major = as_(cast.lena), major_of(cast, service=cast.vpn)
    comment(major, "The password is swordfish", actor=lena, visibility=Visibility.INTERNAL)
    comment(major, "We told them the wrong thing", actor=lena)
    said = next(line for line in timeline_of(major) if "wrong thing" in line.text)
    edit_line(major, said.ref, actor=lena, text="First answer to the requester")
    for words, at in (("Restarted the gateway", None), ("Nobody need know this", None)):
        add_entry(major, actor=lena, text=words, at=at, is_decision=words.startswith("Restarted"))
    hidden = next(line for line in timeline_of(major) if "need know" in line.text)
    edit_line(major, hidden.ref, actor=lena, text=hidden.text, is_hidden=True)
    give_role(major, "commander", cast.ben, actor=lena)
    open_task(major, actor=lena, title="Buy a second gateway", assignee=cast.anna)
    resolved = resolve(Incident.objects.get(pk=major.pk), actor=lena, **FIXED)
    texts = {"overview": "It broke at nine.", "findings": "\n".join(SCRIPTS.values()), "resolution": "Replaced."}
    save_review(resolved, {**texts, "went_well": "الشبكة 🚀 👩‍👩‍👧 ไทย \u202eevil"}, actor=lena)
    return resolved


def test_the_file_says_what_the_page_says(cast: Cast, over: Incident, signed_in: Callable[[User], Client]) -> None:
    cast.lena.time_zone = "Asia/Kathmandu"
    cast.lena.save()
    draft = text_of(download(signed_in(cast.lena), over).content)
    assert "Draft: the review is not done yet." in draft
    finish_review(over, actor=as_(cast.lena))
    answer = download(signed_in(cast.lena), over)
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")
    assert answer["Content-Disposition"] == f'attachment; filename="{over.number}-review.pdf"'
    assert answer["Cache-Control"] == "no-store"
    text = text_of(answer.content)
    for words in (
        over.number,
        "vpn is down",
        "400 people cannot work.",
        "It broke at nine.",
        "Decision: Restarted the gateway",
        "First answer to the requester",
        "Buy a second gateway",
        "Owner: Anna Example",
        "Internal: for the service desk only",
        "Times in Asia/Kathmandu.",
        "Page 1 of 2",
        "Page 2 of 2",
        "Ben Example",
        *SCRIPTS.values(),
    ):
        assert words in text, words
    local = over.resolved_at.astimezone(cast.lena.zone)  # type: ignore[union-attr]
    assert f"{local:%-I:%M}" in text
    for secret in ("swordfish", "wrong thing", "need know", "Bridge opened", "Draft"):
        assert secret not in text


def test_what_no_font_has_is_a_box_and_tricks_are_gone(
    cast: Cast, over: Incident, signed_in: Callable[[User], Client]
) -> None:
    text = text_of(download(signed_in(cast.anna), over).content)
    assert "□" in text
    assert "evil" in text
    assert "\u202e" not in text


def test_it_is_the_desks_and_only_of_a_major_incident(
    cast: Cast, over: Incident, signed_in: Callable[[User], Client]
) -> None:
    for person in (cast.rita, cast.rolf):
        assert download(signed_in(person), over).status_code == 404
    assert download(Client(), over).status_code == 302
    assert download(signed_in(cast.olaf), over).status_code == 200
    assert download(signed_in(cast.lena), incident_of(cast)).status_code == 404


def test_a_long_record_goes_on_over_pages(cast: Cast, signed_in: Callable[[User], Client]) -> None:
    major, lena = major_of(cast), as_(cast.lena)
    for number in range(30):
        at = db_now() - timedelta(minutes=number)
        add_entry(major, actor=lena, text=f"Line {number} " + "went on and on " * 40, at=at)
    save_review(major, {"findings": "W" * 20_000, "overview": "عربي " + "- " * 2000 + "👩‍👩‍👧" * 300}, actor=lena)
    pages = PdfReader(BytesIO(download(signed_in(cast.lena), major).content)).pages
    text = " ".join(page.extract_text() for page in pages)
    assert all(f"Line {number} " in text for number in range(30))
    assert all(f"Page {number + 1} of {len(pages)}" in page.extract_text() for number, page in enumerate(pages))

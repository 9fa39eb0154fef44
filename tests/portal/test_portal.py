"""The portal through the browser's door: report, follow, answer, confirm, reopen, cancel; and what nobody else sees."""

import re
from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from incidents.actions import hold, open_incident, perform, resolve
from incidents.models import Incident
from incidents.statuses import Status
from itsm.accounts.models import User
from itsm.tickets.actions import comment, watch
from itsm.tickets.actors import Channel
from itsm.tickets.models import Attachment, Comment, Visibility
from tests.cast import Cast, as_

SignIn = Callable[[User], Client]
FORM = {"title": "No picture", "description": "Black since 9.", "impact": "2", "urgency": "1", "submission_key": "k1"}


@pytest.fixture
def incident(cast: Cast) -> Incident:
    return open_incident(actor=as_(cast.rita, Channel.PORTAL), title="No picture", description="Black since 9.")


def test_a_problem_is_reported_with_a_file_and_has_a_number_at_once(cast: Cast, signed_in: SignIn) -> None:
    client = signed_in(cast.rita)
    file = SimpleUploadedFile("screen.png", b"\x89PNG\r\n\x1a\n123")
    answer = client.post("/report/", {**FORM, "service": cast.vpn.pk, "files": [file]}, follow=True)
    made = Incident.objects.get()
    assert answer.redirect_chain[-1][0] == f"/requests/{made.number}/"
    page = answer.content.decode()
    assert made.number in page
    assert "screen.png" in page
    assert (made.impact, made.urgency, made.priority, made.team) == (2, 1, 2, cast.network)
    assert (made.channel, made.requester) == (Channel.PORTAL, cast.rita)
    assert made.attachments.get().content_type == "image/png"


def test_a_double_click_reports_once(cast: Cast, signed_in: SignIn) -> None:
    client = signed_in(cast.rita)
    first, second = client.post("/report/", FORM), client.post("/report/", FORM)
    assert first.headers["Location"] == second.headers["Location"]
    assert Incident.objects.count() == 1


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"title": ""}, "required"),
        ({"title": "x" * 201}, "200"),
        ({"description": "x" * 100_001}, "100000"),
        ({"impact": "9"}, "valid choice"),
        ({"urgency": ""}, "required"),
        ({"service": "99999"}, "valid choice"),
        ({"category": "abc"}, "valid choice"),
    ],
)
def test_a_bad_report_says_why_and_keeps_the_text(
    cast: Cast, signed_in: SignIn, values: dict[str, str], said: str
) -> None:
    answer = signed_in(cast.rita).post("/report/", {**FORM, "description": "my long story", **values})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert said in page
    assert "my long story" in page or "description" in values
    assert not Incident.objects.exists()


def test_an_empty_file_is_refused_and_nothing_is_kept(cast: Cast, signed_in: SignIn) -> None:
    answer = signed_in(cast.rita).post("/report/", {**FORM, "files": [SimpleUploadedFile("a.txt", b"")]})
    assert answer.status_code == 422
    assert not Incident.objects.exists()
    assert not Attachment.objects.exists()


@pytest.mark.parametrize("raw", [b"title=a%00b", b"title=%ff%fe", b"title=ok&description=%00"])
def test_bytes_that_cannot_be_stored_are_a_400(cast: Cast, signed_in: SignIn, raw: bytes) -> None:
    answer = signed_in(cast.rita).post("/report/", raw, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 400


def test_others_do_not_see_my_request(cast: Cast, signed_in: SignIn, incident: Incident) -> None:
    addresses = [
        f"/requests/{incident.number}/",
        f"/requests/{incident.public_id}/",
        f"/requests/{incident.number}/moves/cancel/",
    ]
    for person in (cast.rosa, cast.rolf):
        client = signed_in(person)
        for address in addresses:
            assert client.get(address).status_code == 404
        assert client.post(f"/requests/{incident.number}/reply/", {"body": "hi"}).status_code == 404
        assert client.post(f"/requests/{incident.number}/moves/cancel/", {"reason": "x"}).status_code == 404
        assert incident.number not in client.get("/requests/?q=picture").content.decode()
    assert Client().get(addresses[0]).status_code == 302
    assert Comment.objects.count() == 0
    # Staff see it at the desk; in the portal it is not theirs.
    assert signed_in(cast.anna).get(addresses[0]).status_code == 404


def test_a_watcher_reads_and_writes_but_does_not_decide(cast: Cast, signed_in: SignIn, incident: Incident) -> None:
    watch(incident, cast.rosa, actor=as_(cast.anna))
    client = signed_in(cast.rosa)
    assert client.get(f"/requests/{incident.number}/").status_code == 200
    assert client.post(f"/requests/{incident.number}/reply/", {"body": "me too"}).status_code == 302
    assert client.post(f"/requests/{incident.number}/moves/cancel/", {"reason": "x"}).status_code == 403
    assert Incident.objects.get(pk=incident.pk).status == Status.NEW


def test_work_notes_and_inner_events_stay_inside(cast: Cast, signed_in: SignIn, incident: Incident) -> None:
    comment(incident, "SECRET-NOTE", actor=as_(cast.anna), visibility=Visibility.INTERNAL)
    comment(incident, "Hello Rita", actor=as_(cast.anna))
    client = signed_in(cast.rita)
    for address in (f"/requests/{incident.number}/", f"/requests/{incident.number}/?since=0", "/requests/", "/"):
        assert "SECRET-NOTE" not in client.get(address).content.decode()
    assert "Hello Rita" in client.get(f"/requests/{incident.number}/").content.decode()
    assert not re.search(incident.number, client.get("/requests/?q=SECRET-NOTE").content.decode())


def test_markup_in_messages_is_shown_not_run(cast: Cast, signed_in: SignIn, incident: Incident) -> None:
    comment(incident, "<script>alert(1)</script> <img src=x onerror=alert(1)>", actor=as_(cast.rita))
    page = signed_in(cast.rita).get(f"/requests/{incident.number}/").content.decode()
    assert "<script>alert" not in page
    assert "<img src=x" not in page


def test_messages_are_laid_out_as_they_were_written(cast: Cast, signed_in: SignIn, incident: Incident) -> None:
    comment(incident, "Please pick **backup**:\n\n1. Disconnect\n2. Choose `rtm`", actor=as_(cast.anna))
    page = signed_in(cast.rita).get(f"/requests/{incident.number}/").content.decode()
    for markup in ("<strong>backup</strong>", "<li>Disconnect</li>", "<code>rtm</code>", "<p>Black since 9.</p>"):
        assert markup in page


def test_answering_resumes_what_waited_for_me(cast: Cast, signed_in: SignIn, incident: Incident) -> None:
    hold(incident, actor=as_(cast.anna), hold_reason="awaiting_caller", comment="Which room?")
    client = signed_in(cast.rita)
    assert "We need an answer from you" in client.get("/requests/").content.decode()
    form = {"body": "Room 7", "submission_key": "r1"}
    for _click in range(2):
        assert client.post(f"/requests/{incident.number}/reply/", form).status_code == 302
    assert Incident.objects.get(pk=incident.pk).status == Status.IN_PROGRESS
    assert incident.comments.filter(body="Room 7").count() == 1


def test_an_empty_reply_says_so_and_a_file_alone_is_enough(cast: Cast, signed_in: SignIn, incident: Incident) -> None:
    client = signed_in(cast.rita)
    assert client.post(f"/requests/{incident.number}/reply/", {"body": " "}).status_code == 422
    file = SimpleUploadedFile("log.txt", b"12:00 error")
    assert client.post(f"/requests/{incident.number}/reply/", {"body": "", "files": [file]}).status_code == 302
    assert incident.attachments.get().name == "log.txt"


def test_confirm_reopen_and_cancel(cast: Cast, signed_in: SignIn, incident: Incident) -> None:
    client = signed_in(cast.rita)
    root = f"/requests/{incident.number}/"
    resolve(incident, actor=as_(cast.anna), resolution_code="solution_provided", resolution_notes="New cable.")
    page = client.get(root).content.decode()
    assert "New cable." in page
    assert "Yes, it is fixed" in page
    assert client.get(f"{root}moves/reopen/").status_code == 200
    assert client.post(f"{root}moves/reopen/", {"comment": ""}).status_code == 422
    assert client.post(f"{root}moves/reopen/", {"comment": "Still black."}).status_code == 302
    reopened = Incident.objects.get(pk=incident.pk)
    assert (reopened.status, reopened.reopen_count) == (Status.IN_PROGRESS, 1)
    assert client.post(f"{root}moves/close/").status_code == 409
    resolve(reopened, actor=as_(cast.anna), resolution_code="solution_provided", resolution_notes="New screen.")
    assert client.post(f"{root}moves/close/").status_code == 302
    assert client.post(f"{root}moves/cancel/", {"reason": "x"}).status_code == 409
    assert Incident.objects.get(pk=incident.pk).status == Status.CLOSED


def test_nothing_is_changed_by_looking(cast: Cast, signed_in: SignIn, incident: Incident) -> None:
    client = signed_in(cast.rita)
    for move in ("cancel", "close", "reopen"):
        client.get(f"/requests/{incident.number}/moves/{move}/")
    assert Incident.objects.get(pk=incident.pk).version == incident.version
    for move in ("start", "hold", "resolve", "explode"):
        assert client.post(f"/requests/{incident.number}/moves/{move}/").status_code == 404


def test_a_reply_after_the_end_leads_to_the_new_request(cast: Cast, signed_in: SignIn, incident: Incident) -> None:
    perform(incident, "cancel", actor=as_(cast.rita), fields={"reason": "Found it"})
    answer = signed_in(cast.rita).post(f"/requests/{incident.number}/reply/", {"body": "It is back"})
    fresh = Incident.objects.exclude(pk=incident.pk).get()
    assert answer.headers["Location"] == f"/requests/{fresh.number}/"


def test_the_page_refreshes_only_when_something_changed(cast: Cast, signed_in: SignIn, incident: Incident) -> None:
    client = signed_in(cast.rita)
    page = client.get(f"/requests/{incident.number}/").content.decode()
    address = re.search(r'hx-get="([^"]+)"', page)
    assert address
    assert client.get(address[1]).status_code == 204
    comment(incident, "News for you", actor=as_(cast.anna))
    fresh = client.get(address[1])
    assert fresh.status_code == 200
    assert b"News for you" in fresh.content
    assert b"<textarea" not in fresh.content


def test_lists_are_mine_searched_and_paged(cast: Cast, signed_in: SignIn) -> None:
    for index in range(30):
        open_incident(actor=as_(cast.rita), title=f"Request {index:02}")
    open_incident(actor=as_(cast.rosa), title="Request of Rosa")
    client = signed_in(cast.rita)
    first = client.get("/requests/").content.decode()
    following = re.search(r'href="(\?[^"]*cursor=[^"]+)"', first)
    assert following
    second = client.get("/requests/" + following[1].replace("&amp;", "&")).content.decode()
    seen = re.findall(r"Request \d\d", first) + re.findall(r"Request \d\d", second)
    assert len(seen) == len(set(seen)) == 30
    assert "Rosa" not in first + second
    assert re.findall(r"Request \d\d", client.get("/requests/?q=request 07").content.decode()) == ["Request 07"]
    assert client.get("/requests/?cursor=nonsense").status_code == 302
    assert client.get("/requests/?state=bogus").status_code == 200


def test_pages_cost_the_same_for_few_and_many(cast: Cast, signed_in: SignIn, django_assert_max_num_queries) -> None:  # type: ignore[no-untyped-def]
    client = signed_in(cast.rita)
    for _round in range(2):
        for index in range(12):
            open_incident(actor=as_(cast.rita), title=f"R{index}", service=cast.vpn)
        with django_assert_max_num_queries(6):
            assert client.get("/requests/").status_code == 200
        with django_assert_max_num_queries(7):
            assert client.get("/").status_code == 200


def test_staff_are_sent_to_the_desk_but_can_report(cast: Cast, signed_in: SignIn) -> None:
    client = signed_in(cast.anna)
    assert client.get("/").headers["Location"] == "/desk/"
    client.post("/report/", FORM)
    mine = Incident.objects.get()
    assert client.get(f"/requests/{mine.number}/").status_code == 200

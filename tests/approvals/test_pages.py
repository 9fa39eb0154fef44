"""The pages: who finds what, deciding on them, and the link in a mail."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core import signing
from django.test import Client
from django.utils import timezone

from incidents.models import Incident
from itsm.accounts.models import User
from itsm.approvals.actions import decide, delegate, park, request_approval, withdraw_approvals
from itsm.approvals.links import make_token
from itsm.approvals.models import ApprovalRound, ApprovalSettings, Ask, Delegation, Mode
from itsm.notifications.models import Mail, Notice
from itsm.notifications.tasks import dispatch_outbox
from itsm.tickets.actions import assign, comment, update
from itsm.tickets.clock import db_now
from itsm.tickets.models import Visibility
from tests.approvals.conftest import add_person, asked, codes, people, policy, stage
from tests.cast import Cast, as_

SignIn = Callable[[User], Client]


@pytest.fixture
def boss(cast: Cast) -> User:
    """Berta, a manager outside the desk."""
    return add_person("Berta")


@pytest.fixture
def round_(cast: Cast, chris: User, ticket: Incident, boss: User) -> ApprovalRound:
    """Berta and Lena are asked; one of them is enough."""
    policy(chris, stage(people(boss, cast.lena), name="Business"))
    comment(ticket, "The password of the switch is hunter2", actor=as_(cast.anna), visibility=Visibility.INTERNAL)
    return request_approval(ticket, actor=as_(cast.carl))


def hand_over() -> None:
    while dispatch_outbox():
        pass


def page(client: Client, round_: ApprovalRound) -> str:
    answer = client.get(f"/approvals/{round_.public_id}/")
    assert answer.status_code == 200
    return answer.content.decode()


def test_who_finds_an_approval(cast: Cast, round_: ApprovalRound, boss: User, signed_in: SignIn) -> None:
    """Those who are asked, and the desk; nobody else, not even the one who asked for the change."""
    expected = {boss: 200, cast.lena: 200, cast.olaf: 200, cast.ada: 200, cast.rita: 404, cast.rosa: 404}
    for person, status in expected.items():
        for path in (f"/approvals/{round_.public_id}/", f"/approvals/{round_.public_id.upper()}/"):
            assert signed_in(person).get(path).status_code == status, person
        post = signed_in(person).post(f"/approvals/{round_.public_id}/answer/", {"decision": "wave"})
        assert post.status_code == (422 if status == 200 else 404)
    assert Client().get(f"/approvals/{round_.public_id}/").status_code == 302
    for ref in ("x", "0" * 32, "9" * 33, "é" * 32):
        assert signed_in(cast.ada).get(f"/approvals/{ref}/").status_code == 404


def test_a_manager_outside_the_desk_sees_the_summary_and_no_more(
    cast: Cast, round_: ApprovalRound, boss: User, ticket: Incident, signed_in: SignIn
) -> None:
    client = signed_in(boss)
    text = page(client, round_)
    assert "Replace the core switch" in text
    assert "Approve" in text
    for hidden in ("hunter2", "Lena Example", "Who is asked", "/desk/"):
        assert hidden not in text
    assert client.get(f"/desk/incidents/{ticket.number}/").status_code == 404
    assert client.get(f"/requests/{ticket.number}/").status_code == 404
    assert "Lena Example" in page(signed_in(cast.olaf), round_)


def test_approving_on_the_page(
    cast: Cast, round_: ApprovalRound, boss: User, ticket: Incident, signed_in: SignIn
) -> None:
    client = signed_in(boss)
    ask = Ask.objects.get(person=boss)
    assert "Replace the core switch" in client.get("/approvals/").content.decode()
    values = {"decision": "approve", "comment": "Go 🚀", "ask": ask.public_id, "seen": round_.digest}
    for _click in range(2):
        answer = client.post(f"/approvals/{round_.public_id}/answer/", values, follow=True)
        assert "Your answer is recorded" in answer.content.decode()
    assert codes(ticket) == ["requested", "decided"]
    assert "Nothing waits for you" in client.get("/approvals/").content.decode()
    assert "Approved" in client.get("/approvals/?tab=decided").content.decode()
    assert "Go 🚀" in page(client, round_)


def test_after_the_end_a_manager_does_not_see_how_the_plan_goes_on(
    cast: Cast, round_: ApprovalRound, boss: User, ticket: Incident, signed_in: SignIn
) -> None:
    withdraw_approvals(ticket, actor=as_(cast.anna), reason="Wrong week")
    update(Incident.objects.get(pk=ticket.pk), {"description": "Secret sequel"}, actor=as_(cast.anna))
    text = page(signed_in(boss), round_)
    assert "withdrawn" in text
    assert "Secret sequel" not in text
    assert "Approve</button>" not in text


def test_rejecting_without_words_keeps_the_page(
    cast: Cast, round_: ApprovalRound, boss: User, signed_in: SignIn
) -> None:
    path = f"/approvals/{round_.public_id}/answer/"
    client = signed_in(boss)
    answer = client.post(path, {"decision": "reject", "comment": " "})
    assert (answer.status_code, "Say why" in answer.content.decode()) == (422, True)
    too_long = client.post(path, {"decision": "reject", "comment": "x" * 5000})
    assert too_long.status_code == 422
    assert "x" * 100 in too_long.content.decode()
    assert client.post(path, {"decision": "reject", "comment": "a\x00b"}).status_code == 400
    assert client.post(path, {"decision": "reject", "comment": "No way back"}).status_code == 302
    assert ApprovalRound.objects.get().state == "rejected"


def test_a_stale_page_is_refused_with_a_reason(
    cast: Cast, chris: User, round_: ApprovalRound, boss: User, ticket: Incident, signed_in: SignIn
) -> None:
    client = signed_in(boss)
    update(Incident.objects.get(pk=ticket.pk), {"title": "Replace both"}, actor=as_(cast.anna))
    assert "plan has changed" in page(client, round_)
    values = {"decision": "approve", "seen": round_.digest}
    answer = client.post(f"/approvals/{round_.public_id}/answer/", values, follow=True)
    text = answer.content.decode()
    assert "Everybody is asked anew" in text
    assert "Replace both" in text
    new = ApprovalRound.objects.live().get()
    assert answer.redirect_chain[-1][0] == f"/approvals/{new.public_id}/"
    withdraw_approvals(ticket, actor=as_(cast.anna), reason="x")
    gone = client.post(f"/approvals/{new.public_id}/answer/", {"decision": "approve"})
    assert (gone.status_code, "withdrawn" in gone.content.decode()) == (409, True)


def test_the_desk_asks_anew_when_the_plan_has_changed(
    cast: Cast, chris: User, ticket: Incident, signed_in: SignIn
) -> None:
    policy(chris, stage(people(cast.lena)), on_change="refuse")
    old = request_approval(ticket, actor=as_(cast.carl))
    client = signed_in(cast.carl)
    assert "They go on being asked" in client.post(f"/approvals/{old.public_id}/again/", follow=True).content.decode()
    update(Incident.objects.get(pk=ticket.pk), {"title": "Replace both"}, actor=as_(cast.anna))
    assert "Ask everybody anew" in page(client, old)
    assert "Everybody is asked anew" in client.post(f"/approvals/{old.public_id}/again/", follow=True).content.decode()
    assert signed_in(cast.olaf).post(f"/approvals/{old.public_id}/again/").status_code == 403


def test_who_carries_it_out_is_told_why_they_cannot(
    cast: Cast, round_: ApprovalRound, ticket: Incident, signed_in: SignIn
) -> None:
    assign(Incident.objects.get(pk=ticket.pk), actor=as_(cast.carl), assignee=cast.lena)
    text = page(signed_in(cast.lena), round_)
    assert "You carry this out" in text
    assert "Approve</button>" not in text
    answer = signed_in(cast.lena).post(f"/approvals/{round_.public_id}/answer/", {"decision": "approve"})
    assert (answer.status_code, "You carry this out" in answer.content.decode()) == (403, True)
    assert codes(ticket)[-1] == "refused"


def test_a_delegate_finds_and_decides_it(
    cast: Cast, round_: ApprovalRound, boss: User, ticket: Incident, signed_in: SignIn
) -> None:
    client = signed_in(cast.rosa)
    path = f"/approvals/{round_.public_id}/"
    assert client.get(path).status_code == 404
    now = db_now()
    delegate(boss, cast.rosa, actor=as_(boss), starts_at=now - timedelta(days=1), ends_at=now + timedelta(days=1))
    assert "for Berta Example" in client.get("/approvals/").content.decode()
    assert "You decide for Berta Example" in page(client, round_)
    ask = Ask.objects.get(person=boss)
    client.post(f"{path}answer/", {"decision": "approve", "ask": ask.public_id})
    assert Ask.objects.get(person=boss).decided_by == cast.rosa
    Delegation.objects.update(ended_at=db_now())
    assert "Your answer for Berta Example: approved" in page(client, round_)  # what one has decided stays visible
    assert "Rosa Example" in page(signed_in(cast.olaf), round_)


def test_a_delegation_for_other_kinds_shows_nothing(
    cast: Cast, round_: ApprovalRound, boss: User, signed_in: SignIn
) -> None:
    now = db_now()
    client, path = signed_in(cast.rosa), f"/approvals/{round_.public_id}/"
    for kinds, status in (["change"], 404), (["change", "incident"], 200):
        made = delegate(
            boss,
            cast.rosa,
            actor=as_(boss),
            starts_at=now - timedelta(days=1),
            ends_at=now + timedelta(days=1),
            kinds=kinds,
        )
        assert client.get(path).status_code == status
        Delegation.objects.filter(pk=made.pk).update(ended_at=db_now())


def link_of(person: User) -> str:
    """The path of the link in the newest mail to the person."""
    mail = Mail.objects.filter(address=person.email, kind__startswith="approval_").order_by("pk").last()
    assert mail is not None
    found = re.search(r"/approvals/r/\S+", mail.text)
    assert found is not None
    return found.group()


def test_the_link_in_the_mail_shows_on_get_and_decides_on_post_once(
    cast: Cast, round_: ApprovalRound, boss: User, ticket: Incident
) -> None:
    hand_over()
    path, client = link_of(boss), Client()
    for _scanner in range(3):
        shown = client.get(path)
        assert (shown.status_code, "Replace the core switch" in shown.content.decode()) == (200, True)
        assert "hunter2" not in shown.content.decode()
    assert client.head(path).status_code == 200
    assert ApprovalRound.objects.get().state == "open"
    assert client.post(path, {"decision": "reject"}).status_code == 422
    assert client.post(path, {"decision": "wave"}).status_code == 422
    done = client.post(path, {"decision": "approve", "seen": round_.digest}, follow=True)
    assert (done.status_code, "is recorded: approved" in done.content.decode()) == (200, True)
    assert Ask.objects.get(person=boss).channel == "mail"
    again = client.post(path, {"decision": "reject", "comment": "Changed my mind"})
    assert (again.status_code, "has been used" in again.content.decode()) == (410, True)
    assert codes(ticket) == ["requested", "decided", "refused"]
    assert ticket.events.get(code="approval.refused").data["why"] == "link_used"
    assert ApprovalRound.objects.get().state == "approved"
    other = client.post(link_of(cast.lena), {"decision": "approve"})
    assert (other.status_code, "Berta Example has decided already" in other.content.decode()) == (410, True)


def test_an_old_link_does_nothing_and_is_on_record(
    cast: Cast, round_: ApprovalRound, boss: User, ticket: Incident, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = make_token(Ask.objects.get(person=boss), boss)
    import time

    later = time.time() + 8 * 24 * 3600
    monkeypatch.setattr(signing.time, "time", lambda: later)
    shown = Client().get(f"/approvals/r/{token}/")
    assert (shown.status_code, "too old" in shown.content.decode()) == (410, True)
    assert codes(ticket) == ["requested"]  # scanners leave no trace
    assert Client().post(f"/approvals/r/{token}/", {"decision": "approve"}).status_code == 410
    assert ticket.events.get(code="approval.refused").data["why"] == "link_expired"
    assert ApprovalRound.objects.get().state == "open"


def test_a_link_after_a_withdrawal_or_on_hold_says_so(
    cast: Cast, round_: ApprovalRound, boss: User, ticket: Incident
) -> None:
    token = make_token(Ask.objects.get(person=boss), boss)
    path = f"/approvals/r/{token}/"
    park(ticket, actor=as_(cast.anna))
    assert "on hold" in Client().get(path).content.decode()
    assert Client().post(path, {"decision": "approve"}).status_code == 410
    withdraw_approvals(ticket, actor=as_(cast.anna), reason="x")
    for answer in (Client().get(path), Client().post(path, {"decision": "approve"})):
        assert (answer.status_code, "withdrawn" in answer.content.decode()) == (410, True)
    whys = [event.data["why"] for event in ticket.events.filter(code="approval.refused").order_by("seq")]
    assert whys == ["parked", "withdrawn"]


def test_forged_and_borrowed_links(cast: Cast, round_: ApprovalRound, boss: User, ticket: Incident) -> None:
    good = make_token(Ask.objects.get(person=boss), boss)
    for token in ("x", good[:-1], good.replace(".", "-", 1), "9" * 300, f"{good}x"):
        assert Client().get(f"/approvals/r/{token}/").status_code == 404
        assert Client().post(f"/approvals/r/{token}/", {"decision": "approve"}).status_code == 404
    # Genuine, but Rosa is no delegate of Berta's: what a delegate has been sent ends with the delegation.
    borrowed = make_token(Ask.objects.get(person=boss), cast.rosa)
    assert Client().post(f"/approvals/r/{borrowed}/", {"decision": "approve"}).status_code == 403
    boss.is_active = False
    boss.save()
    assert Client().post(f"/approvals/r/{good}/", {"decision": "approve"}).status_code == 404
    assert ApprovalRound.objects.get().state == "open"


def test_a_delegate_has_a_link_of_their_own(
    cast: Cast, chris: User, ticket: Incident, boss: User, signed_in: SignIn
) -> None:
    now = db_now()
    delegate(boss, cast.rosa, actor=as_(boss), starts_at=now - timedelta(days=1), ends_at=now + timedelta(days=1))
    policy(chris, stage(people(boss)))
    request_approval(ticket, actor=as_(cast.carl))
    hand_over()
    path = link_of(cast.rosa)
    assert "You decide for Berta Example" in Client().get(path).content.decode()
    assert Client().post(path, {"decision": "approve"}).status_code == 302
    assert Ask.objects.get().decided_by == cast.rosa


def test_the_outbox_does_not_show_the_links(cast: Cast, round_: ApprovalRound, boss: User, signed_in: SignIn) -> None:
    hand_over()
    mail = Mail.objects.get(address=boss.email)
    text = signed_in(cast.ada).get(f"/outbox/{mail.public_id}/").content.decode()
    token = link_of(boss).removeprefix("/approvals/r/").rstrip("/")
    assert "Your approval is asked for" in text
    assert token not in text


def kinds_told() -> set[tuple[str, str]]:
    return set(Mail.objects.filter(kind__startswith="approval_").values_list("address", "kind"))


def test_who_is_told_what(cast: Cast, round_: ApprovalRound, boss: User, ticket: Incident) -> None:
    hand_over()
    assert kinds_told() == {(boss.email, "approval_asked"), (cast.lena.email, "approval_asked")}
    assert Notice.objects.get(user=boss).path == f"/approvals/{round_.public_id}/"
    decide(round_, actor=as_(boss), decision="reject", comment="Too risky")
    hand_over()
    hand_over()
    told = kinds_told() - {(boss.email, "approval_asked"), (cast.lena.email, "approval_asked")}
    # Rita, who asked for the change, is outside the desk: she hears of it by the ticket's room, not of its approval.
    assert told == {(cast.carl.email, "approval_decided"), (cast.anna.email, "approval_decided")}
    text = Mail.objects.get(address=cast.anna.email, kind="approval_decided").text
    assert "Too risky" in text
    assert "Berta Example" in text


def test_a_withdrawal_tells_those_who_were_asked(
    cast: Cast, round_: ApprovalRound, boss: User, ticket: Incident
) -> None:
    withdraw_approvals(ticket, actor=as_(cast.anna), reason="Wrong week")
    hand_over()
    # The request itself is no longer sent: who gets one mail gets the right one.
    assert kinds_told() == {(boss.email, "approval_withdrawn"), (cast.lena.email, "approval_withdrawn")}
    assert "Wrong week" in Mail.objects.get(address=boss.email).text


def test_delegations_page(cast: Cast, chris: User, boss: User, signed_in: SignIn) -> None:
    client = signed_in(boss)
    now = timezone.localtime(db_now())

    def values(**more: str) -> dict[str, str]:
        return {
            "receiver": cast.rosa.email.upper(),
            "starts_at": now.strftime("%Y-%m-%dT%H:%M"),
            "ends_at": (now + timedelta(days=3)).strftime("%Y-%m-%dT%H:%M"),
            "note": "Holiday 🏖",
            **more,
        }

    for more in ({"receiver": "nobody@example.com"}, {"receiver": boss.email}, {"ends_at": "x"}, {"note": "n" * 301}):
        assert client.post("/approvals/delegations/", values(**more)).status_code == 422
    assert client.post("/approvals/delegations/", values(giver=cast.lena.email)).status_code == 302
    made = Delegation.objects.get()
    assert (made.giver, made.receiver) == (boss, cast.rosa)  # only who sets up approvals gives for others
    assert "Holiday 🏖" in client.get("/approvals/delegations/").content.decode()
    assert "Holiday 🏖" in signed_in(cast.olaf).get("/approvals/delegations/").content.decode()
    assert "Holiday 🏖" not in signed_in(cast.rolf).get("/approvals/delegations/").content.decode()
    assert signed_in(cast.rolf).post(f"/approvals/delegations/{made.public_id}/end/").status_code == 404
    assert signed_in(chris).post("/approvals/delegations/", values(giver=cast.lena.email)).status_code == 302
    assert client.post(f"/approvals/delegations/{made.public_id}/end/").status_code == 302
    assert Delegation.objects.get(pk=made.pk).ended_at is not None


def test_a_local_time_that_does_not_exist_is_refused(cast: Cast, boss: User, signed_in: SignIn) -> None:
    boss.time_zone = "Europe/Berlin"
    boss.save()
    values = {"receiver": cast.rosa.email, "starts_at": "2027-03-28T02:30", "ends_at": "2027-04-02T12:00"}
    assert signed_in(boss).post("/approvals/delegations/", values).status_code == 422
    values["starts_at"] = "2027-03-28T03:00"
    assert signed_in(boss).post("/approvals/delegations/", values).status_code == 302
    assert Delegation.objects.get().starts_at.isoformat() == "2027-03-28T01:00:00+00:00"


def test_the_same_number_of_queries_for_two_and_for_twelve_people(
    cast: Cast, chris: User, ticket: Incident, signed_in: SignIn
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    counts = []
    for size in (2, 12):
        crowd = [add_person(f"P{size}x{number}") for number in range(size)]
        policy(chris, stage(people(*crowd, cast.lena), mode=Mode.ALL), stage(people(cast.olaf)))
        found = request_approval(ticket, actor=as_(cast.carl))
        assert len(asked(found)) == size + 1
        client = signed_in(cast.lena)
        page(client, found)
        with CaptureQueriesContext(
            connection,
        ) as seen:
            page(client, found)
        counts.append(len(seen))
        withdraw_approvals(ticket, actor=as_(cast.anna), reason="x")
    assert counts[0] == counts[1]


def test_links_live_as_long_as_the_settings_say(cast: Cast, round_: ApprovalRound, boss: User) -> None:
    token = make_token(Ask.objects.get(person=boss), boss)
    ApprovalSettings.objects.create(pk=1, fallback_role="change_manager", link_days=1)
    assert Client().get(f"/approvals/r/{token}/").status_code == 200

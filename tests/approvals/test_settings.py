"""Approval policies in the settings: the form says what is stored, edits make versions, and what approvals cost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.test import Client

from incidents.actions import open_incident
from incidents.models import Incident
from itsm.accounts.models import AdminEvent, User
from itsm.accounts.roles import Role
from itsm.approvals.actions import decide, request_approval, withdraw_approvals
from itsm.approvals.meter import measure
from itsm.approvals.models import ApprovalPolicy, ApprovalRound, ApprovalSettings, ApprovalStage, Mode
from itsm.tickets.clock import db_now
from slas.actions import install_defaults
from slas.models import BusinessCalendar
from tests.approvals.conftest import add_person, people, policy, stage
from tests.cast import Cast, as_

SignIn = Callable[[User], Client]
BASE = "/desk/settings/approvals/"


def sent(form: Any, stages: Any, **changes: Any) -> dict[str, Any]:
    """What a browser sends of the page as it stands, with some values changed."""
    values: dict[str, Any] = {}
    for one in [form, stages.management_form, *stages.forms]:
        for bound in one:
            value = bound.value()
            if value is True:
                value = "on"
            if value is not None and value is not False and value != "":
                values[bound.html_name] = value
    return {name: value for name, value in {**values, **changes}.items() if value is not None}


def page(client: Client, path: str) -> Any:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer


def test_only_those_who_manage_changes(cast: Cast, chris: User, signed_in: SignIn) -> None:
    row = policy(chris, stage(people(cast.lena)))
    for path in (BASE, f"{BASE}new/", f"{BASE}fallback/", f"{BASE}{row.public_id}/"):
        for person, status in {cast.rita: 404, cast.anna: 403, cast.sven: 403, cast.olaf: 403, chris: 200}.items():
            assert signed_in(person).get(path).status_code == status, (path, person)
    assert b"Approvals" in signed_in(chris).get("/desk/settings/").content


def test_a_policy_from_the_form(cast: Cast, chris: User, ticket: Incident, signed_in: SignIn) -> None:
    install_defaults()
    client = signed_in(chris)
    shown = page(client, f"{BASE}new/")
    calendar = BusinessCalendar.objects.exclude(current=None)[0]
    values = sent(
        shown.context["form"],
        shown.context["stages"],
        **{
            "name": "Network changes",
            "what": "incident:authorise",
            "condition": "team:network",
            "on_change": "refuse",
            "form-0-name": "Board",
            "form-0-mode": "per_group",
            "form-0-sources": ["group:cab", "role:auditor"],
            "form-0-team_0": cast.desktop.public_id,
            "form-0-people_0": cast.lena.public_id,
            "form-0-people_1": cast.ben.public_id,
            "form-0-more_0": cast.sven.public_id,
            "form-0-condition": "priority:<=2",
            "form-0-expires_hours": "16",
            "form-0-calendar": calendar.public_id,
            "form-0-then": "escalate",
            "form-0-to": ["team_lead:"],
            "form-0-to_person": cast.olaf.public_id,
            "form-0-remind_hours": "8",
        },
    )
    assert client.post(f"{BASE}new/", {**values, "form-0-people_0": "nobody"}).status_code == 422
    assert client.post(f"{BASE}new/", {**values, "condition": "colour:red"}).status_code == 422
    assert client.post(f"{BASE}new/", {**values, "form-0-name": ""}).status_code == 422
    answer = client.post(f"{BASE}new/", values, follow=True)
    assert answer.status_code == 200
    stored = ApprovalPolicy.objects.get(kind="incident")
    assert stored.current is not None
    (spec,) = stored.current.stages
    assert spec["approvers"] == [
        {"from": "group", "code": "cab"},
        {"from": "role", "role": "auditor"},
        {"from": "team", "id": cast.desktop.pk},
        people(cast.lena, cast.ben),
        people(cast.sven),
    ]
    assert spec["expires"] == {
        "hours": 16,
        "calendar": calendar.pk,
        "then": "escalate",
        "to": [{"from": "team_lead"}, people(cast.olaf)],
    }
    text = answer.content.decode()
    for words in ("Network changes", "Board", "Team Desktop", "Lena Example", "CAB", "16 h to decide"):
        assert words in text, words
    # The page of what is stored, sent back as it stands, changes nothing.
    path = f"{BASE}{stored.public_id}/"
    shown = page(client, path)
    assert client.post(path, sent(shown.context["form"], shown.context["stages"])).status_code == 302
    again = ApprovalPolicy.objects.get(pk=stored.pk)
    assert (again.current_id, again.current.stages) == (stored.current_id, [spec])


def test_an_edit_makes_a_version_and_two_at_once_are_kept_apart(
    cast: Cast, chris: User, ticket: Incident, signed_in: SignIn
) -> None:
    row = policy(chris, stage(people(cast.lena)))
    round_ = request_approval(ticket, actor=as_(cast.carl))
    path, client = f"{BASE}{row.public_id}/", signed_in(chris)
    first, second = page(client, path), page(client, path)
    mine = sent(first.context["form"], first.context["stages"], **{"form-0-people_0": cast.ben.public_id})
    assert client.post(path, mine).status_code == 302
    theirs = sent(second.context["form"], second.context["stages"], name="Renamed")
    late = client.post(path, theirs)
    assert (late.status_code, "Somebody else changed this" in late.content.decode()) == (409, True)
    kept = sent(late.context["form"], late.context["stages"])
    assert client.post(path, kept).status_code == 302
    fresh = ApprovalPolicy.objects.select_related("current").get(pk=row.pk)
    assert (fresh.name, fresh.current.number) == ("Renamed", 3)
    assert ApprovalRound.objects.get(pk=round_.pk).version.number == 1
    assert AdminEvent.objects.filter(model="approvals.approvalpolicy").count() == 3


def test_one_more_stage_keeps_what_was_typed(cast: Cast, chris: User, signed_in: SignIn) -> None:
    client = signed_in(chris)
    shown = page(client, f"{BASE}new/")
    values = sent(
        shown.context["form"],
        shown.context["stages"],
        **{
            "what": "incident:authorise",
            "name": "Two",
            "form-0-name": "One",
            "form-0-people_0": cast.lena.public_id,
            "more": "1",
        },
    )
    answer = client.post(f"{BASE}new/", values)
    assert (answer.status_code, len(answer.context["stages"].forms)) == (200, 2)
    text = answer.content.decode()
    assert "Lena Example · lena@example.com" in text
    assert not ApprovalPolicy.objects.filter(name="Two").exists()


def test_the_fallback_role_and_the_days_of_links(cast: Cast, chris: User, signed_in: SignIn) -> None:
    client = signed_in(chris)
    for wrong in ({"fallback_role": "requester", "link_days": 7}, {"fallback_role": "auditor", "link_days": 0}):
        assert client.post(f"{BASE}fallback/", wrong).status_code == 422
    assert client.post(f"{BASE}fallback/", {"fallback_role": "auditor", "link_days": 3}).status_code == 302
    assert (ApprovalSettings.current().fallback_role, ApprovalSettings.current().link_days) == ("auditor", 3)
    assert "the role Auditor is asked" in page(client, BASE).content.decode()


def test_who_would_be_asked_stores_nothing(
    cast: Cast, chris: User, ticket: Incident, board: list[User], signed_in: SignIn
) -> None:
    policy(
        chris,
        stage({"from": "ticket_team"}, name="Peers"),
        stage({"from": "service_owner"}, name="Owner"),
        stage({"from": "group", "code": "cab"}, name="Big", condition={"field": "impact", "op": "eq", "value": 1}),
    )
    text = page(signed_in(chris), f"{BASE}?try={ticket.number}").content.decode()
    part = text[text.index('id="try"') : text.index('id="meter"')]
    for words in ("Ben Example", "Lena Example", "Anna Example</bdi> (carries it out)", "fallback role", "not needed"):
        assert words in part, words
    assert not ApprovalRound.objects.exists()
    assert "There is no ticket" in page(signed_in(chris), f"{BASE}?try=CHG9").content.decode()


def test_the_meter_says_what_each_stage_costs_and_brings(
    cast: Cast, chris: User, ticket: Incident, signed_in: SignIn
) -> None:
    policy(chris, stage(people(cast.lena), name="Slow"), stage(people(cast.ben), name="Strict"), name="Measured")
    for number in range(10):
        one = open_incident(actor=as_(cast.carl), title=f"Case {number}", requester=cast.rita)
        round_ = request_approval(one, actor=as_(cast.carl))
        decide(round_, actor=as_(cast.lena), decision="approve")
        begun = ApprovalStage.objects.get(round=round_, position=1)
        # Thirty hours, of which six on hold.
        ApprovalStage.objects.filter(pk=begun.pk).update(
            asked_at=begun.ended_at - timedelta(hours=30), parked_us=6 * 3600 * 1_000_000
        )
        if number < 4:
            decide(round_, actor=as_(cast.ben), decision="reject", comment="No")
        else:
            withdraw_approvals(one, actor=as_(cast.carl), reason="x")
    slow, strict = measure(db_now() - timedelta(days=90))
    assert (slow.stage, slow.decided, slow.rejected, slow.median) == ("Slow", 10, 0, timedelta(hours=24))
    assert (strict.decided, strict.rejected, strict.reject_percent) == (4, 4, 100)
    assert (slow.is_idle, strict.is_idle) == (True, False)
    assert measure(db_now() + timedelta(days=1)) == []
    text = page(signed_in(chris), BASE).content.decode()
    assert "never said no" in text


def test_more_people_than_places_are_kept(cast: Cast, chris: User, signed_in: SignIn) -> None:
    crowd = [add_person(f"Crowd{number}", Role.CAB_MEMBER) for number in range(9)]
    row = policy(chris, stage(people(*crowd), mode=Mode.N_OF_M, needed=5))
    path, client = f"{BASE}{row.public_id}/", signed_in(chris)
    shown = page(client, path)
    assert client.post(path, sent(shown.context["form"], shown.context["stages"], order="7")).status_code == 302
    fresh = ApprovalPolicy.objects.select_related("current").get(pk=row.pk)
    assert (fresh.order, fresh.current_id) == (7, row.current_id)

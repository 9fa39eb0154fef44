"""The pages of changes: every type × state × move × role through them, forms, refusals and what each role finds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from changes.models import Change, ChangeSettings, ChangeTemplate, Questionnaire, RiskRule, Track
from changes.question_text import as_text, from_text
from changes.statuses import MOVES, ChangeType, Status
from incidents.actions import open_incident
from itsm.accounts.models import User
from itsm.tickets.clock import db_now
from itsm.tickets.errors import Invalid
from itsm.tickets.models import LinkKind
from tests.cast import Cast, as_
from tests.changes.conftest import PLANS, Maker, Template
from tests.changes.test_moves import APPROVERS, CASES, FIELDS, expected, make

SignIn = Callable[[User], Client]


def url(change: Change, page: str = "detail", *args: str) -> str:
    """Return the address of a page of the change."""
    return reverse(f"changes:{page}", args=[change.number, *args])


@pytest.mark.parametrize(("kind", "status", "held"), CASES)
def test_every_move_through_the_page(
    maker: Maker, cast: Cast, mona: User, signed_in: SignIn, kind: str, status: str, held: bool
) -> None:
    """The page offers the legal moves and no other; whatever is sent all the same, the answer is as in the table."""
    change = make(maker, kind, status, held)
    legal = expected(kind, status, held)
    page = signed_in(cast.anna).get(url(change)).content.decode()
    offered = {move for move in MOVES if f'"{url(change, "move", move)}"' in page}
    assert offered == set(legal) - APPROVERS
    for person, works in ((cast.rita, None), (cast.olaf, False), (cast.anna, True)):
        client = signed_in(person)
        for move in MOVES:
            said = f"{person}: {move} at {kind}/{status}{' held' if held else ''}"
            with transaction.atomic():
                answer = client.post(url(change, "move", move), FIELDS.get(move, {}))
                now = Change.objects.get(pk=change.pk).status
                transaction.set_rollback(True)
            if works is None:
                assert (answer.status_code, now) == (404, status), said
            elif move not in legal:
                assert (answer.status_code, now) == (409, status), said
            elif not works or move in APPROVERS:
                assert (answer.status_code, now) == (403, status), said
            else:
                assert (answer.status_code, now) == (303, legal[move]), said


def test_a_refused_move_says_all_that_is_missing(cast: Cast, maker: Maker, signed_in: SignIn) -> None:
    change = maker.open(plans={}, planned_start=None, planned_end=None)
    client = signed_in(cast.anna)
    page = client.get(url(change)).content.decode()
    sentences = ("Write how it is made", "Write how it is undone", "Write how one sees", "Say why", "Plan from when")
    assert all(sentence in page for sentence in sentences)
    for headers in ({}, {"HX-Request": "true"}):
        answer = client.post(url(change, "move", "request_approval"), headers=headers)
        assert answer.status_code == 422
        assert all(sentence in answer.content.decode() for sentence in sentences)


def test_the_plan_is_written_on_its_page(cast: Cast, maker: Maker, signed_in: SignIn) -> None:
    change = maker.open(plans={})
    client = signed_in(cast.anna)
    assert client.get(url(change, "plan")).status_code == 200
    sent = {**PLANS, "version": change.version}
    assert client.post(url(change, "plan"), sent).status_code == 303
    change.refresh_from_db()
    assert {name: getattr(change, name) for name in PLANS} == PLANS
    stale = client.post(url(change, "plan"), {**sent, "justification": "Mine"})
    assert stale.status_code == 409
    assert "Mine" in stale.content.decode()  # what was typed is kept
    for sent_text, status in (("x" * 50_001, 422), ("a\x00b", 400)):
        answer = client.post(url(change, "plan"), {**PLANS, "justification": sent_text, "version": change.version})
        assert answer.status_code == status


def test_window_scope_answers_and_times_from_the_panels(
    cast: Cast, maker: Maker, signed_in: SignIn, mona: User
) -> None:
    change = maker.open()
    cast.anna.time_zone = "Europe/Berlin"
    cast.anna.save()
    client = signed_in(cast.anna)
    sent = {"start": "2031-01-15T22:00", "end": "2031-01-16T02:00", "version": change.version}
    assert client.post(url(change, "window"), sent).status_code == 303
    change.refresh_from_db()
    assert change.planned_start.isoformat() == "2031-01-15T21:00:00+00:00"  # what she typed was her own time
    assert 'value="2031-01-15T22:00"' in client.get(url(change)).content.decode()
    for wrong in ({"start": "2031-01-15T22:00", "end": ""}, {"start": "soon", "end": "later"}):
        assert client.post(url(change, "window"), {**wrong, "version": change.version}).status_code == 422
    answer = client.post(url(change, "answers"), {"risk_tested": "twin", "version": change.version}, follow=True)
    assert "Risk is now" in answer.content.decode()
    change.refresh_from_db()
    assert change.risk_answers == {"tested": "twin"}
    scope = {"affected": [cast.mail.public_id], "affected_other": "Rack 7\n\n Rack 8 ", "version": change.version}
    assert client.post(url(change, "scope"), scope).status_code == 303
    change.refresh_from_db()
    assert change.affected_other == ["Rack 7", "Rack 8"]
    assert client.post(url(change, "times"), {"start": "2031-01-15T22:00", "end": ""}).status_code == 422
    assert client.post(url(change, "reassess")).status_code == 303
    for page in ("plan", "scope"):
        assert signed_in(cast.rita).get(url(change, page)).status_code == 404
    assert signed_in(cast.olaf).post(url(change, "scope"), scope).status_code == 403


def test_an_incident_is_linked_from_the_change_and_from_the_incident(
    cast: Cast, maker: Maker, signed_in: SignIn
) -> None:
    change = maker.at(ChangeType.NORMAL, Status.REVIEW)
    client = signed_in(cast.anna)
    first, second = (open_incident(actor=as_(cast.rita), title=f"Down {number}") for number in (1, 2))
    assert client.post(url(change, "caused"), {"number": first.number.lower()}).status_code == 303
    link = {"kind": LinkKind.CAUSED_BY, "number": change.number}
    assert client.post(reverse("incidents:add_link", args=[second.number]), link).status_code == 303
    page = client.get(url(change)).content.decode()
    assert "Down 1" in page
    assert "Down 2" in page
    for wrong in ("INC9999999", change.number, ""):
        assert client.post(url(change, "caused"), {"number": wrong}).status_code == 422
    review = {"review_notes": "Read the manual.", "version": change.version}
    assert client.post(url(change, "review"), review).status_code == 303


def test_a_change_is_opened_short_and_once(cast: Cast, signed_in: SignIn) -> None:
    client = signed_in(cast.anna)
    page = client.get(reverse("changes:new"))
    key = page.context["form"].initial["submission_key"]
    sent = {"change_type": "normal", "title": "Renew it", "affected": [cast.vpn.public_id], "submission_key": key}
    for _ in range(2):
        assert client.post(reverse("changes:new"), sent).status_code == 302
    change = Change.objects.get()
    assert (change.title, change.service, change.requester, change.team) == (
        "Renew it",
        cast.vpn,
        cast.anna,
        cast.network,
    )
    assert client.get(url(change)).status_code == 200
    for wrong in ({"title": ""}, {"title": "x" * 10_000}, {"change_type": "standard"}, {"affected": ["nonsense"]}):
        assert client.post(reverse("changes:new"), {**sent, "submission_key": "n", **wrong}).status_code == 422
    odd = {**sent, "submission_key": "o", "planned_start": "2031-01-15T22:00"}
    assert client.post(reverse("changes:new"), odd).status_code == 422
    assert signed_in(cast.olaf).get(reverse("changes:new")).status_code == 403
    assert signed_in(cast.rita).get(reverse("changes:new")).status_code == 404


def test_a_change_is_opened_for_what_it_fixes(cast: Cast, signed_in: SignIn) -> None:
    client, there = signed_in(cast.anna), reverse("changes:new")
    incident = open_incident(actor=as_(cast.rita), title="VPN drops", service=cast.vpn)
    ticket_page = client.get(reverse("incidents:detail", args=[incident.number])).content.decode()
    assert f"{there}?fixes={incident.number}" in ticket_page
    page = client.get(f"{there}?fixes={incident.number}")
    assert page.context["form"].initial["affected"] == [cast.vpn.public_id]
    sent = {"change_type": "normal", "title": "Renew it", "affected": [cast.vpn.public_id], "submission_key": "k"}
    for wrong, status in (("INC9999999", 422), ("x" * 50, 422), ("\x00", 400)):
        assert client.post(there, {**sent, "fixes": wrong}).status_code == status
    assert not Change.objects.exists()
    for _ in range(2):
        assert client.post(there, {**sent, "fixes": incident.number}).status_code == 302
    change = Change.objects.get()
    assert [(link.kind, link.target_id) for link in incident.links_out.all()] == [("fixed_by", change.pk)]
    assert change.number in client.get(reverse("incidents:detail", args=[incident.number])).content.decode()
    assert change.number not in signed_in(cast.rita).get("/").content.decode()


def test_an_emergency_is_recorded_after_the_act(cast: Cast, signed_in: SignIn) -> None:
    sent = {
        "change_type": "emergency",
        "title": "Restarted it",
        "affected_other": "The switch in the cellar",
        "is_retroactive": "on",
        "actual_start": "2026-11-01T10:00",
        "actual_end": "2026-11-01T10:10",
        "submission_key": "k",
    }
    client = signed_in(cast.anna)
    assert client.post(reverse("changes:new"), {**sent, "change_type": "normal"}).status_code == 422
    assert client.post(reverse("changes:new"), sent).status_code == 302
    change = Change.objects.get()
    assert change.is_retroactive
    assert "Recorded after the act" in client.get(url(change)).content.decode()


def test_a_change_from_a_template(cast: Cast, signed_in: SignIn, make_template: Template) -> None:
    template = make_template(track=Track.STANDARD, duration_minutes=30)
    client = signed_in(cast.anna)
    page = reverse("changes:new_from_template", args=[template.key])
    assert template.name in client.get(reverse("changes:new")).content.decode()
    assert PLANS["backout_plan"] in client.get(page).content.decode()
    start = timezone.localtime(db_now() + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
    sent = {"title": template.name, "planned_start": start, "submission_key": "k"}
    assert client.post(page, sent).status_code == 302
    change = Change.objects.get()
    assert change.change_type == ChangeType.STANDARD
    assert change.planned_end - change.planned_start == timedelta(minutes=30)
    assert client.get(reverse("changes:new_from_template", args=["nothing"])).status_code == 404


TEMPLATE_FORM = {
    "name": "Renew",
    "key": "renew",
    "wanted_track": "normal",
    "title": "Renew a certificate",
    "duration_minutes": "60",
    **PLANS,
    "risk_tested": "twin",
    "form-TOTAL_FORMS": "2",
    "form-INITIAL_FORMS": "0",
    "form-0-title": "Swap",
    "form-0-task_type": "implementation",
    "form-0-starts_after": "0",
    "form-0-takes": "30",
    "form-1-title": "",
}


def test_the_library_from_proposal_to_retirement(cast: Cast, mona: User, signed_in: SignIn) -> None:
    anna, manager = signed_in(cast.anna), signed_in(mona)
    assert anna.get(reverse("changes:propose")).status_code == 200
    assert anna.post(reverse("changes:propose"), {**TEMPLATE_FORM, "form-0-takes": "90"}).status_code == 422
    assert anna.post(reverse("changes:propose"), TEMPLATE_FORM).status_code == 302
    template = ChangeTemplate.objects.get()
    version = template.versions.get()
    assert (version.risk_answers, version.tasks.get().title) == ({"tested": "twin"}, "Swap")
    page = reverse("changes:template", args=["renew"])
    assert "proposed" in manager.get(page).content.decode()
    approve = reverse("changes:decide", args=["renew", 1, "approve"])
    assert anna.post(approve, {"track": "standard"}).status_code == 403
    assert manager.post(approve, {"track": "standard"}).status_code == 302
    assert manager.post(approve, {"track": "standard"}).status_code == 409
    template.refresh_from_db()
    assert template.track == Track.STANDARD
    edit = reverse("changes:propose_version", args=["renew"])
    assert "Swap" in anna.get(edit).content.decode()
    assert anna.post(edit, {**TEMPLATE_FORM, "backout_plan": "Another."}).status_code == 302
    assert manager.post(reverse("changes:decide", args=["renew", 2, "reject"]), {"note": ""}).status_code == 422
    assert manager.post(reverse("changes:decide", args=["renew", 2, "reject"]), {"note": "No."}).status_code == 302
    assert manager.post(reverse("changes:decide", args=["renew", 2, "burn"]), {"note": "No."}).status_code == 404
    assert manager.post(reverse("changes:offer", args=["renew", "accept"])).status_code == 409
    assert "Renew" in anna.get(reverse("changes:templates")).content.decode()
    retire = reverse("changes:retire", args=["renew"])
    assert anna.post(retire, {"note": "Old."}).status_code == 403
    assert manager.post(retire, {"note": "Old."}).status_code == 302
    assert "Retired" in anna.get(page).content.decode()
    assert signed_in(cast.rita).get(page).status_code == 404


def test_rules_questions_and_levels_are_for_the_change_manager(cast: Cast, mona: User, signed_in: SignIn) -> None:
    manager = signed_in(mona)
    risk = reverse("changes:risk")
    for person, status in ((cast.rita, 404), (cast.anna, 403), (mona, 200), (cast.ada, 200)):
        assert signed_in(person).get(risk).status_code == status
    seen = manager.get(risk).context["form"].initial["seen"]
    levels = {"moderate_from": 10, "high_from": 20, "very_high_from": 30, "success_days": 90, "clean_runs": 2}
    assert manager.post(risk, {**levels, "high_from": 5, "seen": seen}).status_code == 422
    assert manager.post(risk, {**levels, "seen": seen}).status_code == 302
    assert ChangeSettings.current().clean_runs == 2
    assert manager.post(risk, {**levels, "clean_runs": 3, "seen": seen}).status_code == 409
    rule = {"name": "Big", "condition": "services:>=9", "points": 9, "order": 5, "is_active": "on"}
    assert manager.post(reverse("changes:rule_new"), {**rule, "condition": "colour:red"}).status_code == 422
    assert manager.post(reverse("changes:rule_new"), rule).status_code == 302
    made = RiskRule.objects.get(name="Big")
    assert "services:&gt;=9" in manager.get(reverse("changes:rule", args=[made.public_id])).content.decode()
    assert manager.post(reverse("changes:rule_remove", args=[made.public_id])).status_code == 302
    assert not RiskRule.objects.filter(name="Big").exists()
    questions = reverse("changes:questions")
    text = manager.get(questions).context["form"].initial["questions"]
    assert manager.post(questions, {"number": 1, "questions": "no question"}).status_code == 422
    assert manager.post(questions, {"number": 1, "questions": text + "\n- new: More = 3"}).status_code == 302
    assert manager.post(questions, {"number": 1, "questions": text}).status_code == 422
    newest = Questionnaire.current()
    assert newest is not None
    assert newest.number == 2


def test_questions_read_as_they_are_written() -> None:
    questions = [{"key": "a", "text": "A: how?", "answers": [{"key": "x", "label": "X = 1", "points": -5}]}]
    assert from_text(as_text(questions)) == questions
    for text, line in (("- a: b = 1", 1), ("a: b\n\nnonsense", 3), ("a: b\n- c: d", 2)):
        with pytest.raises(Invalid, match=f"Line {line}"):
            from_text(text)


def test_the_list_finds_changes(cast: Cast, maker: Maker, signed_in: SignIn) -> None:
    normal = maker.open(title="Normal one")
    maker.at(ChangeType.EMERGENCY, Status.SCHEDULED, title="Urgent one")
    maker.at(ChangeType.NORMAL, Status.CLOSED, title="Old one")
    client = signed_in(cast.anna)
    page = reverse("changes:list")

    def titles(query: str) -> set[str]:
        answer = client.get(page + query)
        assert answer.status_code == 200
        return {row.title for row in answer.context["rows"]}

    assert titles("") == {"Normal one", "Urgent one"}
    assert titles("?status=all") == {"Normal one", "Urgent one", "Old one"}
    assert titles("?type=emergency") == {"Urgent one"}
    assert titles(f"?risk={normal.risk}&status=new") == {"Normal one"}
    assert titles(f"?q={normal.number}") == {"Normal one"}
    assert titles(f"?team={cast.desktop.public_id}") == set()
    assert titles("?status=nonsense&team=%27&risk=x&type=y") == {"Normal one", "Urgent one", "Old one"}
    assert client.get(page + "?cursor=nonsense").status_code == 302
    assert signed_in(cast.rita).get(page).status_code == 404


def test_success_page(cast: Cast, maker: Maker, signed_in: SignIn) -> None:
    client = signed_in(cast.olaf)
    assert client.get(reverse("changes:success")).status_code == 200
    maker.at(ChangeType.NORMAL, Status.CLOSED)
    page = client.get(reverse("changes:success") + "?days=30").content.decode()
    assert "100 %" in page
    assert "Network" in page
    assert client.get(reverse("changes:success") + "?days=nonsense").status_code == 200


@pytest.mark.parametrize("count", [1, 12])
def test_the_page_takes_as_many_queries_however_much_there_is(
    cast: Cast, maker: Maker, signed_in: SignIn, count: int
) -> None:
    change = maker.at(ChangeType.NORMAL, Status.REVIEW, affected_other=[f"Rack {number}" for number in range(count)])
    from changes.models import AffectedService
    from cmdb.models import Service
    from itsm.tickets.actions import link

    for number in range(count):
        service = Service.objects.create(name=f"S{number}", key=f"s{number}")
        AffectedService.objects.create(change=change, service=service)
        incident = open_incident(actor=as_(cast.rita), title=f"Down {number}")
        link(incident, change, LinkKind.CAUSED_BY, actor=as_(cast.anna))
    client = signed_in(cast.anna)
    client.get(url(change))
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(url(change)).status_code == 200
    COUNTS.append(len(captured))
    assert len(set(COUNTS)) == 1, COUNTS
    assert len(captured) <= 45, [query["sql"][:120] for query in captured]


COUNTS: list[int] = []


def test_requesters_never_see_a_change(cast: Cast, maker: Maker, signed_in: SignIn) -> None:
    change = maker.at(ChangeType.NORMAL, Status.REVIEW)
    assert change.requester == cast.rita
    client = signed_in(cast.rita)
    for page in ("detail", "preview", "history", "plan", "scope"):
        assert client.get(url(change, page)).status_code == 404
    assert change.number not in client.get(reverse("portal:requests")).content.decode()
    assert client.get(reverse("portal:request", args=[change.number])).status_code == 404

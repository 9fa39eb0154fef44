"""The library: what is proposed, approved, used, earned and lost (CH-2)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from changes.actions import perform
from changes.actions.library import (
    answer_offer,
    approve_version,
    open_from_template,
    propose_template,
    propose_version,
    reject_version,
    retire_template,
)
from changes.models import Change, ChangeSettings, ChangeTemplate, Track, VersionState
from changes.runs import success_by_team, success_by_template, success_overall
from changes.statuses import ChangeType, Status
from incidents.actions import open_incident
from itsm.accounts.models import AdminEvent, User
from itsm.accounts.roles import Role
from itsm.notifications.models import Notice
from itsm.tickets.actions import link, unlink
from itsm.tickets.actors import SYSTEM
from itsm.tickets.clock import db_now
from itsm.tickets.errors import IllegalMove, Invalid, Refused
from itsm.tickets.models import LinkKind
from itsm.tickets.outbox import dispatch
from tests.cast import PASSWORD, Cast, as_
from tests.changes.conftest import CLOSING, PLANS, Maker, Template

CONTENT = {"title": "Renew the certificate", **PLANS}


def run(template: ChangeTemplate, cast: Cast, code: str = "successful") -> Change:
    """Return a change made from the template and carried to its end."""
    now = db_now()
    change = open_from_template(template, actor=as_(cast.anna), planned_start=now - timedelta(minutes=1))
    standard = change.change_type == ChangeType.STANDARD
    for move in ("schedule",) if standard else ("request_approval", "assessed", "authorised"):
        change = perform(change, move, actor=SYSTEM)
    for move in ("start", "finish"):
        change = perform(change, move, actor=as_(cast.anna))
    return perform(change, "close", actor=as_(cast.anna), fields={**CLOSING, "close_code": code})


def test_nothing_is_made_from_a_proposal(cast: Cast, mona: User) -> None:
    version = propose_template(actor=as_(cast.anna), name="Renewal", key="renewal", content=CONTENT)
    with pytest.raises(IllegalMove, match="not approved"):
        open_from_template(version.template, actor=as_(cast.anna))
    for person in (cast.anna, cast.lena):
        with pytest.raises(Refused):
            approve_version(version, actor=as_(person))
    approve_version(version, actor=as_(mona), track=Track.STANDARD)
    with pytest.raises(IllegalMove, match="decided already"):
        approve_version(version, actor=as_(mona))
    change = open_from_template(version.template, actor=as_(cast.anna))
    assert (change.change_type, change.template_version) == (ChangeType.STANDARD, version)
    assert AdminEvent.objects.filter(model="changes.changetemplate").count() == 2


def test_nobody_approves_what_they_proposed(cast: Cast, mona: User) -> None:
    version = propose_template(actor=as_(mona), name="Renewal", key="renewal", content=CONTENT)
    with pytest.raises(Refused, match="Somebody else"):
        approve_version(version, actor=as_(mona))
    assert approve_version(version, actor=as_(cast.ada)).state == VersionState.APPROVED


def test_a_change_carries_what_the_template_says(cast: Cast, make_template: Template) -> None:
    answers = {"loss": "nothing", "tested": "twin", "undone": "quick", "practice": "often"}
    template = make_template(
        track=Track.STANDARD,
        services=[cast.vpn, cast.mail],
        affected_other=["Rack 7"],
        risk_answers=answers,
        duration_minutes=90,
    )
    start = db_now() + timedelta(days=1)
    change = open_from_template(template, actor=as_(cast.anna), planned_start=start, affected_other=["Rack 8"])
    assert {name: getattr(change, name) for name in PLANS} == PLANS
    assert {row.service for row in change.affected_rows.all()} == {cast.vpn, cast.mail}
    assert change.affected_other == ["Rack 7", "Rack 8"]
    assert (change.risk_answers, change.team) == (answers, cast.network)
    assert change.planned_end == start + timedelta(minutes=90)


def test_the_next_version_replaces_the_one_before(cast: Cast, mona: User, make_template: Template) -> None:
    template = make_template(track=Track.STANDARD)
    old = open_from_template(template, actor=as_(cast.anna), planned_start=db_now() + timedelta(days=1))
    version = propose_version(template, actor=as_(cast.anna), content={**CONTENT, "backout_plan": "Call Ben."})
    assert open_from_template(template, actor=as_(cast.anna)).backout_plan == PLANS["backout_plan"]
    with pytest.raises(IllegalMove, match="waits already"):
        propose_version(template, actor=as_(cast.ben), content=CONTENT)
    approve_version(version, actor=as_(mona))
    fresh = open_from_template(template, actor=as_(cast.anna))
    assert (fresh.template_version.number, fresh.backout_plan) == (2, "Call Ben.")
    assert old.template_version.number == 1
    with pytest.raises(IllegalMove, match="was replaced"):
        perform(old, "schedule", actor=as_(cast.anna))
    assert list(template.versions.order_by("number").values_list("state", flat=True)) == ["superseded", "approved"]


def test_a_proposal_is_rejected_with_a_reason_or_taken_back(cast: Cast, mona: User) -> None:
    version = propose_template(actor=as_(cast.anna), name="Renewal", key="renewal", content=CONTENT)
    with pytest.raises(Invalid):
        reject_version(version, actor=as_(mona), note=" ")
    with pytest.raises(Refused):
        reject_version(version, actor=as_(cast.ben), note="No.")
    assert reject_version(version, actor=as_(cast.anna), note="I was wrong.").state == VersionState.REJECTED


def test_retired_is_retired(cast: Cast, mona: User, make_template: Template) -> None:
    template = make_template()
    with pytest.raises(Refused):
        retire_template(template, actor=as_(cast.lena), reason="Old.")
    with pytest.raises(Invalid):
        retire_template(template, actor=as_(mona), reason="")
    retire_template(template, actor=as_(mona), reason="Old.")
    for deed in (
        lambda: retire_template(template, actor=as_(mona), reason="Old."),
        lambda: open_from_template(template, actor=as_(cast.anna)),
        lambda: propose_version(template, actor=as_(cast.anna), content=CONTENT),
    ):
        with pytest.raises(IllegalMove):
            deed()


@pytest.mark.parametrize(
    ("content", "tasks", "field"),
    [
        ({**CONTENT, "title": ""}, [], "title"),
        ({**CONTENT, "backout_plan": ""}, [], "backout_plan"),
        ({**CONTENT, "duration_minutes": 0}, [], "duration_minutes"),
        ({**CONTENT, "risk_answers": {"x": "y"}}, [], "risk_answers"),
        (CONTENT, [{"title": ""}], "tasks"),
        (CONTENT, [{"title": "Do", "task_type": "rca"}], "tasks"),
        (CONTENT, [{"title": "Do", "starts_after": 50, "takes": 20}], "tasks"),
        (CONTENT, [{"title": "Do", "starts_after": 5}], "tasks"),
        (CONTENT, [{"title": "Do"}] * 51, "tasks"),
    ],
)
def test_content_that_does_not_fit(
    cast: Cast, content: dict[str, object], tasks: list[dict[str, object]], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        propose_template(actor=as_(cast.anna), name="R", key="r", content=content, tasks=tasks)
    assert set(refused.value.fields) == {field}
    assert not ChangeTemplate.objects.filter(versions__isnull=False).exists()


def test_names_and_keys_are_given_once(cast: Cast) -> None:
    propose_template(actor=as_(cast.anna), name="Renewal", key="renewal", content=CONTENT)
    for name, key, field in (("Renewal", "x", "name"), ("X", "RENEWAL", "key"), ("X", "a b", "key")):
        with pytest.raises(Invalid) as refused:
            propose_template(actor=as_(cast.anna), name=name, key=key, content=CONTENT)
        assert set(refused.value.fields) == {field}
    with pytest.raises(Refused):
        propose_template(actor=as_(cast.rita), name="X", key="x", content=CONTENT)


@pytest.fixture
def three_runs(db: None) -> None:
    """Let three clean runs be enough."""
    ChangeSettings.objects.create(pk=1, clean_runs=3)


def test_clean_runs_earn_it_and_a_manager_decides(
    cast: Cast, mona: User, make_template: Template, three_runs: None
) -> None:
    template = make_template()
    runs = [run(template, cast), run(template, cast, "successful_issues"), run(template, cast)]
    template.refresh_from_db()
    assert template.offered_at is None  # issues neither count nor spoil it
    with pytest.raises(IllegalMove):
        answer_offer(template, actor=as_(mona), accept=True)
    runs.append(run(template, cast))
    template.refresh_from_db()
    assert [one["number"] for one in template.evidence] == [runs[0].number, runs[2].number, runs[3].number]
    assert runs[-1].events.filter(code="change.template_offered").count() == 1
    assert template.track == Track.NORMAL  # offered is not made
    with pytest.raises(Refused):
        answer_offer(template, actor=as_(cast.lena), accept=True)
    answer_offer(template, actor=as_(mona), accept=True)
    assert open_from_template(template, actor=as_(cast.anna)).change_type == ChangeType.STANDARD


def test_a_declined_offer_is_earned_anew(cast: Cast, mona: User, make_template: Template, three_runs: None) -> None:
    template = make_template()
    for _ in range(3):
        run(template, cast)
    answer_offer(template, actor=as_(mona), accept=False)
    run(template, cast)
    template.refresh_from_db()
    assert template.offered_at is None


def test_one_failure_takes_it_away_and_the_managers_are_told(
    cast: Cast, mona: User, make_template: Template, three_runs: None
) -> None:
    template = make_template(track=Track.STANDARD)
    waiting = open_from_template(template, actor=as_(cast.anna), planned_start=db_now())
    failed = run(template, cast, "unsuccessful")
    template.refresh_from_db()
    assert (template.track, template.demoted_by) == (Track.NORMAL, failed)
    event = failed.events.get(code="change.template_demoted")
    assert mona.pk in event.data["notify"]["users"]
    while dispatch():
        pass
    assert Notice.objects.filter(user=mona, ticket=failed.ticket_ptr).count() == 1
    assert not Notice.objects.filter(user=cast.lena, kind="change_template").exists()
    with pytest.raises(IllegalMove, match="no standard change any more"):
        perform(waiting, "schedule", actor=as_(cast.anna))
    assert open_from_template(template, actor=as_(cast.anna)).change_type == ChangeType.NORMAL
    for _ in range(2):
        run(template, cast)
    template.refresh_from_db()
    assert template.offered_at is None  # runs before the failure count no longer
    run(template, cast)
    template.refresh_from_db()
    assert template.offered_at is not None


def test_an_incident_that_it_caused_is_a_failure_too(cast: Cast, make_template: Template, three_runs: None) -> None:
    template = make_template(track=Track.STANDARD)
    change = run(template, cast)
    template.refresh_from_db()
    assert template.track == Track.STANDARD
    incident = open_incident(actor=as_(cast.rita), title="The vpn is down")
    made = link(incident, change, LinkKind.CAUSED_BY, actor=as_(cast.anna))
    template.refresh_from_db()
    assert (template.track, template.demoted_by) == (Track.NORMAL, change)
    now = db_now()
    overall = success_overall(now - timedelta(days=1), now + timedelta(days=1))
    assert (overall.rate, overall.clean_rate) == (100, 0)
    unlink(made, actor=as_(cast.anna))
    assert success_overall(now - timedelta(days=1), now + timedelta(days=1)).clean_rate == 100


def test_the_figures_add_up(cast: Cast, maker: Maker, make_template: Template) -> None:
    template = make_template()
    for code in ("successful", "successful", "successful_issues", "unsuccessful"):
        run(template, cast, code)
    maker.at(ChangeType.EMERGENCY, Status.CLOSED, service=None, affected=[cast.mail])
    maker.at(ChangeType.NORMAL, Status.CANCELLED)
    now = db_now()
    period = (now - timedelta(days=1), now + timedelta(days=1))
    network, desktop = success_by_team(*period)
    assert (network.name, network.closed, network.successful, network.with_issues, network.unsuccessful) == (
        "Network",
        4,
        2,
        1,
        1,
    )
    assert (network.rate, network.clean, desktop.emergencies, desktop.rate) == (50, 2, 1, 100)
    (by_template,) = success_by_template(*period)
    assert (by_template.name, by_template.closed) == (template.name, 4)
    overall = success_overall(*period)
    assert (overall.closed, overall.rate) == (5, 60)
    assert success_overall(now + timedelta(days=1), now + timedelta(days=2)).rate is None


def test_a_second_manager_cannot_answer_twice(
    cast: Cast, mona: User, make_template: Template, three_runs: None
) -> None:
    template = make_template()
    for _ in range(3):
        run(template, cast)
    answer_offer(template, actor=as_(mona), accept=True)
    other = User.objects.create_user("max@example.com", PASSWORD, display_name="Max", roles=[Role.CHANGE_MANAGER])
    with pytest.raises(IllegalMove):
        answer_offer(template, actor=as_(other), accept=False)

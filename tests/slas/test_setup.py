"""Setting up calendars, chains and policies: who may, what is refused, and what happens to clocks that run."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from incidents.actions import hold, open_incident, resume
from itsm.accounts.models import User
from itsm.tickets.actions import update
from itsm.tickets.actors import SYSTEM
from itsm.tickets.clock import db_now
from itsm.tickets.errors import Invalid, Refused
from itsm.tickets.models import NO_TARGET, Ticket
from slas.actions import GoalSpec, follow_setup, install_defaults, save_calendar, save_chain, save_policy
from slas.actions.policies import Rules
from slas.calendars import CalendarSpec
from slas.models import (
    BusinessCalendar,
    Goal,
    Run,
    ServiceLevelPolicy,
    Setup,
    SetupVersion,
    State,
    StepDue,
    Timer,
)
from slas.plans import current_levels
from slas.tasks import follow_edits
from tests.cast import Cast, as_
from tests.slas.conftest import CHAIN, HOUR, OFFICE, clock, goals_of, move_back, steps_of

H = timedelta(hours=1)


def opened(cast: Cast, **more: Any) -> Any:
    return open_incident(actor=as_(cast.anna), title="Cannot print", requester=cast.rita, **more)


def test_the_defaults_cover_every_priority(cast: Cast) -> None:
    ServiceLevelPolicy.objects.all().delete()
    assert install_defaults()
    assert not install_defaults()
    targets = Goal.objects.filter(policy__metric="resolution").values_list("order", "target_s", "calendar__name")
    assert list(targets.order_by("order")) == [
        (1, 4 * HOUR, "24×7"),
        (2, 8 * HOUR, "24×7"),
        (3, 24 * HOUR, "Business hours"),
        (4, 40 * HOUR, "Business hours"),
        (5, 80 * HOUR, "Business hours"),
    ]
    incident = opened(cast, impact=1, urgency=1)
    assert clock(incident, "response").target_s == 15 * 60
    assert steps_of(incident) == [(metric, step) for metric in ("resolution", "response") for step in (50, 75, 100)]


def test_only_service_level_managers_set_up(levels: Cast) -> None:
    allowed = {levels.sven, levels.ada}
    for person in levels.everybody:
        fresh = User.objects.get(pk=person.pk)
        for deed in (
            lambda actor: save_calendar("Mine", OFFICE, actor=actor),
            lambda actor: save_chain("Mine", CHAIN, actor=actor),
            lambda actor: save_policy(
                "Mine",
                metric="response",
                goals=[GoalSpec(60, BusinessCalendar.objects.get(name="Hours"))],
                condition={"field": "priority", "op": "eq", "value": 5},
                actor=actor,
            ),
        ):
            if person in allowed:
                deed(as_(fresh))
            else:
                with pytest.raises(Refused):
                    deed(as_(fresh))


def test_the_same_hours_make_no_new_version(levels: Cast) -> None:
    stamp = Setup.objects.get().stamp
    saved = save_calendar("Hours", CalendarSpec.always().to_json(), actor=as_(levels.sven))
    assert saved.versions.count() == 1
    assert Setup.objects.get().stamp == stamp


def test_new_hours_let_clocks_go_on_without_a_jump(levels: Cast) -> None:
    """17: what has elapsed, and a breach, stay; from now on the new hours count."""
    incident, breached, held = opened(levels), opened(levels), opened(levels)
    hold(held, actor=as_(levels.anna), hold_reason="awaiting_vendor")
    move_back(incident, 2 * H)
    move_back(breached, 9 * H)
    due_before = clock(breached).due_at
    calendar = save_calendar("Hours", OFFICE, actor=as_(levels.sven))
    timer = clock(incident)
    assert timer.calendar_version == calendar.current
    [run] = Run.objects.filter(timer=timer)
    assert run.calendar_version.number == 1
    assert run.elapsed_us == timer.elapsed_closed_us
    assert timedelta(0) <= timedelta(microseconds=run.elapsed_us) - 2 * H < timedelta(seconds=30)
    assert timer.due_at == calendar.current.hours.due(timer.run_started_at, timer.target_us - run.elapsed_us)
    assert {step.version for step in timer.steps_due.all()} == {2}
    assert clock(breached).breached_at == clock(breached).due_at == due_before
    assert clock(held).calendar_version.number == 1
    resume(held, actor=as_(levels.anna))
    assert clock(held).calendar_version.number == 2
    before = list(Timer.objects.order_by("pk").values())
    save_calendar("Hours", OFFICE, actor=as_(levels.sven))
    assert list(Timer.objects.order_by("pk").values()) == before


def test_what_an_edit_did_not_reach_at_once_follows_later(levels: Cast) -> None:
    many = [opened(levels) for _number in range(4)]
    with patch("slas.actions.calendars.MOVED_AT_ONCE", 1):
        calendar = save_calendar("Hours", OFFICE, actor=as_(levels.sven))
    assert [clock(incident).calendar_version.number for incident in many] == [2, 1, 1, 1]
    assert follow_setup(limit=2) == 4
    assert follow_edits() == 2
    assert follow_edits() == 0
    assert {timer.calendar_version for timer in Timer.objects.all()} == {calendar.current}


def test_a_calendar_without_hours_yet_keeps_no_clock_back(levels: Cast) -> None:
    BusinessCalendar.objects.create(name="To be filled in")
    incident = opened(levels)
    calendar = save_calendar("Hours", OFFICE, actor=as_(levels.sven))
    assert clock(incident).calendar_version == calendar.current


def test_a_goal_put_before_others_leaves_their_clocks_alone(levels: Cast) -> None:
    calendar = BusinessCalendar.objects.get(name="Hours")
    urgent = {"field": "priority", "op": "eq", "value": 1}
    usual = GoalSpec(4 * HOUR, calendar)
    anew = Rules(on_retarget="restart")
    save_policy("Fix", metric="resolution", kind="ola", goals=[usual], rules=anew, actor=SYSTEM)
    incident = opened(levels)
    first = incident.timers.get(kind="ola")
    goals = [GoalSpec(HOUR, calendar, condition=urgent), usual]
    policy = save_policy("Fix", metric="resolution", kind="ola", goals=goals, rules=anew, actor=SYSTEM)
    assert [goal.target_s for goal in policy.goals.order_by("order")] == [HOUR, 4 * HOUR]
    update(incident, {"title": "Cannot print at all"}, actor=as_(levels.anna))
    assert [(timer.pk, timer.state) for timer in incident.timers.filter(kind="ola")] == [(first.pk, "running")]
    save_policy("Fix", metric="resolution", kind="ola", goals=goals[::-1], rules=anew, actor=SYSTEM)
    save_policy("Fix", metric="resolution", kind="ola", goals=[usual], rules=anew, actor=SYSTEM)
    assert list(Goal.stored.filter(policy=policy).order_by("order").values_list("order", "target_s", "is_active")) == [
        (1, 4 * HOUR, True),
        (2, HOUR, False),
    ]
    assert Goal.objects.get(policy=policy).pk == first.goal_id


def test_what_was_promised_is_on_record_by_the_clock_of_the_database(levels: Cast) -> None:
    wrong = datetime(1999, 1, 1, tzinfo=UTC)
    before = db_now()
    opened(levels)
    with patch.object(SetupVersion._meta.get_field("at"), "_get_default", lambda: wrong):
        save_calendar("Hours", OFFICE, actor=as_(levels.sven))
    assert SetupVersion.objects.order_by("pk")[SetupVersion.objects.count() - 1].at > before


def test_a_policy_that_is_switched_off_alarms_no_more(levels: Cast) -> None:
    incident = opened(levels)
    policy = ServiceLevelPolicy.objects.get(metric="response")
    goals = [GoalSpec(goal.target_s, goal.calendar, goal.condition, goal.chain) for goal in policy.goals.all()]
    save_policy(policy.name, metric="response", goals=goals, is_active=False, actor=as_(levels.sven))
    assert clock(incident, "response").state == State.CANCELLED
    assert steps_of(incident) == [("resolution", 50), ("resolution", 75), ("resolution", 100)]
    assert Ticket.objects.get(pk=incident.pk).queue_due_at == clock(incident).due_at
    assert not Timer.objects.filter(ticket=opened(levels), metric="response").exists()


def test_a_policy_edit_is_for_tickets_to_come(levels: Cast) -> None:
    incident = opened(levels)
    calendar = BusinessCalendar.objects.get(name="Hours")
    critical = goals_of("resolution")[0]
    goals = [GoalSpec(critical.target_s, calendar, critical.condition), GoalSpec(60, calendar)]
    save_policy("Resolution", metric="resolution", goals=goals, actor=as_(levels.sven))
    update(incident, {"title": "Other words"}, actor=as_(levels.anna))
    assert clock(incident).target_s == 8 * HOUR
    assert clock(opened(levels)).target_s == 60
    others = GoalSpec(60, calendar, {"field": "priority", "op": "in", "value": [2, 3, 4, 5]})
    save_policy("Resolution", metric="resolution", goals=[others], actor=as_(levels.sven))
    update(incident, {"title": "Its goal is gone"}, actor=as_(levels.anna))
    assert clock(incident).target_s == 60


def test_a_goal_that_is_taken_out_stays_for_the_clocks_that_name_it(levels: Cast) -> None:
    incident = opened(levels)
    last = goals_of("resolution")[1]
    version = clock(incident).version
    before = current_levels()
    specs = [GoalSpec(goal.target_s, goal.calendar, goal.condition, goal.chain) for goal in goals_of("resolution")]
    save_policy("Resolution", metric="resolution", goals=specs[:1], actor=as_(levels.sven))
    assert last not in goals_of("resolution")
    assert last not in last.policy.goals.all()
    assert not Goal.stored.get(pk=last.pk).is_active
    assert (clock(incident).goal_id, clock(incident).version) == (last.pk, version)
    with patch(
        "slas.actions.following.current_levels", return_value=before
    ):  # a verb that read the set-up before the edit was stored
        late = opened(levels)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert clock(late).goal_id == last.pk
    assert not Timer.objects.filter(ticket=opened(levels), metric="resolution").exists()
    save_policy("Resolution", metric="resolution", goals=specs, actor=as_(levels.sven))
    assert goals_of("resolution")[1] == last
    assert clock(opened(levels)).goal_id == last.pk


def test_a_more_special_policy_comes_first_and_takes_over_a_running_clock(levels: Cast) -> None:
    calendar = BusinessCalendar.objects.get(name="Hours")
    save_policy(
        "VPN",
        metric="resolution",
        goals=[GoalSpec(2 * HOUR, calendar)],
        condition={"field": "service", "op": "eq", "value": "vpn"},
        order=10,
        pause_condition=None,
        actor=as_(levels.sven),
    )
    incident = opened(levels)
    assert clock(incident).target_s == 8 * HOUR
    changed = update(incident, {"service": levels.vpn}, actor=as_(levels.anna))
    assert clock(incident).policy.name == "VPN"
    assert clock(incident).due_at == incident.opened_at + 2 * H
    hold(changed, actor=as_(levels.anna), hold_reason="awaiting_vendor")
    assert clock(incident).state == State.RUNNING
    assert clock(incident, "response").state == State.PAUSED
    assert Timer.objects.filter(ticket=incident).count() == 2


def test_a_ticket_that_leaves_every_policy_loses_its_clock(levels: Cast) -> None:
    only_critical = {"field": "priority", "op": "eq", "value": 1}
    calendar = BusinessCalendar.objects.get(name="Hours")
    for metric in ("response", "resolution"):
        save_policy(
            metric.title(),
            metric=metric,
            goals=[GoalSpec(HOUR, calendar)],
            condition=only_critical,
            actor=as_(levels.sven),
        )
    incident = opened(levels)
    assert incident.queue_due_at == NO_TARGET
    update(incident, {"impact": 1, "urgency": 1}, actor=as_(levels.anna))
    assert clock(incident).state == State.RUNNING
    update(incident, {"impact": 3}, actor=as_(levels.anna))
    assert clock(incident).state == State.CANCELLED
    assert Ticket.objects.get(pk=incident.pk).queue_due_at == NO_TARGET
    update(incident, {"impact": 1}, actor=as_(levels.anna))
    assert (clock(incident).state, clock(incident).cycle_no) == (State.RUNNING, 2)


NEVER = CalendarSpec("UTC", ((),) * 7, allow_never=True)


def test_a_target_that_is_never_due_is_refused(levels: Cast) -> None:
    never = save_calendar("Never", NEVER, actor=as_(levels.sven))
    with pytest.raises(Invalid) as refused:
        save_policy("X", metric="response", goals=[GoalSpec(60, never)], actor=as_(levels.sven))
    assert list(refused.value.fields) == ["goal 1"]
    with pytest.raises(Invalid) as refused:
        save_calendar("Hours", NEVER, actor=as_(levels.sven))
    assert "spec" in refused.value.fields
    assert BusinessCalendar.objects.get(name="Hours").versions.count() == 1


def test_a_target_by_dated_hours_alone_is_refused_because_they_come_to_an_end(levels: Cast) -> None:
    duty = {date(2118, 12, day): ((0, 1440),) for day in range(1, 29)}
    dated = CalendarSpec("UTC", ((),) * 7, overrides=duty, allow_never=True)
    calendar = save_calendar("Duty", dated, actor=as_(levels.sven))
    with pytest.raises(Invalid) as refused:
        save_policy("X", metric="response", goals=[GoalSpec(60, calendar)], actor=as_(levels.sven))
    assert "weekly hours" in refused.value.fields["goal 1"]
    with pytest.raises(Invalid) as refused:
        save_calendar("Hours", dated, actor=as_(levels.sven))
    assert "weekly hours" in refused.value.fields["spec"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x\x00"}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"metric": "speed"}, "metric"),
        ({"kind": "xla"}, "kind"),
        ({"goals": []}, "goals"),
        ({"target": 0}, "goal 1"),
        ({"target": True}, "goal 1"),
        ({"target": 10**9}, "goal 1"),
        ({"condition": {"field": "shoe size", "op": "eq", "value": 1}}, "condition"),
        ({"condition": {"field": "assignee", "op": "eq", "value": "me"}}, "condition"),
        ({"condition": {"field": "text", "op": "matches", "value": "x"}}, "condition"),
        ({"pause_condition": {"what": 1}}, "pause_condition"),
    ],
)
def test_a_policy_that_does_not_fit_is_refused_with_a_sentence(
    levels: Cast, changes: dict[str, Any], field: str
) -> None:
    calendar = BusinessCalendar.objects.get(name="Hours")
    given: dict[str, Any] = {"name": "New", "metric": "response", **changes}
    goals = given.pop("goals", [GoalSpec(given.pop("target", 60), calendar)])
    with pytest.raises(Invalid) as refused:
        save_policy(given.pop("name"), goals=goals, actor=as_(levels.sven), **given)
    assert refused.value.fields[field]
    assert ServiceLevelPolicy.objects.count() == 2


@pytest.mark.parametrize(
    "step",
    [
        {"percent": 0},
        {"percent": 1001},
        {"percent": "50"},
        {"percent": True},
        {"percent": 50, "actions": [{"do": "shout"}]},
        {"percent": 50, "actions": [{"do": "notify", "who": ["everybody"]}]},
        {"percent": 50, "actions": [{"do": "notify"}]},
        {"percent": 50, "actions": [{"do": "assign_team", "team": 0}]},
    ],
)
def test_a_chain_that_does_not_fit_is_refused(levels: Cast, step: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as refused:
        save_chain("New", [step], actor=as_(levels.sven))
    assert refused.value.fields["steps"]
    with pytest.raises(Invalid):
        save_chain("New", [{"percent": 50}, {"percent": 50}], actor=as_(levels.sven))


def test_clocks_keep_the_chain_they_began_with(levels: Cast) -> None:
    incident = opened(levels)
    save_chain("Chain", [{"percent": 90, "actions": []}], actor=as_(levels.sven))
    assert clock(incident).chain_version.number == 1
    assert steps_of(opened(levels)) == [(m, s) for m in ("resolution", "response") for s in (90, 100)]


def test_a_step_beyond_the_last_year_of_the_calendar_is_never_due_and_breaks_nothing(levels: Cast) -> None:
    save_chain("Chain", [{"percent": 1000, "actions": []}], actor=as_(levels.sven))
    Goal.objects.update(target_s=10 * 366 * 24 * HOUR)
    Setup.objects.update(stamp="another")
    incident = opened(levels)
    assert steps_of(incident) == [(m, 100) for m in ("resolution", "response")]
    hold(incident, actor=as_(levels.anna), hold_reason="awaiting_vendor")
    assert clock(incident).state == State.PAUSED


def test_a_condition_that_lost_its_meaning_matches_nothing_and_breaks_nothing(levels: Cast) -> None:
    save_policy(
        "Network only",
        metric="response",
        goals=[GoalSpec(60, BusinessCalendar.objects.get(name="Hours"))],
        condition={"field": "team", "op": "eq", "value": "network"},
        order=1,
        actor=as_(levels.sven),
    )
    assert clock(opened(levels, team=levels.network), "response").target_s == 60
    levels.network.key = levels.network.name = "renamed"
    levels.network.save()
    assert clock(opened(levels, team=levels.network), "response").target_s == 4 * HOUR


def test_the_database_holds_what_the_code_promises(levels: Cast) -> None:
    incident = opened(levels)
    hold(incident, actor=as_(levels.anna), hold_reason="awaiting_vendor")
    timer = clock(incident)
    wrong = (
        {"state": State.RUNNING},
        {"state": State.MET},
        {"state": State.MISSED},
        {"due_at": timer.started_at},
        {"elapsed_closed_us": -1},
        {"target_us": 0},
    )
    for values in wrong:
        with pytest.raises(IntegrityError), transaction.atomic():
            Timer.objects.filter(pk=timer.pk).update(**values)
    timer.pk, timer.cycle_no = None, 2
    with pytest.raises(IntegrityError), transaction.atomic():
        timer.save(force_insert=True)
    for sql in (
        "UPDATE slas_run SET elapsed_us = 0",
        "DELETE FROM slas_run",
        "UPDATE slas_calendarversion SET spec = '{}'",
        "UPDATE slas_chainversion SET steps = '[]'",
    ):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql)
    assert StepDue.objects.count() == 0
    assert SYSTEM.is_system

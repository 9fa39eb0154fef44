"""Timers made anew from the log: nothing differs where nothing was touched, and what was touched is brought back."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, InternalError, ProgrammingError, connection, transaction

from incidents.actions import hold, open_incident, reopen, resolve, resume
from incidents.models import Incident
from itsm.tickets.actions import assign, override_priority, update
from itsm.tickets.actors import SYSTEM, Actor, Channel
from itsm.tickets.models import Ticket
from slas.actions import save_calendar, save_chain, settle_imported
from slas.actions.batches import follow_setup
from slas.calendars import CalendarSpec
from slas.models import Correction, Goal, Run, SetupVersion, SlaEvent, StepDue, Sweep, Timer
from slas.tick import tick
from tests.cast import Cast
from tests.slas.conftest import HOUR, MONDAY_NINE, OFFICE, at
from tests.slas.promises import FIXED, answers, asks, is_, no_promises, promise, steps_listed

LATER = CalendarSpec("UTC", (((600, 1080),),) * 5 + ((), ()))
METRICS = ("response", "next_response", "update", "resolution", "team_stay", "supplier")


def then(hours: float) -> Any:
    return MONDAY_NINE + timedelta(hours=hours)


@pytest.fixture
def desk(cast: Cast) -> Cast:
    """All metrics, by office hours, with a chain."""
    no_promises()
    office = save_calendar("Office", OFFICE, actor=SYSTEM)
    chain = save_chain("Chain", steps_listed(50, 100), actor=SYSTEM)
    for metric in METRICS:
        critical = {"target_s": 2 * HOUR, "condition": is_("priority", 1)}
        promise(metric, critical, 8 * HOUR, calendar=office, chain=chain)
    return cast


def lived(cast: Cast) -> Incident:
    incident: Any = open_incident(actor=at(cast.imke, MONDAY_NINE), title="Cannot print", requester=cast.rita)
    incident = assign(incident, actor=at(cast.imke, then(0.5)), team=cast.network)
    answers(cast, incident, then(1))
    incident = override_priority(incident, 1, reason="Urgent", actor=at(cast.imke, then(2)))
    asks(cast, incident, then(2.5))
    incident = hold(incident, actor=at(cast.imke, then(3)), hold_reason="awaiting_vendor")
    incident = resume(incident, actor=at(cast.imke, then(5)))
    answers(cast, incident, then(6))
    incident = resolve(incident, actor=at(cast.imke, then(7)), **FIXED)
    return reopen(incident, actor=at(cast.imke, then(25)), comment="No")


def present(cast: Cast) -> Incident:
    """An incident of this moment."""
    actor = Actor(cast.anna, Channel.DESK)
    incident: Any = open_incident(actor=Actor(cast.rita, Channel.PORTAL), title="Cannot print")
    incident = assign(incident, actor=actor, team=cast.network, assignee=cast.anna)
    incident = hold(incident, actor=actor, hold_reason="awaiting_vendor")
    return resume(incident, actor=actor)


def rebuilt(*arguments: str, code: int = 0) -> str:
    out = StringIO()
    if code:
        with pytest.raises(SystemExit) as ended:
            call_command("rebuild_timers", *arguments, stdout=out)
        assert ended.value.code == code
    else:
        call_command("rebuild_timers", *arguments, stdout=out)
    return out.getvalue()


def rows() -> list[dict[str, Any]]:
    return list(Timer.objects.order_by("pk").values())


def clean() -> None:
    """The log gives what is stored."""
    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("rebuild_timers", "--dry-run", stdout=out)
    assert out.getvalue().splitlines()[:-1] == []
    assert ended.value.code == 0


def test_an_untouched_desk_has_no_differences(desk: Cast) -> None:
    lived(desk)
    present(desk)
    clean()
    settle_imported(actor=SYSTEM)
    clean()
    tick()
    clean()
    before = rows()
    assert "0 differences corrected" in rebuilt()
    assert rows() == before
    assert not Correction.objects.exists()


def test_edits_of_what_is_promised_count_from_when_they_were_made(desk: Cast) -> None:
    incident: Any = present(desk)
    save_calendar("Office", LATER, actor=SYSTEM)
    assert Sweep.objects.filter(ticket=incident).count() == 1
    clean()
    Goal.objects.filter(policy__metric="resolution", order=2).update(target_s=HOUR)
    promise("resolution", 3 * HOUR, name="VPN first", condition=is_("service", "vpn"), order=1)
    clean()
    update(incident, {"service": desk.vpn}, actor=Actor(desk.anna, Channel.DESK))
    assert Timer.objects.get(ticket=incident, metric="resolution").target_s == 3 * HOUR
    clean()
    Timer.objects.filter(ticket=incident, metric="resolution").first()
    policy = Timer.objects.get(ticket=incident, metric="team_stay").policy
    policy.is_active = False
    policy.save()
    from slas.actions.setting_up import touch_setup

    touch_setup()
    follow_setup()
    assert Timer.objects.get(ticket=incident, metric="team_stay").state == "cancelled"
    clean()


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("target_us", 5 * HOUR * 1_000_000),
        ("started_at", MONDAY_NINE - timedelta(days=3)),
        ("elapsed_closed_us", 77),
        ("state", "cancelled"),
        ("time_zone", "Asia/Tokyo"),
    ],
)
def test_a_touched_column_is_named_brought_back_and_put_on_record(desk: Cast, column: str, value: Any) -> None:
    incident = lived(desk)
    settle_imported(actor=SYSTEM)
    stopped = Timer.objects.filter(ticket=incident, metric="response")
    before = stopped.values().get()
    stopped.update(**{column: value})
    line = f"{incident.number} response 1 (sla) {column}:"
    assert line in rebuilt("--dry-run", "--number", incident.number, code=1)
    assert stopped.values().get()[column] == value
    assert line in rebuilt("--number", incident.number.lower())
    after = stopped.values().get()
    assert {**after, "version": 0} == {**before, "version": 0}
    correction = Correction.objects.get(part=column)
    assert (correction.ticket_id, correction.timer_id) == (incident.pk, before["id"])
    clean()


def test_a_running_timer_gets_its_due_instant_and_steps_back(desk: Cast) -> None:
    incident = present(desk)
    timer = Timer.objects.get(ticket=incident, metric="resolution")
    due, steps = timer.due_at, sorted(StepDue.objects.filter(timer=timer).values_list("step", "fire_at"))
    Timer.objects.filter(pk=timer.pk).update(due_at=due + timedelta(days=1))
    StepDue.objects.filter(timer=timer).delete()
    Ticket.objects.filter(pk=incident.pk).update(queue_due_at=due + timedelta(days=9))
    said = rebuilt()
    assert [part in said for part in ("resolution 1 (sla) due_at", "1 (sla) steps", "ticket queue_due_at")] == [
        True
    ] * 3
    timer.refresh_from_db()
    assert timer.due_at == due
    assert sorted(StepDue.objects.filter(timer=timer).values_list("step", "fire_at")) == steps
    clean()


def test_runs_that_were_changed_are_replaced_and_written_down(desk: Cast) -> None:
    incident = lived(desk)
    timer = Timer.objects.get(ticket=incident, metric="resolution")
    before = list(timer.runs.order_by("pk").values("started_at", "ended_at", "elapsed_us", "time_zone"))
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE slas_run DISABLE TRIGGER run_append_only")
        cursor.execute("UPDATE slas_run SET elapsed_us = 1 WHERE timer_id = %s", [timer.pk])
        cursor.execute("ALTER TABLE slas_run ENABLE TRIGGER run_append_only")
    assert "resolution 1 (sla) runs:" in rebuilt()
    assert list(timer.runs.order_by("pk").values("started_at", "ended_at", "elapsed_us", "time_zone")) == before
    written = Correction.objects.filter(part="run", timer_id=timer.pk)
    assert [row.old["elapsed_us"] for row in written] == [1] * len(before)
    clean()


def test_timers_that_are_gone_are_made_anew(desk: Cast) -> None:
    incident = lived(desk)
    compared = ("kind", "metric", "cycle_no", "state", "target_us", "due_at", "stopped_at", "elapsed_closed_us")
    before = sorted(Timer.objects.values_list(*compared))
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table, trigger in (("slas_run", "run_append_only"), ("slas_slaevent", "slaevent_append_only")):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {trigger}")
    SlaEvent.objects.all().delete()
    Run.objects.all().delete()
    StepDue.objects.all().delete()
    Timer.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table, trigger in (("slas_run", "run_append_only"), ("slas_slaevent", "slaevent_append_only")):
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER {trigger}")
    assert f"{incident.number} response 1 (sla) timer: none → met" in rebuilt()
    assert sorted(Timer.objects.values_list(*compared)) == before
    assert not SlaEvent.objects.filter(told=True).exists()
    clean()


def test_a_timer_that_the_log_does_not_give_is_cancelled_never_removed(desk: Cast) -> None:
    incident = present(desk)
    real = Timer.objects.get(ticket=incident, metric="resolution")
    Timer.objects.filter(pk=real.pk).update(cycle_no=9)
    rebuilt()
    real.refresh_from_db()
    assert (real.cycle_no, real.state) == (9, "cancelled")
    assert Timer.objects.filter(ticket=incident, metric="resolution", cycle_no=1, state="running").count() == 1


@pytest.mark.parametrize("table", ["slas_run", "slas_sweep", "slas_setupversion", "slas_correction"])
def test_what_is_on_record_can_be_neither_changed_nor_removed(desk: Cast, table: str) -> None:
    incident = lived(desk)
    settle_imported(actor=SYSTEM)
    Timer.objects.filter(ticket=incident, metric="response").update(target_us=1)
    rebuilt()
    for sql in (f"UPDATE {table} SET id = id", f"DELETE FROM {table}"):  # noqa: S608
        with pytest.raises((IntegrityError, InternalError, ProgrammingError)), transaction.atomic():
            connection.cursor().execute(sql)


def test_a_fresh_desk_has_what_it_promises_on_record(cast: Cast) -> None:
    first = SetupVersion.objects.order_by("at").first()
    assert first is not None
    assert first.at.year == 1970
    assert {policy["metric"] for policy in first.content["policies"]} == {"response", "resolution"}

"""A draft tried on the past: the rules of production, beside what was promised; a job that survives its workers."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from incidents.actions import open_incident, resolve
from itsm.accounts.models import User
from itsm.tickets.actors import SYSTEM
from itsm.tickets.clock import db_now
from itsm.tickets.errors import IllegalMove, Invalid, Refused
from itsm.tickets.models import Ticket
from slas.actions import GoalSpec, save_policy
from slas.actions.trials import Selection, prepare_trial, repeat_trial, start_trial, stop_trial, try_on_open_tickets
from slas.models import BusinessCalendar, Timer, Trial, TrialRow
from slas.plans import current_levels
from slas.rehearsal import running
from slas.rehearsal.running import claim, delete_old, work
from slas.whatif.drafts import try_out
from tests.cast import Cast, as_
from tests.slas.conftest import HOUR, MONDAY_NINE, OFFICE, at, make_levels

FIXED = {"resolution_code": "solution_provided", "resolution_notes": "Done."}
MARCH = Selection(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))


def draft(hours: int, *, name: str = "Resolution", **more: Any) -> Any:
    calendar = BusinessCalendar.objects.get(name="Hours")
    return try_out(
        lambda: save_policy(name, metric="resolution", goals=[GoalSpec(hours * HOUR, calendar)], actor=SYSTEM, **more)
    )


@pytest.fixture
def desk(cast: Cast) -> Cast:
    """Three incidents of March, resolved after 1, 6 and 20 hours at work; 8 hours were promised."""
    make_levels(OFFICE)
    for index, (took_days, took_hours) in enumerate(((0, 1), (0, 6), (2, 4))):
        opened = MONDAY_NINE + timedelta(days=index % 2)
        incident = open_incident(actor=at(cast.imke, opened), title=f"No. {index}", requester=cast.rita)
        end = opened + timedelta(days=took_days, hours=took_hours)
        resolve(incident, actor=at(cast.imke, end), **FIXED)
    return cast


def prepared(desk: Cast, levels: Any, who: User | None = None) -> Trial:
    return prepare_trial("Try", levels, kind="sla", metric="resolution", actor=as_(who or desk.sven))


def rehearsed(desk: Cast, levels: Any, selection: Selection = MARCH) -> Trial:
    trial = start_trial(prepared(desk, levels), selection, actor=as_(desk.sven))
    work()
    trial.refresh_from_db()
    return trial


def test_what_was_promised_comes_out_as_it_was(desk: Cast) -> None:
    """The rules of production on the same promise give the same clocks, whatever road they came by."""
    trial = rehearsed(desk, current_levels())
    assert (trial.state, trial.done, trial.total, trial.failures) == ("done", 3, 3, 0)
    rows = list(TrialRow.objects.filter(trial=trial))
    assert len(rows) == 3
    for row in rows:
        for name in ("goal", "verdict", "target_us", "elapsed_us", "due_at", "breached_at"):
            assert getattr(row, name) == getattr(row, f"real_{name}"), name
    assert trial.result["whole"]["would"] == trial.result["whole"]["did"]
    assert (trial.result["gained"], trial.result["lost"]) == (0, 0)


@pytest.mark.parametrize(("hours", "met", "gained", "lost"), [(4, 1, 1, 0), (8, 2, 0, 0), (24, 3, 0, 1)])
def test_another_target_would_have_been_met_by_others(desk: Cast, hours: int, met: int, gained: int, lost: int) -> None:
    trial = rehearsed(desk, draft(hours))
    would, did = trial.result["whole"]["would"], trial.result["whole"]["did"]
    assert (would["met"], would["late"], did["met"], did["late"]) == (met, 3 - met, 2, 1)
    assert would["share"] == round(met / 3, 6)
    assert (trial.result["gained"], trial.result["lost"]) == (gained, lost)
    [month] = trial.result["months"]
    assert (month["name"], month["would"]["met"]) == ("2026-03-01", met)
    assert {line["name"] for line in trial.result["goals"]} == {f"Resolution · {hours} h"}
    assert {line["name"] for line in trial.result["real_goals"]} == {"Resolution · 8 h"}


def test_only_the_chosen_tickets_are_gone_through(desk: Cast) -> None:
    monday = Selection(MARCH.opened_from, MONDAY_NINE + timedelta(hours=1))
    assert rehearsed(desk, draft(4), monday).total == 2
    title = {"field": "title", "op": "contains", "value": "No. 2"}
    assert rehearsed(desk, draft(4), Selection(MARCH.opened_from, MARCH.opened_until, title)).total == 1
    april = Selection(MARCH.opened_until, MARCH.opened_until + timedelta(days=1))
    nothing = rehearsed(desk, draft(4), april)
    assert (nothing.state, nothing.total, nothing.result["whole"]["would"]["share"]) == ("done", 0, None)


def test_a_rehearsal_writes_nothing_but_its_own(desk: Cast) -> None:
    before = [list(model.objects.order_by("pk").values()) for model in (Timer, Ticket)]
    rehearsed(desk, draft(4))
    assert [list(model.objects.order_by("pk").values()) for model in (Timer, Ticket)] == before


def test_a_draft_for_fewer_tickets_leaves_the_others_without_a_clock(desk: Cast) -> None:
    make_levels(OFFICE)
    title = {"field": "title", "op": "contains", "value": "No. 2"}
    only_one = draft(4, condition=title)
    trial = rehearsed(desk, only_one)
    assert trial.result["whole"]["would"] | {"share": 0} == {
        "met": 0, "late": 1, "open": 0, "cancelled": 0, "none": 2, "share": 0,
    }  # fmt: skip


def test_another_worker_goes_on_where_a_killed_one_was(desk: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "BATCH", 1)
    trial = start_trial(prepared(desk, draft(4)), MARCH, actor=as_(desk.sven))
    assert work(0) == 1  # its time is up after one batch
    killed = claim()
    assert killed is not None
    assert claim() is None  # the lease is the killed worker's
    Trial.objects.filter(pk=trial.pk).update(lease_until=db_now() - timedelta(seconds=1))
    assert work() == 2
    trial.refresh_from_db()
    assert (trial.state, trial.done) == ("done", 3)
    assert TrialRow.objects.filter(trial=trial).count() == 3


def test_a_worker_that_lost_its_lease_writes_nothing(desk: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    trial = start_trial(prepared(desk, draft(4)), MARCH, actor=as_(desk.sven))
    slow = running._rows

    def taken_over(*arguments: Any) -> Any:
        Trial.objects.filter(pk=trial.pk).update(lease="somebody else's")
        return slow(*arguments)

    monkeypatch.setattr(running, "_rows", taken_over)
    assert work() == 0
    trial.refresh_from_db()
    assert (trial.state, trial.done, trial.lease) == ("running", 0, "somebody else's")
    assert not TrialRow.objects.exists()


def test_what_goes_wrong_each_time_is_given_up_with_a_sentence(desk: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    trial = start_trial(prepared(desk, draft(4)), MARCH, actor=as_(desk.sven))

    def broken(*_arguments: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(running, "_rows", broken)
    for _time in range(running.MOST_ATTEMPTS):
        assert work() == 0
        Trial.objects.filter(pk=trial.pk, state="running").update(lease_until=db_now() - timedelta(seconds=1))
    trial.refresh_from_db()
    assert trial.state == "failed"
    assert "several times" in trial.error
    monkeypatch.undo()
    again = repeat_trial(trial, actor=as_(desk.sven))
    assert work() == 3
    again.refresh_from_db()
    assert again.state == "done"


def test_a_ticket_whose_past_cannot_be_read_is_counted(desk: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    from slas.rehearsal import replaying

    real = replaying.simulate

    def sometimes(moments: Any, *arguments: Any, **more: Any) -> Any:
        if moments[0].ticket.title == "No. 1":
            raise ValueError
        return real(moments, *arguments, **more)

    monkeypatch.setattr(replaying, "simulate", sometimes)
    trial = rehearsed(desk, draft(4))
    assert (trial.state, trial.done, trial.failures) == ("done", 3, 1)


def test_one_at_work_for_each_person(desk: Cast) -> None:
    start_trial(prepared(desk, draft(4)), MARCH, actor=as_(desk.sven))
    second = prepared(desk, draft(5))
    with pytest.raises(IllegalMove, match="one at work"):
        start_trial(second, MARCH, actor=as_(desk.sven))
    start_trial(prepared(desk, draft(6), desk.ada), MARCH, actor=as_(desk.ada))
    assert Trial.objects.filter(state="waiting").count() == 2


def test_stopping_stops_for_good(desk: Cast) -> None:
    trial = start_trial(prepared(desk, draft(4)), MARCH, actor=as_(desk.sven))
    stop_trial(trial, actor=as_(desk.sven))
    assert work() == 0
    trial.refresh_from_db()
    assert trial.state == "stopped"
    with pytest.raises(IllegalMove):
        stop_trial(trial, actor=as_(desk.sven))
    with pytest.raises(IllegalMove):
        start_trial(trial, MARCH, actor=as_(desk.sven))


def test_who_may_and_what_fits(desk: Cast) -> None:
    with pytest.raises(Refused):
        prepare_trial("Try", draft(4), kind="sla", metric="resolution", actor=as_(desk.anna))
    trial = prepared(desk, draft(4))
    with pytest.raises(Refused):
        start_trial(trial, MARCH, actor=as_(desk.ada))
    with pytest.raises(Invalid) as refused:
        start_trial(
            trial,
            Selection(MARCH.opened_until, MARCH.opened_from, {"field": "colour", "op": "eq", "value": "red"}),
            actor=as_(desk.sven),
        )
    assert set(refused.value.fields) == {"opened_until", "condition"}
    with pytest.raises(Invalid):
        start_trial(
            trial,
            Selection(MARCH.opened_from, MARCH.opened_until, {"field": "assignee", "op": "eq", "value": "me"}),
            actor=as_(desk.sven),
        )


def test_old_ones_go_and_those_at_work_stay(desk: Cast) -> None:
    done = rehearsed(desk, draft(4))
    waiting = start_trial(prepared(desk, draft(4)), MARCH, actor=as_(desk.sven))
    Trial.objects.update(created_at=db_now() - timedelta(days=31))
    fresh = prepared(desk, draft(5))
    assert delete_old() == 1
    assert set(Trial.objects.values_list("pk", flat=True)) == {waiting.pk, fresh.pk}
    assert not TrialRow.objects.filter(trial_id=done.pk).exists()


def test_open_tickets_are_tried_by_a_job_too(desk: Cast) -> None:
    open_incident(actor=as_(desk.anna), title="Cannot print", requester=desk.rita)
    levels = draft(1, name="Sooner", order=1)
    first = try_on_open_tickets("Sooner", levels, actor=as_(desk.sven))
    second = try_on_open_tickets("Sooner", levels, actor=as_(desk.sven))
    work()
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, second.state, second.total) == ("stopped", "done", 1)
    assert second.result["moves"] == 1
    [row] = second.rows.all()
    assert (row.change, row.real_goal, row.goal) == ("moves", "Resolution · 8 h", "Sooner · 1 h")


def test_a_condition_that_can_no_longer_be_read_ends_its_trial_and_not_those_behind_it(desk: Cast) -> None:
    first = start_trial(prepared(desk, draft(8)), MARCH, actor=as_(desk.sven))
    Trial.objects.filter(pk=first.pk).update(condition={"field": "gone", "op": "is", "value": 1})
    Trial.objects.filter(pk=first.pk).update(created_by=desk.olaf)  # one person has one at a time
    second = start_trial(prepared(desk, draft(8)), MARCH, actor=as_(desk.sven))
    assert work() == 0
    assert work() == 3
    assert list(Trial.objects.filter(pk__in=(first.pk, second.pk)).order_by("pk").values_list("state", flat=True)) == [
        "failed",
        "done",
    ]


@pytest.mark.django_db(transaction=True)
def test_two_windows_at_the_same_moment_are_refused_or_take_over_not_broken(cast: Cast) -> None:
    make_levels(OFFICE)
    levels = current_levels()
    start_trial(first := prepare_trial("Draft", levels, kind="sla", metric="resolution", actor=as_(cast.sven)), MARCH,
                actor=as_(cast.sven))  # fmt: skip
    stop_trial(first, actor=as_(cast.sven))
    first.refresh_from_db()
    together, outcomes = threading.Barrier(4), []

    def again() -> Trial:
        return repeat_trial(first, actor=as_(User.objects.get(pk=cast.sven.pk)))

    def look() -> Trial:
        return try_on_open_tickets("Draft", levels, actor=as_(User.objects.get(pk=cast.sven.pk)))

    def run(deed: Any) -> None:
        together.wait()
        try:
            outcomes.append(deed().purpose)
        except Exception as error:  # noqa: BLE001  whatever it is stands in the outcome
            outcomes.append(type(error).__name__)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(deed,)) for deed in (again, again, look, look)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["IllegalMove", "open", "open", "past"]
    assert sorted(Trial.objects.filter(state="waiting").values_list("purpose", flat=True)) == ["open", "past"]

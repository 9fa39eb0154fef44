"""The replay of the incident log: every row expressed, nothing told early, nothing done twice."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.forms.models import model_to_dict

from incidents.models import Incident, ReplayProgress
from incidents.replay import running
from incidents.replay.applying import IncidentReplay
from incidents.replay.directory import Directory
from incidents.replay.mapping import STANDINGS
from incidents.replay.reading import Row, read_log
from incidents.replay.report import Report
from incidents.replay.running import SOURCE, replay_incident
from incidents.statuses import Status
from itsm.accounts.models import User
from itsm.tickets.log import event_digest
from itsm.tickets.models import OutboxEntry, TicketEvent
from slas.models import SlaEvent, Timer
from tests.incidents.replay_helpers import FULL_LOG, SAMPLE, replay, sample, write_log
from tests.memory import remembered

pytestmark = pytest.mark.django_db

ROWS, INCIDENTS = 260, 33
UNSTABLE = {"id", "ticket_ptr", "public_id", "number", "event_hash"}


def state_of(number: str) -> tuple[dict[str, object], list[tuple[str, object, datetime]]]:
    """Return what is known of a replayed incident, apart from its ids, and its events."""
    incident = Incident.objects.get(external_id=number)
    fields = {k: v for k, v in model_to_dict(incident).items() if k not in UNSTABLE}
    times = {name: getattr(incident, name) for name in ("opened_at", "updated_at", "resolved_at", "closed_at")}
    events = [(e.code, sorted(e.data), e.at) for e in incident.events.order_by("seq")]
    return {**fields, **times}, events


@pytest.fixture
def directory() -> Directory:
    return Directory()


def replayed() -> Report:
    """Replay the sample into an empty desk and return the report."""
    return remembered("sample", lambda: replay(SAMPLE))


def test_sample_is_replayed_without_a_difference() -> None:
    report = replayed()
    counts = report.tally.counts
    assert (report.rows_read, report.incidents_read, report.unaccounted) == (ROWS, INCIDENTS, 0)
    assert counts["mismatches"] == {}
    assert (
        counts["checks"]["priority"]
        == counts["checks"]["reassignment_count"]
        == counts["checks"]["reopen_count"]
        == ROWS
    )
    assert counts["rows"].total() == ROWS
    assert counts["limits"] == {"closed_then_reopened": 2, "changed_after_closing": 1}
    assert Incident.objects.count() == counts["verbs"]["open_incident"] == INCIDENTS
    assert TicketEvent.objects.exclude(code__startswith="sla.").count() == counts["verbs"].total()


def test_counts_are_the_logs_at_the_end_of_every_incident() -> None:
    replayed()
    for number, logged in sample().items():
        last = logged.rows[-1]
        assert isinstance(last, Row)
        incident = Incident.objects.get(external_id=number)
        assert (incident.reassignment_count, incident.reopen_count, incident.priority, incident.status) == (
            last.reassignment_count,
            last.reopen_count,
            last.priority,
            Status.CLOSED,
        )


def test_counts_are_corrected_only_where_the_log_hides_a_change() -> None:
    report = replayed()
    assert report.tally.counts["verbs"]["correct_counts"] == report.tally.counts["adapted"]["hidden_team_change"] == 2
    corrected = TicketEvent.objects.filter(code="incident.counts_corrected")
    assert {e.ticket.external_id for e in corrected} == {"INC0000173", "INC0000722"}
    assert all(e.internal and e.data["changes"]["reassignment_count"] == [0, 1] for e in corrected)


def test_running_again_does_nothing_and_reports_the_same() -> None:
    first = replayed()
    events, people = TicketEvent.objects.count(), User.objects.count()
    second = replay(SAMPLE)
    assert (TicketEvent.objects.count(), User.objects.count()) == (events, people)
    assert second.rows_new == 0
    assert second.tally.as_plain() == first.tally.as_plain()
    assert second.figures == first.figures


def test_nobody_is_told(cast: object) -> None:
    replay(SAMPLE)
    assert not OutboxEntry.objects.exists()


def test_every_event_is_at_its_instant_and_the_chain_holds() -> None:
    replayed()
    for incident in Incident.objects.all():
        events = list(incident.events.order_by("seq"))
        assert [e.seq for e in events] == list(range(1, len(events) + 1))
        done = [e for e in events if not e.code.startswith("sla.")]
        assert [e.at for e in done] == sorted(e.at for e in done)
        assert all(e.channel == "import" and e.actor.email == "importer@uci.example" for e in done)
        assert events[0].at == incident.opened_at
        before = ""
        for e in events:
            before = event_digest(
                ticket_public_id=incident.public_id,
                seq=e.seq,
                code=e.code,
                actor_id=e.actor_id,
                channel=e.channel,
                internal=e.internal,
                data=e.data,
                at=e.at,
                prev_hash=before,
            )
            assert e.hash == before
        assert incident.event_hash == before


def test_the_ending_stays_hidden_until_its_row(directory: Directory) -> None:
    seen_open = 0
    for logged in sample().values():
        directory.prepare(logged)
        way = IncidentReplay(logged, directory)
        for index, row in enumerate(logged.rows):
            way.apply(index, index + 1)
            assert isinstance(row, Row)
            assert way.incident is not None
            stored = Incident.objects.get(pk=way.incident.pk)
            said = " ".join(str(e.data) for e in stored.events.all())
            if STANDINGS[row.state].status not in {Status.RESOLVED, Status.CLOSED}:
                seen_open += 1
                assert (stored.resolved_at, stored.closed_at, stored.resolved_by) == (None, None, None)
                assert (stored.resolution_code, stored.resolution_notes) == ("", "")
                assert logged.ending.code not in said or not logged.ending.code
            if STANDINGS[row.state].status != Status.CLOSED:
                assert stored.closed_at is None
            if any(isinstance(r, Row) and r.state in {"Active", "New"} for r in logged.rows[index + 1 :]):
                assert logged.ending.code not in stored.resolution_notes or not logged.ending.code
    assert seen_open > 100


@pytest.mark.parametrize("number", ["INC0001068", "INC0001894", "INC0005100", "INC0000137"])
def test_stopping_after_any_row_and_going_on_ends_the_same(number: str, directory: Directory) -> None:
    logged = sample()[number]
    whole, _new = replay_incident(logged, directory, None)
    expected = state_of(number)
    for stop in range(1, len(logged.rows)):
        Incident.objects.filter(external_id=number).update(external_id=f"old {stop}")
        ReplayProgress.objects.filter(external_id=number).update(external_id=f"old {stop}")
        part, first = replay_incident(logged, directory, None, upto=stop)
        progress = ReplayProgress.objects.get(source=SOURCE, external_id=number)
        tally, rest = replay_incident(logged, directory, progress)
        assert (first, rest) == (stop, len(logged.rows) - stop)
        assert part.rows == stop
        assert tally.as_plain() == whole.as_plain()
        assert state_of(number) == expected


def test_a_crash_in_the_middle_of_an_incident_leaves_nothing_of_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = write_log(tmp_path / "log.csv", [{}, {"incident_state": "Active"}, {"incident_state": "Resolved"}])

    def die(*args: object, **kwargs: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(IncidentReplay, "_resolve", die)
        with pytest.raises(KeyboardInterrupt):
            replay(path)
    assert not Incident.objects.exists()
    assert not ReplayProgress.objects.exists()
    report = replay(path)
    assert (report.rows_new, Incident.objects.get().status) == (3, Status.RESOLVED)


def test_stop_ends_after_the_incident_at_work() -> None:
    first = running.Replay(SAMPLE, UTC)
    report = first.run(lambda read, new: first.stop() if new > 50 else None)
    assert report.stopped
    assert 0 < report.incidents_new < INCIDENTS
    rest = replay(SAMPLE)
    assert rest.incidents_new == INCIDENTS - report.incidents_new
    assert (rest.tally.rows, rest.unaccounted, rest.tally.counts["mismatches"]) == (ROWS, 0, {})


def test_limit_takes_the_first_incidents() -> None:
    report = replay(SAMPLE, limit=4)
    assert (report.incidents_read, Incident.objects.count()) == (4, 4)


def test_a_longer_log_goes_on_where_the_shorter_ended(tmp_path: Path) -> None:
    rows = [{}, {"incident_state": "Active"}, {"incident_state": "Resolved"}]
    replay(write_log(tmp_path / "a.csv", rows))
    report = replay(write_log(tmp_path / "b.csv", [*rows, {"incident_state": "Closed"}]))
    assert (report.rows_new, report.tally.rows) == (1, 4)
    assert Incident.objects.get().status == Status.CLOSED


def test_the_same_number_with_another_story_is_refused_and_reported(tmp_path: Path) -> None:
    replay(write_log(tmp_path / "a.csv", [{}, {"incident_state": "Active"}]))
    report = replay(write_log(tmp_path / "b.csv", [{"impact": "1 - High"}, {"incident_state": "Active"}]))
    assert report.tally.counts["limits"] == {"other_story": 2}
    assert (report.rows_new, report.unaccounted, Incident.objects.count()) == (0, 0, 1)


def test_a_number_met_twice_in_one_file_is_not_opened_twice(tmp_path: Path) -> None:
    rows = [{}, {"number": "INC0000002"}, {"incident_state": "Active"}]
    report = replay(write_log(tmp_path / "a.csv", rows))
    assert Incident.objects.count() == 2
    assert (report.tally.counts["limits"], report.unaccounted) == ({"other_story": 1}, 0)


def test_unknown_states_leave_the_status_and_are_counted(tmp_path: Path) -> None:
    rows = [
        {},
        {"incident_state": "Active"},
        {"incident_state": "-100", "assignment_group": "Group 8", "reassignment_count": "1"},
    ]
    report = replay(write_log(tmp_path / "log.csv", rows))
    incident = Incident.objects.get()
    assert (incident.status, incident.team.name, incident.reassignment_count) == (Status.IN_PROGRESS, "Group 8", 1)
    assert report.tally.counts["limits"] == {"unknown_state": 1}
    assert report.tally.counts["rows"] == {"expressed": 2, "partly": 1}
    assert report.tally.counts["mismatches"] == {}


def test_unreadable_rows_are_passed_over_and_counted(tmp_path: Path) -> None:
    rows = [{"impact": "9"}, {}, {"sys_updated_at": "31/2/2016 10:00"}, {"incident_state": "Active"}]
    report = replay(write_log(tmp_path / "log.csv", rows))
    assert report.tally.counts["limits"] == {"unreadable": 2}
    assert (report.rows_read, report.unaccounted, Incident.objects.get().status) == (4, 0, Status.IN_PROGRESS)
    assert any("31/2/2016" in example for example in report.tally.examples["unreadable"])


def test_a_priority_against_the_matrix_is_set_by_hand_with_the_reason(tmp_path: Path) -> None:
    replay(write_log(tmp_path / "log.csv", [{}, {"priority": "1 - Critical"}]))
    incident = Incident.objects.get()
    assert (incident.priority, incident.priority_reason) == (1, "Priority of the imported log")
    assert incident.events.filter(code="ticket.priority_overridden").count() == 1


def test_closed_then_reopened_stays_resolved_until_the_reopening(tmp_path: Path) -> None:
    rows = [
        {"incident_state": "Resolved"},
        {"incident_state": "Closed"},
        {"incident_state": "Active", "reopen_count": "1"},
        {"incident_state": "Closed", "reopen_count": "1"},
    ]
    report = replay(write_log(tmp_path / "log.csv", rows))
    codes = list(Incident.objects.get().events.order_by("seq").values_list("code", flat=True))
    assert codes == [
        "incident.opened",
        "incident.resolved",
        "incident.reopened",
        "incident.resolved",
        "incident.closed",
    ]
    assert report.tally.counts["limits"] == {"closed_then_reopened": 1}
    assert Incident.objects.get().reopen_count == 1


def test_reopening_after_the_close_of_an_earlier_run_is_reported(tmp_path: Path) -> None:
    rows = [{"incident_state": "Resolved"}, {"incident_state": "Closed"}]
    replay(write_log(tmp_path / "a.csv", rows))
    report = replay(write_log(tmp_path / "b.csv", [*rows, {"incident_state": "Active", "reopen_count": "1"}]))
    assert report.tally.counts["limits"] == {"reopened_after_closing": 1}
    assert Incident.objects.get().status == Status.CLOSED


def test_people_teams_categories_and_services_are_made(tmp_path: Path) -> None:
    replay(write_log(tmp_path / "log.csv", [{"assigned_to": "Resolver 3", "cmdb_ci": "cmdb_ci 4", "closed_code": "?"}]))
    incident = Incident.objects.get()
    assert (incident.requester.display_name, incident.requester.email) == ("Caller 1", "caller-1@uci.example")
    assert incident.requester.roles == ["requester"]
    assert not incident.requester.has_usable_password()
    assert (incident.opened_by.display_name, incident.assignee.display_name) == ("Opened by 2", "Resolver 3")
    assert incident.assignee in incident.team.members.all()
    assert (incident.category.path, incident.service.name) == ("Category 5 / Subcategory 6", "cmdb_ci 4")
    assert incident.opened_at == datetime(2016, 3, 1, 8, 0, tzinfo=UTC)


def test_times_are_those_of_the_declared_zone(tmp_path: Path) -> None:
    from zoneinfo import ZoneInfo

    path = write_log(tmp_path / "log.csv", [{"opened_at": "1/7/2016 08:00", "sys_updated_at": "27/3/2016 02:30"}])
    (logged,) = read_log(path, ZoneInfo("Europe/Berlin"))
    assert logged.opened_at == datetime(2016, 7, 1, 6, 0, tzinfo=UTC)
    assert isinstance(logged.rows[0], Row)
    assert logged.rows[0].at == datetime(2016, 3, 27, 1, 30, tzinfo=UTC)


def test_clocks_that_the_log_leaves_running_are_settled_and_nobody_is_told(tmp_path: Path) -> None:
    replay(write_log(tmp_path / "log.csv", [{}, {"incident_state": "Active"}]))
    timers = list(Timer.objects.all())
    assert timers
    assert all(timer.breached_at is not None and timer.imported_at is None for timer in timers)
    assert not SlaEvent.objects.filter(told=True).exists()
    assert not OutboxEntry.objects.exists()


@pytest.mark.skipif(not FULL_LOG.is_file(), reason=f"the whole log is not there ({FULL_LOG}; set ITSM_SHARED)")
def test_the_real_log_begins_well() -> None:
    report = replay(FULL_LOG, limit=100)
    assert (report.incidents_read, report.unaccounted) == (100, 0)
    assert report.tally.counts["mismatches"] == {}
    assert report.tally.counts["limits"] == {}

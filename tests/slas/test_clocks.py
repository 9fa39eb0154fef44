"""What is shown of timers, what it costs, and what imports leave behind."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from incidents.actions import hold, open_incident, reply, resolve, resume, start
from itsm.tickets.clock import db_now
from itsm.tickets.models import TicketEvent
from itsm.tickets.timeline import timeline
from slas.actions import settle_imported
from slas.api import TimerSerializer, timer_data
from slas.clocks import clocks_for, next_clock
from slas.events import duration_words
from slas.models import SlaEvent, StepDue, Timer
from slas.tick import tick
from tests.cast import Cast, as_
from tests.slas.conftest import HOUR, MONDAY_NINE, at, clock, move_back, steps_of
from tests.slas.promises import answers, no_promises, promise

H = timedelta(hours=1)
FIXED = {"resolution_code": "solution_provided", "resolution_notes": "Done."}


def opened(cast: Cast, **more: Any) -> Any:
    return open_incident(actor=as_(cast.anna), title="Cannot print", requester=cast.rita, **more)


def states(ticket: Any, now: Any = None) -> dict[str, str]:
    return {clock.metric: clock.state for clock in clocks_for([ticket], now)[ticket.pk]}


def test_states_in_the_words_of_the_pages(levels: Cast) -> None:
    incident = opened(levels)
    start = clock(incident).started_at
    for hours, response, resolution in (
        (0, "on_track", "on_track"),
        (3.19, "on_track", "on_track"),
        (3.2, "at_risk", "on_track"),
        (4.001, "breached", "on_track"),
        (6.4, "breached", "at_risk"),
        (8.1, "breached", "breached"),
    ):
        assert states(incident, start + hours * H) == {"response": response, "resolution": resolution}
    hold(incident, actor=as_(levels.anna), hold_reason="awaiting_vendor")
    assert states(incident) == {"response": "paused", "resolution": "paused"}
    resolve(incident, actor=as_(levels.anna), **FIXED)
    assert states(incident) == {"response": "met", "resolution": "met"}


def test_a_paused_clock_shows_what_is_left_and_a_missed_one_its_overrun(levels: Cast) -> None:
    incident = open_incident(actor=at(levels.imke, MONDAY_NINE), title="Cannot print", requester=levels.rita)
    hold(incident, actor=at(levels.imke, MONDAY_NINE + 5 * H), hold_reason="awaiting_vendor")
    [resolution] = [c for c in clocks_for([incident], MONDAY_NINE + 50 * H)[incident.pk] if c.metric == "resolution"]
    assert resolution.remaining_s == 3 * 3600
    assert resolution.fraction == 5 / 8
    assert resolution.badge == {"state": "paused", "due_at": None, "target_s": 8 * 3600, "seconds": 3 * 3600}
    [response] = [c for c in clocks_for([incident], MONDAY_NINE + 50 * H)[incident.pk] if c.metric == "response"]
    assert response.state == "breached"
    assert response.is_paused
    assert response.breached_at == MONDAY_NINE + 4 * H
    assert response.remaining_s == -3600
    resume(incident, actor=at(levels.imke, MONDAY_NINE + 6 * H))
    resolve(incident, actor=at(levels.imke, MONDAY_NINE + 10 * H), **FIXED)
    shown = clocks_for([incident])[incident.pk]
    assert [(c.metric, c.state) for c in shown] == [("response", "missed"), ("resolution", "missed")]
    assert shown[1].remaining_s == -3600
    assert shown[1].badge["state"] == "breached"
    assert next_clock(shown) == shown[1]


def test_the_row_of_a_list_shows_the_next_target(levels: Cast) -> None:
    incident = opened(levels)
    assert next_clock(clocks_for([incident])[incident.pk]).metric == "response"
    reply(incident, "Coming", actor=as_(levels.ben))
    assert next_clock(clocks_for([incident])[incident.pk]).metric == "resolution"
    assert next_clock([]) is None


def test_a_page_of_clocks_is_one_query(levels: Cast, django_assert_num_queries: Any) -> None:
    many = [opened(levels) for _number in range(6)]
    now = db_now()
    clocks_for(many[:1], now)
    with django_assert_num_queries(1):
        assert len(clocks_for(many, now)) == 6
    with django_assert_num_queries(1):
        clocks_for(many[:1], now)


def test_the_api_tells_the_runs(levels: Cast) -> None:
    incident = open_incident(actor=at(levels.imke, MONDAY_NINE), title="Cannot print", requester=levels.rita)
    hold(incident, actor=at(levels.imke, MONDAY_NINE + 1 * H), hold_reason="awaiting_vendor")
    resume(incident, actor=at(levels.imke, MONDAY_NINE + 2 * H))
    resolution, response = timer_data(incident, MONDAY_NINE + 3 * H)
    assert (resolution["metric"], response["metric"]) == ("resolution", "response")
    assert resolution["elapsed_seconds"] == 2 * 3600
    assert resolution["remaining_seconds"] == 6 * 3600
    assert resolution["due_at"] == MONDAY_NINE + 9 * H
    assert [(run["started_at"], run["ended_at"]) for run in resolution["runs"]] == [
        (MONDAY_NINE, MONDAY_NINE + 1 * H),
        (MONDAY_NINE + 2 * H, None),
    ]
    assert sum(run["elapsed_seconds"] for run in resolution["runs"]) == resolution["elapsed_seconds"]
    shown = TimerSerializer(timer_data(incident, MONDAY_NINE + 3 * H), many=True).data
    assert shown[0]["policy"] == "Resolution"
    assert shown[0]["calendar"] == "Hours"
    assert set(shown[0]) == set(resolution)


def test_the_desk_reads_of_breaches_and_the_requester_does_not(levels: Cast) -> None:
    incident = opened(levels)
    move_back(incident, 5 * H)
    tick()
    texts = [entry.text for entry in timeline(incident, levels.anna) if entry.event]
    assert any(text.startswith("missed the response target (4 h), due ") for text in texts)
    assert any(text.startswith("75 % of the response target (4 h) is used; due ") for text in texts)
    assert not any("target" in entry.text for entry in timeline(incident, levels.rita))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (59, "59 s"), (60, "1 min"), (3600, "1 h"), (9000, "2 h 30 min"), (3661, "1 h 1 min 1 s")],
)
def test_lengths_in_words(seconds: int, words: str) -> None:
    assert duration_words(seconds) == words


def queries_of(deed: Any) -> list[str]:
    """Return the statements that service levels added to the deed."""
    with CaptureQueriesContext(connection) as captured:
        deed()
    said = [query["sql"] for query in captured.captured_queries]
    return [sql for sql in said if '"slas_' in sql or sql.startswith('UPDATE "tickets_ticket" SET "queue_due_at" = ')]


def test_clocks_cost_few_queries(levels: Cast) -> None:
    opened(levels)
    box: dict[str, Any] = {}

    def deed(name: str, do: Any) -> int:
        def run() -> None:
            box["incident"] = do(box.get("incident"))

        return len(queries_of(run))

    anna = as_(levels.anna)
    assert deed("open", lambda _none: opened(levels)) <= 5
    assert deed("start", lambda found: start(found, actor=anna)) <= 4
    assert deed("hold", lambda found: hold(found, actor=anna, hold_reason="awaiting_vendor")) <= 8
    assert deed("resume", lambda found: resume(found, actor=anna)) <= 8
    assert deed("reply", lambda found: reply(found, "Working on it", actor=anna).incident) <= 6
    assert deed("note", lambda found: reply(found, "Hm", actor=anna, visibility="internal").incident) == 0
    assert deed("resolve", lambda found: resolve(found, actor=anna, **FIXED)) <= 7


def test_the_end_of_an_import_records_breaches_and_tells_nobody(levels: Cast) -> None:
    importer = at(levels.imke, MONDAY_NINE)
    old = open_incident(actor=importer, title="Old and open", requester=levels.rita)
    held = open_incident(actor=importer, title="Old and held", requester=levels.rita)
    hold(held, actor=at(levels.imke, MONDAY_NINE + 1 * H), hold_reason="awaiting_vendor")
    recent = open_incident(actor=at(levels.imke, db_now() - 5 * H), title="Opened this morning", requester=levels.rita)
    assert steps_of(old) == steps_of(held) == []
    assert steps_of(recent) == [("resolution", 75), ("resolution", 100)]
    assert tick() == 0
    assert settle_imported(actor=importer) == 4
    assert clock(old).breached_at == MONDAY_NINE + 8 * H
    assert clock(old, "response").breached_at == MONDAY_NINE + 4 * H
    assert clock(recent, "response").breached_at == clock(recent, "response").due_at
    assert not SlaEvent.objects.filter(told=True).exists()
    assert SlaEvent.objects.filter(timer__ticket_id=old.pk).count() == 6
    assert not SlaEvent.objects.filter(timer__ticket_id=held.pk).exists()
    noted = TicketEvent.objects.filter(code__startswith="sla.")
    assert {event.code for event in noted} == {"sla.breached"}
    assert not any(event.data["notify"]["users"] for event in noted)
    assert not noted.filter(outbox__isnull=False).exists()
    assert steps_of(recent) == [("resolution", 75), ("resolution", 100)]
    assert settle_imported(actor=importer) == 0
    move_back(recent, 2 * H)
    assert tick() == 1
    assert SlaEvent.objects.get(told=True).timer.ticket_id == recent.pk


def test_a_person_who_takes_up_an_imported_ticket_alarms_nobody_about_the_past(levels: Cast) -> None:
    old = open_incident(actor=at(levels.imke, MONDAY_NINE), title="Old", requester=levels.rita)
    resolve(old, actor=as_(levels.anna), **FIXED)
    assert clock(old).breached_at == MONDAY_NINE + 8 * H
    assert not SlaEvent.objects.filter(told=True).exists()
    assert not StepDue.objects.exists()
    breaches = TicketEvent.objects.filter(code="sla.breached")
    assert [(event.data["imported"], event.data["notify"]["users"]) for event in breaches] == [(True, [])] * 2
    assert Timer.objects.filter(imported_at__isnull=False).count() == 0


def test_of_earlier_cycles_only_those_that_were_missed_are_shown(cast: Cast) -> None:
    no_promises()
    promise("update", 2 * HOUR)
    incident = open_incident(actor=at(cast.imke, MONDAY_NINE), title="Cannot print", requester=cast.rita)
    for hours in (1, 2, 5, 6):
        answers(cast, incident, MONDAY_NINE + timedelta(hours=hours))
    clocks = clocks_for([incident], now=MONDAY_NINE + timedelta(hours=7))[incident.pk]
    assert [(clock.metric, clock.state) for clock in clocks] == [("update", "on_track"), ("update", "missed")]


def test_a_stay_is_named_after_its_team(cast: Cast) -> None:
    no_promises()
    promise("team_stay", 2 * HOUR)
    incident = opened(cast, team=cast.network)
    (clock,) = clocks_for([incident])[incident.pk]
    assert clock.label == "Time with the team: Network"
    (data,) = timer_data(incident)
    assert (data["team"], data["time_zone"], data["cycle"]) == ("Network", "", 1)

"""A ticket's past, and clocks gone through in memory: the same as the rows that production wrote."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from incidents.actions import hold, open_incident, reopen, reply, resolve, resume
from incidents.models import Incident
from itsm.tickets.actions import assign, comment, override_priority, unwatch, update, watch
from itsm.tickets.clock import db_now
from itsm.tickets.models import Visibility
from slas.history import Said, histories_of, history_of
from slas.models import Timer
from slas.plans import current_levels
from slas.simulation import Simulated, simulate
from tests.cast import Cast
from tests.slas.conftest import MONDAY_NINE, at

H = timedelta(hours=1)
FIXED = {"resolution_code": "solution_provided", "resolution_notes": "Done."}
COMPARED = (
    "kind",
    "metric",
    "cycle_no",
    "state",
    "policy_id",
    "goal_id",
    "target_us",
    "team_id",
    "time_zone",
    "calendar_version_id",
    "started_at",
    "due_at",
    "stopped_at",
    "breached_at",
    "elapsed_closed_us",
    "run_started_at",
)


def rows(timers: Any) -> list[tuple[Any, ...]]:
    """Return what is compared of timers, in a fixed order."""
    found = [tuple(getattr(timer, name) for name in COMPARED) for timer in timers]
    return sorted(found, key=lambda row: row[:3])


def simulated(incident: Any) -> Simulated:
    return simulate(history_of(incident), current_levels(), until=db_now())


def lived(cast: Cast) -> Incident:
    """An incident that was triaged, held, answered, resolved and reopened."""
    incident: Any = open_incident(
        actor=at(cast.imke, MONDAY_NINE), title="Cannot print", requester=cast.rita, watchers=(cast.rosa,)
    )
    incident = assign(incident, actor=at(cast.imke, MONDAY_NINE + H / 2), team=cast.network, assignee=cast.anna)
    incident = override_priority(incident, 1, reason="Urgent", actor=at(cast.imke, MONDAY_NINE + H))
    incident = hold(incident, actor=at(cast.imke, MONDAY_NINE + 2 * H), hold_reason="awaiting_vendor")
    comment(incident, "Odd.", actor=at(cast.imke, MONDAY_NINE + 2.5 * H), visibility=Visibility.INTERNAL)
    incident = resume(incident, actor=at(cast.imke, MONDAY_NINE + 3 * H))
    incident = update(incident, {"service": cast.vpn, "title": "Still"}, actor=at(cast.imke, MONDAY_NINE + 3.5 * H))
    incident = resolve(incident, actor=at(cast.imke, MONDAY_NINE + 4 * H), **FIXED)
    return reopen(incident, actor=at(cast.imke, MONDAY_NINE + 6 * H), comment="No")


def test_every_moment_has_the_ticket_as_it_was(levels: Cast) -> None:
    incident = lived(levels)
    moments = history_of(incident)
    past = [(moment.code.split(".")[1], moment.ticket) for moment in moments if not moment.code.startswith("sla.")]
    told = [(code, t.status, t.hold_reason, t.priority, t.team_id, t.service_id, t.title) for code, t in past]
    network, vpn = levels.network.pk, levels.vpn.pk
    assert told == [
        ("opened", "new", "", 4, None, None, "Cannot print"),
        ("assigned", "new", "", 4, network, None, "Cannot print"),
        ("priority_overridden", "new", "", 1, network, None, "Cannot print"),
        ("held", "on_hold", "awaiting_vendor", 1, network, None, "Cannot print"),
        ("noted", "on_hold", "awaiting_vendor", 1, network, None, "Cannot print"),
        ("resumed", "in_progress", "", 1, network, None, "Cannot print"),
        ("updated", "in_progress", "", 1, network, vpn, "Still"),
        ("resolved", "resolved", "", 1, network, vpn, "Still"),
        ("reopened", "in_progress", "", 1, network, vpn, "Still"),
    ]
    assert [t.resolved_at for _code, t in past[-2:]] == [MONDAY_NINE + 4 * H, None]
    assert past[1][1].assignee_id == levels.anna.pk
    assert past[0][1].requester == levels.rita


def test_messages_are_answers_requests_or_notes(levels: Cast) -> None:
    incident: Any = open_incident(actor=at(levels.imke, MONDAY_NINE), title="A", requester=levels.rita)
    from itsm.tickets.actors import Actor, Channel

    reply(incident, "Help", actor=Actor(levels.rita, Channel.PORTAL))
    reply(incident, "Done", actor=Actor(levels.anna, Channel.DESK))
    reply(incident, "Secret", actor=Actor(levels.anna, Channel.DESK), visibility=Visibility.INTERNAL)
    said = [moment.said for moment in history_of(incident) if not moment.code.startswith("sla.")]
    assert said == [Said.NOTHING, Said.REQUEST, Said.ANSWER, Said.NOTE]


def test_who_watched_is_known_at_each_moment(levels: Cast) -> None:
    incident: Any = open_incident(
        actor=at(levels.imke, MONDAY_NINE), title="A", requester=levels.rita, watchers=(levels.rosa,)
    )
    watch(incident, levels.anna, actor=at(levels.imke, MONDAY_NINE + H))
    unwatch(incident, levels.rosa, actor=at(levels.imke, MONDAY_NINE + 2 * H))
    watching = [set(moment.ticket.watching) for moment in history_of(incident)]
    rosa, anna = levels.rosa.pk, levels.anna.pk
    assert watching == [{rosa}, {rosa, anna}, {anna}]


def test_histories_of_many_tickets_take_as_many_queries_as_of_one(levels: Cast) -> None:
    counts = []
    for number in (1, 5):
        tickets = [lived(levels) for _ in range(number)]
        with CaptureQueriesContext(
            connection,
        ) as queries:
            histories_of(tickets)
        counts.append(len(queries))
    assert counts == [4, 4]


@pytest.mark.parametrize("fixture", ["levels", "office_levels"])
def test_going_through_the_past_gives_the_rows_of_production(
    fixture: str, request: pytest.FixtureRequest, django_assert_num_queries: Any
) -> None:
    incident = lived(request.getfixturevalue(fixture))
    moments, promised = history_of(incident), current_levels()
    now = db_now()
    with django_assert_num_queries(0):
        found = simulate(moments, promised, until=now)
    stored = list(Timer.objects.filter(ticket=incident))
    assert len(stored) == 2
    for timer in stored:
        if timer.state == "running":
            timer.breached_at = timer.due_at  # long past: the import left it to `settle_imported`
    assert rows(found.timers) == rows(stored)
    for timer in stored:
        twin = next(one for one in found.timers if one.metric == timer.metric)
        ran = [(run.started_at, run.ended_at, run.elapsed_us) for run in timer.runs.order_by("pk")]
        assert ran == [(run.started_at, run.ended_at, run.elapsed_us) for run in found.runs_of(twin)]

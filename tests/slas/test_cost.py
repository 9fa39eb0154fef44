"""What clocks add to saving a ticket: a handful of queries, however many clocks there are (sla.md §7)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from incidents.actions import hold, open_incident, reply, resolve, resume
from itsm.tickets.actions import assign, override_priority
from itsm.tickets.actors import Actor, Channel
from itsm.tickets.hooks import listen
from slas.actions import follow, save_chain
from slas.history import OWN_EVENTS
from slas.models import Timer
from tests.cast import Cast
from tests.slas.conftest import HOUR
from tests.slas.promises import FIXED, is_, no_promises, promise, steps_listed

MOST_ADDED = 7
METRICS = ("response", "resolution", "team_stay", "update", "next_response", "supplier")


@pytest.fixture
def desk(cast: Cast) -> Cast:
    no_promises()
    chain = save_chain("Chain", steps_listed(50, 75, 100), actor=Actor(cast.sven, Channel.DESK))
    for metric in METRICS:
        goals = {"target_s": HOUR, "condition": is_("priority", 1)}
        promise(metric, goals, 8 * HOUR, chain=chain)
    return cast


def life(cast: Cast, measure: Callable[[str, Callable[[], Any]], Any]) -> None:
    desk, lead = Actor(cast.anna, Channel.DESK), Actor(cast.lena, Channel.DESK)
    incident = measure("open", lambda: open_incident(actor=desk, title="A", requester=cast.rita, team=cast.network))
    measure("answer", lambda: reply(incident, "On it", actor=desk))
    measure("ask", lambda: reply(incident, "When?", actor=Actor(cast.rita, Channel.PORTAL)))
    incident = measure("hold", lambda: hold(incident, actor=desk, hold_reason="awaiting_vendor"))
    incident = measure("resume", lambda: resume(incident, actor=desk))
    incident = measure("retarget", lambda: override_priority(incident, 1, reason="Urgent", actor=lead))
    incident = measure("assign", lambda: assign(incident, actor=desk, team=cast.desktop))
    measure("resolve", lambda: resolve(incident, actor=desk, **FIXED))


def test_a_save_adds_fewer_than_eight_queries(desk: Cast) -> None:
    counts: dict[str, list[int]] = {}
    statements: dict[str, list[str]] = {}

    def count(name: str, deed: Callable[[], Any]) -> Any:
        with CaptureQueriesContext(connection) as queries:
            done = deed()
        counts.setdefault(name, []).append(len(queries))
        statements[name] = [query["sql"] for query in queries]
        return done

    life(desk, lambda _name, deed: deed())
    life(desk, count)
    assert Timer.objects.filter(metric__in=METRICS).count() == 2 * 7
    listed = dict(statements)
    listen("slas", lambda change: None, order=50)
    try:
        life(desk, count)
    finally:
        listen("slas", follow, order=50, deaf_to=OWN_EVENTS)
    added = {name: with_clocks - without for name, (with_clocks, without) in counts.items()}
    over = {name: (extra, listed[name]) for name, extra in added.items() if extra > MOST_ADDED}
    assert over == {}

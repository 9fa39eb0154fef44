"""No report reads every clock: a period is found by index; and who sees only some tickets counts only these."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from itsm.accounts import roles
from itsm.accounts.models import User
from itsm.accounts.roles import Permission, Role
from itsm.tickets.actions import watch
from itsm.tickets.clock import db_now
from itsm.tickets.models import Ticket
from reports.clocks import clocks_of, running_clocks
from reports.compliance import compliance_of
from reports.filters import Choices, read_filters
from slas.actions import install_defaults
from tests.bench.reports import seed
from tests.cast import Cast, as_
from tests.reports.conftest import ROOT

TABLES = ("slas_timer", "slas_run", "tickets_ticket", "tickets_ticketevent", "tickets_comment")

RUNNING = """
UPDATE slas_timer SET state = 'running', stopped_at = NULL, breached_at = NULL, run_started_at = started_at,
    due_at = now() + id * interval '7 minutes' WHERE id % 4 = 0;
ANALYZE slas_timer;
"""


def plan_of(query: str) -> str:
    """Return the plan that the database makes for a query."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {query}")
        return "\n".join(row[0] for row in cursor)


def test_a_month_of_many_is_found_by_index(cast: Cast, signed_in: Callable[[User], Client]) -> None:
    install_defaults()
    seed(4000)  # of a whole year, with sixteen thousand clocks
    with connection.cursor() as cursor:
        cursor.execute(RUNNING)
    client = signed_in(cast.sven)
    expected = {
        "": {"report_timer_stopped", "report_timer_breached", "report_event_team"},
        "breaches/": {"report_timer_breached"},
        "clocks/": {"report_timer_stopped", "report_timer_breached"},
        "soon/": {"report_timer_due"},
        "pauses/": {"report_event_held"},
        "waits/": {"report_timer_stopped"},
    }
    for page, indexes in expected.items():
        with CaptureQueriesContext(connection) as queries:
            assert client.get(f"{ROOT}{page}?period=custom&from=2025-06-01&to=2025-06-07").status_code == 200
        asked = [query["sql"] for query in queries if "slas_timer" in query["sql"] or "incident.held" in query["sql"]]
        plans = "\n".join(plan_of(sql) for sql in asked if sql.lstrip().startswith(("SELECT", "WITH")))
        assert {name for name in indexes if name in plans} == indexes, plans
        assert not [table for table in TABLES if f"Seq Scan on {table} " in plans], (page, plans)


def test_who_sees_only_some_tickets_counts_only_these(desk: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    few = frozenset({Permission.USE_DESK, Permission.VIEW_SERVICE_LEVELS})
    monkeypatch.setitem(roles.ROLE_PERMISSIONS, Role.AUDITOR, few)
    filters = read_filters({"period": "custom", "from": "2026-01-01", "to": "2026-04-30"}, desk.olaf, Choices.read())
    now = db_now()
    assert compliance_of(desk.olaf, filters, now).total.decided == 0
    assert not running_clocks(desk.olaf, filters).exists()
    seen = Ticket.objects.filter(timers__in=clocks_of(desk.sven, filters, now))[0]
    watch(seen, desk.olaf, actor=as_(desk.anna))
    assert {timer.ticket_id for timer in clocks_of(desk.olaf, filters, now)} == {seen.pk}

"""No report reads every clock: each condition of a period is an index, whatever the planner prefers for few rows."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from itsm.accounts import roles
from itsm.accounts.roles import Permission, Role
from itsm.tickets.actions import watch
from itsm.tickets.clock import db_now
from itsm.tickets.models import Ticket
from reports.clocks import clocks_of, running_clocks
from reports.compliance import compliance_of
from reports.filters import Choices, read_filters
from tests.cast import Cast, as_
from tests.reports.conftest import ROOT, SPRING


def plan_of(query: str) -> str:
    """Return the plan of a query where reading a whole table is forbidden if there is any other way."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {query}")
        plan = "\n".join(row[0] for row in cursor)
        cursor.execute("SET LOCAL enable_seqscan = on")
    return plan


@pytest.mark.parametrize(
    ("page", "indexes"),
    [
        ("", {"report_timer_stopped", "report_timer_breached", "report_timer_begun", "report_timer_due"}),
        ("waits/", {"report_timer_stopped", "report_timer_breached"}),
        ("soon/", {"report_timer_due"}),
        ("pauses/", {"report_event_held", "report_event_team"}),
    ],
)
def test_a_page_finds_its_period_by_index(desk: Cast, sven: Client, page: str, indexes: set[str]) -> None:
    with CaptureQueriesContext(connection) as queries:
        assert sven.get(f"{ROOT}{page}?{SPRING}").status_code == 200
    about = [query["sql"] for query in queries if "slas_timer" in query["sql"] and "sum(" not in query["sql"]]
    about += [query["sql"] for query in queries if "incident.held" in query["sql"]]
    plans = "\n".join(plan_of(sql) for sql in about if sql.lstrip().startswith(("SELECT", "WITH")))
    assert {name for name in indexes if name in plans} == indexes
    assert "Seq Scan on slas_timer" not in plans
    assert "Seq Scan on tickets_ticketevent" not in plans


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

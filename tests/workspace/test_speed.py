"""The queue at size: queries do not grow with rows, and no plan reads all tickets."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from incidents.models import Incident
from itsm.accounts.models import User
from itsm.tickets.models import Ticket
from tests.cast import Cast
from tests.workspace.seed import COMMON, RARE, seed_tickets

MOST_QUERIES = 13  # one each for running major incidents and for the texts that the reader left
MANY = 20_000
URLS = [
    "/desk/queue/",
    "/desk/queue/?layout=table&density=compact",
    "/desk/queue/?view=mine",
    "/desk/queue/?view=unassigned&sort=priority",
    "/desk/queue/?view=breaching",
    "/desk/queue/?view=waiting",
    "/desk/queue/?view=team-network&sort=updated",
    "/desk/queue/?view=resolved",
    "/desk/queue/?view=all&sort=opened",
    "/desk/queue/?view=all&sort=number",
    f"/desk/queue/?q={RARE}",
    f"/desk/queue/?q={COMMON}",
    f"/desk/search/?q={RARE}",
    f"/desk/search/?q={COMMON}&sort=opened",
    "/desk/search/?q=status:closed+priority:1&sort=updated",
    "/desk/",
]


def _seed(cast: Cast, count: int, **options: Any) -> None:
    seed_tickets(
        count,
        requesters=[cast.rita, cast.rosa, cast.rolf],
        agents=[cast.anna, cast.ben, cast.carl],
        teams=[cast.network, cast.desktop],
        **options,
    )


def _queries(client: Any, url: str) -> list[str]:
    client.get(url)
    with CaptureQueriesContext(connection) as found:
        assert client.get(url).status_code == 200
    return [query["sql"] for query in found]


@pytest.mark.parametrize("url", [*URLS, "/desk/queue/?q=team:network+assignee:anna@example.com"])
def test_a_few_rows_and_a_hundred_cost_the_same_number_of_queries(cast: Cast, signed_in: Any, url: str) -> None:
    client = signed_in(cast.anna)
    _seed(cast, 20, open_share=0.5)
    # Each queue has a row before and after: an empty page asks less.
    Ticket.objects.filter(pk=Ticket.objects.open().earliest("pk").pk).update(queue_due_at=timezone.now())
    Ticket.objects.filter(status="closed").update(priority=1)
    waiting = Incident.objects.open().latest("pk").pk
    Ticket.objects.filter(pk=waiting).update(status="on_hold")
    Incident.objects.filter(pk=waiting).update(hold_reason="awaiting_caller")
    few = _queries(client, url)
    _seed(cast, 80, open_share=0.5)
    many = _queries(client, url)
    assert len(many) == len(few), (few, many)
    assert len(many) <= MOST_QUERIES, many


@pytest.fixture(scope="module")
def crowded(django_db_setup: None, django_db_blocker: Any) -> Iterator[User]:
    """20,000 tickets, most of them closed, that the tests of this module only read."""
    from django.db import transaction

    from tests.cast import make_cast

    with django_db_blocker.unblock():
        transaction.set_autocommit(False)
        try:
            cast = make_cast()
            _seed(cast, MANY)
            yield cast.anna
        finally:
            transaction.rollback()
            transaction.set_autocommit(True)


def _scans(plan: dict[str, Any]) -> Iterator[str]:
    if plan["Node Type"] == "Seq Scan":
        yield plan["Relation Name"]
    for part in plan.get("Plans", ()):
        yield from _scans(part)


@pytest.mark.parametrize("url", URLS)
def test_no_page_reads_all_tickets(crowded: User, signed_in: Any, django_db_blocker: Any, url: str) -> None:
    with django_db_blocker.unblock():
        assert Ticket.objects.count() >= MANY
        queries = _queries(signed_in(crowded), url)
        with connection.cursor() as cursor:
            for sql in queries:
                if '"tickets_ticket"' not in sql:
                    continue
                cursor.execute("EXPLAIN (FORMAT JSON) " + sql)
                read_whole = set(_scans(cursor.fetchone()[0][0]["Plan"]))
                assert not read_whole & {"tickets_ticket", "incidents_incident", "slas_timer"}, sql

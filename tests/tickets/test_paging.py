"""Keyset paging: every row once, whatever is inserted, and no cursor that breaks anything."""

import base64
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from incidents.actions import open_incident
from itsm.tickets.errors import Invalid
from itsm.tickets.models import Ticket
from itsm.tickets.models.ticket import QUEUE_ORDER
from itsm.tickets.paging import page_of
from tests.cast import Cast, as_
from tests.memory import remembered

ORDERS = [QUEUE_ORDER, ("-opened_at", "-id"), ("priority", "-updated_at", "id"), ("number", "id")]


@pytest.fixture
def many(cast: Cast) -> list[Ticket]:
    def make() -> list[Ticket]:
        return [
            open_incident(actor=as_(cast.rita), title=f"T{index}", impact=index % 3 + 1, urgency=index % 2 + 1)
            for index in range(23)
        ]

    return remembered("many", make)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("limit", [1, 5, 23, 50])
def test_every_row_comes_once_forwards_and_backwards(many: list[Ticket], order: tuple[str, ...], limit: int) -> None:
    wanted = list(Ticket.objects.order_by(*order))
    seen: list[Ticket] = []
    cursor, page = None, None
    while page is None or cursor:
        page = page_of(Ticket.objects.all(), order, limit=limit, cursor=cursor)
        seen += page.rows
        cursor = page.next_cursor
    assert seen == wanted
    backwards = list(page.rows)
    while page.previous_cursor:
        page = page_of(Ticket.objects.all(), order, limit=limit, cursor=page.previous_cursor)
        backwards = page.rows + backwards
    assert backwards == wanted


def test_rows_added_meanwhile_repeat_nothing(cast: Cast, many: list[Ticket]) -> None:
    order = ("-opened_at", "-id")
    first = page_of(Ticket.objects.all(), order, limit=10)
    open_incident(actor=as_(cast.rita), title="New on top")
    second = page_of(Ticket.objects.all(), order, limit=10, cursor=first.next_cursor)
    assert not set(first.rows) & set(second.rows)
    assert len(second.rows) == 10


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_a_cursor_that_the_database_cannot_read_is_refused(cast: Cast, text: str) -> None:
    cursor = base64.urlsafe_b64encode(json.dumps([0, "numberid", [text, 1]]).encode()).decode()
    with pytest.raises(Invalid, match="first page"):
        page_of(Ticket.objects.all(), ("number", "id"), limit=5, cursor=cursor)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80, deadline=None)
@given(
    st.one_of(
        st.text(min_size=1, max_size=200),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.floats(),
            lambda inner: st.lists(inner, max_size=5),
            max_leaves=12,
        ).map(lambda value: base64.urlsafe_b64encode(json.dumps(value).encode()).decode()),
        st.lists(st.integers() | st.text(max_size=20), min_size=4, max_size=4).map(
            lambda values: base64.urlsafe_b64encode(json.dumps([0, "".join(QUEUE_ORDER), values]).encode()).decode()
        ),
    )
)
def test_foreign_cursors_are_refused_in_words(cast: Cast, cursor: str) -> None:
    try:
        page_of(Ticket.objects.all(), QUEUE_ORDER, limit=5, cursor=cursor)
        said = "first page"
    except Invalid as error:
        said = error.fields["cursor"]
    assert "first page" in said

"""The conditions that people really ask: on tickets, with the declared fields of the kernel."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from itsm.conditions import (
    AllOf,
    AnyOf,
    Condition,
    ConditionError,
    Context,
    Leaf,
    Not,
    Type,
    check,
    describe,
    normalise,
    parse,
    suggest,
    to_predicate,
    to_q,
    to_text,
)
from itsm.tickets.actors import Channel
from itsm.tickets.models import NO_TARGET, Ticket, Watcher
from itsm.tickets.schema import ticket_schema

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
TITLES = ("VPN drops", "vpn ÄRGER", "Printer on fire 🔥", "100% disk_full", "back\\slash", "Disk full")
STEPS = (timedelta(0), timedelta(hours=2), timedelta(days=3), timedelta(days=30))


@pytest.fixture
def tickets(cast):
    """Sixty tickets that differ in every declared field."""
    chance = random.Random(7)
    cast.rolf.is_vip = True
    cast.rolf.save(update_fields=["is_vip"])
    people = (cast.rita, cast.rosa, cast.rolf)

    def moment():
        return NOW - chance.choice(STEPS) + timedelta(microseconds=chance.choice((-1, 0, 1)))

    rows = [
        Ticket(
            kind="incident",
            number=f"INC{90000 + number}",
            title=chance.choice(TITLES),
            description=chance.choice(("", "It hums", "Fällt aus")),
            status=chance.choice(("new", "in_progress", "on_hold", "resolved", "closed")),
            requester=chance.choice(people),
            opened_by=cast.anna,
            team=chance.choice((None, cast.network, cast.desktop)),
            assignee=chance.choice((None, cast.anna, cast.ben, cast.carl)),
            service=chance.choice((None, cast.vpn, cast.mail)),
            category=chance.choice((None, cast.hardware, cast.printers)),
            impact=chance.choice((1, 2, 3)),
            urgency=chance.choice((1, 2, 3)),
            priority=chance.choice((1, 2, 3, 4, 5)),
            channel=chance.choice(Channel.values),
            opened_at=moment(),
            updated_at=moment(),
            resolved_at=chance.choice((None, moment())),
            closed_at=chance.choice((None, None, moment())),
            queue_due_at=chance.choice((NO_TARGET, moment(), NOW + timedelta(hours=2))),
            external_id=chance.choice(("", "X-1", "x-1")),
        )
        for number in range(60)
    ]
    Ticket.objects.bulk_create(rows)
    Watcher.objects.bulk_create(
        [Watcher(ticket=row, user=user) for row in rows for user in (cast.anna, cast.rita) if chance.random() < 0.3]
    )
    return list(Ticket.objects.select_related("requester").prefetch_related("watcher_rows").order_by("pk"))


NAMES = {
    "team": ("network", "Desktop", "mine"),
    "assignee": ("anna@example.com", "BEN@example.com", "me"),
    "requester": ("rita@example.com", "rolf@example.com", "me"),
    "watcher": ("anna@example.com", "rita@example.com", "me"),
    "category": ("Hardware", "hardware / printers"),
    "service": ("vpn", "E-mail"),
}


@st.composite
def leaves(draw):
    schema = ticket_schema()
    field = draw(st.sampled_from([one for one in schema.by_name.values() if one.has_predicate]))
    strategies = {
        Type.TEXT: st.sampled_from((*TITLES, "DISK", "_", "\\", "ä", "inc9000", "INC90001", "X-1")),
        Type.BOOLEAN: st.booleans(),
        Type.DATETIME: st.sampled_from(("2026-11-23", "2026-11", "today", "last_week")),
        Type.REFERENCE: st.sampled_from(NAMES.get(field.name, ("none",))),
    }
    values = strategies.get(field.type, st.sampled_from([value for value, _label in field.options()] or [1]))
    op = draw(st.sampled_from(sorted(field.operators)))
    if field.type == Type.DATETIME and op in ("lt", "lte", "gt", "gte"):
        values |= st.sampled_from(("0m", "2h", "3d"))
    if op in ("is_empty", "is_not_empty"):
        return Leaf(field.name, op)
    count = {"in": (1, 3), "not_in": (1, 3), "within": (2, 2)}.get(op)
    if count is None:
        return Condition.from_json({"field": field.name, "op": op, "value": draw(values)})
    drawn = draw(st.lists(values, min_size=count[0], max_size=count[1]))
    return Condition.from_json({"field": field.name, "op": op, "value": drawn})


def grown(inner):
    some = st.lists(inner, min_size=1, max_size=3).map(tuple)
    return st.one_of(inner, inner.map(Not), some.map(AllOf), some.map(AnyOf))


def both(condition, tickets, user):
    """Return the tickets that both compilations find, having compared them."""
    context = Context(user=user, now=NOW, zone=UTC)
    found = list(Ticket.objects.filter(to_q(condition, ticket_schema(), context)).order_by("pk"))
    holds = to_predicate(condition, ticket_schema(), context)
    assert found == [ticket for ticket in tickets if holds(ticket)]
    return found


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(condition=grown(grown(leaves())))
def test_database_and_predicate_agree_on_tickets(tickets, cast, condition):
    both(condition, tickets, cast.anna)
    assert parse(to_text(condition, ticket_schema()), ticket_schema()) == normalise(condition)
    assert describe(condition, ticket_schema())


def asked(text, tickets, user):
    return both(parse(text, ticket_schema()), tickets, user)


def test_the_words_of_the_queue(tickets, cast):
    still_open = [t for t in tickets if t.is_open]
    assert asked("is:open", tickets, cast.anna) == still_open
    assert asked("is:closed", tickets, cast.anna) == [t for t in tickets if not t.is_open]
    assert asked("is:unassigned", tickets, cast.anna) == [t for t in tickets if t.assignee_id is None]
    assert asked("is:mine", tickets, cast.ben) == [t for t in tickets if t.assignee_id == cast.ben.pk]
    assert asked("team:mine", tickets, cast.carl) == [t for t in tickets if t.team_id == cast.desktop.pk]
    assert asked("is:vip", tickets, cast.anna) == [t for t in tickets if t.requester_id == cast.rolf.pk]
    assert asked("is:overdue", tickets, cast.anna) == [t for t in still_open if t.queue_due_at < NOW]
    assert asked("due:none", tickets, cast.anna) == [t for t in tickets if t.next_target_at is None]
    assert asked("due:>1h", tickets, cast.anna) == [t for t in tickets if t.queue_due_at == NOW + timedelta(hours=2)]


def test_a_category_includes_what_lies_below_it(tickets, cast):
    assert asked("category:hardware", tickets, cast.anna) == [t for t in tickets if t.category_id is not None]
    printers = asked('category:"Hardware / Printers"', tickets, cast.anna)
    assert printers == [t for t in tickets if t.category_id == cast.printers.pk]


def test_numbers_match_in_any_case(tickets, cast):
    assert asked("number:inc90007", tickets, cast.anna) == [tickets[7]]
    assert len(asked("number:inc9000*", tickets, cast.anna)) == 10


def test_one_person_in_two_spellings_is_one_person(tickets, cast):
    found = asked("assignee:anna@example.com,ANNA@Example.com", tickets, cast.ben)
    assert found == [t for t in tickets if t.assignee_id == cast.anna.pk]


def test_free_words_find_and_their_negation_finds_the_rest(tickets, cast):
    context = Context(user=cast.anna, now=NOW, zone=UTC)
    for text in ("vpn", '"disk full"', "inc90007", "🔥", "' | & !", "<b>", "a:*&", "100%"):
        schema = ticket_schema()
        condition = Leaf("text", "matches", text)
        found = Ticket.objects.filter(to_q(condition, schema, context)).count()
        rest = Ticket.objects.filter(to_q(Not(condition), schema, context)).count()
        assert found + rest == len(tickets)
    assert Ticket.objects.filter(to_q(parse("disk full", schema), schema, context)).count() > 0


def test_nobody_is_me_without_signing_in(tickets):
    for user in (None, AnonymousUser()):
        with pytest.raises(ConditionError, match="nobody is signed in"):
            to_q(parse("is:mine", ticket_schema()), ticket_schema(), Context(user=user, now=NOW, zone=UTC))


def test_a_stored_rule_may_neither_search_text_nor_mean_me():
    for text in ("vpn", "assignee:me", "is:mine", "team:mine"):
        with pytest.raises(ConditionError):
            check(parse(text, ticket_schema()), ticket_schema(), predicate=True, personal=False)
    check(parse("title:vpn priority:<=2 is:open", ticket_schema()), ticket_schema(), predicate=True, personal=False)


@pytest.mark.parametrize("name", ["requester__password", "opened_by", "custom", "version", "event_hash", "_connector"])
def test_what_is_not_declared_cannot_be_asked(name, cast):
    with pytest.raises(ConditionError, match="Unknown field"):
        to_q(Leaf(name, "eq", "x"), ticket_schema(), Context(user=cast.ada, now=NOW, zone=UTC))


def test_suggestions_complete_people_and_teams(cast):
    context = Context(user=cast.anna, now=NOW, zone=UTC)
    assert "network" in [found.text for found in suggest("team:net", 8, ticket_schema(), context)]
    assert "carl@example.com" in [found.text for found in suggest("assignee:ca", 11, ticket_schema(), context)]
    assert "status:" in [found.text for found in suggest("sta", 3, ticket_schema(), context)]

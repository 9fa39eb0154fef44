"""Holds the two compilations equal: what PostgreSQL finds is what the predicate says of each row."""

import pytest
from django.db import connection
from django.db.models import Q
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from itsm.conditions import (
    EVERYTHING,
    NOTHING,
    AllOf,
    AnyOf,
    ConditionError,
    Leaf,
    Not,
    check,
    fold,
    normalise,
    parse,
    to_predicate,
    to_q,
)

from .models import Crew, Thing
from .samples import NOW, SCHEMA, TESTABLE, context, text_values, trees

pytestmark = pytest.mark.django_db
with_rows = settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def filtered(condition, user=None):
    """Return the ids that the database finds, as a list so that a row found twice shows."""
    return list(Thing.objects.filter(to_q(condition, SCHEMA, context(user))).values_list("pk", flat=True))


def picked(condition, rows, user=None):
    """Return the ids that the predicate picks from `rows`."""
    holds = to_predicate(condition, SCHEMA, context(user))
    return [row.pk for row in rows if holds(row)]


def both(text, rows, user=None):
    """Return what both compilations find for a search text, having compared them."""
    condition = parse(text, SCHEMA)
    found = sorted(filtered(condition, user))
    assert found == sorted(picked(condition, rows, user))
    return found


@with_rows
@given(condition=trees(TESTABLE))
def test_database_and_predicate_agree_on_every_row(things, condition):
    assert sorted(filtered(condition)) == sorted(picked(condition, things))


@with_rows
@given(condition=trees(TESTABLE))
def test_not_finds_exactly_the_rest(things, condition):
    assert sorted(filtered(condition) + filtered(Not(condition))) == sorted(thing.pk for thing in things)


@with_rows
@given(condition=trees(TESTABLE))
def test_normal_form_means_the_same(things, condition):
    assert sorted(filtered(condition)) == sorted(filtered(normalise(condition)))


@with_rows
@given(stored=text_values, asked=text_values, op=st.sampled_from(["eq", "contains", "starts_with", "ne"]))
def test_any_text_compares_alike(condition_tables, db, stored, asked, op):
    Thing.objects.all().delete()
    Thing.objects.bulk_create([Thing(code="A", title=stored, next_at=NOW), Thing(code="B", title=None, next_at=NOW)])
    condition = Leaf("title", op, asked)
    assert sorted(filtered(condition)) == sorted(picked(condition, Thing.objects.all()))


def test_lower_case_is_the_same_for_every_character(db):
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT code, ascii(lower(chr(code) COLLATE "pg_c_utf8")) FROM generate_series(1, 1114111) AS code
               WHERE code NOT BETWEEN 55296 AND 57343 AND lower(chr(code) COLLATE "pg_c_utf8") <> chr(code)"""
        )
        postgres = dict(cursor.fetchall())
    python = {code: ord(fold(chr(code))) for code in range(1, 0x110000) if fold(chr(code)) != chr(code)}
    assert python == postgres
    assert len(postgres) > 1_000


def test_case_is_ignored_beyond_ascii(things):
    titles = {thing.pk: thing.title for thing in things}
    assert {titles[pk] for pk in both("title:öffnet", things)} == {"Drucker ÖFFNET nicht", "öffnet"}
    assert {titles[pk] for pk in both("title:=disk", things)} == {"DISK"}
    assert {titles[pk] for pk in both('title:^"100_"', things)} == {"100_"}
    assert {titles[pk] for pk in both("title:straße", things)} == {"straße"}


def test_a_missing_value_satisfies_no_question_and_every_negated_one(things):
    without = sorted(thing.pk for thing in things if thing.level is None)
    assert without
    assert not set(without) & set(both("level:<=4", things))
    assert set(without) <= set(both("-level:1", things))
    assert set(without) <= set(both("not level:<=4", things))
    assert both("level:none", things) == without


def test_a_blank_choice_and_a_blank_text_are_empty(things):
    assert both("state:none", things) == sorted(thing.pk for thing in things if not thing.state)
    assert both("title:none", things) == sorted(thing.pk for thing in things if not thing.title)
    assert both('state:"none"', things) == sorted(thing.pk for thing in things if thing.state == "none")


def test_a_value_that_stands_for_none_is_empty_and_lies_in_no_range(things):
    never = {thing.pk for thing in things if thing.next_at.year == 9999}
    assert set(both("due:none", things)) == never
    assert not never & set(both("due:>2h", things))
    assert never <= set(both("-due:>2h", things))


def test_ages_and_days_use_the_clock_and_zone_of_the_context(things):
    hour = {thing.pk for thing in things if thing.made_at and (NOW - thing.made_at).total_seconds() < 7200}
    assert set(both("made:<2h", things)) == hour
    day = [t for t in things if t.made_at and t.made_at.astimezone(context().zone).date().isoformat() == "2026-10-25"]
    assert day
    assert both("made:2026-10-25", things) == sorted(thing.pk for thing in day)
    between = {t.pk for t in things if t.made_at and 7200 <= (NOW - t.made_at).total_seconds() <= 3 * 86400}
    assert set(both("made:2h..3d", things)) == between
    soon = {t.pk for t in things if t.next_at.year < 9999 and (t.next_at - NOW).total_seconds() < 7200}
    assert set(both("due:<2h", things)) == soon


def test_several_values_never_multiply_a_row(things):
    found = filtered(parse("fan:network,desks,none", SCHEMA))
    assert len(found) == len(set(found))
    assert both("fan:desks", things)
    assert both("fan:none", things) == sorted(thing.pk for thing in things if not thing.fans.all())


def test_words_that_depend_on_the_person(things, crew):
    mine = both("crew:mine", things, user=crew[0])
    assert mine == sorted(thing.pk for thing in things if thing.crew_id == crew[0].pk)
    with pytest.raises(ConditionError, match="nobody is signed in"):
        to_q(parse("crew:mine", SCHEMA), SCHEMA, context())
    assert both("crew:nobody", things) == []


def test_everything_and_nothing(things):
    assert len(filtered(EVERYTHING)) == len(things)
    assert filtered(NOTHING) == [] == picked(NOTHING, things)
    assert to_q(EVERYTHING, SCHEMA, context()) == Q()
    assert len(filtered(AnyOf((Leaf("level", "eq", 1), EVERYTHING)))) == len(things)


def test_free_text_filters_but_has_no_predicate(things):
    condition = parse("fire", SCHEMA)
    assert [Thing.objects.get(pk=pk).title for pk in filtered(condition)] == ["🔥 fire"] * len(filtered(condition))
    assert len(filtered(condition)) + len(filtered(Not(condition))) == len(things)
    for refused in (condition, parse("is:shouting", SCHEMA)):
        with pytest.raises(ConditionError, match="cannot be used in a rule"):
            to_predicate(refused, SCHEMA, context())


def test_a_rule_refuses_words_that_depend_on_the_person():
    with pytest.raises(ConditionError, match="depends on who is looking"):
        check(Leaf("crew", "eq", "Mine"), SCHEMA, personal=False)
    check(Leaf("crew", "eq", "Mine"), SCHEMA)


def test_names_of_a_field_take_one_query(things, django_assert_num_queries):
    condition = AllOf((Leaf("crew", "in", ("network", "Network", "desks")), Leaf("crew", "ne", "NONE")))
    with django_assert_num_queries(2):
        to_q(condition, SCHEMA, context())


def test_an_unknown_name_is_told_with_its_place(condition_tables, db):
    with pytest.raises(ConditionError) as caught:
        parse("level:1 crew:marketing", SCHEMA, context())
    assert (caught.value.position, caught.value.word) == (13, "marketing")
    Crew.objects.create(name="Marketing")
    parse("level:1 crew:marketing", SCHEMA, context())

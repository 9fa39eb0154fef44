"""The search bar's language: what it reads, what it refuses and how, and that printing and reading are inverse."""

import time

import pytest
from django.utils import translation
from hypothesis import given, settings
from hypothesis import strategies as st

from itsm.conditions import (
    EVERYTHING,
    MAX_QUERY,
    AllOf,
    AnyOf,
    Condition,
    ConditionError,
    Leaf,
    Not,
    Suggestion,
    chips,
    describe,
    normalise,
    parse,
    suggest,
    to_text,
)

from .samples import ALL_NAMES, SCHEMA, TEXTS, leaves, trees

many = settings(max_examples=500, deadline=None)

READINGS = {
    "": EVERYTHING,
    "  ": EVERYTHING,
    "level:1": Leaf("level", "eq", 1),
    "LEVEL:critical": Leaf("level", "eq", 1),
    "level:<=2": Leaf("level", "lte", 2),
    "level:1..3": Leaf("level", "within", (1, 3)),
    "level:..2": Leaf("level", "lte", 2),
    "level:!=2": Leaf("level", "ne", 2),
    "-level:2": Leaf("level", "ne", 2),
    "not level:2": Leaf("level", "ne", 2),
    "- level:2": Leaf("level", "eq", 2),
    "--level:2": Leaf("level", "eq", 2),
    "-level:<2": Not(Leaf("level", "lt", 2)),
    "state:new, in_progress": Leaf("state", "in", ("new", "in_progress")),
    'state:"On hold"': Leaf("state", "eq", "held"),
    "state:new,new": Leaf("state", "eq", "new"),
    "state:none": Leaf("state", "is_empty"),
    'state:"none"': Leaf("state", "eq", "none"),
    "state:any": Leaf("state", "is_not_empty"),
    "-state:none": Leaf("state", "is_not_empty"),
    "crew:none,mine": AnyOf((Leaf("crew", "is_empty"), Leaf("crew", "eq", "mine"))),
    "crew:#12": Leaf("crew", "eq", 12),
    'crew:"#12"': Leaf("crew", "eq", "#12"),
    "title:disk": Leaf("title", "contains", "disk"),
    "title:=disk": Leaf("title", "eq", "disk"),
    "title:^disk": Leaf("title", "starts_with", "disk"),
    "title:disk*": Leaf("title", "starts_with", "disk"),
    "title:=disk*": Leaf("title", "eq", "disk*"),
    "title:a,b": AnyOf((Leaf("title", "contains", "a"), Leaf("title", "contains", "b"))),
    "code:inc1*": Leaf("code", "starts_with", "inc1"),
    "code:inc1": Leaf("code", "eq", "inc1"),
    "loud:yes -busy:no": AllOf((Leaf("loud", "eq", True), Leaf("busy", "ne", False))),
    "made:<2h": Leaf("made", "lt", "2h"),
    "made:2026-11-01..2026-11-23": Leaf("made", "within", ("2026-11-01", "2026-11-23")),
    "made:>=2026-11-01t10:00z": Leaf("made", "gte", "2026-11-01T10:00Z"),
    'made:"2026-11-01 10:00"': Leaf("made", "eq", "2026-11-01T10:00"),
    "made:TODAY": Leaf("made", "eq", "today"),
    "is:open,idle": Leaf("is", "in", ("open", "idle")),
    'disk "is full"': AllOf((Leaf("text", "matches", "disk"), Leaf("text", "matches", "is full"))),
    '"say \\"hi\\""': Leaf("text", "matches", 'say "hi"'),
    "-disk": Not(Leaf("text", "matches", "disk")),
    "printer not working": AllOf(tuple(Leaf("text", "matches", word) for word in ("printer", "not", "working"))),
    "NOT working": Not(Leaf("text", "matches", "working")),
    "a - b": AllOf((Leaf("text", "matches", "a"), Leaf("text", "matches", "b"))),
    "a or b and c": AnyOf(
        (Leaf("text", "matches", "a"), AllOf((Leaf("text", "matches", "b"), Leaf("text", "matches", "c"))))
    ),
    "(is:open or level:1) crew:mine": AllOf(
        (AnyOf((Leaf("is", "eq", "open"), Leaf("level", "eq", 1))), Leaf("crew", "eq", "mine"))
    ),
    "http://example.org/a": Leaf("text", "matches", "http://example.org/a"),
    "Error: disk": AllOf((Leaf("text", "matches", "Error:"), Leaf("text", "matches", "disk"))),
    "10:30": Leaf("text", "matches", "10:30"),
}


@pytest.mark.parametrize(("text", "condition"), READINGS.items())
def test_reads(text, condition):
    assert parse(text, SCHEMA) == condition
    assert parse(to_text(condition, SCHEMA), SCHEMA) == condition


REFUSALS = {
    "levle:1": (0, "Unknown field “levle”. Did you mean level?"),
    "a levle:1": (2, "put it in quotation marks"),
    "level:": (6, "needs a value right after it"),
    "level: 1": (6, "needs a value right after it"),
    "level:high,9": (6, "no value “9”"),
    "level:urgent": (6, "whole number"),
    "level:<1,2": (9, "one value, not a list"),
    "level:..": (6, "two ends"),
    "level:1..x": (9, "whole number"),
    "state:opne": (6, "no value “opne”"),
    "state:<new": (7, "has no order"),
    "loud:maybe": (5, "takes yes or no"),
    "made:2026-13-01": (5, "is not a date"),
    "made:2026-02-30": (5, "is not a date"),
    "made:2026-11-01T25:00": (5, "is not a date"),
    "made:2026-11-01T10:00+99:99": (5, "is not a date"),
    "made:0001-01-01": (5, "too far away"),
    "made:9999-12-31": (5, "too far away"),
    "made:tody": (5, "Did you mean today?"),
    "made:2h": (5, "made:<2h"),
    "made:<9999999w": (6, "hundred years"),
    "made:2h..2026-11-01": (5, "from a date to a date"),
    "is:opened": (3, "Did you mean open?"),
    "crew:~x": (6, "does not work with"),
    "level:1e9999999": (6, "whole number"),
    f"level:{10**40}": (6, "whole number"),
    "level:9999999999999999999": (6, "number from"),
    "level:<99999999999": (7, "number from"),
    "level:١": (6, "whole number"),
    "level:nan": (6, "whole number"),
    'a "b': (2, "Close the quotation mark"),
    '""': (0, "empty"),
    'title:"a"b': (9, "space or a comma"),
    "(a": (0, "Close the parenthesis"),
    "a)": (1, "no opening one"),
    "a or": (4, "Something to search for is missing"),
    "or a": (0, "Something to search for is missing"),
    "a NOT": (5, "Something to search for is missing"),
    "(" * 9 + "a" + ")" * 9: (8, "Too many parentheses"),
    "a\0b": (0, "cannot be stored"),
    "title:\ud800": (6, "cannot be stored"),
    "title:" + "x" * 501: (6, "longer than 500"),
    "x" * (MAX_QUERY + 1): (MAX_QUERY, "longer than 2000"),
    "a " * 101: (200, "more than 100 terms"),
}


@pytest.mark.parametrize(("text", "refusal"), REFUSALS.items(), ids=range(len(REFUSALS)))
def test_refuses_with_place_and_advice(text, refusal):
    with pytest.raises(ConditionError) as caught:
        parse(text, SCHEMA)
    assert refusal[1] in caught.value.message
    assert caught.value.position == refusal[0]


@many
@given(condition=trees(ALL_NAMES))
def test_what_is_printed_reads_back_the_same(condition):
    text = to_text(condition, SCHEMA)
    if len(text) <= MAX_QUERY:
        assert parse(text, SCHEMA) == normalise(condition)


@many
@given(condition=trees(ALL_NAMES))
def test_json_reads_back_the_same(condition):
    assert Condition.from_json(condition.to_json()) == condition
    assert normalise(normalise(condition)) == normalise(condition)


@pytest.mark.parametrize("text", TEXTS)
def test_every_awkward_text_survives_printing(text):
    for leaf in (Leaf("text", "matches", text), Leaf("title", "in", (text, "x")), Leaf("crew", "eq", text)):
        assert parse(to_text(leaf, SCHEMA), SCHEMA) == leaf


FRAGMENTS = (
    *(
        *ALL_NAMES,
        ":",
        ":",
        "<",
        ">=",
        "..",
        ",",
        "(",
        ")",
        "-",
        '"',
        "\\",
        " ",
        " ",
        "or",
        "and",
        "not",
        "NOT",
        "none",
    ),
    *("1", "10" * 30, "2h", "today", "2026-11-01", "#1", "*", "is:open", "é", "🔥", "\0", "\ud800"),
)
fragments = st.sampled_from(FRAGMENTS)


def outcome(call, *arguments):
    """Return what the call gives, or the ConditionError that it raises; anything else goes through."""
    try:
        return call(*arguments)
    except ConditionError as error:
        return error


@settings(max_examples=1500, deadline=None)
@given(text=st.text(max_size=60) | st.lists(fragments, max_size=25).map("".join))
def test_any_text_is_a_condition_or_a_condition_error(text):
    found = outcome(parse, text, SCHEMA)
    if isinstance(found, ConditionError):
        assert found.message
        assert found.position is not None
        assert 0 <= found.position <= len(text)
    else:
        assert parse(to_text(found, SCHEMA), SCHEMA) == found
        assert describe(found, SCHEMA)
    for suggestion in suggest(text, len(text), SCHEMA):
        assert 0 <= suggestion.start <= suggestion.end == len(text)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(ALL_NAMES),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["all", "any", "not", "field", "op", "value"]) | st.text(max_size=3), inner, max_size=3
        )
    ),
    max_leaves=12,
)


@many
@given(data=json_values)
def test_any_json_is_a_condition_or_a_condition_error(data):
    found = outcome(Condition.from_json, data)
    if isinstance(found, ConditionError):
        assert found.message
    else:
        assert Condition.from_json(found.to_json()) == found


def nested(levels):
    data = {"field": "level", "value": 1}
    for _level in range(levels - 1):
        data = {"not": data}
    return data


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ([], "A condition is an object"),
        ({"all": {}}, "takes a list"),
        ({"any": []}, "at least one"),
        ({"all": [], "any": []}, "exactly one of the keys"),
        ({"filter": 1}, "exactly one of the keys"),
        ({"field": "level", "op": "eq", "value": 1, "_connector": "OR"}, "not “_connector”"),
        ({"field": "level", "op": "regex", "value": "x"}, "Unknown operator “regex”"),
        ({"field": 3, "value": 1}, "name of a field"),
        ({"field": "level", "value": 1.5}, "whole number"),
        ({"field": "level", "value": float("inf")}, "whole number"),
        ({"field": "level", "value": 2**63}, "too large"),
        ({"field": "level", "value": None}, "whole number"),
        ({"field": "level", "op": "in", "value": 1}, "takes a list"),
        ({"field": "level", "op": "in", "value": []}, "takes a list"),
        ({"field": "level", "op": "in", "value": [1] * 101}, "at most 100"),
        ({"field": "level", "op": "within", "value": [1]}, "two values"),
        ({"field": "level", "op": "is_empty", "value": 1}, "no value"),
        ({"field": "made", "op": "before", "value": "2h"}, "takes a date"),
        ({"field": "title", "value": "a\0"}, "cannot be stored"),
        (nested(9), "nested too deeply"),
        ({"all": [{"field": "level", "value": 1}] * 101}, "at most 100"),
        ({"any": [{"all": [{"field": "level", "value": 1}] * 60}] * 2}, "120 questions"),
        ({"all": [{"field": "level", "op": "in", "value": list(range(100))}] * 11}, "too many values"),
    ],
)
def test_json_is_refused_with_a_sentence(data, words):
    with pytest.raises(ConditionError) as caught:
        Condition.from_json(data)
    assert words in caught.value.message


def test_json_of_the_largest_allowed_shape_is_read():
    assert Condition.from_json(nested(8)).depth() == 8
    assert Condition.from_json({"field": "made", "op": "before", "value": "2026-11-01"}) == Leaf(
        "made", "lt", "2026-11-01"
    )


def test_hostile_depth_is_refused_before_it_is_walked():
    data = {}
    for _level in range(100_000):
        data = {"not": data}
    with pytest.raises(ConditionError, match="too deeply"):
        Condition.from_json(data)
    while data:
        data = data.pop("not")


@pytest.mark.parametrize(
    "text",
    [
        "(" * 2000,
        "-" * 2000,
        '"' * 1999,
        "\\" * 2000,
        '"' + "\\" * 1999,
        "a:" * 1000,
        "not " * 500,
        "level:" + "1," * 990,
        "level:1" + "," * 1990,
        "x" * 2000,
        "level:" + "9" * 1990,
        " or " * 500,
    ],
)
def test_hostile_text_is_answered_at_once(text):
    began = time.process_time()
    assert outcome(parse, text, SCHEMA)
    suggest(text, len(text), SCHEMA)
    assert time.process_time() - began < 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "everything"),
        ("level:1", "Level is Critical"),
        ("-state:new,held", "State is not New or On hold"),
        ("crew:none", "Crew is empty"),
        ("made:<2h", "Made less than 2 hours ago"),
        ("due:<1d", "Due in less than 1 day"),
        ("made:2026-11-01..2026-11-23", "Made from Nov. 1, 2026 to Nov. 23, 2026"),
        ("made:today", "Made: today"),
        ("is:open", "open"),
        ("-is:open", "not open"),
        ('"disk full"', "contains “disk full”"),
        ("level:1..2 (loud:yes or title:a)", "Level is from Critical to High and (Loud is yes or Title contains “a”)"),
        ("-level:<2", "not (Level is less than High)"),
    ],
)
def test_describes_in_words(text, words):
    with translation.override("en"):
        assert describe(parse(text, SCHEMA), SCHEMA) == words


@many
@given(condition=leaves(ALL_NAMES))
def test_every_question_can_be_described(condition):
    assert describe(condition, SCHEMA)


def test_chips_say_what_is_left_without_them():
    found = chips(parse("level:1 is:open (loud:yes or loud:none)", SCHEMA), SCHEMA)
    assert [chip.text for chip in found] == ["level:1", "is:open", "loud:yes or loud:none"]
    assert found[1].without == "level:1 (loud:yes or loud:none)"
    assert chips(EVERYTHING, SCHEMA) == []
    [alone] = chips(parse("level:1", SCHEMA), SCHEMA)
    assert (alone.label, alone.without) == ("Level is Critical", "")


def test_suggests_names_then_values():
    assert [found.text for found in suggest("lo", 2, SCHEMA)] == ["loud:"]
    assert suggest("is:open -le", 11, SCHEMA) == [Suggestion("level:", "Level", 9, 11)]
    assert [found.text for found in suggest("op", 2, SCHEMA)] == ["is:open"]
    assert [found.text for found in suggest("is:", 3, SCHEMA)] == ["open", "idle", "shouting"]
    assert suggest("state:new,x", 11, SCHEMA) == []
    assert suggest("state:new,i", 11, SCHEMA) == [Suggestion("in_progress", "In progress", 10, 11)]
    assert [found.text for found in suggest("level:<=", 8, SCHEMA)] == ["1", "2", "3", "4"]
    assert [found.text for found in suggest("crew:m", 6, SCHEMA)] == ["mine"]
    assert [found.text for found in suggest("loud:x", 4, SCHEMA)] == ["loud:"]
    assert suggest("nothing:x", 9, SCHEMA) == []


def test_suggestions_can_be_taken_and_read():
    for text in ("made:", "due:", "level:", "state:", "loud:", "is:"):
        for found in suggest(text, len(text), SCHEMA):
            parse(text[: found.start] + found.text, SCHEMA)


def test_a_schema_can_be_narrowed():
    narrow = SCHEMA.without("level", "text")
    for text in ("level:1", "is:idle", "is:shouting", "free"):
        with pytest.raises(ConditionError):
            parse(text, narrow)
    assert parse("is:open", narrow) == Leaf("is", "eq", "open")


def test_ordering_comes_from_the_declared_fields_only():
    assert SCHEMA.ordering("-made") == ("-made_at", "-pk")
    assert SCHEMA.ordering("level") == ("level", "pk")
    for hostile in (
        "title",
        "",
        "-",
        "--level",
        "made_at",
        "crew__name",
        "?",
        "level; DROP TABLE",
        "x" * 10_000,
        "a.b",
    ):
        with pytest.raises(ConditionError):
            SCHEMA.ordering(hostile)

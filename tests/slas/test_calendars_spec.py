"""What may be typed as a calendar, how it is written down, and what is refused with which advice."""

import json
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slas.calendars import CalendarError, CalendarSpec, tz_data_version, zone_names
from tests.slas import calendar_reference as ref

OFFICE = (((540, 1020),),) * 5 + ((), ())
DOCUMENT = {
    "time_zone": "Europe/London",
    "weekly": [[["09:00", "17:00"]]] * 5 + [[["22:00", "06:00"]], []],
    "closed_dates": ["2026-12-25", "2026-12-28"],
    "overrides": {"2026-12-24": [["09:00", "12:00"]], "2026-12-31": []},
    "allow_never": False,
}


def monday(*hours: object) -> tuple:
    return (hours, *OFFICE[1:])


def test_json_round_trip_is_stable() -> None:
    spec = CalendarSpec.from_json(DOCUMENT)
    assert spec.to_json() == DOCUMENT
    assert CalendarSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec
    assert hash(CalendarSpec.from_json(DOCUMENT)) == hash(spec)


@settings(deadline=None)
@given(ref.calendars())
def test_any_spec_survives_json(case: tuple) -> None:
    raw, _, _ = case
    spec = CalendarSpec(
        raw.zone,
        tuple(map(tuple, raw.weekly)),
        frozenset(raw.closed),
        {day: tuple(hours) for day, hours in raw.overrides.items()},
    )
    again = CalendarSpec.from_json(json.loads(json.dumps(spec.to_json())))
    assert again == spec
    assert again.digest == spec.digest
    assert replace(spec) == spec


def test_order_duplicates_and_overlaps_do_not_change_the_content() -> None:
    tidy = CalendarSpec("UTC", monday((540, 1020)))
    messy = CalendarSpec("UTC", monday((600, 1020), (540, 720), (540, 600), (540, 720)))
    assert messy == tidy
    assert messy.content_digest == tidy.content_digest
    to_midnight = CalendarSpec("UTC", monday((1320, 0)))
    assert to_midnight == CalendarSpec("UTC", monday((1320, 1440)))


@pytest.mark.parametrize(
    "other",
    [
        {"time_zone": "Europe/Paris"},
        {"weekly": monday((540, 1021))},
        {"closed_dates": frozenset({date(2026, 1, 1)})},
        {"overrides": {date(2026, 1, 1): ()}},
    ],
)
def test_any_change_of_content_changes_both_digests(other: dict) -> None:
    spec = CalendarSpec("Europe/London", OFFICE)
    changed = replace(spec, **other)
    assert changed.content_digest != spec.content_digest
    assert changed.digest != spec.digest


def test_what_was_passed_in_is_copied() -> None:
    overrides = {date(2026, 1, 1): ((540, 600),)}
    spec = CalendarSpec("UTC", OFFICE, overrides=overrides)
    overrides.clear()
    assert spec.overrides == {date(2026, 1, 1): ((540, 600),)}


@pytest.mark.parametrize(
    ("change", "advice"),
    [
        ({"time_zone": "Mars/Olympus"}, "known time zone"),
        ({"time_zone": "../../etc/passwd"}, "known time zone"),
        ({"time_zone": "Europe"}, "known time zone"),
        ({"time_zone": "UTC\x00"}, "known time zone"),
        ({"time_zone": "localtime"}, "known time zone"),
        ({"time_zone": ""}, "known time zone"),
        ({"time_zone": None}, "known time zone"),
        ({"weekly": OFFICE[:6]}, "seven lists"),
        ({"weekly": None}, "seven lists"),
        ({"weekly": (None, *OFFICE[1:])}, "list of pairs"),
        ({"weekly": monday((540,))}, "whole minutes"),
        ({"weekly": monday((540.0, 1020))}, "whole minutes"),
        ({"weekly": monday((True, 1020))}, "whole minutes"),
        ({"weekly": monday(540)}, "whole minutes"),
        ({"weekly": monday((540, 540))}, "empty"),
        ({"weekly": monday((0, 0))}, "00:00 to 24:00"),
        ({"weekly": monday((-1, 540))}, "24:00 at the latest"),
        ({"weekly": monday((540, 1441))}, "24:00 at the latest"),
        ({"weekly": monday((1440, 600))}, "24:00 at the latest"),
        ({"weekly": monday(*((m, m + 1) for m in range(0, 50, 2)))}, "24 spans"),
        ({"closed_dates": frozenset({datetime.fromisoformat("2026-01-01")})}, "without a time"),
        ({"closed_dates": frozenset({"2026-01-01"})}, "without a time"),
        ({"closed_dates": frozenset({date(1969, 12, 31)})}, "1970-2119"),
        ({"overrides": {date(2120, 1, 1): ()}}, "1970-2119"),
        ({"overrides": {date(2026, 1, 1): ((5, 5),)}}, "empty"),
        ({"closed_dates": frozenset(date.fromordinal(730_000 + n) for n in range(2001))}, "2000 closed dates"),
    ],
)
def test_bad_calendar_is_refused_with_advice(change: dict, advice: str) -> None:
    with pytest.raises(CalendarError, match=advice):
        replace(CalendarSpec("Europe/London", OFFICE), **change)


@pytest.mark.parametrize(
    ("change", "advice"),
    [
        ({"weekly": "always"}, "seven lists"),
        ({"weekly": {}}, "seven lists"),
        ({"weekly": [[]] * 7}, "never opens"),
        ({"weekly": [[["9:00", "17:00"]]] * 7}, "not a time of day"),
        ({"weekly": [[["09:60", "17:00"]]] * 7}, "not a time of day"),
        ({"weekly": [[["09:00", "24:01"]]] * 7}, "not a time of day"),
        ({"weekly": [[["٠٩:٠٠", "17:00"]]] * 7}, "not a time of day"),
        ({"weekly": [[[540, 1020]]] * 7}, "not a time of day"),
        ({"weekly": [[["09:00"]]] * 7}, "as a pair"),
        ({"weekly": ["09:00-17:00"] * 7}, "list of pairs"),
        ({"closed_dates": "2026-12-25"}, "as a list"),
        ({"closed_dates": ["25.12.2026"]}, "not a date"),
        ({"closed_dates": ["2026-02-30"]}, "not a date"),
        ({"closed_dates": [20261225]}, "not a date"),
        ({"overrides": []}, "as an object"),
        ({"overrides": {"2026-12-24": None}}, "list of pairs"),
        ({"allow_never": "yes"}, "true or false"),
        ({"time_zone": 7}, "known time zone"),
        ({"time_zone": ["UTC"]}, "known time zone"),
        ({"hours": []}, "not part of a calendar"),
    ],
)
def test_bad_json_is_refused_with_advice(change: dict, advice: str) -> None:
    with pytest.raises(CalendarError, match=advice):
        CalendarSpec.from_json(DOCUMENT | change)


@pytest.mark.parametrize("data", [None, [], "UTC", 7])
def test_json_that_is_no_object_is_refused(data: object) -> None:
    with pytest.raises(CalendarError, match="as an object"):
        CalendarSpec.from_json(data)


_text = st.text("0129:-aé\x00", max_size=8)
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | _text | st.floats(),
    lambda inner: st.lists(inner, max_size=7) | st.dictionaries(_text, inner, max_size=4),
    max_leaves=12,
)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(DOCUMENT, _json)))
def test_any_json_is_read_or_refused_but_never_breaks(data: dict) -> None:
    for document in (data, DOCUMENT | data):
        with suppress(CalendarError):
            spec = CalendarSpec.from_json(document)
            assert CalendarSpec.from_json(spec.to_json()) == spec


def test_zone_names_and_release_of_the_data_are_told() -> None:
    assert {"Europe/London", "UTC", "Pacific/Apia"} <= zone_names()
    assert tz_data_version().endswith(("(system)", "(tzdata package)"))

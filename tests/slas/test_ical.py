"""Closed dates from iCalendar files."""

import contextlib
import time
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slas.calendars import CalendarError
from slas.calendars.ical import LARGEST_FILE, closed_dates_of

FIRST, LAST = date(2026, 1, 1), date(2029, 12, 31)


def event(*lines: str) -> str:
    return "\r\n".join(["BEGIN:VEVENT", "UID:1", *lines, "END:VEVENT", ""])


def file(*events: str) -> bytes:
    return ("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y\r\n" + "".join(events) + "END:VCALENDAR\r\n").encode()


def read(*events: str) -> dict[str, str]:
    return {day.isoformat(): name for day, name in closed_dates_of(file(*events), FIRST, LAST).items()}


def days(*lines: str) -> list[str]:
    return list(read(event(*lines)))


def test_all_day_events_of_one_or_more_days_with_their_titles() -> None:
    shut = event("DTSTART;VALUE=DATE:20261224", "DTEND;VALUE=DATE:20261227", "SUMMARY:Christmas shut-\r\n down")
    assert read(shut, event("DTSTART;VALUE=DATE:20270101", "SUMMARY:Neujahr\\, frei")) == {
        "2026-12-24": "Christmas shut-down",
        "2026-12-25": "Christmas shut-down",
        "2026-12-26": "Christmas shut-down",
        "2027-01-01": "Neujahr, frei",
    }
    assert days("DTSTART;VALUE=DATE:20260704", "DURATION:P2D") == ["2026-07-04", "2026-07-05"]
    assert days("DTSTART;VALUE=DATE:20260704") == ["2026-07-04"]
    assert days("DTSTART;VALUE=DATE:20260704", "DTEND;VALUE=DATE:20260704") == ["2026-07-04"]


@pytest.mark.parametrize(
    ("start", "rule", "found"),
    [
        ("20200501", "FREQ=YEARLY", ["2026-05-01", "2027-05-01", "2028-05-01", "2029-05-01"]),
        ("19710501", "FREQ=YEARLY", ["2026-05-01", "2027-05-01", "2028-05-01", "2029-05-01"]),
        ("20240229", "FREQ=YEARLY", ["2028-02-29"]),
        ("20200501", "FREQ=YEARLY;UNTIL=20270601", ["2026-05-01", "2027-05-01"]),
        ("20240501", "FREQ=YEARLY;UNTIL=20270430T000000Z", ["2026-05-01"]),
        ("20250501", "FREQ=YEARLY;COUNT=3", ["2026-05-01", "2027-05-01"]),
        ("20250501", "FREQ=YEARLY;INTERVAL=2", ["2027-05-01", "2029-05-01"]),
        ("19710501", "FREQ=YEARLY;INTERVAL=2", ["2027-05-01", "2029-05-01"]),
        # Thanksgiving: the fourth Thursday of November; the late May holiday: the last Monday.
        ("20201126", "FREQ=YEARLY;BYMONTH=11;BYDAY=4TH", ["2026-11-26", "2027-11-25", "2028-11-23", "2029-11-22"]),
        ("20200525", "FREQ=YEARLY;BYMONTH=5;BYDAY=-1MO", ["2026-05-25", "2027-05-31", "2028-05-29", "2029-05-28"]),
        # Election day: the Tuesday after the first Monday of November.
        ("20201103", "FREQ=YEARLY;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8;INTERVAL=4", ["2028-11-07"]),
        ("20201231", "FREQ=YEARLY;BYMONTHDAY=-1", ["2026-12-31", "2027-12-31", "2028-12-31", "2029-12-31"]),
    ],
)
def test_what_comes_every_year(start: str, rule: str, found: list[str]) -> None:
    assert days(f"DTSTART;VALUE=DATE:{start}", f"RRULE:{rule}") == found


def test_exceptions_of_what_comes_every_year_and_a_week_over_new_year() -> None:
    assert days("DTSTART;VALUE=DATE:20250501", "RRULE:FREQ=YEARLY", "EXDATE;VALUE=DATE:20270501,20280501") == [
        "2026-05-01",
        "2029-05-01",
    ]
    week = days("DTSTART;VALUE=DATE:20201228", "DTEND;VALUE=DATE:20210103", "RRULE:FREQ=YEARLY")
    assert week[:3] == ["2026-01-01", "2026-01-02", "2026-12-28"]


def test_a_time_of_day_a_cancelled_event_and_other_repetitions_close_nothing_more() -> None:
    holiday = event("DTSTART;VALUE=DATE:20260504", "SUMMARY:May")
    assert list(read(holiday, event("DTSTART:20260505T090000Z", "DTEND:20260505T170000Z"))) == ["2026-05-04"]
    assert list(read(holiday, event("DTSTART;VALUE=DATE:20260505", "STATUS:CANCELLED"))) == ["2026-05-04"]
    assert days("DTSTART;VALUE=DATE:20260505", "RRULE:FREQ=WEEKLY") == ["2026-05-05"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK\x03\x04",
        b"\xff\xfe",
        b"<html>",
        b"BEGIN:VCALENDAR",
        b"BEGIN:VCALENDAR\nBEGIN:VEVENT\n",
        b"BEGIN:VCALENDAR\r\nEND:VEVENT\r\n",
        b"BEGIN:VCALENDAR\n" * 5000,
        file(event("DTSTART;VALUE=DATE:2026")),
        file(event("DTSTART;VALUE=DATE:20261301")),
        file(event("DTSTART;VALUE=DATE:20260101", "DTEND;VALUE=DATE:x")),
        file(event("DTSTART;VALUE=DATE:00010101")),
        file(event("DTSTART;VALUE=DATE:20260101", "RRULE:FREQ=YEARLY;BYMONTH=13")),
        file(event("DTSTART;VALUE=DATE:20260101", "RRULE:FREQ=YEARLY;INTERVAL=0")),
        file(event("DTSTART;VALUE=DATE:20260101", "RRULE:FREQ=YEARLY;BYEASTER=1")),
        file(event("DTSTART;VALUE=DATE:20260101", "RRULE:FREQ=YEARLY;BYDAY=20MO")),
        file(event("DTSTART;VALUE=DATE:20260101", "RRULE:FREQ=YEARLY;BYYEARDAY=100")),
        file(event("DTSTART;VALUE=DATE:20300101")),
        file(event("DTSTART;VALUE=DATE:20200101", "DTEND;VALUE=DATE:20251231")),
        b"BEGIN:VCALENDAR" + b"x" * LARGEST_FILE,
    ],
)
def test_a_file_that_gives_no_closed_dates_is_refused_in_a_sentence(data: bytes) -> None:
    with pytest.raises(CalendarError) as refused:
        closed_dates_of(data, FIRST, LAST)
    assert str(refused.value).endswith(".")


def test_hostile_files_end_soon() -> None:
    never = event("DTSTART;VALUE=DATE:19700501", "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;COUNT=9999")
    long = event("DTSTART;VALUE=DATE:19700101", "DTEND;VALUE=DATE:99991231", "RRULE:FREQ=YEARLY")
    wide = event("DTSTART;VALUE=DATE:19710101", "RRULE:FREQ=YEARLY;BYMONTH=1,2,3,4,5,6,7,8,9,10,11,12;COUNT=9999"
                 ";BYDAY=" + ",".join(["MO"] * 100_000))  # fmt: skip
    for bad in (file(wide), file(never * 1500), file(long * 1500), file(event("DTSTART;VALUE=DATE:20260101") * 5001)):
        began = time.process_time()
        with contextlib.suppress(CalendarError):
            closed_dates_of(bad, FIRST, LAST)
        assert time.process_time() - began < 8


PIECES = """BEGIN:VEVENT|END:VEVENT|DTSTART;VALUE=DATE:20260101|DTSTART:x|DTSTART|DTEND;VALUE=DATE:20260105|RRULE:
RRULE:FREQ=YEARLY|RRULE:FREQ=;COUNT=x|EXDATE:|EXDATE;VALUE=DATE:20260101|DURATION:P|SUMMARY;LANGUAGE=de:x| folded
BEGIN:VTIMEZONE|END:VTIMEZONE|BEGIN:VCALENDAR|END:VCALENDAR|:|\x00|STATUS:|UNTIL=1"""


@settings(deadline=None, max_examples=60)
@given(st.lists(st.sampled_from(PIECES.replace("\n", "|").split("|")), max_size=20))
def test_any_file_is_read_or_refused(lines: list[str]) -> None:
    with contextlib.suppress(CalendarError):
        closed_dates_of("\n".join(["BEGIN:VCALENDAR", *lines]).encode(), FIRST, LAST)

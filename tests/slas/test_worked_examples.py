"""The page about calendars computes: every row of its tables, by the engine and by the slow reference."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from slas.calendars import CalendarSpec
from slas.calendars import compile as compile_calendar
from slas.calendars.questions import DAYS, Answers
from tests.slas import calendar_reference as ref

PAGE = Path(__file__).resolve().parents[2] / "docs" / "calendars.md"
PLACES = ("New York", "London", "Lord Howe", "Casablanca", "São Paulo", "Apia")
_CALENDAR = re.compile(
    r"Calendar: `(?P<zone>[^`]+)`, (?P<days>every day|Mon-Fri) `(?P<hours>[\d:-]+)`"
    r"(?:, closed `(?P<closed>[\d-]+)`)?(?:, on `(?P<day>[\d-]+)` `(?P<own>[\d:-]+)`)?"
)
_ROW = re.compile(r"\| `(?P<start>[^`]+)` \| `(?P<ask>[^`]+)` \| `(?P<answer>[^`]+)` \| .+ \|")


def spans(text: str) -> list[tuple[int, int]]:
    start, end = ((int(part[:2]) * 60 + int(part[3:])) for part in text.split("-"))
    return [(start, end)]


def length(text: str) -> timedelta:
    found = re.fullmatch(r"(?:(\d+)h)? ?(?:(\d+)m)?", text)
    assert found, text
    return timedelta(hours=int(found[1] or 0), minutes=int(found[2] or 0))


def examples() -> Iterator[tuple[str, ref.Raw, str, str, str]]:
    """Each row with the section it stands in and the calendar above its table."""
    section, raw = "", None
    for line in PAGE.read_text().splitlines():
        if line.startswith("#"):
            section, raw = line.lstrip("# "), None
        elif line.startswith("Calendar:"):
            found = _CALENDAR.fullmatch(line)
            assert found, line
            week = [spans(found["hours"]) if found["days"] == "every day" or day < 5 else [] for day in range(7)]
            closed = {date.fromisoformat(found["closed"])} if found["closed"] else set()
            own = {date.fromisoformat(found["day"]): spans(found["own"])} if found["day"] else {}
            raw = ref.Raw(found["zone"], week, closed, own)
        elif found := _ROW.fullmatch(line):
            assert raw, line
            yield section, raw, found["start"], found["ask"], found["answer"]


ROWS = list(examples())


def test_the_page_has_examples_of_every_place() -> None:
    titles = " ".join(section for section, *_ in ROWS)
    assert all(place in titles for place in PLACES)
    assert len(ROWS) >= 28
    # No table of that form escaped the reading: each line that begins like a row was one.
    assert PAGE.read_text().count("\n| `20") == len(ROWS)


@pytest.mark.parametrize(
    ("raw", "start", "ask", "answer"), [row[1:] for row in ROWS], ids=[f"{row[0][:12]} {row[2]}" for row in ROWS]
)
def test_a_worked_example_is_true(raw: ref.Raw, start: str, ask: str, answer: str) -> None:
    spec = CalendarSpec(
        raw.zone,
        tuple(tuple(day) for day in raw.weekly),
        frozenset(raw.closed),
        {day: tuple(own) for day, own in raw.overrides.items()},
    )
    calendar, begin = compile_calendar(spec), datetime.fromisoformat(start)
    if ask.endswith("Z"):
        end, want = datetime.fromisoformat(ask), length(answer)
        assert calendar.open_us(begin, end) * ref.US == want
    else:
        end, want = datetime.fromisoformat(answer), length(ask)
        assert calendar.due(begin, want // ref.US) == end.astimezone(UTC)
        assert ref.elapsed(raw, begin, end - ref.US) * ref.US < want
    assert ref.elapsed(raw, begin, end) * ref.US == want


def test_the_questions_on_the_page_are_answered_as_it_says() -> None:
    blocks = re.findall(r"```json\n(.*?)```", PAGE.read_text(), re.S)
    questions, answers = (block.splitlines() for block in blocks)
    engine = Answers()
    assert [engine.answer(line.encode()) for line in questions] == answers
    assert all(f"`{day}`" in PAGE.read_text() for day in (DAYS[0], DAYS[-1]))

"""`bin/manage sla_measure`: questions to the engine as lines of JSON."""

import json
import os
import random
import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from slas.calendars.questions import DAYS, LONGEST_LINE, Answers
from tests.slas import calendar_reference as ref

ROOT = Path(__file__).resolve().parents[2]
LONDON: dict[str, Any] = {
    "tz": "Europe/London",
    "hours": {day: [["09:00", "17:00"]] for day in DAYS[:5]},
    "holidays": ["2026-12-25"],
    "overrides": {"2026-12-24": [["09:00", "12:00"]]},
}
ALWAYS: dict[str, Any] = {"tz": "UTC", "hours": {day: [["00:00", "24:00"]] for day in DAYS}}


def ask(calendar: Any, start: Any, **more: Any) -> dict[str, Any]:
    """The answer to one question."""
    line = json.dumps({"calendar": calendar, "from": start, **more})
    return json.loads(Answers().answer(line.encode()))


def hours(**days: list[list[str]]) -> dict[str, Any]:
    return {"tz": "UTC", "hours": days, "holidays": [], "overrides": {}}


@pytest.mark.parametrize(
    ("calendar", "start", "end", "seconds"),
    [
        (LONDON, "2026-12-23T09:00:00Z", "2026-12-28T17:00:00Z", (8 + 3 + 8) * 3600),
        (LONDON, "2026-03-27T16:00:00Z", "2026-03-30T08:00:00Z", 3600),  # summer time began on the 29th
        (LONDON, "2026-03-27T17:00:00+01:00", "2026-03-30T08:00+00:00", 3600),  # the same with offsets
        (LONDON, "2026-03-30T08:00:00Z", "2026-03-27T16:00:00Z", -3600),  # backwards
        (ALWAYS, "2026-03-01T00:00:00.25Z", "2026-03-01T00:00:01Z", 0.75),
        (ALWAYS, "2026-03-01T00:00:00.000001Z", "2026-03-01T00:00:00Z", -0.000001),
        (hours(mon=[["22:00", "06:00"]]), "2026-03-02T00:00:00Z", "2026-03-04T00:00:00Z", 8 * 3600),  # over midnight
        (hours(mon=[["09:00", "12:00"], ["13:00", "17:00"]]), "2026-03-02T00:00Z", "2026-03-03T00:00Z", 7 * 3600),
        (hours(mon=[["09:00", "00:00"]]), "2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z", 15 * 3600),
        (hours(), "2026-03-02T00:00:00Z", "2027-03-03T00:00:00Z", 0),  # never open
        ({"tz": "UTC"}, "2026-03-02T00:00:00Z", "2027-03-03T00:00:00Z", 0),
        ({"tz": "Pacific/Apia", "hours": ALWAYS["hours"]}, "2011-12-30T09:59Z", "2011-12-30T10:01Z", 120),
    ],
)
def test_measures(calendar: Any, start: str, end: str, seconds: float) -> None:
    answer = ask(calendar, start, to=end)
    assert answer == {"seconds": seconds}
    assert type(answer["seconds"]) is type(seconds)


@pytest.mark.parametrize(
    ("calendar", "start", "seconds", "due"),
    [
        (LONDON, "2026-11-27T16:00:00Z", 8 * 3600, "2026-11-30T16:00:00Z"),
        (LONDON, "2026-11-27T09:00:00Z", 8 * 3600, "2026-11-27T17:00:00Z"),  # not the next opening (zendesk/biz)
        (LONDON, "2026-11-28T12:34:56Z", 0, "2026-11-28T12:34:56Z"),
        (LONDON, "2026-12-24T11:00:00Z", 3601, "2026-12-28T09:00:01Z"),
        (ALWAYS, "2026-03-01T00:00:00Z", 1.5, "2026-03-01T00:00:01.500000Z"),
        (ALWAYS, "2026-03-01T00:00:00Z", 2.0, "2026-03-01T00:00:02Z"),
        (hours(mon=[["23:00", "24:00"]]), "2026-03-02T00:00:00Z", 3600, "2026-03-03T00:00:00Z"),
    ],
)
def test_finds_due_instants(calendar: Any, start: str, seconds: float, due: str) -> None:
    assert ask(calendar, start, seconds=seconds) == {"due": due}


NOON = "2026-03-02T12:00:00Z"
QUESTION = {"calendar": ALWAYS, "from": NOON, "seconds": 1}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"", "empty"),
        (b"  \r", "empty"),
        (b"\x00", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xfe", "not UTF-8"),
        (b"[" * 100_000, "nested"),
        (json.dumps({**QUESTION, "calendar": 0}).replace("0", "[" * 3000 + "]" * 3000, 1).encode(), "nested"),
        (b"9" * 5000, "too large"),
        (b" " * (LONGEST_LINE + 1), "too long"),
        (b"null", "object"),
        (b'"calendar"', "object"),
        (json.dumps({**QUESTION, "to": NOON}).encode(), "either"),
        (json.dumps({"calendar": ALWAYS, "from": NOON}).encode(), "either"),
        (json.dumps({"calendar": ALWAYS, "to": NOON, "seconds": 1}).encode(), "from"),
        (json.dumps({**QUESTION, "seconds": float("nan")}).encode(), "NaN"),
        (json.dumps({**QUESTION, "seconds": float("-inf")}).encode(), "Infinity"),
        (json.dumps(QUESTION).replace('"seconds": 1', '"seconds": 1e400').encode(), "Give seconds"),
        (json.dumps(QUESTION).replace('"seconds": 1', '"seconds": 1' + "0" * 4000).encode(), "2119"),
        (json.dumps({**QUESTION, "seconds": True}).encode(), "Give seconds"),
        (json.dumps({**QUESTION, "seconds": "1"}).encode(), "Give seconds"),
        (json.dumps({**QUESTION, "seconds": None}).encode(), "Give seconds"),
        (json.dumps({**QUESTION, "seconds": 0.0000001}).encode(), "microsecond"),
        (json.dumps({**QUESTION, "seconds": -1}).encode(), "negative"),
    ],
)
def test_a_line_that_is_no_question_gets_a_sentence(line: bytes, said: str) -> None:
    answer = json.loads(Answers().answer(line))
    assert list(answer) == ["error"]
    assert said in answer["error"]


@pytest.mark.parametrize(
    "instant",
    [
        "2026-03-02",
        "2026-03-02T09:00:00",
        "2026-13-02T09:00:00Z",
        "2026-02-29T09:00:00Z",
        "2026-03-02T24:00:00Z",
        "2026-03-02T09:00:60Z",
        "2026-03-02T09:00:00.1234567Z",
        "2026-03-02T09:00:00+25:00",
        "20260302T090000Z",
        "2026-W10-1T09:00:00Z",
        "٢٠٢٦-03-02T09:00:00Z",
        "1969-12-31T23:59:59Z",
        "0001-01-01T00:00:00+14:00",
        "2120-01-01T00:00:00Z",
        "tomorrow",
        1772442000,
        True,
        None,
        ["2026-03-02T09:00:00Z"],
    ],
)
def test_what_is_no_instant_in_the_years_covered_is_refused(instant: Any) -> None:
    for question in ({"start": instant, "to": NOON}, {"start": NOON, "to": instant}, {"start": instant, "seconds": 1}):
        answer = ask(ALWAYS, **question)
        assert list(answer) == ["error"], question


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        [],
        "UTC",
        {},
        {"tz": "Mars/Olympus"},
        {"tz": None},
        {"tz": "UTC", "hours": []},
        {"tz": "UTC", "hours": {"monday": []}},
        {"tz": "UTC", "hours": {"mon": "09:00-17:00"}},
        {"tz": "UTC", "hours": {"mon": [["9:00", "17:00"]]}},
        {"tz": "UTC", "hours": {"mon": [["09:00", "25:00"]]}},
        {"tz": "UTC", "hours": {"mon": [["09:00", "09:00"]]}},
        {"tz": "UTC", "hours": {"mon": [["24:00", "06:00"]]}},
        {"tz": "UTC", "hours": {"mon": [["09:00"]]}},
        {"tz": "UTC", "hours": {"mon": [[9, 17]]}},
        {"tz": "UTC", "hours": {"mon": [[True, 1.5]]}},
        {"tz": "UTC", "hours": {"mon": [["00:00", "01:00"]] * 99}},
        {"tz": "UTC", "holidays": {"2026-12-25": True}},
        {"tz": "UTC", "holidays": ["2026-02-30"]},
        {"tz": "UTC", "holidays": ["2026-12-25T00:00:00Z"]},
        {"tz": "UTC", "holidays": [20261225]},
        {"tz": "UTC", "holidays": ["2500-01-01"]},
        {"tz": "UTC", "overrides": []},
        {"tz": "UTC", "overrides": {"Christmas": []}},
        {"tz": "UTC", "overrides": {"2026-12-24": None}},
        {"tz": "UTC", "lunch": "12:00"},
        {"tz": "UTC", "allow_never": False},
    ],
)
def test_what_is_no_calendar_is_refused(wrong: Any) -> None:
    assert list(ask(wrong, NOON, to=NOON)) == ["error"]


def test_a_target_that_is_never_reached_is_refused_not_looped() -> None:
    assert "no open time left" in ask({"tz": "UTC"}, NOON, seconds=1)["error"]
    once = {"tz": "UTC", "overrides": {"2026-03-03": [["09:00", "10:00"]]}}
    assert ask(once, NOON, seconds=3600) == {"due": "2026-03-03T10:00:00Z"}
    assert "no open time left" in ask(once, NOON, seconds=3601)["error"]


def test_true_is_not_taken_for_one_in_a_calendar_seen_before() -> None:
    answers = Answers()
    good, bad = (
        {"calendar": {"tz": "UTC", "holidays": holidays}, "from": NOON, "to": NOON} for holidays in ([], [True])
    )
    for question, key in ((good, "seconds"), (bad, "error"), (good, "seconds"), (bad, "error")):
        assert list(json.loads(answers.answer(json.dumps(question).encode()))) == [key]


def text(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def test_agrees_with_the_slow_reference() -> None:
    """Odd zones, odd hours, windows around clock changes; each answer against spans resolved one by one."""
    rng = random.Random(3)
    answers = Answers()
    for zone in ref.ODD_ZONES:
        near = ref.changes(zone) or [datetime(2020, 5, 5, tzinfo=UTC)]
        for _ in range(12):
            start = rng.choice(near) + timedelta(minutes=rng.randint(-3000, 3000))
            end = start + timedelta(seconds=rng.randint(0, 9 * 86400))
            weekly = [[(540, 720), (780, 1020)], [(1320, 360)], [(0, 1440)], [(90, 150)], [(60, 180), (170, 200)]]
            raw = ref.Raw(
                zone,
                [rng.choice([*weekly, []]) for _ in range(6)] + [[(120, 180)]],
                {start.date() + timedelta(days=rng.randint(0, 9))},
                {start.date() + timedelta(days=rng.randint(0, 9)): [(1380, 120)]},
            )
            calendar = calendar_of(raw)
            want = ref.elapsed(raw, start, end)
            line = json.dumps({"calendar": calendar, "from": stamp(start), "to": stamp(end)})
            assert json.loads(answers.answer(line.encode())) == {"seconds": want // 10**6}, line
            if want:
                line = json.dumps({"calendar": calendar, "from": stamp(start), "seconds": want // 10**6})
                due = datetime.fromisoformat(json.loads(answers.answer(line.encode()))["due"])
                assert ref.elapsed(raw, start, due) == want
                assert ref.elapsed(raw, start, due - ref.US) == want - 1


def calendar_of(raw: ref.Raw) -> dict[str, Any]:
    def spans(hours: list[tuple[int, int]]) -> list[list[str]]:
        return [[text(start), text(end)] for start, end in hours]

    return {
        "tz": raw.zone,
        "hours": {day: spans(raw.weekly[i]) for i, day in enumerate(DAYS)},
        "holidays": sorted(day.isoformat() for day in raw.closed),
        "overrides": {day.isoformat(): spans(hours) for day, hours in raw.overrides.items()},
    }


def stamp(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")


COMMAND = [sys.executable, "-m", "itsm.cli", "manage", "sla_measure"]


def run(folder: Path, *arguments: str, **more: Any) -> subprocess.CompletedProcess[bytes]:
    """The command as people run it, with no database in sight."""
    environment = {key: value for key, value in os.environ.items() if key not in {"DATABASE_URL", "REDIS_URL"}}
    environment |= {"PYTHONPATH": str(ROOT), "ITSM_DATA_DIR": str(folder / "data")}
    return subprocess.run(
        [*COMMAND, *arguments], env=environment, cwd=folder, capture_output=True, check=False, timeout=60, **more
    )


def test_the_command_answers_a_file_and_standard_input_alike_in_order(tmp_path: Path) -> None:
    lines = [json.dumps({**QUESTION, "seconds": second}).encode() for second in range(300)]
    lines[100], lines[200], lines[250] = b"broken \xff", b"", b"x" * (LONGEST_LINE + 10)
    file = tmp_path / "questions.jsonl"
    file.write_bytes(b"\xef\xbb\xbf" + b"\n".join(lines))
    ran = run(tmp_path, str(file))
    assert (ran.returncode, ran.stderr) == (0, b"")
    answers = [json.loads(line) for line in ran.stdout.splitlines()]
    assert len(answers) == 300
    assert [i for i, answer in enumerate(answers) if "error" in answer] == [100, 200, 250]
    assert answers[299] == {"due": "2026-03-02T12:04:59Z"}
    assert run(tmp_path, "-", input=file.read_bytes()).stdout == ran.stdout
    assert not (tmp_path / "data" / "postgres").exists()


def test_a_file_that_cannot_be_read_is_said_in_a_sentence(tmp_path: Path) -> None:
    for name in (str(tmp_path / "none"), str(tmp_path), "a\x01b"):
        ran = run(tmp_path, name)
        assert ran.returncode == 1
        assert b"cannot be read" in ran.stderr
        assert b"Traceback" not in ran.stderr


def test_each_line_is_answered_when_it_comes_and_a_closed_pipe_ends_it_quietly(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "ITSM_DATA_DIR": str(tmp_path / "data")}
    pipe = subprocess.PIPE
    with subprocess.Popen([*COMMAND, "-"], env=environment, stdin=pipe, stdout=pipe, stderr=pipe) as asked:
        assert asked.stdin
        assert asked.stdout
        assert asked.stderr
        asked.stdin.write(json.dumps(QUESTION).encode() + b"\n")
        asked.stdin.flush()
        assert json.loads(asked.stdout.readline()) == {"due": "2026-03-02T12:00:01Z"}
        asked.stdout.close()
        asked.stdin.write(json.dumps(QUESTION).encode() + b"\n")
        asked.stdin.close()
        assert asked.wait(timeout=30) == 0
        assert asked.stderr.read() == b""


def test_ten_thousand_lines_a_second_with_few_or_many_calendars() -> None:
    """Processor time, so that a busy machine does not count; a third of what an idle core needs is left over."""
    rng = random.Random(1)
    for count in (1, 200):
        calendars = [
            {**LONDON, "tz": rng.choice(ref.ODD_ZONES), "holidays": [str(date(2026, 1, 1 + i % 28))], "overrides": {}}
            for i in range(count)
        ]
        lines = []
        for i in range(5000):
            start = datetime(2010, 1, 1, tzinfo=UTC) + timedelta(minutes=rng.randint(0, 8_000_000))
            end = {"to": stamp(start + timedelta(minutes=rng.randint(0, 80_000)))} if i % 2 else {"seconds": i * 60}
            lines.append(json.dumps({"calendar": rng.choice(calendars), "from": stamp(start), **end}).encode())
        answers = Answers()
        answers.answer(lines[0])
        began = time.process_time()
        said = [answers.answer(line) for line in lines]
        spent = time.process_time() - began
        assert not any("error" in answer for answer in said)
        assert len(lines) / spent > 10_000, f"{len(lines) / spent:.0f} lines/s with {count} calendars"

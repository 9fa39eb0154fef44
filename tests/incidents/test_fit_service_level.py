"""`fit_service_level`: the rule behind a log's made_sla is found, reported and saved; other logs are refused."""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from incidents.replay.agreement import compare
from incidents.replay.verdicts import COLUMNS, read_verdicts
from slas.calendars import CalendarSpec, compile  # noqa: A004 - the calendars' own word
from slas.fitting import Clock, Fitted, Levels, Rule, Shape
from slas.fitting.shapes import WORKDAYS
from slas.models import BusinessCalendar, ServiceLevelPolicy
from tests.incidents.replay_helpers import FULL_LOG

HOUR = 3600
HOURS = (((8 * 60, 17 * 60),),) * 5 + ((), ())
SPEC = CalendarSpec("UTC", HOURS)
TARGETS = {1: 4 * HOUR, 3: 27 * HOUR}
NUMBER = 160
PLAIN = {
    "number": "INC1",
    "incident_state": "Closed",
    "made_sla": "true",
    "opened_at": "2/3/2026 08:00",
    "sys_updated_at": "2/3/2026 10:00",
    "priority": "3 - Moderate",
    "resolved_at": "2/3/2026 09:30",
    "closed_at": "2/3/2026 10:00",
}


def run(*args: object) -> str:
    """Run the command and return what it prints."""
    out = io.StringIO()
    call_command("fit_service_level", *map(str, args), stdout=out, stderr=io.StringIO())
    return out.getvalue()


def write(path: Path, rows: Sequence[Mapping[str, str]]) -> Path:
    """Write a log whose rows are the plain row with these differences."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(PLAIN))
        writer.writeheader()
        writer.writerows({**PLAIN, **row} for row in rows)
    return path


def told(instant: datetime) -> str:
    """Write an instant as the log does."""
    return f"{instant.day}/{instant.month}/{instant.year} {instant:%H:%M}"


def made_up_rows() -> list[dict[str, str]]:
    """Return incidents that wait for the user once, are resolved near their due instant by the clock without the waits,
    and closed some days after."""
    rng = random.Random(41)
    calendar = compile(SPEC)
    rows = []
    for place in range(NUMBER):
        opened = datetime(2026, 3, 2, tzinfo=UTC) + timedelta(minutes=rng.randrange(28 * 1440))
        level = rng.choice(list(TARGETS))
        held = opened + timedelta(minutes=rng.randrange(5, 60))
        resumed = held + timedelta(minutes=rng.randrange(30, 2000))
        due = calendar.due(resumed, TARGETS[level] * 1_000_000 - calendar.open_us(opened, held))
        resolved = max(due + timedelta(minutes=rng.randrange(-30, 31)), resumed)
        closed = resolved + timedelta(minutes=rng.randrange(4000, 9000))
        common = {
            "number": f"INC{place}",
            "opened_at": told(opened),
            "priority": f"{level} - Level",
            "resolved_at": told(resolved),
            "closed_at": told(closed),
            "made_sla": "true" if resolved <= due else "false",
        }
        states = {"New": opened, "Awaiting User Info": held, "Active": resumed, "Resolved": resolved, "Closed": closed}
        rows += [{**common, "incident_state": state, "sys_updated_at": told(at)} for state, at in states.items()]
    return rows


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Any], Path]:
    """Search once: what is printed, the report as JSON, and the log."""
    folder = tmp_path_factory.mktemp("fit")
    log = write(folder / "log.csv", made_up_rows())
    text = run(log, "--holdout", "0.25", "--report", folder / "report.json")
    return text, json.loads((folder / "report.json").read_text()), log


def test_the_known_rule_is_found_exactly(found: tuple[str, dict[str, Any], Path]) -> None:
    rule = found[1]["rule"]
    assert CalendarSpec.from_json(rule["calendar"]) == SPEC
    assert {goal["condition"]["value"]: goal["target_s"] for goal in rule["goals"]} == TARGETS
    assert rule["paused_in"] in {"all", "Awaiting User Info"}
    assert rule["clock_stops"] in {"resolved_at", "resolved_first"}
    assert rule["errors"] == 0


def test_both_sides_agree_and_the_figures_add_up(found: tuple[str, dict[str, Any], Path]) -> None:
    sides = found[1]["agreement"]
    assert sides["fitted"]["incidents"] + sides["held_out"]["incidents"] == sides["all"]["incidents"] == NUMBER
    assert 0.1 < sides["held_out"]["incidents"] / NUMBER < 0.4
    assert sides["all"]["agreement"] == sides["held_out"]["of_missed"] == 1.0
    assert 0.5 <= sides["all"]["majority_guess"] < 0.8
    assert found[1]["disagreements"] == []
    closed = found[1]["rivals"]["stop"]["closed_at"]
    assert closed["errors"] > 10


def test_the_report_says_it_in_words(found: tuple[str, dict[str, Any], Path]) -> None:
    text = found[0]
    assert "calendar    Mon–Fri 08:00–17:00 UTC" in text
    assert "priority 1: 4 h (" in text
    assert "priority 3: 27 h" in text
    assert "100.00%" in text
    assert "days always: " in text


@pytest.mark.django_db
def test_what_was_found_is_saved_as_a_calendar_and_a_policy_that_is_off(
    found: tuple[str, dict[str, Any], Path],
) -> None:
    text = run(found[2], "--holdout", "0", "--save", "Found")
    assert "switched off" in text
    current = BusinessCalendar.objects.get(name="Found").current
    assert current is not None
    assert CalendarSpec.from_json(current.spec) == SPEC
    policy = ServiceLevelPolicy.objects.get(name="Found")
    assert not policy.is_active
    goals = policy.goals.order_by("order")
    assert {goal.condition["value"]: goal.target_s for goal in goals} == TARGETS
    for name, sentence in {" ": "--save needs a name", "Found": "already. Choose another name"}.items():
        with pytest.raises(CommandError, match=sentence):
            run(found[2], "--save", name)
    with pytest.raises(CommandError, match="cannot be saved"):
        run(found[2], "--save", "x" * 201)


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["no-such.csv"], "cannot be read: No such file"),
        (["log.csv", "--holdout", "1"], "--holdout must be a share"),
        (["log.csv", "--holdout", "-0.1"], "--holdout must be a share"),
        (["log.csv", "--zone", "Mars/Olympus"], "is no time zone"),
        (["log.csv", "--report", "/no/such/folder/report.json"], "There is no folder /no/such/folder"),
    ],
)
def test_wrong_arguments_get_a_sentence(args: list[str], sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence):
        run(*args)


def test_a_log_without_verdicts_is_refused(tmp_path: Path) -> None:
    lacking = tmp_path / "lacking.csv"
    lacking.write_text(",".join(sorted(COLUMNS - {"made_sla"})) + "\n")
    with pytest.raises(CommandError, match="it has no column made_sla"):
        run(lacking)
    for name, row in {"open": {"incident_state": "Active"}, "silent": {"made_sla": "?"}}.items():
        with pytest.raises(CommandError, match="no closed incident whose made_sla"):
            run(write(tmp_path / f"{name}.csv", [row]))


def test_nothing_left_to_fit_on_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="Nothing is left to fit on"):
        run(write(tmp_path / "one.csv", [{}]), "--holdout", "0.999999")


def test_times_outside_of_what_calendars_cover_get_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="The log's times do not fit a calendar"):
        run(write(tmp_path / "old.csv", [{"opened_at": "2/3/1926 08:00"}]), "--holdout", "0")


def test_what_cannot_be_judged_is_counted(tmp_path: Path) -> None:
    rows = [
        {"number": "A"},
        {"number": "B", "incident_state": "Active"},
        {"number": "C", "opened_at": "?"},
        {"number": "D", "sys_updated_at": "?"},
        {"number": "E", "made_sla": "maybe"},
    ]
    verdicts = read_verdicts(write(tmp_path / "log.csv", rows), UTC)
    assert [one.number for one in verdicts.kept] == ["A"]
    assert dict(verdicts.left_out) == {
        "not closed": 1,
        "opened_at is no time": 1,
        "no row can be read": 1,
        "made_sla is neither true nor false": 1,
    }


def test_a_clock_stands_still_in_the_states_asked_for_and_stops_where_asked(tmp_path: Path) -> None:
    marks = {"New": "08:00", "Awaiting Vendor": "08:10", "Active": "08:30", "Resolved": "09:00", "Closed": "09:20"}
    rows = [{"incident_state": state, "sys_updated_at": f"2/3/2026 {at}"} for state, at in marks.items()]
    one = read_verdicts(write(tmp_path / "log.csv", rows), UTC).kept[0]

    def at(*times: str) -> tuple[tuple[datetime, datetime], ...]:
        hours = [datetime(2026, 3, 2, int(text[:2]), int(text[3:]), tzinfo=UTC) for text in times]
        return tuple(zip(hours[::2], hours[1::2], strict=True))

    assert one.runs("closed_first", "none") == at("08:00", "09:20")
    assert one.runs("closed_at", "none") == at("08:00", "10:00")
    assert one.runs("resolved_at", "none") == at("08:00", "09:30")
    assert one.runs("resolved_first", "Awaiting Vendor") == at("08:00", "08:10", "08:30", "09:00")
    assert one.runs("resolved_first", "all") == one.runs("resolved_first", "Awaiting Vendor")
    assert one.runs("resolved_first", "Awaiting User Info") == at("08:00", "09:00")


@pytest.mark.skipif(not FULL_LOG.exists(), reason=f"{FULL_LOG.name} of UCI dataset 498 is not beside the repository")
def test_the_documented_rule_reproduces_the_real_log() -> None:
    verdicts = read_verdicts(FULL_LOG, UTC)
    shape = Shape(14 * 60, 9 * 60, WORKDAYS, "UTC")
    hours = {1: 9 * 60, 2: 9 * 60, 3: 62 * 60 + 1, 4: 135 * 60}
    rule = Rule(
        Clock("closed_first|none", [one.runs("closed_first", "none") for one in verdicts.kept]),
        Levels("last", [one.priorities[-1] for one in verdicts.kept]),
        shape,
        shape.spec((2016, 2017)),
        {level: Fitted(minutes * 60, minutes * 60, None, 0, 0) for level, minutes in hours.items()},
    )
    agreement, differing = compare(rule, verdicts, range(len(verdicts.kept)), held_out=False)
    assert not verdicts.left_out
    assert agreement.total == 11_317
    assert agreement.agreed / agreement.total >= 0.995
    assert agreement.guessed == 5_997
    calendar = compile(rule.spec)
    by_due_instant = [
        one.stop("closed_first") <= calendar.due(one.opened_at, hours[one.priorities[-1]] * 60_000_000)
        for one in verdicts.kept
    ]
    assert by_due_instant == rule.judge(range(agreement.total))
    assert {one.number for one in differing} == {"INC0003451", "INC0003815", "INC0008249", "INC0008485"}

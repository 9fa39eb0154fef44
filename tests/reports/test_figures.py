"""The figures of the reports against a slow count of the same desk, and each figure against the list behind it."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from itsm.tickets.clock import db_now
from reports import holds, lists
from reports.clocks import DECIDED, Verdict, clocks_of
from reports.compliance import Counts, compliance_of
from reports.filters import Choices, Filters, read_filters
from reports.stays import shares_of, summed
from reports.waits import waits_of
from slas.models import Timer
from tests.cast import Cast
from tests.reports import naive
from tests.reports.conftest import NEW_YORK, ROOT, SPRING, make_past

ZONE = ZoneInfo(NEW_YORK)
START, END = datetime(2026, 1, 1, tzinfo=ZONE), datetime(2026, 5, 1, tzinfo=ZONE)


def asked(cast: Cast, **given: str) -> Filters:
    spring = {"period": "custom", "from": "2026-01-01", "to": "2026-04-30"}
    return read_filters({**spring, **given}, cast.sven, Choices.read())


def as_counter(counts: Counts) -> Counter[str]:
    return +Counter({name: getattr(counts, name) for name in Verdict.values})


def test_compliance_is_what_a_slow_count_says(desk: Cast) -> None:
    now = db_now()
    found = compliance_of(desk.sven, asked(desk), now)
    whole = naive.counts(now, START, END, lambda timer, at: None)[None]
    assert as_counter(found.total) == whole
    assert set(whole) >= {"met", "missed", "late_open", "cancelled_late"}, "the desk is too dull to test anything"
    by_team = naive.counts(now, START, END, lambda timer, at: naive.held(timer.ticket, "team", at))
    names = {desk.network.pk: "Network", desk.desktop.pk: "Desktop", None: "No team"}
    assert {line.label: as_counter(line.counts) for line in found.teams} == {
        names[pk]: counted for pk, counted in by_team.items()
    }
    by_service = naive.counts(now, START, END, lambda timer, at: timer.ticket.service_id)
    services = {desk.vpn.pk: desk.vpn.name, desk.mail.pk: desk.mail.name, None: "No service"}
    assert {line.label: as_counter(line.counts) for line in found.services} == {
        services[pk]: counted for pk, counted in by_service.items()
    }
    by_policy = naive.counts(now, START, END, lambda timer, at: timer.policy.name)
    assert {line.label: as_counter(line.counts) for line in found.policies} == by_policy
    by_month = naive.counts(now, START, END, lambda timer, at: at.astimezone(ZONE).strftime("%B %Y"))
    assert {line.label: as_counter(line.counts) for line in found.months if as_counter(line.counts)} == by_month
    by_week = naive.counts(
        now, START, END, lambda timer, at: (day := at.astimezone(ZONE).date()) - timedelta(days=day.weekday())
    )
    assert {step: as_counter(counts) for step, counts in found.steps if as_counter(counts)} == by_week
    assert found.total.share == whole["met"] / (whole["met"] + whole["missed"] + whole["late_open"])


def test_every_figure_is_the_length_of_the_list_behind_it(desk: Cast) -> None:
    now = db_now()
    found = compliance_of(desk.sven, asked(desk), now)
    for name, lines in (("policy", found.policies), ("team", found.teams), ("service", found.services)):
        for line in lines:
            for verdict in Verdict.values:
                behind = lists.listed(desk.sven, asked(desk, **{name: line.ref}), now, [verdict])
                assert len(behind) == getattr(line.counts, verdict), (name, line.label, verdict)
    for line in found.months:
        days = {"from": str(line.first), "to": str(line.last)}
        behind = lists.listed(desk.sven, asked(desk, **days), now, lists.verdicts_of("decided"))
        assert len(behind) == line.counts.decided


@pytest.mark.parametrize("chosen", [{"metric": "response"}, {"kind": "sla"}, {"kind": "ola"}, {"priority": "3"}])
def test_filters_narrow_what_counts(desk: Cast, chosen: dict[str, str]) -> None:
    now = db_now()
    total = compliance_of(desk.sven, asked(desk, **chosen), now).total
    [(name, value)] = chosen.items()
    ours = naive.counts(
        now, START, END, lambda t, at: str(t.ticket.priority if name == "priority" else getattr(t, name))
    )
    assert as_counter(total) == ours.get(value, Counter())


def test_a_month_ends_at_the_viewers_midnight(desk: Cast) -> None:
    edge = datetime(2026, 4, 1, tzinfo=ZONE)
    timer = Timer.objects.filter(state="met")[0]
    now = db_now()
    before = {}
    for shift in (timedelta(microseconds=-1), timedelta()):
        Timer.objects.filter(pk=timer.pk).update(
            stopped_at=edge + shift,
            due_at=edge + timedelta(hours=1),
            touched_at=edge,
            started_at=edge - timedelta(days=1),
        )
        for month, days in (("march", ("2026-03-01", "2026-03-31")), ("april", ("2026-04-01", "2026-04-30"))):
            listed = lists.listed(desk.sven, asked(desk, **{"from": days[0], "to": days[1]}), now, ["met"])
            before[shift, month] = timer.pk in {one.pk for one in listed}
    assert list(before.values()) == [True, False, False, True]


def test_the_list_says_whose_it_was(desk: Cast) -> None:
    now = db_now()
    rows = list(lists.rows_of(lists.listed(desk.sven, asked(desk), now, lists.verdicts_of("decided")), now))
    people = {desk.anna.pk: desk.anna.display_name, desk.carl.pk: desk.carl.display_name, None: None}
    assert len(rows) > 20
    for row in rows:
        ticket = row.timer.ticket
        assert (row.verdict, row.counted_at) == naive.judged(row.timer, now)
        assert row.held_by == naive.held(ticket, "team", row.counted_at)
        assert row.assignee == people[naive.held(ticket, "assignee", row.counted_at)]
        ran = sum((run.ended_at - run.started_at for run in row.timer.runs.all()), timedelta())
        if row.timer.run_started_at:
            ran += now - row.timer.run_started_at
        assert row.paused == row.end - row.timer.started_at - ran
    assert rows == sorted(rows, key=lambda row: (row.counted_at, row.timer.pk), reverse=True)


def test_pages_of_a_list_have_every_clock_once(desk: Cast, sven: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "PAGE", 7)
    everything = lists.listed(desk.sven, asked(desk), db_now(), lists.verdicts_of("decided"))
    seen: list[int] = []
    url = f"{ROOT}clocks/?{SPRING}&verdict=decided"
    while url:
        answer = sven.get(url)
        seen += [row.timer.pk for row in answer.context["rows"]]
        following = answer.context["next_url"]
        url = f"{ROOT}clocks/{following}" if following else ""
    assert seen == [one.pk for one in everything]
    assert len(seen) > 14


def test_time_by_team_adds_up_to_what_the_clocks_ran(desk: Cast) -> None:
    now = db_now()
    clocks = clocks_of(desk.sven, asked(desk), now).filter(verdict__in=DECIDED)
    shares = list(shares_of(clocks, now))
    assert len(shares) > 20
    for share in shares:
        timer = share.timer
        ran = timer.elapsed_closed_us
        if timer.run_started_at:
            ran += timer.hours.open_us(timer.run_started_at, now)
        assert sum(share.by_team.values()) == ran
    held = summed(shares)
    assert set(held) >= {desk.network.pk, desk.desktop.pk}
    assert sum(one.us for one in held.values()) == sum(sum(share.by_team.values()) for share in shares)


def test_holds_are_what_a_slow_count_says(desk: Cast) -> None:
    now = db_now()
    filters = asked(desk)
    for minutes in (15, 60 * 24):
        slow = naive.holds(now, START, END, timedelta(minutes=minutes))
        audit = holds.audit_of(desk.sven, filters, now, minutes)
        listed = list(holds.list_holds(desk.sven, filters, now, minutes, "all"))
        ours = [(h.number, h.lasted, h.silent, bool(h.near), h.team) for h in listed]
        theirs = [(h["number"], h["lasted"], h["silent"], h["near"], h["team"]) for h in slow]
        assert sorted(ours, key=str) == sorted(theirs, key=str)
        assert any(near for *_others, near, _team in ours) or minutes == 15
        assert (audit.total.holds, audit.total.silent, audit.total.near) == (
            len(slow),
            sum(hold["silent"] for hold in slow),
            sum(hold["near"] for hold in slow),
        )
        assert audit.total.paused == sum((hold["lasted"] for hold in slow), timedelta())
        for line in audit.teams:
            mine = [hold for hold in slow if hold["team"] == line.key]
            assert (line.holds, line.paused) == (len(mine), sum((hold["lasted"] for hold in mine), timedelta()))
        silent = list(holds.list_holds(desk.sven, filters, now, minutes, "silent"))
        assert len(silent) == audit.total.silent > 0
        assert [hold.lasted for hold in listed] == sorted((hold.lasted for hold in listed), reverse=True)


def test_waits_are_what_a_slow_count_says(desk: Cast) -> None:
    now = db_now()
    found = waits_of(desk.sven, asked(desk), now)
    real, official = [], []
    for timer in Timer.objects.filter(metric="resolution", stopped_at__isnull=False).select_related("ticket"):
        verdict, instant = naive.judged(timer, now)
        if verdict in {"met", "missed"} and START <= instant < END:
            real.append((timer.stopped_at - timer.ticket.opened_at).total_seconds())
            official.append(timer.elapsed_closed_us / 1e6)
    assert found.total is not None
    assert found.total.count == len(real) > 3
    for values, median, p90 in (
        (real, found.total.real_median, found.total.real_p90),
        (official, found.total.official_median, found.total.official_p90),
    ):
        assert median == pytest.approx(percentile(values, 0.5))
        assert p90 == pytest.approx(percentile(values, 0.9))
    assert sum(waits.count for waits in found.by["team"].values()) == len(real)


def percentile(values: list[float], share: float) -> float:
    """Return the share's value between its two neighbours in order."""
    ordered = sorted(values)
    place = (len(ordered) - 1) * share
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def test_more_incidents_do_not_take_more_queries(desk: Cast, sven: Client) -> None:
    pages = ["", "breaches/", "clocks/", "soon/", "time/", "pauses/", "waits/"]
    pages += [f"export/{name}.csv" for name in ("teams", "clocks", "time-tickets", "holds", "holds-people", "waits")]
    taken: dict[str, list[int]] = {page: [] for page in pages}
    for _round in range(2):
        for page in pages:
            sven.get(f"{ROOT}{page}?{SPRING}")
            with CaptureQueriesContext(connection) as queries:
                answer = sven.get(f"{ROOT}{page}?{SPRING}")
                if answer.streaming:
                    answer.getvalue()
            assert answer.status_code == 200
            taken[page].append(len(queries))
        make_past(desk, 20, seed=2)
    assert all(first == second <= 16 for first, second in taken.values()), taken


def test_due_soon_is_in_order_and_within_the_hours(desk: Cast, sven: Client) -> None:
    now = datetime.now(UTC)
    running = list(Timer.objects.filter(state="running", breached_at=None)[:4])
    assert len(running) == 4
    for hours, timer in zip((3, 1, 9, -1), running, strict=True):
        Timer.objects.filter(pk=timer.pk).update(due_at=now + timedelta(hours=hours))
    shown = [timer.pk for timer, _clock in sven.get(f"{ROOT}soon/?hours=4").context["rows"]]
    assert shown == [running[1].pk, running[0].pk]
    shown = [timer.pk for timer, _clock in sven.get(f"{ROOT}soon/?hours=24").context["rows"]]
    assert shown == [running[1].pk, running[0].pk, running[2].pk]


def test_this_month_is_the_viewers(desk: Cast) -> None:
    today = datetime.now(ZONE).date()
    period = read_filters({}, desk.sven, Choices.read()).period
    assert period.first == date(today.year, today.month, 1)
    assert period.start == datetime(today.year, today.month, 1, tzinfo=ZONE)

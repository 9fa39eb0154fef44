"""Properties of a calendar: any IANA zone, any hours, 1995-2037, against the slow reference.

The number of a test is that of its property in the design of service levels.
"""

import random
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from slas import calendars
from slas.calendars import CalendarSpec, CompiledCalendar, NeverOpen, business_days_us, tzif, zones
from tests.slas import calendar_reference as ref
from tests.slas.calendar_reference import HOUR, ONE_DAY, US, Raw

# A zone's first use reads its file; a deadline would blame whichever example came first.
patient = settings(deadline=None)


def spec_of(raw: Raw) -> CalendarSpec:
    return CalendarSpec(
        raw.zone,
        tuple(tuple(day) for day in raw.weekly),
        frozenset(raw.closed),
        {day: tuple(hours) for day, hours in raw.overrides.items()},
    )


def fast(raw: Raw) -> CompiledCalendar:
    return calendars.compile(spec_of(raw))


@patient
@given(ref.calendars(), st.data())
def test_p01_measure_grows_never_faster_than_the_clock(
    case: tuple[Raw, datetime, datetime], data: st.DataObject
) -> None:
    """F is monotone, F(b) - F(a) <= b - a, and equal to it round the clock."""
    raw, a, c = case
    calendar = fast(raw)
    b = a + data.draw(st.integers(0, (c - a) // US)) * US
    assert calendar.measure(a) <= calendar.measure(b) <= calendar.measure(c)
    assert calendar.open_us(a, b) <= (b - a) // US
    always = calendars.compile(CalendarSpec.always(raw.zone))
    assert always.open_us(a, b) == (b - a) // US
    assert always.is_24x7
    assert always.due(a, (b - a) // US) == b


@patient
@given(ref.calendars(), st.data())
def test_p02_measures_add_up(case: tuple[Raw, datetime, datetime], data: st.DataObject) -> None:
    """elapsed(a, b) + elapsed(b, c) = elapsed(a, c), in whatever order the instants lie."""
    raw, a, c = case
    calendar = fast(raw)
    b = a + data.draw(st.integers(-2 * 24 * HOUR, (c - a) // US + 2 * 24 * HOUR)) * US
    assert calendar.open_us(a, b) + calendar.open_us(b, c) == calendar.open_us(a, c)
    assert calendar.open_us(a, c) == -calendar.open_us(c, a)


@settings(deadline=None, max_examples=200)
@given(ref.calendars())
def test_p03_measure_equals_the_sum_of_resolved_spans(case: tuple[Raw, datetime, datetime]) -> None:
    """Any week: lunch, touching, overlapping, to 24:00, single days; with it clock changes and shifts over midnight."""
    raw, a, b = case
    calendar = fast(raw)
    assert calendar.open_us(a, b) == ref.elapsed(raw, a, b)
    assert list(calendar.spans(a, b)) == ref.open_spans(raw, a, b)


@patient
@given(ref.weeks, st.sampled_from(["Asia/Kolkata", "Etc/GMT+5", "Etc/GMT-14", "Asia/Tokyo"]), st.data())
def test_p04_zone_without_changes_is_utc_shifted(week: list, zone: str, data: st.DataObject) -> None:
    """A calendar in another zone differs only through r(); where clocks never change it is UTC, shifted."""
    a = data.draw(ref.instants(zone))
    b = a + timedelta(microseconds=data.draw(st.integers(0, 5000 * 24 * HOUR)))
    shift = a.astimezone(ZoneInfo(zone)).utcoffset()
    there, here = fast(Raw(zone, week)), fast(Raw("UTC", week))
    assert there.open_us(a, b) == here.open_us(a + shift, b + shift)


@patient
@given(ref.calendars())
def test_p05_each_date_is_as_long_as_its_span(case: tuple[Raw, datetime, datetime]) -> None:
    """The whole of a local day, whatever the clock does in it."""
    raw, a, _ = case
    always = calendars.compile(CalendarSpec(raw.zone, (((0, 720), (720, 1440)),) * 7))
    calendar = fast(raw)
    for day in (a.date() - ONE_DAY, a.date(), a.date() + ONE_DAY):
        first, last = ref.resolve(raw.zone, day, 0), ref.resolve(raw.zone, day, 1440)
        assert always.open_us(first, last) == (last - first) // US
        assert always.day_spans(day) == (((first, last),) if first < last else ())
        spans = calendar.day_spans(day)
        assert list(spans) == ref.open_spans(replace(raw), first, last)
        assert all(start < end for start, end in spans)


@patient
@given(ref.calendars(), st.integers(1, 1439), st.data())
def test_p06_overnight_is_its_split_at_midnight(
    case: tuple[Raw, datetime, datetime], start: int, data: st.DataObject
) -> None:
    """Shifts over midnight, also across a clock change and beside a closed date."""
    raw, a, b = case
    end = data.draw(st.integers(0, start - 1))
    night = Raw(raw.zone, [[(start, end)] if day in (2, 6) else [] for day in range(7)], raw.closed)
    halves = Raw(raw.zone, [[] for _ in range(7)], raw.closed)
    for day in (2, 6):
        halves.weekly[day].append((start, 1440))
        if end:
            halves.weekly[(day + 1) % 7].append((0, end))
    assert fast(night).open_us(a, b) == fast(halves).open_us(a, b) == ref.elapsed(night, a, b)


@patient
@given(ref.calendars(), st.integers(0, 20), st.randoms(use_true_random=False))
def test_p07_closed_date_removes_exactly_its_span(
    case: tuple[Raw, datetime, datetime], after: int, shuffle: random.Random
) -> None:
    """And neither the order of closed dates nor saying one twice matters."""
    raw, a, b = case
    day = a.date() + after * ONE_DAY
    assume(day not in raw.overrides)
    first, last = ref.resolve(raw.zone, day, 0), ref.resolve(raw.zone, day, 1440)
    before, later = fast(raw), fast(replace(raw, closed=raw.closed | {day}))
    inside = before.open_us(max(a, min(first, b)), min(b, max(last, a)))
    assert later.open_us(a, b) == before.open_us(a, b) - inside
    dates = [*raw.closed, day, day]
    shuffle.shuffle(dates)
    document = spec_of(raw).to_json() | {"closed_dates": [date.isoformat() for date in dates]}
    assert CalendarSpec.from_json(document).content_digest == later.spec.content_digest


@settings(deadline=None, max_examples=120)
@given(ref.calendars(), st.data())
def test_p11_due_is_the_inverse_of_the_measure(case: tuple[Raw, datetime, datetime], data: st.DataObject) -> None:
    """F(due(a, d)) - F(a) = d and not before; parts add up; monotone. Measured by the reference."""
    raw, a, b = case
    total = ref.elapsed(raw, a, b)
    assume(total)
    calendar = fast(raw)
    # The ends of the open spans are where an inverse may slip to the next opening.
    spans = ref.open_spans(raw, a, b)
    ends = list(accumulate((end - start) // US for start, end in spans))
    target = data.draw(st.one_of(st.sampled_from([1, *ends]), st.integers(1, total)))
    due = calendar.due(a, target)
    assert due.tzinfo is UTC
    assert ref.elapsed(raw, a, due) == target
    assert ref.elapsed(raw, a, due - US) == target - 1
    part = data.draw(st.integers(0, target))
    step = calendar.due(a, part)
    assert a <= step <= due
    assert calendar.due(step, target - part) == due
    later = a + data.draw(st.integers(0, (b - a) // US)) * US
    assert calendar.due(later, target) >= due
    assert calendar.due(a, 0) == a


@patient
@given(ref.calendars(), st.integers(1, 15 * 365 * 24 * HOUR))
def test_p11_due_far_away_is_still_the_inverse(case: tuple[Raw, datetime, datetime], target: int) -> None:
    """Over years, by the measure itself; the measure is proved near by above and adds up (2)."""
    raw, a, _ = case
    calendar = fast(raw)
    try:
        due = calendar.due(a, target)
    except NeverOpen:
        raise AssertionError("weekly hours always open again") from None
    except calendars.CalendarError:
        # A calendar open a few minutes a week passes 2119 with such a target.
        assert calendar.open_us(a, datetime(2119, 12, 31, 23, 59, tzinfo=UTC)) < target
    else:
        assert calendar.open_us(a, due) == target
        assert calendar.open_us(a, due - US) == target - 1


@patient
@given(ref.calendars())
def test_open_and_next_open_agree_with_the_spans(case: tuple[Raw, datetime, datetime]) -> None:
    raw, a, _ = case
    calendar = fast(raw)
    spans = ref.open_spans(raw, a, a + 15 * ONE_DAY)
    assert calendar.is_open(a) == bool(spans and spans[0][0] == a)
    if spans:
        assert calendar.next_open(a) == spans[0][0]
        assert calendar.is_open(spans[0][1] - US)
        assert not calendar.is_open(spans[0][1]) or spans[0][1] == a + 15 * ONE_DAY


@patient
@given(ref.calendars(), st.integers(0, 6))
def test_close_of_a_business_day_counts_dates_with_hours(case: tuple[Raw, datetime, datetime], days: int) -> None:
    raw, a, _ = case
    calendar = fast(raw)
    own = next(
        day
        for day in (a.date() + n * ONE_DAY for n in range(-3, 4))
        if ref.resolve(raw.zone, day, 0) <= a < ref.resolve(raw.zone, day, 1440)
    )
    closes = [ref.day_spans(raw, own + n * ONE_DAY) for n in range(1, 80)]
    closes = [max(end for _, end in spans) for spans in closes if spans]
    today = [end for _, end in ref.day_spans(raw, own) if end > a]
    expected = max(today) if days == 0 and today else closes[max(days, 1) - 1]
    assert calendar.close_of_business_day(a, days) == expected


@patient
@given(ref.calendars(), st.integers(0, 60 * HOUR), st.data())
def test_p08_what_is_shown_of_a_target_is_never_negative(
    case: tuple[Raw, datetime, datetime], target: int, data: st.DataObject
) -> None:
    """elapsed, remaining and overrun are never negative, and remaining - overrun = target - elapsed."""
    raw, a, b = case
    now = a + data.draw(st.integers(0, (b - a) // US)) * US
    elapsed = fast(raw).open_us(a, now)
    remaining, overrun = max(target - elapsed, 0), max(elapsed - target, 0)
    assert elapsed >= 0
    assert remaining - overrun == target - elapsed
    if target:
        # Over is exactly what is past the due instant.
        due = fast(raw).due(a, target) if elapsed > target else None
        assert (overrun > 0) == (due is not None and fast(raw).open_us(due, now) == overrun)


@patient
@given(ref.zones, st.lists(st.tuples(st.integers(-5, 1500), st.integers(-5, 1500)), max_size=3), st.integers(0, 10**18))
def test_p09_every_call_ends_or_is_refused(zone: str, hours: list[tuple[int, int]], target: int) -> None:
    """Hours that are none are refused when given; a target that is never reached is NeverOpen, never a loop."""
    try:
        spec = CalendarSpec(zone, (tuple(hours),) + ((),) * 6, allow_never=True)
    except calendars.CalendarError:
        return
    calendar = calendars.compile(spec)
    start = datetime(2026, 3, 2, tzinfo=UTC)
    assert steps_of(lambda: due_or_refusal(calendar, start, target)) < 90
    if not any(spec.weekly) and target:
        with pytest.raises(NeverOpen):
            calendar.due(start, target)
    with pytest.raises(calendars.CalendarError):
        CalendarSpec(zone, ((),) * 7)


def due_or_refusal(calendar: CompiledCalendar, start: datetime, target: int) -> datetime | None:
    """The due instant, or None where it is refused."""
    try:
        return calendar.due(start, target)
    except calendars.CalendarError:
        return None


@patient
@given(ref.calendars(), st.integers(1, 400), st.integers(1, 1440))
def test_p26_business_days_are_the_declared_length_of_a_day(
    case: tuple[Raw, datetime, datetime], days: int, day_minutes: int
) -> None:
    """n business days are n times the declared length, and so many come back out of it."""
    raw, a, _ = case
    length = business_days_us(days, day_minutes)
    assert length == days * day_minutes * 60 * 10**6
    assert divmod(length, business_days_us(1, day_minutes)) == (days, 0)
    calendar = fast(raw)
    try:
        due = calendar.due(a, length)
    except calendars.CalendarError:
        return
    assert calendar.open_us(a, due) == length
    one_by_one = a
    for _ in range(min(days, 5)):
        one_by_one = calendar.due(one_by_one, business_days_us(1, day_minutes))
    assert one_by_one == calendar.due(a, business_days_us(min(days, 5), day_minutes))


def steps_of(call: Callable[[], object]) -> int:
    """Lines executed by a call, loops included."""
    count = 0

    def trace(frame, event, _):
        nonlocal count
        count += event == "line"
        return trace

    former = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(former)
    return count


@pytest.mark.parametrize("zone", ["Europe/London", "Africa/Casablanca", "America/St_Johns", "Asia/Kolkata"])
def test_p10_steps_do_not_grow_with_the_target(zone: str) -> None:
    """The same few lines run for an hour and for fifty years."""
    closed = frozenset(date(year, 12, 25) for year in range(1995, 2060))
    calendar = calendars.compile(CalendarSpec(zone, (((540, 720), (780, 1020)),) * 5 + ((), ()), closed))
    start = datetime(2001, 3, 5, 9, tzinfo=UTC)
    steps = {
        hours: steps_of(lambda hours=hours: calendar.due(start, hours * HOUR)) for hours in (1, 400, 20_000, 100_000)
    }
    assert max(steps.values()) <= min(steps.values()) + 6, steps
    assert max(steps.values()) < 60
    end = datetime(2060, 1, 1, tzinfo=UTC)
    assert abs(steps_of(lambda: calendar.measure(start)) - steps_of(lambda: calendar.measure(end))) <= 4


@pytest.mark.parametrize("zone", ["Europe/London", "Africa/Casablanca", "Australia/Lord_Howe", "Asia/Gaza", "UTC"])
def test_p28_compiled_equals_uncompiled_at_a_thousand_instants(zone: str) -> None:
    """One measure from the first instant on, against spans added up one by one."""
    rng = random.Random(zone)
    closed = {date(rng.randint(2015, 2024), rng.randint(1, 12), rng.randint(1, 28)) for _ in range(90)}
    overrides = {date(2020, rng.randint(1, 12), rng.randint(1, 28)): [(600, 60)] for _ in range(10)}
    raw = Raw(zone, [[(480, 750), (780, 1035)]] * 4 + [[(1320, 360)], [], [(0, 90), (120, 150)]], closed, overrides)
    calendar = fast(raw)
    first = datetime(2015, 1, 1, tzinfo=UTC)
    spans = ref.open_spans(raw, first, datetime(2025, 1, 1, tzinfo=UTC))
    instants = sorted(first + timedelta(microseconds=rng.randrange(10 * 365 * 24 * HOUR)) for _ in range(1000))
    total, at = 0, 0
    for instant in instants:
        while at < len(spans) and spans[at][1] <= instant:
            total += (spans[at][1] - spans[at][0]) // US
            at += 1
        inside = max(timedelta(0), instant - spans[at][0]) // US
        assert calendar.open_us(first, instant) == total + inside


def test_p28_new_zone_data_make_another_digest_and_other_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The digest carries the clock changes, so that old compiled calendars are not found again."""
    spec = CalendarSpec("Africa/Cairo", (((540, 1020),),) * 7)
    before, digest = calendars.compile(spec), spec.digest
    summer = datetime(2024, 7, 1, 6, tzinfo=UTC)
    assert before.is_open(summer)
    real = tzif.zone_bytes
    zones.zone_table.cache_clear()
    try:
        with monkeypatch.context() as patched:
            # As if a release had taken Cairo's summer time back.
            patched.setattr(tzif, "zone_bytes", lambda name: real("Africa/Johannesburg"))
            assert spec.digest != digest
            after = calendars.compile(spec)
            assert after is not before
            assert after.is_open(summer + timedelta(hours=1))
            assert not after.is_open(summer)
    finally:
        zones.zone_table.cache_clear()
    assert spec.digest == digest
    assert calendars.compile(spec) is before

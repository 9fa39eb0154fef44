"""Calendars by example: the hours people keep, the clocks that jump, and what is refused."""

from concurrent.futures import ThreadPoolExecutor
from copy import copy
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from slas import calendars
from slas.calendars import CalendarError, CalendarSpec, CompiledCalendar, NeverOpen, business_days_us

HOUR = 3600 * 10**6
OFFICE = (((540, 1020),),) * 5 + ((), ())
EVERY_DAY = ((0, 1440),)


def at(zone: str, text: str, fold: int = 0) -> datetime:
    """A wall reading of a zone as an instant."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)


def office(zone: str = "Europe/London", **more) -> CompiledCalendar:
    return calendars.compile(CalendarSpec(zone, OFFICE, **more))


def daily(zone: str, *hours: tuple[int, int]) -> CompiledCalendar:
    return calendars.compile(CalendarSpec(zone, (hours,) * 7))


def test_eight_hours_from_nine_are_due_at_five_the_same_day() -> None:
    calendar, nine = office(), at("Europe/London", "2026-03-02T09:00")
    assert calendar.due(nine, 8 * HOUR) == at("Europe/London", "2026-03-02T17:00")
    assert calendar.due(nine, 8 * HOUR + 1) == at("Europe/London", "2026-03-03T09:00:00.000001")
    assert calendar.due(at("Europe/London", "2026-03-02T17:00"), 1) == at("Europe/London", "2026-03-03T09:00:00.000001")


def test_target_of_nothing_is_due_at_once_even_when_closed() -> None:
    sunday = at("Europe/London", "2026-03-01T12:00")
    assert office().due(sunday, 0) == sunday


def test_weekend_and_christmas_do_not_count() -> None:
    calendar = office(closed_dates=frozenset({date(2026, 12, 25), date(2026, 12, 28)}))
    friday_off = at("Europe/London", "2026-12-24T16:00")
    assert calendar.due(friday_off, 2 * HOUR) == at("Europe/London", "2026-12-29T10:00")
    assert calendar.next_open(at("Europe/London", "2026-12-24T17:00")) == at("Europe/London", "2026-12-29T09:00")


def test_lunch_is_closed() -> None:
    calendar = daily("Europe/London", (540, 720), (780, 1020))
    assert calendar.due(at("Europe/London", "2026-03-02T11:30"), HOUR) == at("Europe/London", "2026-03-02T13:30")
    assert calendar.due(at("Europe/London", "2026-03-02T09:00"), 3 * HOUR) == at("Europe/London", "2026-03-02T12:00")
    assert not calendar.is_open(at("Europe/London", "2026-03-02T12:00"))
    assert calendar.is_open(at("Europe/London", "2026-03-02T13:00"))


def test_holiday_takes_its_own_half_of_two_night_shifts() -> None:
    holiday = date(2026, 12, 25)
    calendar = calendars.compile(CalendarSpec("Europe/London", (((1320, 360),),) * 7, frozenset({holiday})))
    assert calendar.day_spans(holiday) == ()
    # 24th 22:00-24:00 stays, so does 00:00-06:00 on the 26th.
    start, end = at("Europe/London", "2026-12-24T12:00"), at("Europe/London", "2026-12-26T12:00")
    assert list(calendar.spans(start, end)) == [
        (at("Europe/London", "2026-12-24T22:00"), at("Europe/London", "2026-12-25T00:00")),
        (at("Europe/London", "2026-12-26T00:00"), at("Europe/London", "2026-12-26T06:00")),
    ]


def test_override_beats_weekly_hours_and_closed_dates() -> None:
    day = date(2026, 12, 24)
    calendar = office(closed_dates=frozenset({day}), overrides={day: ((540, 720),), date(2026, 12, 23): ()})
    assert calendar.day_spans(day) == (
        (at("Europe/London", "2026-12-24T09:00"), at("Europe/London", "2026-12-24T12:00")),
    )
    assert calendar.day_spans(date(2026, 12, 23)) == ()


def test_overnight_override_goes_on_into_the_next_date_unless_that_is_closed() -> None:
    saturday = date(2026, 3, 7)
    night = {saturday: ((1320, 120),)}
    sunday = date(2026, 3, 8)
    open_next = office(overrides=night).day_spans(sunday)
    assert open_next == ((at("Europe/London", "2026-03-08T00:00"), at("Europe/London", "2026-03-08T02:00")),)
    assert office(overrides=night, closed_dates=frozenset({sunday})).day_spans(sunday) == ()
    assert office(overrides=night | {sunday: ()}).day_spans(sunday) == ()


def test_spans_join_at_midnight() -> None:
    calendar = calendars.compile(CalendarSpec("Asia/Tokyo", (((1320, 360),),) * 7))
    start, end = at("Asia/Tokyo", "2026-03-02T23:00"), at("Asia/Tokyo", "2026-03-03T22:30")
    assert list(calendar.spans(start, end)) == [
        (start, at("Asia/Tokyo", "2026-03-03T06:00")),
        (at("Asia/Tokyo", "2026-03-03T22:00"), end),
    ]


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/London", date(2026, 3, 29), 23),
        ("Europe/London", date(2026, 10, 25), 25),
        ("Europe/London", date(2026, 10, 26), 24),
        ("Australia/Lord_Howe", date(2025, 10, 5), 23.5),
        ("Australia/Lord_Howe", date(2026, 4, 5), 24.5),
        ("Pacific/Apia", date(2011, 12, 29), 24),
        ("Pacific/Apia", date(2011, 12, 30), 0),
        ("Pacific/Apia", date(2011, 12, 31), 24),
        ("Pacific/Kwajalein", date(1993, 8, 21), 0),
        ("America/Sao_Paulo", date(2018, 11, 4), 23),
        ("America/Sao_Paulo", date(2018, 2, 17), 25),
        ("America/St_Johns", date(2010, 11, 6), 24),
        ("America/St_Johns", date(2010, 11, 7), 25),
        ("Africa/Casablanca", date(2024, 3, 10), 25),
        ("Africa/Casablanca", date(2024, 4, 14), 23),
        ("Asia/Kolkata", date(2026, 3, 29), 24),
        ("Pacific/Chatham", date(2025, 9, 28), 23),
        ("Antarctica/Troll", date(2025, 3, 30), 22),
        ("Asia/Pyongyang", date(2018, 5, 4), 23.5),
        ("America/New_York", date(2100, 3, 14), 23),
    ],
)
def test_length_of_a_day_open_all_day(zone: str, day: date, hours: float) -> None:
    # One override keeps this off the road for calendars that are open always.
    calendar = calendars.compile(CalendarSpec(zone, (EVERY_DAY,) * 7, overrides={date(1990, 1, 1): ()}))
    assert not calendar.is_24x7
    assert sum((end - start for start, end in calendar.day_spans(day)), timedelta()) == timedelta(hours=hours)


def test_apia_has_no_friday() -> None:
    calendar = office("Pacific/Apia")
    assert calendar.day_spans(date(2011, 12, 30)) == ()
    thursday = at("Pacific/Apia", "2011-12-29T16:00")
    assert calendar.due(thursday, 2 * HOUR) == at("Pacific/Apia", "2012-01-02T10:00")
    assert calendar.close_of_business_day(thursday, 1) == at("Pacific/Apia", "2012-01-02T17:00")


def test_hours_across_londons_spring_gap() -> None:
    calendar = daily("Europe/London", (30, 180))
    midnight = at("Europe/London", "2026-03-29T00:00")
    assert calendar.open_us(midnight, midnight + timedelta(hours=12)) == HOUR * 3 // 2
    # 01:30 does not exist and is moved on by the gap: 02:30 summer time.
    gap = daily("Europe/London", (90, 180))
    assert gap.day_spans(date(2026, 3, 29)) == ((at("UTC", "2026-03-29T01:30"), at("UTC", "2026-03-29T02:00")),)
    # An end inside the gap after a start inside it keeps its length; a start moved past its end leaves nothing.
    assert daily("Europe/London", (75, 105)).day_spans(date(2026, 3, 29)) == (
        (at("UTC", "2026-03-29T01:15"), at("UTC", "2026-03-29T01:45")),
    )
    assert daily("Europe/London", (90, 130)).day_spans(date(2026, 3, 29)) == ()


def test_lord_howe_moves_a_missing_time_by_half_an_hour() -> None:
    calendar = daily("Australia/Lord_Howe", (135, 240))
    ((start, end),) = calendar.day_spans(date(2025, 10, 5))
    assert start == at("Australia/Lord_Howe", "2025-10-05T02:45")
    assert end == at("Australia/Lord_Howe", "2025-10-05T04:00")


def test_repeated_hour_counts_the_first_pass() -> None:
    calendar = daily("Europe/London", (60, 90))
    assert calendar.day_spans(date(2026, 10, 25)) == ((at("UTC", "2026-10-25T00:00"), at("UTC", "2026-10-25T00:30")),)
    whole = daily("Europe/London", (60, 120))
    assert sum(((b - a) for a, b in whole.day_spans(date(2026, 10, 25))), timedelta()) == timedelta(hours=2)


def test_sao_paulo_opens_when_the_day_without_midnight_begins() -> None:
    calendar = daily("America/Sao_Paulo", (0, 60), (120, 180))
    one, two = at("America/Sao_Paulo", "2018-11-04T01:00"), at("America/Sao_Paulo", "2018-11-04T02:00")
    # 00:00 is moved to 01:00, and with it the hours that would start then are over as they begin.
    assert calendar.day_spans(date(2018, 11, 4)) == ((two, two + timedelta(hours=1)),)
    assert daily("America/Sao_Paulo", (0, 120)).day_spans(date(2018, 11, 4)) == ((one, two),)
    assert calendar.next_open(at("America/Sao_Paulo", "2018-11-03T12:00")) == two


def test_st_johns_enters_the_evening_before_again() -> None:
    """At 00:01 on the 7th the clock went back to 23:01 on the 6th: that hour belongs to the 7th."""
    calendar = calendars.compile(
        CalendarSpec("America/St_Johns", (EVERY_DAY,) * 7, closed_dates=frozenset({date(2010, 11, 6)}))
    )
    first = at("America/St_Johns", "2010-11-06T23:30")
    again = at("America/St_Johns", "2010-11-06T23:30", fold=1)
    assert again - first == timedelta(hours=1)
    assert not calendar.is_open(first)
    assert calendar.is_open(again)
    late = daily("America/St_Johns", (1380, 1440))
    start = at("America/St_Johns", "2010-11-06T23:00")
    assert late.day_spans(date(2010, 11, 6)) == ((start, start + timedelta(hours=1)),)


def test_casablanca_goes_back_for_ramadan() -> None:
    calendar = office("Africa/Casablanca")
    for day, opens in ((date(2024, 3, 8), "08:00"), (date(2024, 3, 11), "09:00"), (date(2024, 4, 15), "08:00")):
        assert calendar.day_spans(day)[0][0] == at("UTC", f"{day}T{opens}")
    # The table runs on for decades: Ramadan of 2050 is known too.
    starts = {calendar.day_spans(date(2050, 1, 3) + timedelta(days=n))[0][0].hour for n in range(0, 364, 7)}
    assert starts == {8, 9}


@pytest.mark.parametrize(("zone", "opens"), [("Asia/Kolkata", "03:30"), ("Asia/Kathmandu", "03:15")])
def test_zones_that_are_not_on_the_hour(zone: str, opens: str) -> None:
    assert office(zone).day_spans(date(2026, 6, 1))[0][0] == at("UTC", f"2026-06-01T{opens}")


def test_chatham_opens_the_utc_day_before() -> None:
    assert office("Pacific/Chatham").day_spans(date(2026, 1, 6))[0][0] == at("UTC", "2026-01-05T19:15")


def test_open_always_is_the_clock_itself() -> None:
    calendar = calendars.compile(CalendarSpec.always("America/St_Johns"))
    start = datetime(2026, 1, 1, 0, 0, 0, 7, tzinfo=UTC)
    assert calendar.measure(start) == (start - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert calendar.due(start, 5) == start + timedelta(microseconds=5)
    assert calendar.next_open(start) == start
    end = start + timedelta(days=3000)
    assert list(calendar.spans(start, end)) == [(start, end)]
    assert list(calendar.spans(start, start)) == []


def test_instants_of_any_zone_are_the_same_instants() -> None:
    calendar = office()
    utc = at("UTC", "2026-07-01T10:00")
    tokyo = utc.astimezone(ZoneInfo("Asia/Tokyo"))
    assert calendar.measure(tokyo) == calendar.measure(utc)
    assert calendar.due(tokyo, HOUR) == calendar.due(utc, HOUR)
    assert calendar.due(tokyo, 0).tzinfo is UTC


class TestNeverOpen:
    def test_calendar_without_hours_is_refused_unless_meant(self) -> None:
        with pytest.raises(CalendarError, match="never opens"):
            CalendarSpec("UTC", ((),) * 7)

    def test_never_is_answered_and_not_looked_for(self) -> None:
        calendar = calendars.compile(CalendarSpec("UTC", ((),) * 7, allow_never=True))
        now = at("UTC", "2026-01-01T00:00")
        assert calendar.open_us(now, now + timedelta(days=9999)) == 0
        for ask in (lambda: calendar.due(now, 1), lambda: calendar.next_open(now)):
            with pytest.raises(NeverOpen):
                ask()
        with pytest.raises(NeverOpen):
            calendar.close_of_business_day(now, 0)

    def test_dated_hours_alone_run_out(self) -> None:
        duty = {date(2026, 3, 1): ((600, 660),), date(2026, 3, 9): ((600, 660),)}
        calendar = calendars.compile(CalendarSpec("UTC", ((),) * 7, overrides=duty, allow_never=True))
        now = at("UTC", "2026-01-01T00:00")
        assert calendar.due(now, 2 * HOUR) == at("UTC", "2026-03-09T11:00")
        with pytest.raises(NeverOpen):
            calendar.due(now, 2 * HOUR + 1)
        assert calendar.next_open(at("UTC", "2026-03-02T00:00")) == at("UTC", "2026-03-09T10:00")


class TestHorizon:
    @pytest.mark.parametrize("text", ["1969-12-31T23:59:59.999999", "2120-01-01T00:00:00", "0001-01-01T00:00:00"])
    def test_instant_outside_is_refused(self, text: str) -> None:
        for ask in (office().measure, office().is_open, office().next_open, lambda t: office().due(t, 1)):
            with pytest.raises(CalendarError, match="1970-2119"):
                ask(at("UTC", text))

    @pytest.mark.parametrize("hours", [10**6, 10**9, 10**40])
    def test_due_beyond_is_refused(self, hours: int) -> None:
        for calendar in (office(), daily("UTC", EVERY_DAY[0]), daily("Europe/London", (0, 1))):
            with pytest.raises(CalendarError, match="after 2119"):
                calendar.due(at("UTC", "2026-01-01T00:00"), hours * HOUR * 2)

    def test_edges_are_inside(self) -> None:
        calendar = office("Pacific/Kiritimati")
        assert calendar.measure(at("UTC", "1970-01-01T00:00")) == 0
        assert calendar.measure(at("UTC", "2119-12-31T23:59:59.999999")) > 0
        with pytest.raises(CalendarError, match="after 2119"):
            office().next_open(at("UTC", "2119-12-31T23:59:59.999999"))

    def test_year_view_holds_whole_dates_and_refuses_others(self) -> None:
        calendar = office("Pacific/Honolulu", overrides={date(2119, 12, 31): EVERY_DAY})
        ((_, end),) = calendar.day_spans(date(2119, 12, 31))
        assert end == at("Pacific/Honolulu", "2120-01-01T00:00")
        for day in (date(1969, 12, 31), date(2120, 1, 1), date.max):
            with pytest.raises(CalendarError, match="1970-2119"):
                calendar.day_spans(day)

    def test_naive_instant_is_refused(self) -> None:
        with pytest.raises(CalendarError, match="no time zone"):
            office().measure(datetime.fromisoformat("2026-01-01"))

    def test_negative_target_is_refused(self) -> None:
        with pytest.raises(CalendarError, match="negative"):
            office().due(at("UTC", "2026-01-01T00:00"), -1)

    def test_long_listing_is_refused(self) -> None:
        start = at("UTC", "2000-01-01T00:00")
        with pytest.raises(CalendarError, match="3700 days"):
            office().spans(start, start + timedelta(days=3701))


class TestBusinessDays:
    def test_close_of_the_nth_day(self) -> None:
        calendar = office(closed_dates=frozenset({date(2026, 4, 3), date(2026, 4, 6)}))
        thursday = at("Europe/London", "2026-04-02T10:00")
        assert calendar.close_of_business_day(thursday, 0) == at("Europe/London", "2026-04-02T17:00")
        assert calendar.close_of_business_day(thursday, 1) == at("Europe/London", "2026-04-07T17:00")
        assert calendar.close_of_business_day(thursday, 4) == at("Europe/London", "2026-04-10T17:00")
        after_close = at("Europe/London", "2026-04-02T17:00")
        assert calendar.close_of_business_day(after_close, 0) == at("Europe/London", "2026-04-07T17:00")
        with pytest.raises(CalendarError, match="negative"):
            calendar.close_of_business_day(thursday, -1)

    def test_days_of_a_declared_length(self) -> None:
        assert business_days_us(2, 480) == 16 * HOUR
        due = office().due(at("Europe/London", "2026-03-05T09:00"), business_days_us(2, 480))
        assert due == at("Europe/London", "2026-03-06T17:00")
        for days, minutes in ((-1, 480), (1, 0), (1, 1441)):
            with pytest.raises(CalendarError):
                business_days_us(days, minutes)


def test_special_dates_name_what_differs_from_the_plain_week() -> None:
    closed = frozenset({date(2026, 12, 25), date(2026, 12, 26)})
    dates = office(closed_dates=closed).special_dates(date(2026, 1, 1), date(2027, 1, 1))
    # The 26th is a Saturday and closed anyway.
    assert dates == (date(2026, 3, 29), date(2026, 10, 25), date(2026, 12, 25))


def test_compiled_calendar_is_kept_and_shared_between_threads() -> None:
    def make() -> CompiledCalendar:
        return calendars.compile(CalendarSpec("Europe/Paris", OFFICE, frozenset({date(2026, 5, 1)})))

    with ThreadPoolExecutor(4) as pool:
        results = {calendar.digest for calendar in pool.map(lambda _: make(), range(20))}
    assert len(results) == 1
    assert make() is make()


def test_cache_is_bounded() -> None:
    from slas.calendars import compiled

    for minute in range(1, 300):
        calendars.compile(CalendarSpec("UTC", (((0, minute),),) * 7))
    assert len(compiled._cache) == 256


def test_error_carries_its_sentence_for_translation_and_survives_a_copy() -> None:
    with pytest.raises(CalendarError) as caught:
        CalendarSpec("Mars/Olympus", OFFICE)
    error = copy(caught.value)
    assert error.template % error.params == str(error) == str(caught.value)
    assert "Mars/Olympus" in str(error)

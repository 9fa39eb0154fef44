"""Closed dates from the public holidays of a place."""

from datetime import date

import pytest

from slas.calendars import CalendarError, CalendarSpec
from slas.calendars.holidays import closed_dates, public_holidays, supported_regions


def test_england_in_date_order_with_names() -> None:
    found = public_holidays("GB", 2026, 2026, "ENG")
    assert [day.isoformat() for day, _ in found] == sorted(day.isoformat() for day, _ in found)
    assert (date(2026, 4, 3), "Good Friday") in found
    assert (date(2026, 12, 28), "Boxing Day (observed)") in found


def test_subdivision_makes_the_difference() -> None:
    epiphany = date(2026, 1, 6)
    assert epiphany in closed_dates("DE", 2026, 2026, "BY")
    assert epiphany not in closed_dates("DE", 2026, 2026)


def test_names_in_the_language_asked_for_else_english() -> None:
    assert public_holidays("DE", 2026, 2026, language="de")[0][1] == "Neujahr"
    assert public_holidays("DE", 2026, 2026, language="xx")[0][1] == "New Year's Day"


def test_observed_day_in_the_year_before_is_kept() -> None:
    """1 January 2022 was a Saturday."""
    assert date(2021, 12, 31) in closed_dates("US", 2021, 2021)
    assert {day.year for day in closed_dates("US", 2021, 2023)} == {2021, 2022, 2023}


def test_years_together_are_the_years_one_by_one() -> None:
    for country in ("US", "JP", "CH", "IL", "IN"):
        single = frozenset().union(*(closed_dates(country, year, year) for year in range(2019, 2026)))
        assert closed_dates(country, 2019, 2025) == single
        assert public_holidays(country, 2019, 2025) == public_holidays(country, 2019, 2025)


def test_every_country_answers() -> None:
    regions = supported_regions()
    assert list(regions) == sorted(regions)
    assert {"GB", "US", "DE", "BR"} <= regions.keys()
    for country in regions:
        for day, name in public_holidays(country, 2025, 2025):
            assert day.year == 2025
            assert name


def test_dates_fit_into_a_calendar() -> None:
    dates = closed_dates("GB", 2020, 2035, "SCT")
    assert CalendarSpec("Europe/London", (((540, 1020),),) * 7, dates).closed_dates == dates


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        (("XX", 2026, 2026), "two-letter country code"),
        (("", 2026, 2026), "two-letter country code"),
        (("gb\x00", 2026, 2026), "two-letter country code"),
        (("GB", 2026, 2026, "ZZ"), "Use one of: ENG"),
        (("GB", 2027, 2026), "first and a last year"),
        (("GB", 1969, 1970), "1970-2119"),
        (("GB", 2026, 2120), "1970-2119"),
        (("GB", 2000, 2050), "at most 50 years"),
    ],
)
def test_unknown_place_or_years_are_refused_with_advice(arguments: tuple, advice: str) -> None:
    with pytest.raises(CalendarError, match=advice):
        public_holidays(*arguments)

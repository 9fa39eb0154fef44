"""Public holidays of a country or region as closed dates, by rule from the `holidays` library: no feed, no network."""

import re
from datetime import date
from functools import cache

import holidays as library
from holidays.registry import COUNTRIES

from slas.calendars.errors import CalendarError, gettext_noop
from slas.calendars.zones import FIRST_YEAR, LAST_YEAR

# Years at once; a calendar is filled some years ahead and topped up, since governments change their rules.
MAX_YEARS = 50


@cache
def supported_regions() -> dict[str, tuple[str, ...]]:
    """ISO 3166 country codes with the codes of their subdivisions, both sorted."""
    regions = library.list_supported_countries(include_aliases=False)
    return {country: tuple(sorted(regions[country])) for country in sorted(regions)}


@cache
def country_names() -> dict[str, str]:
    """English names of the countries in `supported_regions`, by code, in the order of the names."""
    codes = supported_regions()
    # The registry names classes: UnitedKingdom.
    named = {code: re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name) for name, code, *_ in COUNTRIES.values()}
    return dict(sorted(((code, named.get(code, code)) for code in codes), key=lambda pair: pair[1]))


def public_holidays(
    country: str, first_year: int, last_year: int, subdivision: str = "", language: str = ""
) -> tuple[tuple[date, str], ...]:
    """Public holidays of the years, observed days included, in date order, each with its name.

    The same arguments give the same answer with one release of the library. Names are in `language` where the library
    has it for this country, else in English, else in the country's own. Raises CalendarError for an unknown country or
    subdivision, and for years that are reversed, too many, or outside 1970-2119.
    """
    if not FIRST_YEAR <= first_year <= last_year <= LAST_YEAR or last_year - first_year >= MAX_YEARS:
        raise CalendarError(
            gettext_noop("Give a first and a last year in %(first)d-%(last)d, at most %(most)d years."),
            first=FIRST_YEAR,
            last=LAST_YEAR,
            most=MAX_YEARS,
        )
    regions = supported_regions()
    if country not in regions:
        raise CalendarError(
            gettext_noop("No holidays are known for “%(country)s”. Give a two-letter country code such as GB."),
            country=str(country)[:64],
        )
    if subdivision and subdivision not in regions[country]:
        raise CalendarError(
            gettext_noop("“%(subdivision)s” is no region of %(country)s. Use one of: %(known)s, or none."),
            subdivision=str(subdivision)[:64],
            country=country,
            known=", ".join(regions[country]) or "-",
        )
    spoken = library.country_holidays(country).supported_languages
    found = library.country_holidays(
        country,
        subdiv=subdivision or None,
        # A holiday of one year may be observed in another: New Year's Day 2022 on 31 December 2021.
        years=range(first_year - 1, last_year + 2),
        language=next((choice for choice in (language, "en_US", "en_GB") if choice in spoken), None),
    )
    return tuple((day, name) for day, name in sorted(found.items()) if first_year <= day.year <= last_year)


def closed_dates(country: str, first_year: int, last_year: int, subdivision: str = "") -> frozenset[date]:
    """The dates of `public_holidays`, ready for `CalendarSpec.closed_dates`. Raises CalendarError as that does."""
    return frozenset(day for day, _ in public_holidays(country, first_year, last_year, subdivision))

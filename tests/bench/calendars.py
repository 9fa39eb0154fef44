"""How fast and how large calendars are: medians beside their targets. Run `python -m tests.bench.calendars`."""

import sys
from array import array
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from random import Random
from statistics import median
from time import perf_counter_ns

from slas.calendars import CalendarSpec, CompiledCalendar
from slas.calendars.zones import ZoneTable, zone_table

HOUR = 3600 * 10**6
OFFICE = (((540, 720), (780, 1020)),) * 5 + ((), ())


def specs() -> dict[str, CalendarSpec]:
    """A plain office, a year of Casablanca's clock, and a calendar with ten years of holidays and overrides."""
    rng = Random(1)
    days = [date(2020, 1, 1) + timedelta(days=n) for n in range(3650)]
    return {
        "London office": CalendarSpec("Europe/London", OFFICE),
        "London, 200 holidays, 100 overrides": CalendarSpec(
            "Europe/London",
            OFFICE,
            frozenset(rng.sample(days, 200)),
            dict.fromkeys(rng.sample(days, 100), ((1320, 360),)),
        ),
        "Casablanca nights": CalendarSpec("Africa/Casablanca", (((1320, 360),),) * 7),
        "24x7": CalendarSpec.always(),
    }


def p50_us(call: Callable[..., object], arguments: Iterable[tuple]) -> float:
    """Median of single calls in microseconds."""
    times = []
    for given in arguments:
        start = perf_counter_ns()
        call(*given)
        times.append(perf_counter_ns() - start)
    return median(times) / 1000


def size_of(thing: object, seen: set[int] | None = None) -> int:
    """Bytes held by a compiled calendar alone: neither its spec nor the zone's table, which calendars share."""
    seen = set() if seen is None else seen
    if id(thing) in seen or isinstance(thing, CalendarSpec | ZoneTable | type):
        return 0
    seen.add(id(thing))
    inner: list[object] = []
    if isinstance(thing, dict):
        inner = [*thing.keys(), *thing.values()]
    elif isinstance(thing, tuple | list):
        inner = list(thing)
    elif not isinstance(thing, array | str | int):
        inner = [vars(thing)] if hasattr(thing, "__dict__") else [getattr(thing, n) for n in type(thing).__slots__]
    return sys.getsizeof(thing) + sum(size_of(part, seen) for part in inner)


def line(what: str, figure: float, unit: str, target: float) -> None:
    """Print one figure with its target."""
    verdict = "ok" if figure < target else "OVER"
    print(f"  {what:34} {figure:9.2f} {unit:3} (target < {target:g} {unit}) {verdict}")


def main() -> None:
    """Print p50 of measure, due and compile, and the size, for each calendar."""
    rng = Random(2)
    first = datetime(2020, 1, 1, tzinfo=UTC)
    instants = [first + timedelta(microseconds=rng.randrange(10 * 365 * 24 * HOUR)) for _ in range(5000)]
    for name, spec in specs().items():
        zone_table(spec.time_zone)
        calendar = CompiledCalendar(spec)
        ten_years = calendar.open_us(first, first + timedelta(days=3652))
        print(name)
        line("measure", p50_us(calendar.measure, [(t,) for t in instants]), "us", 30)
        line("due in 8 open hours", p50_us(calendar.due, [(t, 8 * HOUR) for t in instants]), "us", 60)
        line("due in 10 years", p50_us(calendar.due, [(t, ten_years) for t in instants]), "us", 60)
        line("compile", p50_us(CompiledCalendar, [(spec,)] * 50) / 1000, "ms", 5)
        line("size", size_of(calendar) / 1024, "KiB", 100)
    zones = ("Europe/London", "Africa/Casablanca", "America/St_Johns", "Australia/Lord_Howe")
    print("Each zone, once per process")
    line("clock changes 1970-2119", p50_us(ZoneTable, [(name,) for name in zones] * 20) / 1000, "ms", 5)


if __name__ == "__main__":
    main()

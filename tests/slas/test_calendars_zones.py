"""Clock changes against `zoneinfo`: every zone there is, and closing rules that no zone uses yet."""

import random
import struct
from datetime import UTC, datetime, timedelta
from io import BytesIO
from zoneinfo import ZoneInfo

import pytest

from slas.calendars import tzif, zones
from tests.slas import calendar_reference as ref
from tests.slas.calendar_reference import US

LAST = zones.HORIZON // zones.SECOND


def zone_file(tail: str, offset: int) -> bytes:
    """A TZif file without a table: one offset and a closing rule."""
    block = struct.pack(">6LlBB4s", 0, 0, 0, 0, 1, 4, offset, 0, 0, b"STD\0")
    head = b"TZif2" + bytes(15)
    return head + block + head + block + b"\n" + tail.encode() + b"\n"


def test_every_zone_has_the_offsets_of_zoneinfo() -> None:
    """Each change of the table is one of zoneinfo's, and between changes no offset differs, 1970-2119."""
    rng = random.Random(7)
    for name in ref.ALL_ZONES:
        info = ZoneInfo(name)
        table = zones.ZoneTable(name)
        probes = [rng.randrange(150 * 365 * 86400) for _ in range(60)]
        for change, _ in tzif.read_changes(tzif.zone_bytes(name), 0, zones.HORIZON // zones.SECOND):
            probes += [change - 1, change, change + rng.randrange(86400)]
        for second in probes:
            local = datetime.fromtimestamp(max(second, 0), UTC).astimezone(info)
            day, minute = local.date(), local.hour * 60 + local.minute
            assert table.resolve(zones.key_of(day), minute) == (ref.resolve(name, day, minute) - zones.EPOCH) // US, (
                name
            )
            key, start = table.day_of((local - zones.EPOCH) // US)
            first = ref.resolve(name, zones.date_of(key), 0)
            assert start == (first - zones.EPOCH) // US
            assert first <= local < ref.resolve(name, zones.date_of(key), 1440), name


@pytest.mark.parametrize(
    ("tail", "offset", "a_year"),
    [
        ("EST5EDT,M3.2.0,M11.1.0", -5, 2),
        ("XXX3YYY,J61/0,J62/0", -3, 2),
        ("XXX3YYY,J60,J300/0", -3, 2),
        ("<-03>3<-02>,M3.5.0/-2,M10.5.0/-1", -3, 2),
        ("IST-1GMT0,M10.5.0,M3.5.0/1", 1, 2),
        ("<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", 10.5, 2),
        ("<+00>0<+02>-2,M3.5.0/1,M10.5.0/3", 0, 2),
        ("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", -2, 2),
        ("IST-2IDT,M3.4.4/26,M10.5.0", 2, 2),
        ("<+01>-1", 1, 0),
    ],
)
def test_closing_rule_is_read_as_zoneinfo_reads_it(tail: str, offset: float, a_year: int) -> None:
    data = zone_file(tail, int(offset * 3600))
    info = ZoneInfo.from_file(BytesIO(data))
    first = int(datetime(1971, 6, 1, tzinfo=UTC).timestamp())
    changes = tzif.read_changes(data, first, LAST)
    assert 148 * a_year <= len(changes) <= 149 * a_year
    now = datetime.fromtimestamp(first, info).utcoffset()
    for second, after in changes:
        assert datetime.fromtimestamp(second - 1, info).utcoffset() == now
        now = timedelta(seconds=after)
        assert datetime.fromtimestamp(second, info).utcoffset() == now


@pytest.mark.parametrize(
    ("rule", "plain", "leap"),
    [
        ("J59", "2023-02-28", "2024-02-28"),
        ("J60", "2023-03-01", "2024-03-01"),
        ("J365", "2023-12-31", "2024-12-31"),
        ("0", "2023-01-01", "2024-01-01"),
        ("59", "2023-03-01", "2024-02-29"),
        ("300", "2023-10-28", "2024-10-27"),
    ],
)
def test_day_of_the_year_rules_follow_posix(rule: str, plain: str, leap: str) -> None:
    """By POSIX itself: Jn never counts 29 February, n counts from zero. Some releases of `zoneinfo` err here."""
    data = zone_file(f"XXX0YYY,{rule}/3,J200/3", 0)
    for day in (plain, leap):
        second = int(datetime.fromisoformat(f"{day}T03:00+00:00").timestamp())
        assert tzif.read_changes(data, second, second + 1) == [(second, 3600)]


def test_summer_time_all_year_never_ends() -> None:
    """A start at new year's midnight and an end at the same instant a year on: the way POSIX spells "always"."""
    changes = tzif.read_changes(zone_file("XXX3EDT4,0/0,J365/23", -3), 0, LAST)
    # The last entry of an instant counts.
    assert set(dict(changes).values()) == {-4 * 3600}


def test_old_file_without_a_closing_rule() -> None:
    body = struct.pack(">6L", 0, 0, 0, 1, 2, 4) + struct.pack(">lB", 86400, 1)
    types = struct.pack(">lBBlBB", 0, 0, 0, 3600, 0, 0) + b"STD\0"
    assert tzif.read_changes(b"TZif\0" + bytes(15) + body + types, 0, LAST) == [(86400, 3600)]


@pytest.mark.parametrize(
    "data",
    [b"PK" + bytes(60), zone_file("EST5EDT", -18000), zone_file("nonsense rule", 0)],
    ids=["magic", "half", "text"],
)
def test_unreadable_file_is_an_error_not_a_guess(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"TZif"):
        tzif.read_changes(data, 0, LAST)


def test_zone_is_found_without_system_data(monkeypatch: pytest.MonkeyPatch) -> None:
    """Machines without zone files use the `tzdata` package, as `zoneinfo` does."""
    assert "Europe/London" in tzif.zone_names()
    monkeypatch.setattr(tzif.zoneinfo, "TZPATH", ())
    assert tzif.zone_bytes("Europe/London").startswith(b"TZif")
    tzif.tz_data_version.cache_clear()
    try:
        assert tzif.tz_data_version().endswith("(tzdata package)")
    finally:
        tzif.tz_data_version.cache_clear()

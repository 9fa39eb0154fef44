"""Business calendars: how much open time lies between two instants, and when a target falls due. No Django in here."""

from slas.calendars.compiled import CompiledCalendar, business_days_us, compile  # noqa: A004 - read as calendars.compile
from slas.calendars.errors import CalendarError, NeverOpen
from slas.calendars.spec import CalendarSpec, Interval
from slas.calendars.tzif import tz_data_version, zone_names
from slas.calendars.zones import ClockChange, clock_changes, local_day

__all__ = [
    "CalendarError",
    "CalendarSpec",
    "ClockChange",
    "CompiledCalendar",
    "Interval",
    "NeverOpen",
    "business_days_us",
    "clock_changes",
    "compile",
    "local_day",
    "tz_data_version",
    "zone_names",
]

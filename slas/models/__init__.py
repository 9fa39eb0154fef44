"""Calendars, policies and the timers that run by them."""

from slas.models.calendars import BusinessCalendar, CalendarVersion, HolidaySet, TeamCalendar, ZoneRelease
from slas.models.policies import (
    ChainVersion,
    EscalationChain,
    Goal,
    Kind,
    LateSteps,
    Metric,
    OnReopen,
    OnRetarget,
    ServiceLevelPolicy,
    Setup,
    StartFrom,
    TargetUnit,
    ZoneFrom,
)
from slas.models.timers import EventKind, Run, SlaEvent, State, StepDue, Timer
from slas.models.watching import Alarm, AlarmKind, Audit, Heartbeat
from slas.steps import BREACH

__all__ = [
    "BREACH",
    "Alarm",
    "AlarmKind",
    "Audit",
    "BusinessCalendar",
    "CalendarVersion",
    "ChainVersion",
    "EscalationChain",
    "EventKind",
    "Goal",
    "Heartbeat",
    "HolidaySet",
    "Kind",
    "LateSteps",
    "Metric",
    "OnReopen",
    "OnRetarget",
    "Run",
    "ServiceLevelPolicy",
    "Setup",
    "SlaEvent",
    "StartFrom",
    "State",
    "StepDue",
    "TargetUnit",
    "TeamCalendar",
    "Timer",
    "ZoneFrom",
    "ZoneRelease",
]

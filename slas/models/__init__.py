"""Calendars, policies and the timers that run by them."""

from slas.models.calendars import BusinessCalendar, CalendarVersion, TeamCalendar
from slas.models.oncall import (
    Rota,
    RotaFeed,
    RotaLevel,
    RotaOverride,
    ShiftReminder,
    SwapRequest,
    SwapState,
    TimeOff,
)
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
from slas.steps import BREACH

__all__ = [
    "BREACH",
    "BusinessCalendar",
    "CalendarVersion",
    "ChainVersion",
    "EscalationChain",
    "EventKind",
    "Goal",
    "Kind",
    "LateSteps",
    "Metric",
    "OnReopen",
    "OnRetarget",
    "Rota",
    "RotaFeed",
    "RotaLevel",
    "RotaOverride",
    "Run",
    "ServiceLevelPolicy",
    "Setup",
    "ShiftReminder",
    "SlaEvent",
    "StartFrom",
    "State",
    "StepDue",
    "SwapRequest",
    "SwapState",
    "TargetUnit",
    "TeamCalendar",
    "TimeOff",
    "Timer",
    "ZoneFrom",
]

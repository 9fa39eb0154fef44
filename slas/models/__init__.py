"""Calendars, policies and the timers that run by them."""

from slas.models.calendars import BusinessCalendar, CalendarVersion
from slas.models.policies import ChainVersion, EscalationChain, Goal, Kind, Metric, ServiceLevelPolicy, Setup
from slas.models.timers import BREACH, EventKind, Run, SlaEvent, State, StepDue, Timer

__all__ = [
    "BREACH",
    "BusinessCalendar",
    "CalendarVersion",
    "ChainVersion",
    "EscalationChain",
    "EventKind",
    "Goal",
    "Kind",
    "Metric",
    "Run",
    "ServiceLevelPolicy",
    "Setup",
    "SlaEvent",
    "State",
    "StepDue",
    "Timer",
]

"""What the demo desk promises beside the product's own policies: one of each thing that can be timed."""

from __future__ import annotations

from itsm.demo.people import Desk
from itsm.tickets.actors import SYSTEM
from slas.actions import GoalSpec, save_calendar, save_policy, set_team_calendar
from slas.calendars import CalendarSpec
from slas.defaults import ALWAYS, BUSINESS_HOURS, CHAIN, INCIDENTS
from slas.models import BusinessCalendar, EscalationChain, Kind, Metric, TargetUnit

HOUR = 3600
OFFICE = CalendarSpec("Europe/Amsterdam", (((8 * 60, 18 * 60),),) * 5 + ((), ()))
PROBLEMS = {"field": "kind", "op": "eq", "value": "problem"}
URGENT = {"field": "priority", "op": "lte", "value": 2}


def make_levels(desk: Desk) -> None:
    """Promise answers and news to requesters, times between teams, and what suppliers have to keep."""
    office = save_calendar("Amsterdam office", OFFICE, actor=SYSTEM)
    set_team_calendar(desk.teams["Workplace"], office, actor=SYSTEM)
    always = BusinessCalendar.objects.get(name=ALWAYS)
    hours = BusinessCalendar.objects.get(name=BUSINESS_HOURS)
    chain = EscalationChain.objects.get(name=CHAIN)
    save_policy(
        "Every further answer",
        metric=Metric.NEXT_RESPONSE,
        condition=INCIDENTS,
        goals=[GoalSpec(2 * HOUR, always, URGENT, chain), GoalSpec(8 * HOUR, hours, chain=chain)],
        actor=SYSTEM,
    )
    save_policy(
        "News while it is urgent",
        metric=Metric.UPDATE,
        condition=URGENT,
        pause_condition=None,
        goals=[GoalSpec(4 * HOUR, always, chain=chain)],
        actor=SYSTEM,
    )
    two_days = GoalSpec(0, hours, target_unit=TargetUnit.BUSINESS_DAYS, target_count=2, use_team_calendar=True)
    save_policy(
        "Two days with one team",
        metric=Metric.TEAM_STAY,
        kind=Kind.OLA,
        condition=INCIDENTS,
        goals=[GoalSpec(4 * HOUR, always, URGENT), two_days],
        actor=SYSTEM,
    )
    save_policy(
        "Suppliers by the end of the next day",
        metric=Metric.SUPPLIER,
        kind=Kind.UC,
        condition=INCIDENTS,
        goals=[GoalSpec(0, hours, target_unit=TargetUnit.CLOSE_OF_DAY, target_count=1)],
        actor=SYSTEM,
    )
    save_policy(
        "Problems solved within thirty days",
        metric=Metric.RESOLUTION,
        condition=PROBLEMS,
        goals=[
            GoalSpec(0, hours, URGENT, chain, target_unit=TargetUnit.BUSINESS_DAYS, target_count=10),
            GoalSpec(0, hours, chain=chain, target_unit=TargetUnit.BUSINESS_DAYS, target_count=30),
        ],
        actor=SYSTEM,
    )

"""The product's service levels: what an install begins with, and what an administrator then changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from slas.calendars import CalendarSpec

ALWAYS, BUSINESS_HOURS, CHAIN = "24×7", "Business hours", "Standard escalation"
MINUTE, HOUR = 60, 3600
NINE_TO_FIVE = (((9 * 60, 17 * 60),),) * 5 + ((), ())

SPECS = {ALWAYS: CalendarSpec.always(), BUSINESS_HOURS: CalendarSpec("UTC", NINE_TO_FIVE)}

STEPS: list[dict[str, Any]] = [
    {"percent": 50, "actions": [{"do": "notify", "who": ["assignee"]}]},
    {"percent": 75, "actions": [{"do": "notify", "who": ["assignee", "team_lead"]}]},
    {"percent": 100, "actions": [{"do": "notify", "who": ["assignee", "team_lead", "team"]}]},
]

# Metric: name, and the target in seconds for each priority from 1 to 5.
POLICIES = {
    "response": ("Response by priority", (15 * MINUTE, 30 * MINUTE, 4 * HOUR, 8 * HOUR, 16 * HOUR)),
    "resolution": ("Resolution by priority", (4 * HOUR, 8 * HOUR, 24 * HOUR, 40 * HOUR, 80 * HOUR)),
}
ROUND_THE_CLOCK = (1, 2)
INCIDENTS = {"field": "kind", "op": "eq", "value": "incident"}


def install(model: Callable[[str], Any]) -> bool:
    """Store calendars, chain and policies where there is no policy yet; return whether anything was stored.

    `model` gives a model of this room by its name: the one of today, or the one that a migration knows.
    """
    if model("ServiceLevelPolicy").objects.exists():
        return False
    model("Setup").objects.get_or_create(pk=1)
    calendars = {name: _calendar(model, name, spec) for name, spec in SPECS.items()}
    chain, is_new = model("EscalationChain").objects.get_or_create(name=CHAIN)
    if is_new:
        chain.current = model("ChainVersion").objects.create(chain=chain, number=1, steps=STEPS)
        chain.save(update_fields=["current"])
    for metric, (name, targets) in POLICIES.items():
        policy = model("ServiceLevelPolicy").objects.create(name=name, metric=metric, condition=INCIDENTS, order=1000)
        model("Goal").objects.bulk_create(
            model("Goal")(
                policy=policy,
                order=priority,
                condition={"field": "priority", "op": "eq", "value": priority},
                target_s=target_s,
                calendar=calendars[ALWAYS if priority in ROUND_THE_CLOCK else BUSINESS_HOURS],
                chain=chain,
            )
            for priority, target_s in enumerate(targets, start=1)
        )
    return True


def _calendar(model: Callable[[str], Any], name: str, spec: CalendarSpec) -> Any:
    calendar, is_new = model("BusinessCalendar").objects.get_or_create(name=name)
    if is_new:
        calendar.current = model("CalendarVersion").objects.create(
            calendar=calendar, number=1, spec=spec.to_json(), digest=spec.content_digest
        )
        calendar.save(update_fields=["current"])
    return calendar

"""What a step of a chain can order: the words that chain versions store, and what they mean for a fired step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from slas.models import Timer
from slas.recording import Fired
from slas.steps import By, code_of

NOTIFY, ASSIGN_TEAM, RAISE_PRIORITY = "notify", "assign_team", "raise_priority"
ASSIGN_PERSON, ADD_WATCHER, WEBHOOK = "assign_person", "add_watcher", "webhook"
DEEDS = (NOTIFY, ASSIGN_TEAM, ASSIGN_PERSON, RAISE_PRIORITY, ADD_WATCHER, WEBHOOK)
ASSIGNEE, TEAM_LEAD, TEAM, REQUESTER_MANAGER = "assignee", "team_lead", "team", "requester_manager"
ROLES = (ASSIGNEE, TEAM_LEAD, TEAM, REQUESTER_MANAGER)
# What needs no verb on the ticket: it happens by the event alone, from the outbox.
BY_EVENT = (NOTIFY, WEBHOOK)
# A breach always reaches somebody, also where a chain names nobody.
UNNAMED_BREACH: tuple[Mapping[str, Any], ...] = ({"do": NOTIFY, "who": [ASSIGNEE]},)
Action = Mapping[str, Any]


def stored_step(timer: Timer, code: int) -> Mapping[str, Any] | None:
    """Return what the timer's chain stores of the step; None where the chain does not have it."""
    return timer.chain_version.by_code.get(code) if timer.chain_version is not None else None


def actions_of(step: Fired) -> list[Action]:
    """Return what the timer's chain orders at this step. Once acknowledged, only who did that hears of a breach."""
    if step.timer.acknowledged_at is not None:
        return [{"do": NOTIFY, "people": [step.timer.acknowledged_by_id]}]
    stored = stored_step(step.timer, step.step)
    listed: list[Action] = list(stored["actions"]) if stored is not None else []
    if step.is_breach and not any(action["do"] == NOTIFY for action in listed):
        return [*listed, *UNNAMED_BREACH]
    return listed


def has_deeds(step: Fired) -> bool:
    """Return whether the step's chain orders something on the ticket, and not only that somebody is told."""
    return step.told and any(action["do"] not in BY_EVENT for action in actions_of(step))


def later_actions(step: Fired) -> Iterator[list[Action]]:
    """Yield what the chain orders at each step after this one, in the order in which the chain lists them."""
    steps = step.timer.chain_version.steps if step.timer.chain_version is not None else []
    passed = False
    for one in steps:
        if passed:
            yield list(one["actions"])
        passed = passed or code_of(one) == step.step


def next_repetition(step: Fired) -> datetime | None:
    """Return when the step comes again, None where it does not: the chain does not say so, or it was the last time.

    Counted from the instant at which it was due, so that what came late does not move the rest.
    """
    stored = stored_step(step.timer, step.step)
    repeat = stored.get("repeat") if stored is not None else None
    if not repeat or step.repetition >= repeat["most"]:
        return None
    if repeat.get("clock", By.WALL) == By.BUSINESS:
        return step.timer.hours.due(step.at, repeat["minutes"] * 60_000_000)
    return step.at + timedelta(minutes=repeat["minutes"])

"""A month of changes of the demo desk: what was planned, who agreed, how it was made and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from changes.actions import open_change, perform, reply
from changes.actions.library import open_from_template
from changes.models import Change, ChangeTemplate
from changes.statuses import ChangeType
from itsm.approvals.actions import decide
from itsm.approvals.models import ApprovalRound
from itsm.demo.people import Desk
from itsm.tasking.actions import open_task
from itsm.tasking.actions import perform as perform_task
from itsm.tasking.models import Task
from itsm.tickets.actors import Actor, Channel
from itsm.tickets.models import Visibility

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
ZONE = ZoneInfo("Europe/Amsterdam")
EARLY = timedelta(minutes=5)  # how long before its end a change is finished


@dataclass(frozen=True)
class Told:
    """One change. `asked`, `agreed` (who, with what words) and so on are done in this order, as far as they are named;
    `lead` is how long before its start it was opened."""

    title: str
    service: str
    requester: str
    assignee: str
    plans: tuple[str, str, str, str] = ("", "", "", "")
    description: str = ""
    template: str = ""
    change_type: str = ChangeType.NORMAL
    answers: tuple[str, str, str, str] = ("part", "twin", "quick", "often")
    lead: timedelta = 6 * DAY
    impact: int = 2
    is_asked: bool = True
    agreed: tuple[tuple[str, str], ...] = ()
    is_started: bool = False
    is_finished: bool = False
    closing: dict[str, str] = field(default_factory=dict)
    others: tuple[str, ...] = ()
    note: tuple[str, str] = ("", "")
    held: str = ""
    cancelled: str = ""


@dataclass(frozen=True)
class Clock:
    """The instants of the demo, counted from the moment in which it is made."""

    now: datetime

    @property
    def today(self) -> date:
        """The date in Amsterdam."""
        return self.now.astimezone(ZONE).date()

    def on(self, days: int, hour: int, minute: int = 0) -> datetime:
        """Return this time in Amsterdam so many days from today."""
        return self._at(self.today + timedelta(days=days), hour, minute)

    def week(self, weeks: int, weekday: int, hour: int, minute: int = 0) -> datetime:
        """Return this time in Amsterdam on a weekday (Monday 0), so many weeks from this one."""
        monday = self.today - timedelta(days=self.today.weekday())
        return self._at(monday + timedelta(days=7 * weeks + weekday), hour, minute)

    def year_end(self) -> datetime:
        """Return an evening within the next freeze over the turn of the year."""
        evening = datetime(self.today.year, 12, 28, 19, tzinfo=ZONE)
        return evening if evening > self.now else evening.replace(year=evening.year + 1)

    def _at(self, day: date, hour: int, minute: int) -> datetime:
        return datetime(day.year, day.month, day.day, hour, minute, tzinfo=ZONE)


def tell_change(
    told: Told, start: datetime, hours: float, desk: Desk, templates: dict[str, ChangeTemplate], now: datetime
) -> Change:
    """Open the change and do with it what was told, each step at its own instant, none of them ahead of now."""
    at = min(start - told.lead, now - 3 * HOUR)
    end = start + timedelta(hours=hours)

    def actor(who: str, when: datetime) -> Actor:
        return Actor(desk.people[who], Channel.DESK, at=min(when, now))

    change = _open(told, start, end, desk, templates, actor(told.requester, at))
    if told.note[0]:
        reply(change, told.note[1], actor=actor(told.note[0], at + HOUR / 6), visibility=Visibility.INTERNAL)
    if not told.is_asked:
        return change
    asked = at + HOUR / 4
    move = {ChangeType.STANDARD: "schedule", ChangeType.EMERGENCY: "request_authorisation"}.get(
        ChangeType(change.change_type), "request_approval"
    )
    change = perform(change, move, actor=actor(told.requester, asked))
    for number, (who, words) in enumerate(told.agreed, start=1):
        round_ = ApprovalRound.objects.live().get(ticket=change.pk)
        decide(round_, actor=actor(who, asked + number * HOUR / 3), decision="approve", comment=words)
    change = Change.objects.get(pk=change.pk)
    if told.held:
        return perform(change, "hold", actor=actor(told.assignee, asked + 2 * HOUR), fields={"reason": told.held})
    if told.cancelled:
        return perform(change, "cancel", actor=actor(told.requester, asked + DAY), fields={"reason": told.cancelled})
    if told.is_started:
        change = perform(change, "start", actor=actor(told.assignee, start + HOUR / 30))
    if told.is_finished:
        _do_tasks(change, told, lambda minutes: actor(told.assignee, end - EARLY - timedelta(minutes=minutes)))
        change = perform(Change.objects.get(pk=change.pk), "finish", actor=actor(told.assignee, end - EARLY))
    if told.closing:
        change = perform(change, "close", actor=actor("changes", end + 14 * HOUR), fields=told.closing)
    return change


def _open(
    told: Told, start: datetime, end: datetime, desk: Desk, templates: dict[str, ChangeTemplate], actor: Actor
) -> Change:
    if told.template:
        return open_from_template(
            templates[told.template],
            actor=actor,
            title=told.title,
            assignee=desk.people[told.assignee],
            planned_start=start,
            planned_end=end,
        )
    names = ("justification", "implementation_plan", "backout_plan", "test_plan")
    return open_change(
        actor=actor,
        title=told.title,
        description=told.description,
        change_type=told.change_type,
        impact=told.impact,
        urgency=2,
        service=desk.services[told.service],
        assignee=desk.people[told.assignee],
        affected_other=told.others,
        plans=dict(zip(names, told.plans, strict=True)),
        planned_start=start,
        planned_end=end,
        risk_answers=dict(zip(("loss", "tested", "undone", "practice"), told.answers, strict=True)),
    )


def _do_tasks(change: Change, told: Told, actor: Any) -> None:
    """Work on the tasks of a change and end them, shortly before the change itself."""
    for number, task in enumerate(Task.objects.below(change).open().order_by("order", "pk"), start=1):
        early = 20 - 5 * number
        fresh = Task.objects.get(pk=task.pk)
        if fresh.status == "pending":
            fresh = perform_task(fresh, "open", actor=actor(early + 1))
        if fresh.status == "open":
            fresh = perform_task(fresh, "start", actor=actor(early + 1))
        perform_task(fresh, "complete", actor=actor(early), fields={"notes": "Done as planned."})


def plan_tasks(change: Change, desk: Desk, rows: tuple[tuple[str, str, str, int, int], ...], actor: Actor) -> None:
    """Open tasks below the change: title, type, who, and from which to which minute of its window."""
    assert change.planned_start is not None  # noqa: S101  every change of the demo is planned
    for order, (title, kind, who, first, last) in enumerate(rows, start=1):
        open_task(
            change,
            actor=actor,
            title=title,
            task_type=kind,
            assignee=desk.people[who],
            team=change.team,
            planned_start=change.planned_start + timedelta(minutes=first),
            planned_end=change.planned_start + timedelta(minutes=last),
            order=order,
        )

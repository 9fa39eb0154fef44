"""Beginning a stage: whom it asks, and until when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from itsm.accounts.models import User
from itsm.accounts.roles import Role
from itsm.approvals.actions.choosing import stage_is_for
from itsm.approvals.duties import barred
from itsm.approvals.models import ApprovalRound, ApprovalStage, Ask, AskState, Mode, StageState
from itsm.approvals.sources import fallback_people, people_of
from itsm.approvals.subjects import subject_of
from slas.calendars import CalendarError
from slas.models import BusinessCalendar, CalendarVersion

HOUR = timedelta(hours=1)
MICROSECOND = timedelta(microseconds=1)
HOUR_US = HOUR // MICROSECOND


def begin_next(round_: ApprovalRound, ticket: Any, now: datetime) -> ApprovalStage | None:
    """Begin the next stage that is for the ticket and return it; None when none is left. The ticket is locked."""
    for stage in round_.stages.filter(state=StageState.WAITING).order_by("position"):
        if not stage_is_for(ticket, stage.spec.get("condition") or {}, now):
            stage.state, stage.ended_at = StageState.SKIPPED, now
            stage.save(update_fields=["state", "ended_at"])
            continue
        _begin(stage, round_, ticket, now)
        return stage
    return None


def _begin(stage: ApprovalStage, round_: ApprovalRound, ticket: Any, now: datetime) -> None:
    out = barred(ticket, round_.barred)
    left_out: dict[int, str] = {}
    found: dict[int, tuple[User, list[int]]] = {}
    for place, source in enumerate(stage.spec["approvers"]):
        allowed, refused = allowed_of(people_of(source, ticket), ticket, out)
        left_out |= refused
        if not allowed and stage.mode == Mode.PER_GROUP:
            allowed, stage.used_fallback = _fallback(ticket, out), True
        for person in allowed:
            found.setdefault(person.pk, (person, []))[1].append(place)
    if not found and stage.mode != Mode.PER_GROUP:
        found = {person.pk: (person, [0]) for person in _fallback(ticket, out)}
        stage.used_fallback = True
        if stage.mode == Mode.ALL:  # all who were named; of the role that stands in for them one is enough
            stage.mode = Mode.ANY
    elif stage.mode == Mode.N_OF_M and len(found) < stage.needed:
        for person in _fallback(ticket, out):
            found.setdefault(person.pk, (person, [0]))
        stage.used_fallback = True
    stage.state, stage.asked_at = StageState.ASKED, now
    stage.left_out = [{"user": pk, "why": why} for pk, why in left_out.items() if pk not in found]
    _set_times(stage, now)
    stage.save()
    Ask.objects.bulk_create(
        Ask(stage=stage, person=person, groups=places, asked_at=now) for person, places in found.values()
    )


def allowed_of(people: Sequence[User], ticket: Any, out: Mapping[int, str]) -> tuple[list[User], dict[int, str]]:
    """Return those of the people who may approve the ticket, and the others by id with the reason's code."""
    may = subject_of(ticket.kind).may_approve
    allowed, refused = [], {}
    for person in people:
        if person.pk in out:
            refused[person.pk] = out[person.pk]
        elif not may(ticket, person):
            refused[person.pk] = "rule"
        else:
            allowed.append(person)
    return allowed, refused


def _fallback(ticket: Any, out: Mapping[int, str]) -> list[User]:
    allowed, _refused = allowed_of(fallback_people(), ticket, out)
    if not allowed:
        admins = list(User.objects.active().filter(roles__contains=[Role.ADMINISTRATOR]).order_by("pk"))
        allowed, _refused = allowed_of(admins, ticket, out)
    return allowed


def escalate(stage: ApprovalStage, round_: ApprovalRound, ticket: Any, now: datetime) -> list[User]:
    """Ask those whose answer decides now that the stage's time is over, and return them. Somebody who was asked before
    may decide it alone from now on."""
    out = barred(ticket, round_.barred)
    named = [person for source in stage.expiry.get("to") or () for person in people_of(source, ticket)]
    allowed, _refused = allowed_of(named, ticket, out)
    people = {person.pk: person for person in allowed or _fallback(ticket, out)}
    stage.asks.filter(person__in=people, state=AskState.ASKED).update(is_escalated=True)
    known = set(stage.asks.filter(person__in=people).values_list("person_id", flat=True))
    Ask.objects.bulk_create(
        Ask(stage=stage, person=person, groups=[0], is_escalated=True, asked_at=now)
        for person in people.values()
        if person.pk not in known
    )
    return list(people.values())


def _set_times(stage: ApprovalStage, now: datetime) -> None:
    expiry = stage.expiry
    if expiry:
        calendar = BusinessCalendar.objects.filter(pk=expiry.get("calendar") or 0).select_related("current").first()
        version = calendar.current_id if calendar else None
        stage.spec = {**stage.spec, "expires": {**expiry, "calendar_version": version}}
        stage.expires_at = after(stage, now, expiry["hours"] * HOUR_US)
    hours = stage.spec.get("remind_hours") or 0
    stage.remind_at = now + hours * HOUR if hours else None
    set_next(stage)


def set_next(stage: ApprovalStage) -> None:
    """Work out at which instant something happens by itself next."""
    waiting = [at for at in (stage.expires_at, stage.remind_at) if at is not None]
    stage.next_at = min(waiting) if waiting and stage.state == StageState.ASKED else None


def after(stage: ApprovalStage, start: datetime, length_us: int) -> datetime:
    """Return the instant at which so much time has passed: open time of the stage's calendar as it was when the stage
    began, else time by the clock. A calendar that has not so much open time left counts by the clock too."""
    version = _calendar_version(stage)
    if version is not None:
        try:
            return version.hours.due(start, max(length_us, 1))
        except CalendarError:
            pass
    return start + length_us * MICROSECOND


def between_us(stage: ApprovalStage, start: datetime, end: datetime) -> int:
    """Return how much time lies between, in microseconds, measured as `after` does."""
    if end <= start:
        return 0
    version = _calendar_version(stage)
    return version.hours.open_us(start, end) if version is not None else (end - start) // MICROSECOND


def _calendar_version(stage: ApprovalStage) -> CalendarVersion | None:
    pk = stage.expiry.get("calendar_version")
    return CalendarVersion.objects.filter(pk=pk).first() if pk else None


def close_asks(stage: ApprovalStage, state: str) -> None:
    """Ask nobody of the stage any more."""
    stage.asks.filter(state=AskState.ASKED).update(state=state)


def end_stage(stage: ApprovalStage, state: str, now: datetime) -> None:
    """Let the stage be over: nothing happens by itself any more."""
    stage.state, stage.ended_at = state, now
    stage.next_at = None
    stage.save(update_fields=["state", "ended_at", "next_at"])


def stage_data(stage: ApprovalStage) -> dict[str, Any]:
    """Return the stage as the event log names it: who is asked, whether the fallback role had to be, who may not."""
    asked = stage.asks.filter(state=AskState.ASKED).order_by("pk").values_list("person_id", flat=True)
    found: dict[str, Any] = {"position": stage.position, "name": stage.name, "asked": [{"user": pk} for pk in asked]}
    if stage.used_fallback:
        found["fallback"] = True
    if stage.left_out:
        found["left_out"] = stage.left_out
    return found

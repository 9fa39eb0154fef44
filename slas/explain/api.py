"""An explanation as the REST API shows it: the same data as the page, in the same order."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from slas.explain.days import Note
from slas.explain.explanation import Explanation
from slas.explain.stretches import Stretch
from slas.explain.verdicts import Verdict

OPEN_TIME = "Microseconds of open time"


class Instant(serializers.DateTimeField):
    """An instant, in UTC whatever zone the caller's pages use."""

    def __init__(self, **options: Any) -> None:
        super().__init__(default_timezone=UTC, **options)


class VerdictOut(serializers.Serializer[Verdict]):
    """A condition asked of the ticket as it is now: `all`, `any` and `not` have children, a `leaf` has the value."""

    kind = serializers.ChoiceField(["all", "any", "not", "leaf", "broken"], read_only=True)
    met = serializers.BooleanField(read_only=True)
    words = serializers.CharField(read_only=True)
    value = serializers.CharField(read_only=True, help_text="What the ticket has; of a leaf")
    children = serializers.SerializerMethodField()

    @extend_schema_field({"type": "array", "items": {"$ref": "#/components/schemas/VerdictOut"}})
    def get_children(self, node: Verdict) -> list[Any]:
        """Return the conditions that this one is made of."""
        return [VerdictOut(child).data for child in node.children]


OUTCOMES = ["applies", "off", "condition_not_met", "no_goal_met", "later_in_order"]


class GoalAskedOut(serializers.Serializer[Any]):
    """A goal, asked of the ticket."""

    order = serializers.IntegerField(read_only=True)
    target_seconds = serializers.IntegerField(source="target_s", read_only=True)
    calendar = serializers.CharField(read_only=True)
    outcome = serializers.ChoiceField(OUTCOMES, read_only=True)
    is_timers = serializers.BooleanField(read_only=True, help_text="Whether the timer runs under it")
    condition = VerdictOut(read_only=True)


class PolicyAskedOut(serializers.Serializer[Any]):
    """A policy, asked of the ticket. Its goals are listed where its condition is met."""

    policy = serializers.CharField(source="name", read_only=True)
    id = serializers.CharField(source="public_id", read_only=True)
    order = serializers.IntegerField(read_only=True)
    outcome = serializers.ChoiceField(OUTCOMES, read_only=True)
    is_timers = serializers.BooleanField(read_only=True, help_text="Whether the timer runs under it")
    condition = VerdictOut(read_only=True)
    goals = GoalAskedOut(many=True, read_only=True)


class NoteOut(serializers.Serializer[Note]):
    """What is unusual about a date."""

    date = serializers.DateField(read_only=True)
    kind = serializers.ChoiceField(
        ["holiday", "closed", "override", "clock_forward", "clock_back", "missing"], read_only=True
    )
    name = serializers.CharField(read_only=True)
    shift_us = serializers.IntegerField(read_only=True, help_text="By how much clocks move; microseconds")
    length_us = serializers.IntegerField(read_only=True, help_text="How long the day is; microseconds")


class SpanOut(serializers.Serializer[Any]):
    """An open span."""

    start = Instant(read_only=True)
    end = Instant(read_only=True)

    def to_representation(self, instance: Any) -> dict[str, Any]:
        """Return the pair of instants under their names."""
        return super().to_representation({"start": instance[0], "end": instance[1]})


class DayOut(serializers.Serializer[Any]):
    """A date of the calendar, or several in a row: closed ones, or the folded middle of a long way."""

    first = serializers.DateField(read_only=True)
    last = serializers.DateField(read_only=True)
    open_us = serializers.IntegerField(read_only=True, help_text=OPEN_TIME)
    is_folded = serializers.BooleanField(read_only=True)
    spans = SpanOut(many=True, read_only=True)
    notes = NoteOut(many=True, read_only=True)


class WayOut(serializers.Serializer[Any]):
    """The open time from one instant to another, day by day. Days are those of `time_zone`."""

    start = Instant(read_only=True)
    end = Instant(read_only=True)
    time_zone = serializers.CharField(read_only=True)
    open_us = serializers.IntegerField(read_only=True, help_text=OPEN_TIME)
    days = DayOut(many=True, read_only=True)


class HoursOut(serializers.Serializer[Any]):
    """By which hours was measured."""

    calendar = serializers.CharField(read_only=True)
    version = serializers.IntegerField(read_only=True)
    time_zone = serializers.CharField(read_only=True)


class CauseOut(serializers.Serializer[Any]):
    """An event of the ticket's log."""

    seq = serializers.IntegerField(read_only=True)
    code = serializers.CharField(read_only=True)
    at = Instant(read_only=True)
    text = serializers.CharField(read_only=True)
    actor = serializers.CharField(read_only=True, help_text="Empty: the system")


class StretchOut(serializers.Serializer[Stretch]):
    """A stretch in which the timer ran, stood still, or was stopped until it was reopened."""

    being = serializers.ChoiceField(["running", "paused", "stopped"], read_only=True)
    started_at = Instant(read_only=True)
    ended_at = Instant(read_only=True, allow_null=True)
    elapsed_us = serializers.IntegerField(read_only=True, help_text=OPEN_TIME + " that counted")
    open_us = serializers.IntegerField(read_only=True, help_text=OPEN_TIME + " that passed")
    before_us = serializers.IntegerField(read_only=True, help_text=OPEN_TIME + " that had counted when it began")
    hours = HoursOut(read_only=True)
    cause = CauseOut(read_only=True, allow_null=True)
    way = WayOut(read_only=True, allow_null=True)


class LegOut(serializers.Serializer[Any]):
    """The sum: `target_us` − `used_us` = `left_us`, counted from `start`, ends at `due_at`."""

    target_us = serializers.IntegerField(read_only=True, help_text=OPEN_TIME)
    used_us = serializers.IntegerField(read_only=True, help_text=OPEN_TIME)
    left_us = serializers.IntegerField(read_only=True, help_text=OPEN_TIME)
    start = Instant(read_only=True)
    due_at = Instant(read_only=True)
    is_supposed = serializers.BooleanField(read_only=True, help_text="It stands still: if it went on at this moment")
    hours = HoursOut(read_only=True)
    way = WayOut(read_only=True)


STEP_STATES = ["happened", "coming", "waiting", "unrecorded", "skipped", "passed_over", "not_reached"]


class StepLineOut(serializers.Serializer[Any]):
    """A step of the escalation."""

    percent = serializers.IntegerField(source="step.percent", read_only=True, allow_null=True)
    minutes = serializers.IntegerField(source="step.minutes", read_only=True, help_text="From the due time")
    clock = serializers.CharField(source="step.by", read_only=True)
    repetition = serializers.IntegerField(read_only=True)
    state = serializers.ChoiceField(STEP_STATES, read_only=True)
    at = Instant(read_only=True, allow_null=True)
    detected_at = Instant(read_only=True, allow_null=True)
    told = serializers.BooleanField(read_only=True)
    retroactive = serializers.BooleanField(read_only=True)
    actions = serializers.ListField(child=serializers.CharField(), read_only=True)


class ExplanationOut(serializers.Serializer[Explanation]):
    """Why a timer is due when it is. `considered` is asked of the ticket as it is now; policy and target are what the
    timer copied when its goal was chosen."""

    timer = serializers.CharField(source="timer.ref", read_only=True, help_text="How addresses name the timer")
    at = Instant(read_only=True)
    metric = serializers.CharField(source="timer.metric", read_only=True)
    kind = serializers.CharField(source="timer.kind", read_only=True)
    cycle = serializers.IntegerField(source="timer.cycle_no", read_only=True)
    policy = serializers.CharField(source="policy.name", read_only=True)
    chain = serializers.SerializerMethodField()
    chain_version = serializers.SerializerMethodField()
    state = serializers.CharField(source="clock.state", read_only=True)
    is_paused = serializers.BooleanField(source="clock.is_paused", read_only=True)
    started_at = serializers.DateTimeField(source="timer.started_at", read_only=True)
    due_at = serializers.DateTimeField(source="timer.due_at", read_only=True, allow_null=True)
    stopped_at = serializers.DateTimeField(source="timer.stopped_at", read_only=True, allow_null=True)
    breached_at = serializers.DateTimeField(source="clock.breached_at", read_only=True, allow_null=True)
    retroactive = serializers.BooleanField(source="timer.retroactive", read_only=True)
    acknowledged_at = Instant(source="timer.acknowledged_at", read_only=True, allow_null=True)
    target_us = serializers.IntegerField(source="timer.target_us", read_only=True, help_text=OPEN_TIME)
    elapsed_us = serializers.IntegerField(read_only=True, help_text=OPEN_TIME)
    remaining_us = serializers.IntegerField(read_only=True, help_text=OPEN_TIME + "; negative by the overrun")
    adds_up = serializers.BooleanField(
        read_only=True, help_text="Whether the stored timer agrees with its runs to the microsecond"
    )
    is_under_what_applies = serializers.BooleanField(source="is_under_it", read_only=True)
    considered = PolicyAskedOut(many=True, read_only=True)
    stretches = StretchOut(many=True, read_only=True)
    due = LegOut(source="leg", read_only=True, allow_null=True)
    changes = CauseOut(many=True, read_only=True)
    steps = StepLineOut(many=True, read_only=True)

    def get_chain(self, explanation: Explanation) -> str | None:
        """Return the name of the escalation."""
        version = explanation.timer.chain_version
        return version.chain.name if version else None

    def get_chain_version(self, explanation: Explanation) -> int | None:
        """Return the version of the escalation that the timer keeps."""
        version = explanation.timer.chain_version
        return version.number if version else None

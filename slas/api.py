"""Timers as the REST API shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from rest_framework import serializers

from itsm.tickets.clock import db_now
from slas.clocks import clock_of
from slas.models import Run, Timer


class RunSerializer(serializers.Serializer[Any]):
    """A stretch in which a timer ran; the last one may be open."""

    started_at = serializers.DateTimeField(read_only=True)
    ended_at = serializers.DateTimeField(read_only=True, allow_null=True)
    elapsed_seconds = serializers.FloatField(read_only=True)
    calendar_version = serializers.IntegerField(read_only=True)


class TimerSerializer(serializers.Serializer[Any]):
    """One timer of a ticket. Seconds are open time by its calendar; instants are UTC."""

    ref = serializers.CharField(read_only=True, help_text="Names the timer in the address of its explanation")
    metric = serializers.CharField(read_only=True)
    kind = serializers.CharField(read_only=True)
    policy = serializers.CharField(read_only=True)
    calendar = serializers.CharField(read_only=True)
    cycle = serializers.IntegerField(read_only=True)
    team = serializers.CharField(
        read_only=True, allow_null=True, help_text="Name of the team whose stay is timed; null for other metrics"
    )
    time_zone = serializers.CharField(read_only=True, help_text="Blank: the calendar's own")
    state = serializers.CharField(
        read_only=True, help_text="on_track, at_risk, breached, paused, met, missed or cancelled"
    )
    is_paused = serializers.BooleanField(read_only=True)
    target_seconds = serializers.IntegerField(read_only=True)
    started_at = serializers.DateTimeField(read_only=True)
    due_at = serializers.DateTimeField(read_only=True, allow_null=True)
    stopped_at = serializers.DateTimeField(read_only=True, allow_null=True)
    breached_at = serializers.DateTimeField(read_only=True, allow_null=True)
    acknowledged_at = serializers.DateTimeField(read_only=True, allow_null=True)
    remaining_seconds = serializers.FloatField(read_only=True, help_text="Negative by the overrun")
    elapsed_seconds = serializers.FloatField(read_only=True)
    runs = RunSerializer(many=True, read_only=True)


def timer_data(ticket: Any, now: datetime | None = None) -> list[dict[str, Any]]:
    """Return the ticket's timers, cancelled ones included, as plain values for `TimerSerializer`. Two queries."""
    instant = now if now is not None else db_now()
    timers = Timer.objects.of_tickets([ticket]).to_show().prefetch_related("runs__calendar_version")
    return [_data_of(timer, instant) for timer in timers]


def _data_of(timer: Timer, now: datetime) -> dict[str, Any]:
    clock = clock_of(timer, now)
    return {
        "ref": timer.ref,
        "metric": timer.metric,
        "kind": timer.kind,
        "policy": timer.policy.name,
        "calendar": timer.calendar_version.calendar.name,
        "cycle": timer.cycle_no,
        "team": timer.team.name if timer.team is not None else None,
        "time_zone": timer.time_zone,
        "state": clock.state,
        "is_paused": clock.is_paused,
        "target_seconds": timer.target_s,
        "started_at": timer.started_at,
        "due_at": timer.due_at,
        "stopped_at": timer.stopped_at,
        "breached_at": clock.breached_at,
        "acknowledged_at": timer.acknowledged_at,
        "remaining_seconds": clock.remaining_s,
        "elapsed_seconds": clock.elapsed_s,
        "runs": _runs_of(timer, now),
    }


def _runs_of(timer: Timer, now: datetime) -> list[dict[str, Any]]:
    closed: list[Run] = list(timer.runs.all())
    runs: list[dict[str, Any]] = [
        {
            "started_at": run.started_at,
            "ended_at": run.ended_at,
            "elapsed_seconds": run.elapsed_us / 1_000_000,
            "calendar_version": run.calendar_version.number,
        }
        for run in closed
    ]
    if timer.run_started_at is not None:
        so_far = timer.hours.open_us(timer.run_started_at, max(now, timer.run_started_at))
        runs.append(
            {
                "started_at": timer.run_started_at,
                "ended_at": None,
                "elapsed_seconds": so_far / 1_000_000,
                "calendar_version": timer.calendar_version.number,
            }
        )
    return runs

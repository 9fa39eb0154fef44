"""The requester's real wait as the REST API shows it, beside the official timers."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from incidents.models import Incident
from incidents.waiting import Phase, wait_now
from slas.api import TimerSerializer


class WaitSerializer(serializers.Serializer[Any]):
    """Real time from the opening to the resolution, or until now. The parts add up to `total_seconds`."""

    opened_at = serializers.DateTimeField(read_only=True)
    until = serializers.DateTimeField(read_only=True, help_text="The end of the wait, or the instant of the answer")
    is_over = serializers.BooleanField(read_only=True)
    total_seconds = serializers.FloatField(read_only=True)
    with_desk_seconds = serializers.FloatField(read_only=True)
    for_requester_seconds = serializers.FloatField(read_only=True)
    for_supplier_seconds = serializers.FloatField(read_only=True)
    for_other_seconds = serializers.FloatField(read_only=True, help_text="For a change or a problem")
    resolved_then_reopened_seconds = serializers.FloatField(read_only=True)


class TimersAnswer(serializers.Serializer[Any]):
    """An incident's timers, and what its requester really waited."""

    results = TimerSerializer(many=True, read_only=True)
    next = serializers.URLField(allow_null=True, read_only=True)
    requester_wait = WaitSerializer(read_only=True)


NAMES = {
    Phase.DESK: "with_desk_seconds",
    Phase.REQUESTER: "for_requester_seconds",
    Phase.SUPPLIER: "for_supplier_seconds",
    Phase.OTHER: "for_other_seconds",
    Phase.DONE: "resolved_then_reopened_seconds",
}


def wait_data(incident: Incident) -> dict[str, Any]:
    """Return the incident's wait as plain values for `WaitSerializer`. Two queries."""
    wait = wait_now(incident)
    return {
        "opened_at": wait.opened_at,
        "until": wait.until,
        "is_over": wait.is_over,
        "total_seconds": wait.total.total_seconds(),
        **{NAMES[phase]: length.total_seconds() for phase, length in wait.parts.items()},
    }

"""The figures once more, slowly: every timer and event read one by one, with nothing of `reports` in it."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from itsm.tickets.models import Comment, Ticket, TicketEvent
from slas.models import Run, Timer


def judged(timer: Timer, now: datetime) -> tuple[str, datetime]:
    """Return the verdict of a timer and the instant at which it counts."""
    if timer.state == "cancelled":
        return ("cancelled", timer.stopped_at) if timer.breached_at is None else ("cancelled_late", timer.breached_at)
    late = timer.breached_at
    if late is None and timer.state == "running" and timer.due_at < now:
        late = timer.due_at
    if late is not None:
        return ("late_open" if timer.state in {"running", "paused"} else "missed"), late
    return ("met", timer.stopped_at) if timer.state == "met" else ("running", timer.started_at)


def held(ticket: Ticket, field: str, instant: datetime) -> int | None:
    """Return the id that the ticket's field held at the instant, told by its log from the opening on."""
    value = None
    for event in TicketEvent.objects.filter(ticket=ticket).order_by("seq"):
        if event.at > instant:
            break
        if event.seq == 1:
            value = event.data.get(field)
        elif field in event.data.get("changes", {}):
            value = event.data["changes"][field][1]
    return None if value is None else value.get("id", value.get("user"))


def counts(now: datetime, start: datetime, end: datetime, key: Any) -> dict[Any, Counter[str]]:
    """Return how many timers of each verdict count in the period, by what `key(timer, instant)` says."""
    found: dict[Any, Counter[str]] = {}
    for timer in Timer.objects.select_related("ticket"):
        verdict, instant = judged(timer, now)
        if start <= instant < end:
            found.setdefault(key(timer, instant), Counter())[verdict] += 1
    return found


def holds(now: datetime, start: datetime, end: datetime, near: timedelta) -> list[dict[str, Any]]:
    """Return every hold that began in the period with what the audit says of it."""
    found = []
    for event in TicketEvent.objects.filter(code="incident.held", at__gte=start, at__lt=end).select_related("ticket"):
        ended = now
        for after in TicketEvent.objects.filter(ticket=event.ticket, seq__gt=event.seq).order_by("seq"):
            if after.code in {"incident.resumed", "incident.resolved", "incident.cancelled", "incident.closed"}:
                ended = after.at
                break
        said = [
            comment
            for comment in Comment.objects.filter(ticket=event.ticket, visibility="public")
            if comment.author_id != event.ticket.requester_id and event.at <= comment.created_at <= ended
        ]
        left = []
        for timer in Timer.objects.filter(ticket=event.ticket):
            runs = list(Run.objects.filter(timer=timer).order_by("pk"))
            for at, run in enumerate(runs):
                if run.ended_at == event.at:
                    left.append(timer.target_us - sum(one.elapsed_us for one in runs[: at + 1]))
        least = min(left, default=None)
        found.append(
            {
                "number": event.ticket.number,
                "lasted": ended - event.at,
                "silent": not said,
                "near": least is not None and 0 <= least <= near / timedelta(microseconds=1),
                "team": held(event.ticket, "team", event.at),
            }
        )
    return found

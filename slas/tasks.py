"""Celery tasks of service levels. Those that are rung often also say that their worker is at work."""

from typing import Any

from celery import shared_task

from slas.actions import follow_setup, follow_zone_data, refresh_holiday_sets
from slas.actions.reminders import remind
from slas.rehearsal import running as trials
from slas.tick import tick as fire_due_steps
from slas.watch import beat, look, tell_people

EDITED_AT_ONCE = 5000


@shared_task(name="slas.tasks.tick", bind=True)
def tick(self: Any) -> int:
    """Fire the steps that are due; return how many."""
    fired = fire_due_steps()
    beat(f"worker {self.request.hostname}", "timers")
    return fired


@shared_task(name="slas.tasks.follow_edits")
def follow_edits() -> int:
    """Bring timers to what was edited in calendars and policies; return how many were moved."""
    return follow_setup(limit=EDITED_AT_ONCE)


@shared_task(name="slas.tasks.watch_zone_data")
def watch_zone_data() -> int:
    """Bring running timers to new zone data; return how many were moved."""
    row = follow_zone_data()
    return row.timers_moved if row else 0


@shared_task(name="slas.tasks.top_up_holidays")
def top_up_holidays() -> int:
    """Keep holiday sets some years ahead; return how many changed."""
    return len(refresh_holiday_sets())


@shared_task(name="slas.tasks.remind_of_shifts")
def remind_of_shifts() -> int:
    """Remind people of shifts that begin soon; return how many reminders went out."""
    return remind()


@shared_task(name="slas.tasks.watch")
def watch() -> bool:
    """Audit the clocks when it is time, raise and clear alarms; return whether that was done here."""
    return look(at_once=True)


@shared_task(name="slas.tasks.tell_alarms", bind=True)
def tell_alarms(self: Any) -> int:
    """Write to the administrators about alarms; return how many messages went out."""
    beat(f"worker {self.request.hostname}", "mail")
    return tell_people()


@shared_task(name="slas.tasks.work_on_trials", bind=True)
def work_on_trials(self: Any) -> int:
    """Go on for a while with a trial that waits; return how many tickets were gone through."""
    beat(f"worker {self.request.hostname}", "reports")
    return trials.work()


@shared_task(name="slas.tasks.clean_trials")
def clean_trials() -> int:
    """Delete trials that are older than they are kept; return how many."""
    return trials.delete_old()

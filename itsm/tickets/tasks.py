"""Celery tasks of the kernel; the tables say what there is to do."""

from celery import shared_task

from itsm.tickets import spreading

# The sweep shares its worker with clocks and notices and must not hold them up.
SWEEP_S = 0.4


@shared_task(name="itsm.tickets.tasks.spread_now")
def spread_now() -> int:
    """Go on with what is to be spread, for up to 20 seconds; ring again where more waits. Returns how many tickets."""
    had = spreading.work()
    if had and spreading.is_due():
        spreading.ring()
    return had


@shared_task(name="itsm.tickets.tasks.sweep_spreads")
def sweep_spreads() -> int:
    """Take on a little of what waits, where nobody was rung or the worker for long work is busy; return how much."""
    return spreading.work(SWEEP_S)

"""Celery: PostgreSQL is the truth and the broker only a bell, so a lost or doubled message must never matter."""

from typing import Any

from itsm.settings.environment import DATA_DIR, PROCESS, REDIS_URL


def broker_url(redis_url: str) -> str:
    """Return the address as kombu wants it; it spells a unix socket in another way than redis-py."""
    if redis_url.startswith("unix://"):
        path, _, query = redis_url.removeprefix("unix://").partition("?")
        number = dict(part.partition("=")[::2] for part in query.split("&") if part).get("db", "0")
        return f"redis+socket://{path}?virtual_host={number}"
    return redis_url


CELERY_BROKER_URL = broker_url(REDIS_URL)
CELERY_TASK_SERIALIZER = "json"
CELERY_RESULT_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_TIMEZONE = "UTC"

# A worker that dies in a task leaves the message for another; a worker takes no message that it does not work on.
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_TASK_SOFT_TIME_LIMIT = 240
CELERY_TASK_TIME_LIMIT = 300
_LONGEST_TASK = CELERY_TASK_TIME_LIMIT

# On a stop signal running tasks get this long; what is not done by then goes back to the queue. (The variant that
# waits while idle as well is for messages with an ETA, which nothing here uses: it would make every stop slow.)
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 20
CELERY_WORKER_ENABLE_SOFT_SHUTDOWN_ON_IDLE = False

CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 2 * _LONGEST_TASK,
    "unacked_restore_throttle": 1,
    # Without these a dead line is waited on for ever. A worker listens for longer than a page may be kept waiting.
    "socket_timeout": 10 if PROCESS == "worker" else 0.4,
    "socket_connect_timeout": 0.4,
    "socket_keepalive": True,
    "health_check_interval": 25,
}
CELERY_BROKER_CONNECTION_TIMEOUT = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
# Somebody may be waiting for the page: ring once more at most, well within a second, and leave it to the sweep.
CELERY_TASK_PUBLISH_RETRY = True
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0, "interval_step": 0.1, "interval_max": 0.1}

CELERY_TASK_DEFAULT_QUEUE = "outbox"
CELERY_TASK_ROUTES = {
    "slas.tasks.tell_alarms": {"queue": "mail"},
    "slas.tasks.*_trials": {"queue": "reports"},
    "slas.tasks.follow_edits": {"queue": "reports"},
    "slas.tasks.watch_zone_data": {"queue": "reports"},
    "slas.tasks.top_up_holidays": {"queue": "reports"},
    "slas.tasks.*": {"queue": "timers"},
    "incidents.tasks.*": {"queue": "timers"},
    "changes.tasks.*": {"queue": "reports"},
    "itsm.approvals.tasks.*": {"queue": "timers"},
    "problems.tasks.*": {"queue": "reports"},
    "itsm.desk.tasks.send_held": {"queue": "outbox"},
    "itsm.desk.tasks.*": {"queue": "reports"},
    "itsm.tickets.tasks.sweep_spreads": {"queue": "outbox"},
    "itsm.tickets.tasks.*": {"queue": "reports"},
    "itsm.notifications.tasks.send_*": {"queue": "mail"},
    "itsm.notifications.tasks.deliver_*": {"queue": "mail"},
    "itsm.notifications.tasks.*": {"queue": "outbox"},
    "reports.tasks.*": {"queue": "reports"},
}
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_REDIRECT_STDOUTS = False
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 200_000  # KiB: a child that has grown beyond this is replaced after its task


# A call that nobody takes is thrown away so late that a worker's clock may be wrong by most of an hour: with less it
# would take every call for an old one. An hour of empty looks is made up for in seconds.
SHORTEST_LIFE_S = 3600


def every(seconds: float, task: str, queue: str) -> dict[str, Any]:
    """Return the beat entry of a task that looks for work; a call nobody took within an hour, or two periods where
    those are longer, is thrown away."""
    return {
        "task": task,
        "schedule": seconds,
        "options": {"queue": queue, "expires": max(2 * seconds, SHORTEST_LIFE_S)},
    }


CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "run" / "beat-schedule")
CELERY_BEAT_SCHEDULE = {
    "fire due timers": every(1, "slas.tasks.tick", "timers"),
    "bring timers to edited hours": every(60, "slas.tasks.follow_edits", "reports"),
    "notice new zone data": every(3600, "slas.tasks.watch_zone_data", "reports"),
    "top up public holidays": every(6 * 3600, "slas.tasks.top_up_holidays", "reports"),
    "watch the clocks": every(10, "slas.tasks.watch", "timers"),
    "work on trials of drafts": every(2, "slas.tasks.work_on_trials", "reports"),
    "look for trends": every(2, "problems.tasks.look_for_trends", "reports"),
    "delete old trends": every(3600, "problems.tasks.clean_trends", "reports"),
    "delete old trials": every(3600, "slas.tasks.clean_trials", "reports"),
    "prepare CAB meetings": every(600, "changes.tasks.prepare_cab_meetings", "reports"),
    "tell people of alarms": every(30, "slas.tasks.tell_alarms", "mail"),
    "hand out events": every(1, "itsm.notifications.tasks.dispatch_outbox", "outbox"),
    "sweep up what is to be spread": every(1, "itsm.tickets.tasks.sweep_spreads", "outbox"),
    "send held replies": every(1, "itsm.desk.tasks.send_held", "outbox"),
    "delete old drafts": every(3600, "itsm.desk.tasks.clean_drafts", "reports"),
    "send mail": every(2, "itsm.notifications.tasks.send_mail_due", "mail"),
    "call webhooks": every(2, "itsm.notifications.tasks.deliver_due", "mail"),
    "remind of shifts": every(60, "slas.tasks.remind_of_shifts", "timers"),
    "remind of approvals": every(15, "itsm.approvals.tasks.fire_due_stages", "timers"),
    "alarm of overdue updates": every(15, "incidents.tasks.alarm_overdue_updates", "timers"),
    "close resolved incidents": every(60, "incidents.tasks.close_resolved", "timers"),
}

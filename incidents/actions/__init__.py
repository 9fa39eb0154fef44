"""The verbs of incidents. Browser, portal, API, mail, replay and Celery call these and nothing else."""

from incidents.actions.counting import correct_counts
from incidents.actions.lifecycle import cancel, close, hold, perform, reopen, resolve, resume, start
from incidents.actions.opening import open_incident
from incidents.actions.talking import Reply, reply

__all__ = [
    "Reply",
    "cancel",
    "close",
    "correct_counts",
    "hold",
    "open_incident",
    "perform",
    "reopen",
    "reply",
    "resolve",
    "resume",
    "start",
]

"""The verbs of incidents. Browser, portal, API, mail, replay and Celery call these and nothing else."""

from incidents.actions.counting import correct_counts
from incidents.actions.family import leave_parent, set_parent, tell_children
from incidents.actions.lifecycle import cancel, close, hold, perform, reopen, resolve, resume, start
from incidents.actions.merging import merge, unmerge
from incidents.actions.opening import open_incident
from incidents.actions.outages import join_outage, publish_outage, withdraw_outage
from incidents.actions.splitting import split
from incidents.actions.talking import Reply, reply

__all__ = [
    "Reply",
    "cancel",
    "close",
    "correct_counts",
    "hold",
    "join_outage",
    "leave_parent",
    "merge",
    "open_incident",
    "perform",
    "publish_outage",
    "reopen",
    "reply",
    "resolve",
    "resume",
    "set_parent",
    "split",
    "start",
    "tell_children",
    "unmerge",
    "withdraw_outage",
]

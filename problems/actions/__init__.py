"""The verbs of problems. Pages, API and jobs call these and nothing else."""

from problems.actions.analysis import (
    add_timeline_entry,
    remove_timeline_entry,
    save_analysis,
    save_workaround,
)
from problems.actions.communicating import Sent, communicate_fix, communicate_workaround
from problems.actions.known_errors import declare_known_error, publish, unpublish, withdraw_known_error
from problems.actions.lifecycle import (
    accept_risk,
    assess,
    cancel,
    complete,
    confirm,
    duplicate,
    fix,
    perform,
    reanalyse,
    resolve,
)
from problems.actions.linking import link_incidents
from problems.actions.opening import open_problem
from problems.actions.reviewing import save_review, set_major
from problems.actions.talking import Reply, reply

__all__ = [
    "Reply",
    "Sent",
    "accept_risk",
    "add_timeline_entry",
    "assess",
    "cancel",
    "communicate_fix",
    "communicate_workaround",
    "complete",
    "confirm",
    "declare_known_error",
    "duplicate",
    "fix",
    "link_incidents",
    "open_problem",
    "perform",
    "publish",
    "reanalyse",
    "remove_timeline_entry",
    "reply",
    "resolve",
    "save_analysis",
    "save_review",
    "save_workaround",
    "set_major",
    "unpublish",
    "withdraw_known_error",
]

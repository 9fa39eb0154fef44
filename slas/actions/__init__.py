"""The verbs of service levels: following tickets, and setting up calendars, chains and policies."""

from slas.actions.batches import follow_setup
from slas.actions.calendars import save_calendar
from slas.actions.chains import save_chain
from slas.actions.following import follow
from slas.actions.imports import settle_imported
from slas.actions.policies import GoalSpec, install_defaults, save_policy

__all__ = [
    "GoalSpec",
    "follow",
    "follow_setup",
    "install_defaults",
    "save_calendar",
    "save_chain",
    "save_policy",
    "settle_imported",
]

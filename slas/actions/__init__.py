"""The verbs of service levels: following tickets, and setting up calendars, chains and policies."""

from slas.actions.batches import follow_setup
from slas.actions.following import follow
from slas.actions.imports import settle_imported
from slas.actions.setup import GoalSpec, install_defaults, save_calendar, save_chain, save_policy

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

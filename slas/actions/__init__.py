"""The verbs of service levels: following tickets, and setting up calendars, chains and policies."""

from slas.actions.batches import follow_setup
from slas.actions.calendars import Extras, save_calendar, set_team_calendar
from slas.actions.chains import save_chain
from slas.actions.following import follow
from slas.actions.holidays import refresh_holiday_sets, remove_holiday_set, save_holiday_set
from slas.actions.imports import settle_imported
from slas.actions.parked import retry_parked
from slas.actions.policies import GoalSpec, Rules, install_defaults, save_policy

__all__ = [
    "Extras",
    "GoalSpec",
    "Rules",
    "follow",
    "follow_setup",
    "install_defaults",
    "refresh_holiday_sets",
    "remove_holiday_set",
    "retry_parked",
    "save_calendar",
    "save_chain",
    "save_holiday_set",
    "save_policy",
    "set_team_calendar",
    "settle_imported",
]

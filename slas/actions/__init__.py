"""The verbs of service levels: following tickets, and setting up calendars, chains and policies."""

from slas.actions.acknowledging import acknowledge
from slas.actions.batches import follow_setup
from slas.actions.calendars import Extras, save_calendar, set_team_calendar
from slas.actions.chains import save_chain
from slas.actions.feeds import find_feed, make_feed, revoke_feed
from slas.actions.following import follow
from slas.actions.holidays import refresh_holiday_sets, remove_holiday_set, save_holiday_set
from slas.actions.imports import settle_imported
from slas.actions.parked import retry_parked
from slas.actions.policies import GoalSpec, Rules, install_defaults, save_policy
from slas.actions.rotas import (
    add_override,
    add_time_off,
    may_manage,
    remove_override,
    remove_time_off,
    save_rota,
    takes_part,
)
from slas.actions.swaps import accept_swap, ask_swap, decline_swap, withdraw_swap
from slas.actions.zone_data import follow_zone_data

__all__ = [
    "Extras",
    "GoalSpec",
    "Rules",
    "accept_swap",
    "acknowledge",
    "add_override",
    "add_time_off",
    "ask_swap",
    "decline_swap",
    "find_feed",
    "follow",
    "follow_setup",
    "follow_zone_data",
    "install_defaults",
    "make_feed",
    "may_manage",
    "refresh_holiday_sets",
    "remove_holiday_set",
    "remove_override",
    "remove_time_off",
    "retry_parked",
    "revoke_feed",
    "save_calendar",
    "save_chain",
    "save_holiday_set",
    "save_policy",
    "save_rota",
    "set_team_calendar",
    "settle_imported",
    "takes_part",
    "withdraw_swap",
]

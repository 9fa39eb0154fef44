"""The verbs of major incidents. Pages, API and Celery call these and nothing else."""

from incidents.major.actions.deciding import accept, demote, propose, reject
from incidents.major.actions.recording import add_entry, edit_line, finish_review, save_review, take_up_review
from incidents.major.actions.roles import add_stakeholder, give_role, page_on_call, remove_stakeholder
from incidents.major.actions.telling import alarm_overdue, save_plan, send_update

__all__ = [
    "accept",
    "add_entry",
    "add_stakeholder",
    "alarm_overdue",
    "demote",
    "edit_line",
    "finish_review",
    "give_role",
    "page_on_call",
    "propose",
    "reject",
    "remove_stakeholder",
    "save_plan",
    "save_review",
    "send_update",
    "take_up_review",
]

"""The verbs of approvals: everything that writes."""

from itsm.approvals.actions.asking import request_approval
from itsm.approvals.actions.deciding import APPROVE, REJECT, decide, is_delegate
from itsm.approvals.actions.delegating import delegate, end_delegation
from itsm.approvals.actions.dueing import fire_due
from itsm.approvals.actions.ending import park, unpark, withdraw_approvals
from itsm.approvals.actions.following import follow
from itsm.approvals.actions.policies import policy_state, save_policy, save_settings, switch_policy
from itsm.approvals.actions.refusals import NotDecided, NotYours

__all__ = [
    "APPROVE",
    "REJECT",
    "NotDecided",
    "NotYours",
    "decide",
    "delegate",
    "end_delegation",
    "fire_due",
    "follow",
    "is_delegate",
    "park",
    "policy_state",
    "request_approval",
    "save_policy",
    "save_settings",
    "switch_policy",
    "unpark",
    "withdraw_approvals",
]

"""Approval policies, the rounds in which people are asked, and delegations."""

from itsm.approvals.models.delegations import Delegation
from itsm.approvals.models.policies import (
    AUTHORISE,
    ApprovalPolicy,
    ApprovalSettings,
    Expiry,
    Mode,
    OnChange,
    PolicyVersion,
    Source,
)
from itsm.approvals.models.rounds import (
    ENDED,
    LIVE,
    ApprovalRound,
    ApprovalStage,
    Ask,
    AskState,
    Problem,
    RoundState,
    StageState,
)

__all__ = [
    "AUTHORISE",
    "ENDED",
    "LIVE",
    "ApprovalPolicy",
    "ApprovalRound",
    "ApprovalSettings",
    "ApprovalStage",
    "Ask",
    "AskState",
    "Delegation",
    "Expiry",
    "Mode",
    "OnChange",
    "PolicyVersion",
    "Problem",
    "RoundState",
    "Source",
    "StageState",
]

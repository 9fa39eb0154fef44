"""What a problem's events say by their code, so that its service levels can be rebuilt from the log."""

from itsm.tickets.kinds import Outcome
from problems.statuses import Status

OUTCOMES = {
    "problem.opened": Outcome(Status.NEW),
    "problem.assessed": Outcome(Status.ASSESS),
    "problem.confirmed": Outcome(Status.ROOT_CAUSE_ANALYSIS),
    "problem.fix_started": Outcome(Status.FIX_IN_PROGRESS),
    "problem.resolved": Outcome(Status.RESOLVED, stamps="resolved_at"),
    "problem.risk_accepted": Outcome(Status.RESOLVED, stamps="resolved_at"),
    "problem.closed": Outcome(Status.CLOSED, stamps="closed_at"),
    "problem.cancelled": Outcome(Status.CLOSED, stamps="closed_at"),
    "problem.duplicated": Outcome(Status.CLOSED, stamps="closed_at"),
    "problem.reanalysed": Outcome(Status.ROOT_CAUSE_ANALYSIS, clears=("resolved_at", "closed_at")),
}

"""Who is told what of a problem, in which words. Only the desk is: problems do not exist for anybody else."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from itsm.notifications import audience
from itsm.notifications.registry import Wording, register_rule, register_wording

WORDINGS = (
    Wording(
        "problem_resolved",
        _("Problem resolved: %(title)s"),
        _("%(actor)s resolved the problem %(number)s."),
        icon="check",
    ),
    Wording(
        "problem_risk_accepted",
        _("Risk accepted: %(title)s"),
        _("%(actor)s accepted the risk of %(number)s: its cause will not be fixed."),
        icon="shield-half",
    ),
    Wording(
        "problem_reanalysed",
        _("Analysed again: %(title)s"),
        _("%(actor)s sent %(number)s back to the analysis."),
        icon="rotate",
    ),
    Wording(
        "problem_closed",
        _("Problem closed: %(title)s"),
        _("%(actor)s closed the problem %(number)s."),
        by_system=_("The problem %(number)s has been closed."),
        icon="circle-check",
    ),
    Wording(
        "problem_fixes_ended",
        _("Fix carried out: %(title)s"),
        _("%(number)s: %(said)s."),
        closing=_("Look whether the problem is gone, then resolve it."),
        icon="circle-check",
    ),
)
ENDS = (
    ("problem.resolved", "problem_resolved"),
    ("problem.risk_accepted", "problem_risk_accepted"),
    ("problem.reanalysed", "problem_reanalysed"),
    ("problem.closed", "problem_closed"),
    ("problem.cancelled", "problem_closed"),
    ("problem.duplicated", "problem_closed"),
)


def register() -> None:
    """Register the words and the rules."""
    for wording in WORDINGS:
        register_wording(wording)
    register_rule("problem.opened", audience.new_assignee, "assigned")
    register_rule("problem.opened", audience.new_team, "queued")
    for code, kind in ENDS:
        register_rule(code, audience.assignee, kind)
        register_rule(code, audience.watchers, kind)
    register_rule("problem.fixes_ended", audience.assignee, "problem_fixes_ended")

"""How changes are approved: what is decided on, who may not decide, and where the change goes then (domain 2.5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext_lazy

from changes.actions.lifecycle import approved_locked, rejected_locked
from changes.gates import PLANS
from changes.models import Change
from changes.statuses import Status
from itsm.accounts.models import User
from itsm.approvals.subjects import ApprovalSubject, register_approval_subject
from itsm.tasking.models import Task
from itsm.tickets.actions import lock
from itsm.tickets.actors import Actor
from itsm.tickets.models import Link, LinkKind, Ticket

ASSESS, AUTHORISE = "assess", "authorise"
PLAN_LABELS = {
    "justification": gettext_lazy("Justification"),
    "implementation_plan": gettext_lazy("Implementation plan"),
    "backout_plan": gettext_lazy("Back-out plan"),
    "test_plan": gettext_lazy("Test plan"),
}
PURPOSE_AT = {Status.ASSESS: ASSESS, Status.AUTHORISE: AUTHORISE}


def _iso(instant: Any) -> str:
    return instant.isoformat() if instant is not None else ""


def facts(change: Change) -> Mapping[str, Any]:
    """Return what approvers decide on: type, plans, window, scope and risk. When one of these changes, they are asked
    anew."""
    rows = change.affected_rows.select_related("service").order_by("service__name")
    return {
        "title": change.title,
        "type": change.change_type,
        **{name: getattr(change, name) for name in PLANS},
        "planned_start": _iso(change.planned_start),
        "planned_end": _iso(change.planned_end),
        "made": [_iso(change.actual_start), _iso(change.actual_end)] if change.is_retroactive else [],
        "affected": [row.service.name for row in rows],
        "affected_other": list(change.affected_other),
        "risk": change.risk,
        "risk_points": change.risk_points,
        "team": str(change.team) if change.team else "",
    }


def involved(change: Change) -> Iterable[int]:
    """Return the ids of the people who carry out parts of the change: they do not approve it."""
    return Task.objects.below(change).filter(assignee__isnull=False).values_list("assignee_id", flat=True).distinct()


def summary(change: Change, viewer: User) -> Mapping[str, Any]:
    """Return what approvers see of the change beside its facts: each factor of its risk, and what it fixes of what they
    may see: an approver need not work at the desk."""
    links = Link.objects.filter(target=change.pk, kind=LinkKind.FIXED_BY)
    fixes = Ticket.objects.visible_to(viewer).filter(pk__in=links.values("source")).order_by("pk")
    return {
        "change": change,
        "plans": [(label, getattr(change, name)) for name, label in PLAN_LABELS.items()],
        "services": [row.service for row in change.affected_rows.select_related("service").order_by("service__name")],
        "factors": [factor for factor in change.risk_factors if factor["points"]],
        "fixes": list(fixes),
    }


def on_approved(ticket: Any, round_: Any, actor: Actor) -> None:
    """Take the change on when the approval of its state is given; one for another state changes nothing."""
    locked = lock(ticket)
    if PURPOSE_AT.get(locked.status) == round_.purpose and not locked.is_on_hold:
        approved_locked(locked, actor=actor)


def on_rejected(ticket: Any, round_: Any, actor: Actor) -> None:
    """Take the change back to New, where its type and plans can be changed."""
    locked = lock(ticket)
    if PURPOSE_AT.get(locked.status) == round_.purpose:
        rejected_locked(locked, actor=actor, reason=round_.reason)


def register() -> None:
    """Tell the approvals about changes."""
    register_approval_subject(
        "change",
        ApprovalSubject(
            facts=facts,
            involved=involved,
            on_approved=on_approved,
            on_rejected=on_rejected,
            summary_template="changes/approval.html",
            summary=summary,
            purposes=(
                (ASSESS, gettext_lazy("Technical review")),
                (AUTHORISE, gettext_lazy("Authorisation")),
            ),
        ),
    )

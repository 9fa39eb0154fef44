"""Saving approval policies. An edit makes the next version; rounds that run keep the one they began with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from itsm.accounts.changelog import Deed, check_seen, record_change
from itsm.accounts.roles import Role
from itsm.approvals.models import AUTHORISE, ApprovalPolicy, ApprovalSettings, OnChange, PolicyVersion
from itsm.approvals.rules import require_manager
from itsm.approvals.specs import NAME_MAX, StageSpec, checked_stages, problem_of
from itsm.approvals.subjects import subjects
from itsm.tickets.actors import Actor
from itsm.tickets.clock import db_now
from itsm.tickets.errors import Invalid
from itsm.tickets.texts import clean_text

LARGEST_ORDER = 100_000
MOST_LINK_DAYS = 90
State = dict[str, Any]


def policy_state(policy: ApprovalPolicy) -> State:
    """Return what a policy says, for the change log and for comparing what somebody has seen."""
    version = policy.current
    return {
        "name": policy.name,
        "kind": policy.kind,
        "purpose": policy.purpose,
        "order": policy.order,
        "is_active": policy.is_active,
        "condition": version.condition if version else {},
        "stages": version.stages if version else [],
        "on_change": version.on_change if version else "",
    }


@transaction.atomic
def save_policy(
    name: str,
    *,
    actor: Actor,
    kind: str,
    stages: Sequence[StageSpec],
    purpose: str = AUTHORISE,
    condition: Mapping[str, Any] | None = None,
    on_change: str = OnChange.RESTART,
    order: int = 100,
    is_active: bool = True,
    policy: ApprovalPolicy | None = None,
    seen: str = "",
) -> ApprovalPolicy:
    """Store what the policy of this name says and return it; `policy` is the one to edit, also under a new name.

    `seen`: the fingerprint of `policy_state` that the editor saw. Saving what is stored already makes no version.

    Raises:
        Refused: the actor sets up no approvals. Invalid: with a sentence for each part, stages as `stage 1` …
        ChangedMeanwhile: somebody else edited it since.
    """
    require_manager(actor)
    said = _checked(name, kind, purpose, condition or {}, on_change, order)
    checked = checked_stages(stages)
    rows = ApprovalPolicy.objects.select_for_update(of=("self",)).select_related("current")
    row = rows.filter(pk=policy.pk).first() if policy else rows.filter(name=said["name"]).first()
    taken = ApprovalPolicy.objects.filter(name=said["name"])
    if (taken.exclude(pk=row.pk) if row else taken).exists():
        raise Invalid({"name": _("Another approval policy has this name.")})
    now = db_now()
    before: State = {}
    if row is None:
        row = ApprovalPolicy(name=said["name"])
    else:
        before = policy_state(row)
        check_seen(before, seen)
    row.name, row.kind, row.purpose = said["name"], kind, purpose
    row.order, row.is_active = order, is_active
    row.updated_at, row.updated_by = now, actor.user
    row.save()
    version = row.current
    says = (dict(condition or {}), checked, str(on_change))
    if version is None or (version.condition, version.stages, version.on_change) != says:
        row.current = PolicyVersion.objects.create(
            policy=row,
            number=version.number + 1 if version else 1,
            condition=says[0],
            stages=says[1],
            on_change=says[2],
            created_at=now,
            created_by=actor.user,
        )
        row.save(update_fields=["current"])
    record_change(actor.user, Deed.CHANGED if before else Deed.CREATED, row, before, policy_state(row))
    return row


def _checked(
    name: str, kind: str, purpose: str, condition: Mapping[str, Any], on_change: str, order: Any
) -> dict[str, str]:
    problems: dict[str, str] = {}
    title = ""
    try:
        title = clean_text(name, "name", NAME_MAX, required=True, one_line=True)
    except Invalid as error:
        problems.update(error.fields)
    known = subjects()
    if kind not in known:
        problems["kind"] = _("Choose one of: %(choices)s.") % {"choices": ", ".join(known)}
    elif purpose not in dict(known[kind].purposes):
        choices = ", ".join(code for code, _label in known[kind].purposes)
        problems["purpose"] = _("Choose one of: %(choices)s.") % {"choices": choices}
    if on_change not in OnChange.values:
        problems["on_change"] = _("Choose one of: %(choices)s.") % {"choices": ", ".join(OnChange.values)}
    if isinstance(order, bool) or not isinstance(order, int) or not 0 <= order <= LARGEST_ORDER:
        problems["order"] = _("Give a whole number from 0 to %(most)d.") % {"most": LARGEST_ORDER}
    problems |= problem_of(condition, "condition")
    if problems:
        raise Invalid(problems)
    return {"name": title}


@transaction.atomic
def switch_policy(policy: ApprovalPolicy, is_active: bool, *, actor: Actor) -> ApprovalPolicy:
    """Let the policy count for new rounds, or no longer; rounds that run go on. A second call changes nothing.

    Raises:
        Refused.
    """
    require_manager(actor)
    row = ApprovalPolicy.objects.select_for_update().get(pk=policy.pk)
    if row.is_active != is_active:
        row.is_active, row.updated_at, row.updated_by = is_active, db_now(), actor.user
        row.save(update_fields=["is_active", "updated_at", "updated_by"])
        deed = Deed.ACTIVATED if is_active else Deed.DEACTIVATED
        record_change(actor.user, deed, row, {"is_active": not is_active}, {"is_active": is_active})
    return row


@transaction.atomic
def save_settings(*, actor: Actor, fallback_role: str, link_days: int) -> ApprovalSettings:
    """Store what holds for all approvals and return it.

    Raises:
        Refused, Invalid.
    """
    require_manager(actor)
    problems: dict[str, str] = {}
    if fallback_role not in Role.values or fallback_role == Role.REQUESTER:
        problems["fallback_role"] = _("Choose a role of the desk.")
    if isinstance(link_days, bool) or not isinstance(link_days, int) or not 1 <= link_days <= MOST_LINK_DAYS:
        problems["link_days"] = _("Give 1 to %(most)d days.") % {"most": MOST_LINK_DAYS}
    if problems:
        raise Invalid(problems)
    row = ApprovalSettings.current()
    before = {"fallback_role": str(row.fallback_role), "link_days": row.link_days} if not row._state.adding else {}
    row.fallback_role, row.link_days = fallback_role, link_days
    row.save()
    after = {"fallback_role": fallback_role, "link_days": link_days}
    record_change(actor.user, Deed.CHANGED if before else Deed.CREATED, row, before, after)
    return row

"""What a finished run means for its template: clean runs earn it to be standard, one failure takes that away."""

from __future__ import annotations

from typing import Any

from changes.models import Change, ChangeSettings, ChangeTemplate, Track
from changes.runs import caused_by, clean_runs
from changes.statuses import CloseCode, Status
from itsm.accounts.models import User
from itsm.accounts.roles import ROLE_PERMISSIONS, Permission
from itsm.tickets.actors import SYSTEM, Actor
from itsm.tickets.clock import db_now
from itsm.tickets.log import write

MANAGING = [role for role, granted in ROLE_PERMISSIONS.items() if Permission.MANAGE_CHANGES in granted]


def count_run(locked: Any, *, actor: Actor) -> None:
    """Count a locked change that was just closed, or of which an incident turned out to be caused. Failed is a run that
    was closed as unsuccessful or that caused an incident."""
    version = locked.template_version
    if version is None or locked.status != Status.CLOSED:
        return
    template = ChangeTemplate.objects.select_for_update().get(pk=version.template_id)
    failed = locked.close_code == CloseCode.UNSUCCESSFUL or caused_by(locked).exists()
    if failed:
        _lose(template, locked)
    elif template.track == Track.NORMAL and template.offered_at is None and template.is_usable:
        _offer(template, locked)


def _lose(template: ChangeTemplate, locked: Any) -> None:
    was_standard = template.track == Track.STANDARD
    template.counts_from, template.offered_at, template.evidence = db_now(), None, []
    if was_standard:
        template.track, template.demoted_at, template.demoted_by = Track.NORMAL, template.counts_from, locked
    template.save()
    if was_standard:
        _tell(locked, "change.template_demoted", {"template": template.name, "ref": template.public_id})


def _offer(template: ChangeTemplate, locked: Any) -> None:
    wanted = ChangeSettings.current().clean_runs
    runs = list(clean_runs(template).order_by("closed_at")[: wanted + 1])
    if len(runs) < wanted:
        return
    template.offered_at = db_now()
    template.evidence = [_evidence(run) for run in runs]
    template.save()
    said = {"template": template.name, "ref": template.public_id, "runs": len(runs)}
    _tell(locked, "change.template_offered", said)


def _evidence(run: Change) -> dict[str, Any]:
    return {
        "number": run.number,
        "title": run.title,
        "closed_at": run.closed_at.isoformat() if run.closed_at else "",
        "team": str(run.team) if run.team else "",
    }


def _tell(locked: Any, code: str, said: dict[str, Any]) -> None:
    """Note it on the change that decided it; the event names the change managers, who are told."""
    managers = User.objects.active().filter(roles__overlap=MANAGING).order_by("pk").values_list("pk", flat=True)
    write(locked, code, actor=SYSTEM, data={**said, "notify": {"users": list(managers)}}, bump=False)

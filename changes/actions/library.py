"""The verbs of the library: propose, decide, retire; and making a change from what was approved (CH-2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_slug
from django.db import transaction
from django.utils.translation import gettext as _

from changes.actions.opening import begin_affected
from changes.actions.risking import reassess_locked
from changes.actions.template_values import checked_content, checked_tasks
from changes.actions.values import check_others, check_services, check_times, clean_plans
from changes.gates import PLANS
from changes.models import Change, ChangeTemplate, TemplateTask, TemplateVersion, Track, VersionState
from changes.statuses import ChangeType
from cmdb.models import Service
from itsm.accounts.changelog import Deed, record_change
from itsm.accounts.models import Team, User
from itsm.accounts.roles import Permission
from itsm.tickets.actions import open_ticket
from itsm.tickets.actors import Actor
from itsm.tickets.clock import db_now, instant_of
from itsm.tickets.errors import IllegalMove, Invalid, Refused
from itsm.tickets.kinds import kind_of
from itsm.tickets.models.ticket import TITLE_MAX
from itsm.tickets.texts import clean_text

Content = Mapping[str, Any]


@transaction.atomic
def propose_template(
    *, actor: Actor, name: str, key: str, content: Content, tasks: Iterable[Content] = (), wanted_track: str = ""
) -> TemplateVersion:
    """Propose a template under a new name and return its first version; nothing is made from it until a change manager
    approves it. `content` holds the fields of `TemplateVersion`; `wanted_track` says what it shall make.

    Raises:
        Invalid, Refused.
    """
    _require_worker(actor)
    shown = clean_text(name, "name", TITLE_MAX, required=True, one_line=True)
    slug = clean_text(key, "key", 60, required=True, one_line=True).lower()
    try:
        validate_slug(slug)
    except ValidationError:
        raise Invalid({"key": _("Use small letters, digits, hyphens and underscores only.")}) from None
    if ChangeTemplate.objects.filter(name=shown).exists():
        raise Invalid({"name": _("A template has this name already. Propose a new version of it.")})
    if ChangeTemplate.objects.filter(key=slug).exists():
        raise Invalid({"key": _("A template has this key already. Choose another one.")})
    template = ChangeTemplate.objects.create(name=shown, key=slug, counts_from=instant_of(actor))
    version = _add_version(template, actor, content, tasks, wanted_track)
    record_change(actor.user, Deed.CREATED, template, {}, {"name": shown, "key": slug})
    return version


@transaction.atomic
def propose_version(
    template: ChangeTemplate, *, actor: Actor, content: Content, tasks: Iterable[Content] = (), wanted_track: str = ""
) -> TemplateVersion:
    """Propose the next version of a template and return it; the current one is used until a manager approves this.

    Raises:
        IllegalMove: it is retired, or a proposal waits already. Invalid, Refused.
    """
    _require_worker(actor)
    locked = _lock(template)
    if locked.retired_at is not None:
        raise IllegalMove(_("“%(name)s” is retired. Propose a new template.") % {"name": locked})
    if locked.versions.filter(state=VersionState.PROPOSED).exists():
        raise IllegalMove(_("A proposal for “%(name)s” waits already: it is decided first.") % {"name": locked})
    version = _add_version(locked, actor, content, tasks, wanted_track or locked.track)
    record_change(actor.user, Deed.CHANGED, locked, {}, {"proposed": f"v{version.number}"})
    return version


@transaction.atomic
def approve_version(version: TemplateVersion, *, actor: Actor, track: str = "", note: str = "") -> TemplateVersion:
    """Approve a proposed version, which replaces the current one; `track` says what the template makes from now on.

    Raises:
        Refused: only a change manager decides, and not on their own proposal. IllegalMove: it is decided already.
    """
    row, template = _to_decide(version, actor)
    chosen = track or row.wanted_track
    if chosen not in Track.values:
        raise Invalid({"track": _("Choose “normal” or “standard”.")})
    before = {"track": template.track, "current": f"v{template.current.number}" if template.current else ""}
    template.versions.filter(state=VersionState.APPROVED).update(state=VersionState.SUPERSEDED)
    _decide(row, actor, VersionState.APPROVED, note)
    template.current, template.track = row, chosen
    template.counts_from = instant_of(actor)
    template.offered_at, template.evidence = None, []
    if chosen == Track.STANDARD:
        template.demoted_at, template.demoted_by = None, None
    template.save()
    record_change(actor.user, Deed.CHANGED, template, before, {"track": chosen, "current": f"v{row.number}"})
    return row


@transaction.atomic
def reject_version(version: TemplateVersion, *, actor: Actor, note: str) -> TemplateVersion:
    """Reject a proposed version, saying why. Who proposed it may take it back in the same way.

    Raises:
        Refused, IllegalMove; Invalid: no reason.
    """
    own = actor.user is not None and version.proposed_by_id == actor.user.pk
    row, template = _to_decide(version, actor, own_too=own)
    reason = clean_text(note, "note", 1000, required=True)
    _decide(row, actor, VersionState.REJECTED, reason)
    record_change(actor.user, Deed.CHANGED, template, {}, {"rejected": f"v{row.number}: {reason}"[:400]})
    return row


@transaction.atomic
def retire_template(template: ChangeTemplate, *, actor: Actor, reason: str) -> ChangeTemplate:
    """Take the template out of use, saying why; changes made from it go on, standard ones not yet scheduled do not.

    Raises:
        Refused, IllegalMove; Invalid: no reason.
    """
    require_manager(actor)
    locked = _lock(template)
    if locked.retired_at is not None:
        raise IllegalMove(_("“%(name)s” is retired already.") % {"name": locked})
    said = clean_text(reason, "reason", 1000, required=True)
    locked.retired_at, locked.retire_reason = db_now(), said
    locked.save(update_fields=["retired_at", "retire_reason"])
    record_change(actor.user, Deed.DEACTIVATED, locked, {}, {"retire_reason": said[:400]})
    return locked


@transaction.atomic
def answer_offer(template: ChangeTemplate, *, actor: Actor, accept: bool) -> ChangeTemplate:
    """Make a template standard that has earned it, or (accept false) let it earn it anew.

    Raises:
        Refused; IllegalMove: it is not offered (any more).
    """
    require_manager(actor)
    locked = _lock(template)
    if locked.offered_at is None or not locked.is_usable or locked.track == Track.STANDARD:
        raise IllegalMove(_("“%(name)s” is not offered as a standard change (any more).") % {"name": locked})
    before = {"track": locked.track}
    if accept:
        locked.track, locked.demoted_at, locked.demoted_by = Track.STANDARD, None, None
    else:
        locked.counts_from, locked.evidence = db_now(), []
    locked.offered_at = None
    locked.save()
    after = {"track": locked.track, "offer": "accepted" if accept else "declined"}
    record_change(actor.user, Deed.CHANGED, locked, before, after)
    return locked


@transaction.atomic
def open_from_template(
    template: ChangeTemplate,
    *,
    actor: Actor,
    title: str = "",
    description: str | None = None,
    requester: User | None = None,
    team: Team | None = None,
    assignee: User | None = None,
    affected: Iterable[Service] = (),
    affected_other: Iterable[str] = (),
    justification: str = "",
    planned_start: datetime | None = None,
    planned_end: datetime | None = None,
    external_id: str = "",
    submission_key: str | None = None,
) -> Change:
    """Make a change from the template's current version and return it; it remembers the version. With a start alone
    the end follows from the template's usual length. What is named here is added to what the template affects.

    Raises:
        IllegalMove: the template is not approved, or retired. Invalid, Refused.
    """
    _require_worker(actor)
    locked = _lock(template)
    version = locked.current
    if version is None or locked.retired_at is not None:
        raise IllegalMove(_("“%(name)s” is not approved for use. Choose another template.") % {"name": locked})
    if planned_start is not None and planned_end is None:
        planned_end = planned_start + timedelta(minutes=version.duration_minutes)
    services = check_services([*version.services.all(), *affected])
    plans = {name: getattr(version, name) for name in PLANS}
    given = clean_plans({"justification": justification})["justification"]
    is_standard = locked.track == Track.STANDARD
    child: dict[str, Any] = {
        "change_type": ChangeType.STANDARD if is_standard else ChangeType.NORMAL,
        "template_version": version,
        "affected_other": check_others([*version.affected_other, *affected_other]),
        "risk_answers": version.risk_answers,
        **plans,
        **({"justification": given} if given else {}),
        **check_times(planned_start=planned_start, planned_end=planned_end),
    }
    change: Change = open_ticket(
        kind_of("change"),
        actor=actor,
        title=title or version.title,
        description=version.description if description is None else description,
        requester=requester,
        service=services[0] if services else None,
        team=team or version.team or next((one.support_team for one in services if one.support_team), None),
        assignee=assignee,
        external_id=external_id,
        submission_key=submission_key,
        child=child,
    )
    if change.risk_assessed_at is None:
        begin_affected(change, services, actor=actor)
        reassess_locked(change, actor=actor, at=change.opened_at)
    return change


def require_manager(actor: Actor) -> None:
    """Refuse what only change managers do. Raises Refused."""
    if not actor.may(Permission.MANAGE_CHANGES):
        raise Refused(_("Only a change manager decides this."))


def _require_worker(actor: Actor) -> None:
    if not actor.may(Permission.WORK_TICKETS):
        raise Refused(_("Only the service desk can do this."))


def _lock(template: ChangeTemplate) -> ChangeTemplate:
    return ChangeTemplate.objects.select_for_update(of=("self",)).select_related("current__team").get(pk=template.pk)


def _to_decide(
    version: TemplateVersion, actor: Actor, *, own_too: bool = False
) -> tuple[TemplateVersion, ChangeTemplate]:
    if not own_too:
        require_manager(actor)
        if actor.user is not None and version.proposed_by_id == actor.user.pk:
            raise Refused(_("Somebody else has to decide on what you proposed."))
    template = _lock(version.template)
    row = TemplateVersion.objects.get(pk=version.pk)
    if row.state != VersionState.PROPOSED:
        raise IllegalMove(_("This version is decided already: %(state)s.") % {"state": row.get_state_display().lower()})
    return row, template


def _decide(row: TemplateVersion, actor: Actor, state: str, note: str) -> None:
    row.state, row.decided_by, row.decided_at = state, actor.user, instant_of(actor)
    row.decision_note = clean_text(note, "note", 1000)
    row.save(update_fields=["state", "decided_by", "decided_at", "decision_note"])


def _add_version(
    template: ChangeTemplate, actor: Actor, content: Content, tasks: Iterable[Content], wanted_track: str
) -> TemplateVersion:
    values, services = checked_content(content)
    rows = checked_tasks(tasks, values["duration_minutes"])
    track = wanted_track or Track.NORMAL
    if track not in Track.values:
        raise Invalid({"wanted_track": _("Choose “normal” or “standard”.")})
    last = template.versions.order_by("-number").values_list("number", flat=True).first() or 0
    version = TemplateVersion.objects.create(
        template=template,
        number=last + 1,
        wanted_track=track,
        proposed_by=actor.user,
        proposed_at=instant_of(actor),
        **values,
    )
    version.services.set(services)
    TemplateTask.objects.bulk_create(
        [TemplateTask(version=version, order=order, **row) for order, row in enumerate(rows, start=1)]
    )
    return version

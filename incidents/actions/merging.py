"""Merging incidents that are the same into one, and taking that back as if it had not happened."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from incidents.actions.family import check_not_major, check_version, lock_together
from incidents.models import Incident, Merge
from incidents.statuses import ResolutionCode, Status
from itsm.desk.keeping import move_drafts
from itsm.tickets.actions import lock
from itsm.tickets.actors import Actor
from itsm.tickets.clock import instant_of
from itsm.tickets.errors import IllegalMove, Invalid
from itsm.tickets.log import write
from itsm.tickets.models import Link, LinkKind, Watcher
from itsm.tickets.rules import require

MOST_AT_ONCE = 50
UNDO_WITHIN = timedelta(days=7)


@transaction.atomic
def merge(
    incidents: Sequence[Incident], survivor: Incident, *, actor: Actor, version: int | None = None
) -> list[Merge]:
    """Merge the incidents into the survivor and return what was done to each.

    Each is resolved as a duplicate and linked; its requester and watchers watch the survivor and are told once, and
    what is said on it from then on goes there, with what people have written and not sent. All or none. One that is
    merged into this survivor already is passed over, so that a double click does nothing twice. `version`: the
    survivor's.

    Raises:
        Invalid: none or more than 50, one into itself. IllegalMove: one of them is not open, is merged, or has
            children; the survivor has ended or was merged itself. Refused, Stale.
    """
    chosen = {one.pk: one for one in incidents}
    if not chosen or len(chosen) > MOST_AT_ONCE:
        raise Invalid({"incidents": _("Choose from 1 to %(max)d incidents to merge.") % {"max": MOST_AT_ONCE}})
    if survivor.pk in chosen:
        raise Invalid({"survivor": _("%(number)s cannot be merged into itself.") % {"number": survivor.number}})
    locked = lock_together([*chosen.values(), survivor])
    target = locked.pop(survivor.pk)
    require("ticket.link", actor, target)
    check_version(target, version)
    waiting = [one for one in locked.values() if one.merged_into_id != target.pk]
    if not waiting:
        return []
    _check_survivor(target, locked)
    for one in waiting:
        _check_merged(one)
    return [_merge_one(one, target, actor) for one in waiting]


def _check_survivor(target: Incident, merged: dict[int, Incident]) -> None:
    if target.merged_into_id is not None:
        into = Incident.objects.get(pk=target.merged_into_id).number
        raise IllegalMove(
            _("%(number)s was merged into %(into)s. Choose %(into)s.") % {"number": target.number, "into": into}
        )
    if not target.is_open:
        raise IllegalMove(
            _("%(number)s is %(status)s. Only an open incident can take in others.")
            % {"number": target.number, "status": target.status_label.lower()}
        )
    if target.parent_id in merged:
        raise IllegalMove(
            _("%(number)s is part of %(upper)s, so that one cannot be merged into it. Merge the other way round.")
            % {"number": target.number, "upper": merged[target.parent_id].number}
        )


def _check_merged(one: Incident) -> None:
    if one.merged_into_id is not None:
        into = Incident.objects.get(pk=one.merged_into_id).number
        raise IllegalMove(_("%(number)s was merged into %(into)s.") % {"number": one.number, "into": into})
    if not one.is_open:
        raise IllegalMove(
            _("%(number)s is %(status)s. Link it instead: only open incidents are merged.")
            % {"number": one.number, "status": one.status_label.lower()}
        )
    if one.child_count:
        raise IllegalMove(
            _("%(number)s has incidents that are part of it. Move those to the other one first.")
            % {"number": one.number}
        )
    check_not_major(one)


def _merge_one(one: Incident, target: Incident, actor: Actor) -> Merge:
    now = instant_of(actor)
    before = {"status": one.status, "hold_reason": one.hold_reason}
    wanted = {one.requester_id, *one.watcher_rows.values_list("user_id", flat=True)}
    there = {target.requester_id, *target.watcher_rows.values_list("user_id", flat=True)}
    new = sorted(wanted - there)
    Watcher.objects.bulk_create([Watcher(ticket_id=target.pk, user_id=pk) for pk in new], ignore_conflicts=True)
    link, is_new = Link.objects.get_or_create(
        source_id=one.pk, target_id=target.pk, kind=LinkKind.DUPLICATE_OF, defaults={"created_by": actor.user}
    )
    made = Merge.objects.create(
        incident=one,
        survivor=target,
        before={**before, "watchers": new, "link": link.public_id if is_new else ""},
        by=actor.user,
        at=now,
    )
    notes = _("This is the same as %(number)s. It goes on there.") % {"number": target.number}
    write(
        one,
        "incident.merged",
        actor=actor,
        changes={
            "status": Status.RESOLVED,
            "hold_reason": "",
            "resolved_at": now,
            "resolved_by": actor.user,
            "resolution_code": ResolutionCode.DUPLICATE,
            "resolution_notes": notes,
            "merged_into": target,
        },
        data={"number": target.number, "ticket": target.public_id, **before},
        log_changes=False,
        at=now,
    )
    count = {"merged_count": target.merged_count + 1}
    data = {"number": one.number, "ticket": one.public_id}
    write(target, "incident.absorbed", actor=actor, changes=count, data=data, log_changes=False, at=now)
    move_drafts(one, target)
    return made


@transaction.atomic
def unmerge(incident: Incident, *, actor: Actor, version: int | None = None) -> Incident:
    """Take back that the incident was merged and return it: it is what it was before, and the survivor too.

    What was said on the survivor meanwhile stays there.

    Raises:
        IllegalMove: it is not merged, was closed, or was merged more than seven days ago. Refused, Stale.
    """
    locked = lock_together([incident, *Incident.objects.filter(merged=incident.pk)])
    one = locked[incident.pk]
    require("ticket.link", actor, one)
    check_version(one, version)
    made = Merge.objects.filter(incident=one, undone_at=None).first()
    if one.merged_into_id is None or made is None or made.survivor_id not in locked:
        raise IllegalMove(_("%(number)s is not merged into another incident.") % {"number": one.number})
    now = instant_of(actor)
    if reason := why_not_undone(made, one.status, now):
        raise IllegalMove(reason)
    target = locked[made.survivor_id]
    _take_watchers(made)
    if made.before["link"]:
        Link.objects.filter(public_id=made.before["link"]).delete()
    made.undone_at, made.undone_by = now, actor.user
    made.save(update_fields=["undone_at", "undone_by"])
    before = {name: made.before[name] for name in ("status", "hold_reason")}
    write(
        one,
        "incident.unmerged",
        actor=actor,
        changes={
            **before,
            "resolved_at": None,
            "resolved_by": None,
            "resolution_code": "",
            "resolution_notes": "",
            "merged_into": None,
        },
        data={"number": target.number, "ticket": target.public_id, **before},
        log_changes=False,
        at=now,
    )
    count = {"merged_count": max(target.merged_count - 1, 0)}
    data = {"number": one.number, "ticket": one.public_id}
    write(target, "incident.released", actor=actor, changes=count, data=data, log_changes=False, at=now)
    fresh: Incident = lock(one)
    return fresh


def why_not_undone(made: Merge, status: str, now: Any) -> str:
    """Return why the merge cannot be taken back any more; empty where it can."""
    if status != Status.RESOLVED:
        return _("It was closed after it had been merged, so this cannot be taken back.")
    if now > made.at + UNDO_WITHIN:
        return _("It was merged more than %(days)d days ago, so this cannot be taken back. Open a new incident.") % {
            "days": UNDO_WITHIN.days
        }
    return ""


def _take_watchers(made: Merge) -> None:
    """Remove the watchers that the merge brought. Whom another merge into the same survivor would have brought too
    stays, and goes with that one when it is undone."""
    brought = set(made.before["watchers"])
    others = Merge.objects.filter(survivor=made.survivor_id, undone_at=None).exclude(pk=made.pk)
    for other in others.select_related("incident").order_by("pk"):
        theirs = {other.incident.requester_id, *other.incident.watcher_rows.values_list("user_id", flat=True)}
        shared = sorted(brought & theirs)
        if shared:
            other.before = {**other.before, "watchers": sorted({*other.before["watchers"], *shared})}
            other.save(update_fields=["before"])
            brought -= theirs
    Watcher.objects.filter(ticket_id=made.survivor_id, user_id__in=brought).delete()

"""Replies and work notes on incidents, and what a requester's reply sets in motion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from incidents.actions.lifecycle import resume_locked
from incidents.actions.opening import open_incident
from incidents.family import survivor_of
from incidents.models import Incident
from incidents.statuses import TERMINAL, HoldReason, Status
from itsm.tickets.actions import StoredFile, begin, comment, lock
from itsm.tickets.actors import SYSTEM, Actor
from itsm.tickets.errors import IllegalMove, Invalid
from itsm.tickets.log import write
from itsm.tickets.models import Comment, Link, LinkKind, Visibility, Watcher
from itsm.tickets.models.ticket import TEXT_MAX
from itsm.tickets.texts import clean_text


@dataclass(frozen=True)
class Reply:
    """What became of a reply: the incident it is on now, and the comment (None when it opened a new incident)."""

    incident: Incident
    comment: Comment | None
    opened_new: bool = False


@transaction.atomic
def reply(
    incident: Any,
    body: str,
    *,
    actor: Actor,
    visibility: str = Visibility.PUBLIC,
    files: tuple[StoredFile, ...] = (),
    version: int | None = None,
    submission_key: str | None = None,
) -> Reply:
    """Write on the incident. A requester's reply resumes one that waited for them (feature INC-3); after the end it
    opens a new incident linked to the old one (feature INC-5). What is said in public on one that was merged into
    another is said there, while that one has not ended.

    Raises:
        Invalid, Refused, Stale; IllegalMove: the desk replied in public to an incident that has ended.
    """
    locked: Incident = lock(incident)
    public = visibility == Visibility.PUBLIC
    if public and locked.merged_into_id is not None:
        survivor = survivor_of(locked)
        if survivor.status not in TERMINAL:
            return _reply_to_survivor(locked, survivor, body, actor=actor, files=files, submission_key=submission_key)
    if public and locked.status in TERMINAL:
        if actor.user is None or actor.user.pk != locked.requester_id:
            raise IllegalMove(
                _("This incident is %(status)s. Write a work note, or open a new incident.")
                % {"status": locked.status_label.lower()}
            )
        return _follow_up(locked, body, actor=actor, files=files, submission_key=submission_key)
    written = comment(
        locked,
        body,
        actor=actor,
        visibility=visibility,
        files=files,
        version=version,
        submission_key=submission_key,
    )
    current: Incident = lock(locked)
    is_new = current.event_seq > locked.event_seq
    waited = is_new and current.status == Status.ON_HOLD and current.hold_reason == HoldReason.AWAITING_CALLER
    if public and waited and actor.user is not None and actor.user.pk == current.requester_id:
        resume_locked(current, actor=actor if actor.at else SYSTEM, because="reply")
    return Reply(current, written)


def _reply_to_survivor(
    merged: Incident,
    survivor: Incident,
    body: str,
    *,
    actor: Actor,
    files: tuple[StoredFile, ...],
    submission_key: str | None,
) -> Reply:
    begin(merged, "ticket.comment", actor=actor)
    if actor.user is not None and actor.user.pk == merged.requester_id:
        # They may have stopped watching since; who writes wants the answer.
        Watcher.objects.get_or_create(ticket_id=survivor.pk, user=actor.user)
    return reply(survivor, body, actor=actor, files=files, submission_key=submission_key)


def _follow_up(
    ended: Incident, body: str, *, actor: Actor, files: tuple[StoredFile, ...], submission_key: str | None
) -> Reply:
    begin(ended, "ticket.comment", actor=actor)
    text = clean_text(body, "body", TEXT_MAX)
    if not text and not files:
        raise Invalid({"body": _("This cannot be empty.")})
    fresh = open_incident(
        actor=actor,
        title=ended.title,
        description=text,
        impact=ended.impact,
        urgency=ended.urgency,
        category=ended.category,
        service=ended.service,
        files=files,
        submission_key=submission_key,
    )
    _link, is_new = Link.objects.get_or_create(
        source_id=fresh.pk, target_id=ended.pk, kind=LinkKind.FOLLOWS, defaults={"created_by": actor.user}
    )
    if is_new:
        data = {"number": fresh.number, "ticket": fresh.public_id}
        write(ended, "incident.followed_up", actor=actor, data=data, bump=False)
    return Reply(fresh, None, opened_new=True)

"""Propose, accept, reject, demote."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from incidents.actions.outages import withdraw_outage
from incidents.major.actions.base import begin_by, begin_deciding, check_can_be_major, check_worker, tell
from incidents.major.actions.roles import give_role_locked
from incidents.major.models import IMPACT_MAX, REASON_MAX, MajorReview
from incidents.major.states import CAN_BE_ACCEPTED, CAN_BE_PROPOSED, MajorRole, MajorState
from incidents.models import Incident
from itsm.accounts.models import User
from itsm.tickets.actions import comment, lock
from itsm.tickets.actors import Actor
from itsm.tickets.clock import instant_of
from itsm.tickets.errors import IllegalMove, Invalid
from itsm.tickets.log import write
from itsm.tickets.models import Visibility
from itsm.tickets.models.ticket import TEXT_MAX
from itsm.tickets.rules import works_tickets
from itsm.tickets.texts import clean_text


def _check_state(incident: Incident, allowed: frozenset[MajorState]) -> None:
    if incident.major_state in allowed:
        return
    said = {
        MajorState.NONE: _("Nobody has proposed %(number)s as a major incident."),
        MajorState.PROPOSED: _("%(number)s is proposed already; it waits for a decision."),
        MajorState.ACCEPTED: _("%(number)s is a major incident already."),
        MajorState.REJECTED: _("%(number)s was rejected as a major incident."),
        MajorState.DEMOTED: _("%(number)s is no major incident any more."),
    }
    raise IllegalMove(said[MajorState(incident.major_state)] % {"number": incident.number})


@transaction.atomic
def propose(
    incident: Incident,
    *,
    actor: Actor,
    reason: str = "",
    version: int | None = None,
    said: Mapping[str, Any] | None = None,
) -> Incident:
    """Propose the incident as a major one, with the reason, and return it. The lead of its team is told. `said`: what
    else its event says, of the rule that did this.

    Raises:
        Invalid: no reason. IllegalMove: ended, part of another, proposed or accepted already. Refused, Stale.
    """
    locked, major = begin_by(incident, works_tickets, actor=actor, version=version)
    _check_state(locked, CAN_BE_PROPOSED)
    check_can_be_major(locked)
    major.proposal = clean_text(reason, "reason", REASON_MAX, required=True)
    major.proposed_at, major.proposed_by = instant_of(actor), actor.user
    major.decided_at, major.decided_by, major.decision = None, None, ""
    major.save()
    lead = locked.team.lead if locked.team is not None else None
    write(
        locked,
        "incident.major_proposed",
        actor=actor,
        changes={"major_state": MajorState.PROPOSED},
        data={"reason": major.proposal, **(said or {}), **tell(lead)},
        log_changes=False,
        at=major.proposed_at,
    )
    return locked


@transaction.atomic
def accept(
    incident: Incident,
    *,
    actor: Actor,
    impact: str = "",
    note: str = "",
    commander: User | None = None,
    version: int | None = None,
    said: Mapping[str, Any] | None = None,
) -> Incident:
    """Make the incident a major one and return it. Business impact and a work note are mandatory; the commander is the
    one named, else the actor. The first update falls due one cadence from now. Where the system does this by a rule,
    of which the event says what is `said`, the lead of the team is told too.

    Raises:
        Invalid: a text is missing, or the commander does not work on tickets. IllegalMove, Refused, Stale.
    """
    locked, major = begin_deciding(incident, actor=actor, version=version)
    _check_state(locked, CAN_BE_ACCEPTED)
    check_can_be_major(locked)
    problems: dict[str, str] = {}
    values: dict[str, str] = {}
    for name, given, most in (("impact", impact, IMPACT_MAX), ("note", note, TEXT_MAX)):
        try:
            values[name] = clean_text(given, name, most, required=True)
        except Invalid as error:
            problems.update(error.fields)
    if problems:
        raise Invalid(problems)
    leads = commander or actor.user
    if leads is not None:
        check_worker(leads, "commander")
    comment(locked, values["note"], actor=actor, visibility=Visibility.INTERNAL)
    locked = lock(locked)
    now = instant_of(actor)
    major.impact = values["impact"]
    major.accepted_at = major.decided_at = now
    major.decided_by, major.decision = actor.user, ""
    major.next_update_at = now + timedelta(minutes=major.cadence_minutes) if major.cadence_minutes else None
    major.alarmed_for = None
    major.save()
    MajorReview.objects.filter(incident=locked).update(done_at=None, done_by=None)  # of the time before a demotion
    told = [locked.assignee, major.proposed_by]
    if actor.is_system and locked.team is not None:
        told.append(locked.team.lead)
    write(
        locked,
        "incident.major_accepted",
        actor=actor,
        changes={"major_state": MajorState.ACCEPTED},
        data={"impact": values["impact"], **(said or {}), **tell(*told)},
        log_changes=False,
        at=now,
    )
    if leads is not None:
        give_role_locked(locked, MajorRole.COMMANDER, leads, actor=actor)
    return locked


@transaction.atomic
def reject(incident: Incident, *, actor: Actor, reason: str = "", version: int | None = None) -> Incident:
    """Turn the proposal down with a reason and return the incident, which goes on as it was.

    Raises:
        Invalid: no reason. IllegalMove: it is not proposed. Refused, Stale.
    """
    locked, major = begin_deciding(incident, actor=actor, version=version)
    _check_state(locked, frozenset({MajorState.PROPOSED}))
    major.decision = clean_text(reason, "reason", REASON_MAX, required=True)
    major.decided_at, major.decided_by = instant_of(actor), actor.user
    major.save()
    write(
        locked,
        "incident.major_rejected",
        actor=actor,
        changes={"major_state": MajorState.REJECTED},
        data={"reason": major.decision, **tell(major.proposed_by)},
        log_changes=False,
        at=major.decided_at,
    )
    return locked


@transaction.atomic
def demote(incident: Incident, *, actor: Actor, reason: str = "", version: int | None = None) -> Incident:
    """Make a major incident an ordinary one again, with the reason, and return it. Its banner goes, and its clock.

    Raises:
        Invalid: no reason. IllegalMove: it is none, or it is closed. Refused, Stale.
    """
    locked, major = begin_deciding(incident, actor=actor, version=version)
    if locked.major_state != MajorState.ACCEPTED:
        raise IllegalMove(_("%(number)s is no major incident.") % {"number": locked.number})
    if locked.closed_at is not None:
        raise IllegalMove(_("%(number)s is closed: what it was stays on record.") % {"number": locked.number})
    major.decision = clean_text(reason, "reason", REASON_MAX, required=True)
    now = instant_of(actor)
    major.decided_at, major.decided_by = now, actor.user
    major.next_update_at = None
    major.save()
    withdraw_outage(locked, actor=actor)
    locked = lock(locked)
    duties = locked.major_duties.filter(until=None)
    told = [duty.person for duty in duties.select_related("person")]
    duties.update(until=now)
    write(
        locked,
        "incident.major_demoted",
        actor=actor,
        changes={"major_state": MajorState.DEMOTED},
        data={"reason": major.decision, **tell(*told)},
        log_changes=False,
        at=now,
    )
    return locked

"""What a major incident can be, who runs it, and when each deed is allowed."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from itsm.accounts.roles import Permission
from itsm.tickets.actors import Actor
from itsm.tickets.rules import YES, Answer, works_tickets


class MajorState(models.TextChoices):
    """Where an incident stands as a major one (domain rule 2.7). An accepted one has ended when the incident has."""

    NONE = "", gettext_lazy("No")
    PROPOSED = "proposed", gettext_lazy("Proposed")
    ACCEPTED = "accepted", gettext_lazy("Major incident")
    REJECTED = "rejected", gettext_lazy("Rejected")
    DEMOTED = "demoted", gettext_lazy("Demoted")


class MajorRole(models.TextChoices):
    """The parts that people play while it lasts."""

    COMMANDER = "commander", gettext_lazy("Commander")
    COMMUNICATIONS = "communications", gettext_lazy("Communications")
    SCRIBE = "scribe", gettext_lazy("Scribe")


# While it stands here, it is run by people from one page, and not as the parent of its family.
RUN_AS_MAJOR = frozenset({MajorState.PROPOSED, MajorState.ACCEPTED})
CAN_BE_PROPOSED = frozenset({MajorState.NONE, MajorState.REJECTED, MajorState.DEMOTED})
CAN_BE_ACCEPTED = frozenset({*CAN_BE_PROPOSED, MajorState.PROPOSED})


def decides_on_major(actor: Actor, incident: Any) -> Answer:
    """Answer whether the actor accepts, rejects and demotes major incidents."""
    if actor.may(Permission.RUN_MAJOR_INCIDENTS):
        return YES
    return Answer(False, _("Only a team lead or a manager decides on major incidents. Propose it to them."))


def runs_major(actor: Actor, incident: Any) -> Answer:
    """Answer whether the actor runs this major incident: decides on such, or has a role in it."""
    if decides_on_major(actor, incident):
        return YES
    if works_tickets(actor, incident) and actor.user is not None:
        from incidents.major.models import MajorDuty  # the model's choices come from this module

        if MajorDuty.objects.filter(incident_id=incident.pk, person=actor.user, until=None).exists():
            return YES
    return Answer(False, _("Only those with a role in this major incident do this, and team leads and managers."))


def ends_by_desk(actor: Actor, incident: Any) -> Answer:
    """Answer whether the actor may end or reopen the incident as far as it is a major one: the desk alone may."""
    if incident.major_state != MajorState.ACCEPTED or works_tickets(actor, incident):
        return YES
    return Answer(False, _("This is a major incident. The service desk ends it and reopens it; write what you see."))


def reviewed(actor: Actor, incident: Any) -> Answer:
    """Answer whether the incident may be closed as far as it is a major one: its review is done."""
    if incident.major_state != MajorState.ACCEPTED:
        return YES
    from incidents.major.models import MajorReview  # the model's choices come from this module

    if MajorReview.objects.filter(incident_id=incident.pk, done_at__isnull=False).exists():
        return YES
    return Answer(False, _("This major incident is closed when its review is done. Finish the review first."))

"""Setting right what an import could not count, because its source does not show every step."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from incidents.models import Incident
from itsm.tickets.actions import begin
from itsm.tickets.actors import Actor
from itsm.tickets.errors import Invalid, Refused
from itsm.tickets.log import write
from itsm.tickets.texts import clean_text


@transaction.atomic
def correct_counts(
    incident: Incident,
    *,
    actor: Actor,
    reason: str,
    reassignment_count: int | None = None,
    reopen_count: int | None = None,
    version: int | None = None,
) -> Incident:
    """Set the counts to what the imported source says, with the reason, and return the incident.

    For imports only: everywhere else the counts follow from the moves. None leaves a count as it is; a call that
    changes nothing writes nothing.

    Raises:
        Refused: the actor does not act at a past instant. Invalid: a negative count, or no reason. Stale.
    """
    if actor.at is None:
        raise Refused(_("Only importers may correct counts. They follow from what happens to the incident."))
    locked = begin(incident, "ticket.edit", actor=actor, version=version)
    said = clean_text(reason, "reason", 500, required=True, one_line=True)
    given = {"reassignment_count": reassignment_count, "reopen_count": reopen_count}
    wrong = {name: _("A count is zero or more.") for name, value in given.items() if value is not None and value < 0}
    if wrong:
        raise Invalid(wrong)
    changes: dict[str, Any] = {
        name: value for name, value in given.items() if value is not None and value != getattr(locked, name)
    }
    if changes:
        write(locked, "incident.counts_corrected", actor=actor, changes=changes, data={"reason": said})
    corrected: Incident = locked
    return corrected

"""Closing what was resolved long enough ago."""

import logging

from incidents.actions import close
from incidents.models import Incident, IncidentSettings
from itsm.tickets.actors import SYSTEM
from itsm.tickets.clock import db_now
from itsm.tickets.errors import VerbError

logger = logging.getLogger(__name__)

BATCH = 200


def close_resolved() -> int:
    """Close incidents resolved `auto_close_days` days ago or earlier; return how many.

    Each is closed in its own transaction by the verb, which looks again under the lock: an incident that was reopened
    in the meantime stays open, and running this twice at once closes nothing twice.
    """
    days = IncidentSettings.current().auto_close_days
    closed = 0
    for incident in Incident.objects.due_for_closing(db_now(), days).order_by("resolved_at", "pk")[:BATCH]:
        try:
            close(incident, actor=SYSTEM, version=incident.version)
        except VerbError:
            continue
        except Exception:  # one incident that cannot be closed must not keep the others open
            logger.exception("%s could not be closed", incident.number)
            continue
        closed += 1
    return closed

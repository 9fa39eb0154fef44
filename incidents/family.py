"""Who belongs together: the incident that a merged one goes on in, and those that were merged into one."""

from __future__ import annotations

from typing import Any

from django.db import connection

from incidents.models import Incident

LONGEST_CHAIN = 20

MERGED = """
WITH RECURSIVE below (id, depth) AS (
    SELECT ticket_ptr_id, 1 FROM incidents_incident WHERE merged_into_id = %s
    UNION ALL
    SELECT i.ticket_ptr_id, b.depth + 1 FROM incidents_incident i JOIN below b ON i.merged_into_id = b.id
     WHERE b.depth < %s
)
SELECT id FROM below
"""


def survivor_of(incident: Incident) -> Incident:
    """Return the incident in which this one goes on: itself, unless it was merged; the last of a chain of merges."""
    found = incident
    for _step in range(LONGEST_CHAIN):
        if found.merged_into_id is None:
            break
        found = Incident.objects.get(pk=found.merged_into_id)
    return found


def merged_ids(ticket: Any) -> list[int]:
    """Return the ids of all incidents that were merged into this one, also by way of others.

    Asks nothing for an incident into which none was merged.
    """
    count = getattr(ticket, "merged_count", None)
    if count == 0:
        return []
    with connection.cursor() as cursor:
        cursor.execute(MERGED, [ticket.pk, LONGEST_CHAIN])
        return sorted(pk for (pk,) in cursor.fetchall())

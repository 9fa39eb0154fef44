"""What counts as a reassignment, and that only imports may say how often, or by whom, something was done."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from incidents.actions import correct_counts, open_incident, resolve
from incidents.models import Incident
from itsm.tickets.actions import assign
from itsm.tickets.actors import Actor, Channel
from itsm.tickets.errors import Invalid, Refused
from tests.cast import Cast, as_

THEN = datetime(2016, 3, 1, 9, 0, tzinfo=UTC)


def imported(cast: Cast) -> Actor:
    """Return the importer at a past instant."""
    return Actor(cast.imke, Channel.IMPORT, THEN)


@pytest.fixture
def incident(cast: Cast) -> Incident:
    return open_incident(actor=imported(cast), title="Scanner", requester=cast.rita)


def test_the_first_team_and_persons_do_not_count_but_another_team_does(cast: Cast, incident: Incident) -> None:
    actor = as_(cast.anna)
    assert incident.team is None
    for change, count in (
        ({"team": cast.network}, 0),
        ({"assignee": cast.anna}, 0),
        ({"assignee": cast.ben}, 0),
        ({"team": cast.desktop}, 1),
        ({"team": None}, 1),
        ({"team": cast.desktop, "assignee": cast.carl}, 1),
        ({"team": cast.network, "assignee": cast.anna}, 2),
    ):
        incident = assign(incident, actor=actor, **change)
        assert incident.reassignment_count == count, change


def test_an_import_corrects_counts_with_a_reason_that_only_the_desk_reads(cast: Cast, incident: Incident) -> None:
    incident = correct_counts(incident, actor=imported(cast), reason="Not shown", reassignment_count=2, reopen_count=1)
    assert (incident.reassignment_count, incident.reopen_count) == (2, 1)
    event = incident.events.latest("seq")
    assert (event.code, event.internal, event.at, event.data) == (
        "incident.counts_corrected",
        True,
        THEN,
        {"reason": "Not shown", "changes": {"reassignment_count": [0, 2], "reopen_count": [0, 1]}},
    )
    seq = incident.event_seq
    same = correct_counts(incident, actor=imported(cast), reason="Not shown", reassignment_count=2)
    assert same.event_seq == seq


def test_corrections_without_reason_or_below_zero_are_refused(cast: Cast, incident: Incident) -> None:
    with pytest.raises(Invalid, match="cannot be empty"):
        correct_counts(incident, actor=imported(cast), reason=" ", reopen_count=1)
    with pytest.raises(Invalid, match="zero or more"):
        correct_counts(incident, actor=imported(cast), reason="Not shown", reopen_count=-1)
    assert Incident.objects.get().reopen_count == 0


def test_nobody_but_an_import_corrects_counts_or_names_another_doer(cast: Cast, incident: Incident) -> None:
    for person in (cast.anna, cast.ada, cast.imke):
        with pytest.raises(Refused, match="Only importers"):
            correct_counts(incident, actor=as_(person), reason="I say so", reopen_count=9)
        with pytest.raises(Refused, match="Only importers"):
            open_incident(actor=as_(person), title="Scanner", opened_by=cast.ben)
        with pytest.raises(Refused, match="Only importers"):
            resolve(
                incident,
                actor=as_(person),
                resolution_code="solution_provided",
                resolution_notes="Done.",
                resolved_by=cast.ben,
            )
    assert Incident.objects.count() == 1
    assert Incident.objects.get().status == "new"


def test_an_import_names_who_opened_and_resolved(cast: Cast) -> None:
    opened = open_incident(actor=imported(cast), title="Scanner", requester=cast.rita, opened_by=cast.carl)
    resolved = resolve(
        opened,
        actor=imported(cast),
        resolution_code="solution_provided",
        resolution_notes="Done.",
        resolved_by=cast.ben,
    )
    assert (resolved.opened_by, resolved.resolved_by) == (cast.carl, cast.ben)
    assert resolved.events.latest("seq").actor == cast.imke

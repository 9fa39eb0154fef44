"""The life of an incident: every move from every state, what it needs, what it stamps (domain rules 2.2)."""

from datetime import timedelta

import pytest
from django.utils import timezone

from incidents.actions import close, hold, open_incident, perform, reopen, reply, resolve, resume, start
from incidents.closing import close_resolved
from incidents.models import Incident, IncidentSettings
from incidents.statuses import MOVES, HoldReason, Status
from itsm.accounts.models import User
from itsm.tickets.actions import assign
from itsm.tickets.actors import SYSTEM, Actor, Channel
from itsm.tickets.errors import IllegalMove, Invalid, Refused, Stale, VerbError
from itsm.tickets.models import LinkKind, Visibility
from itsm.tickets.moves import legal_moves
from tests.cast import Cast, as_

FIELDS: dict[str, dict[str, str]] = {
    "start": {},
    "hold": {"hold_reason": "awaiting_vendor"},
    "resume": {},
    "resolve": {"resolution_code": "solution_provided", "resolution_notes": "Replaced the cable."},
    "reopen": {"comment": "Still dead."},
    "close": {},
    "cancel": {"reason": "Found it."},
}
LEGAL = {
    (Status.NEW, "start"): Status.IN_PROGRESS,
    (Status.NEW, "hold"): Status.ON_HOLD,
    (Status.IN_PROGRESS, "hold"): Status.ON_HOLD,
    (Status.ON_HOLD, "resume"): Status.IN_PROGRESS,
    (Status.NEW, "resolve"): Status.RESOLVED,
    (Status.IN_PROGRESS, "resolve"): Status.RESOLVED,
    (Status.ON_HOLD, "resolve"): Status.RESOLVED,
    (Status.RESOLVED, "reopen"): Status.IN_PROGRESS,
    (Status.RESOLVED, "close"): Status.CLOSED,
    (Status.NEW, "cancel"): Status.CANCELLED,
    (Status.IN_PROGRESS, "cancel"): Status.CANCELLED,
    (Status.ON_HOLD, "cancel"): Status.CANCELLED,
}
ROAD_TO = {
    Status.NEW: [],
    Status.IN_PROGRESS: ["start"],
    Status.ON_HOLD: ["start", "hold"],
    Status.RESOLVED: ["resolve"],
    Status.CLOSED: ["resolve", "close"],
    Status.CANCELLED: ["cancel"],
}


def incident_in(status: Status, cast: Cast) -> Incident:
    """Return an incident of Rita's that came into the state through verbs."""
    incident = open_incident(actor=as_(cast.rita, Channel.PORTAL), title="No picture")
    for move in ROAD_TO[status]:
        incident = perform(incident, move, actor=as_(cast.anna), fields=FIELDS[move])
    return incident


@pytest.mark.parametrize("move", list(MOVES))
@pytest.mark.parametrize("status", list(Status))
def test_every_move_from_every_state(cast: Cast, status: Status, move: str) -> None:
    incident = incident_in(status, cast)
    assert incident.status == status
    before = incident.event_seq
    if (status, move) in LEGAL:
        moved = perform(incident, move, actor=as_(cast.anna), fields=FIELDS[move], version=incident.version)
        assert moved.status == LEGAL[status, move]
        assert moved.version == incident.version + 1
        assert moved.events.count() == before + 1
    else:
        with pytest.raises(IllegalMove, match="not possible"):
            perform(incident, move, actor=as_(cast.anna), fields=FIELDS[move])
        assert Incident.objects.get(pk=incident.pk).event_seq == before


@pytest.mark.parametrize("status", list(Status))
def test_the_offered_moves_are_the_possible_ones(cast: Cast, status: Status) -> None:
    incident = incident_in(status, cast)
    for person in (cast.rita, cast.rolf, cast.anna):
        offered = {move.name for move in legal_moves(incident, as_(person))}
        possible = set()
        for name in MOVES:
            fresh = incident_in(status, cast)
            try:
                perform(fresh, name, actor=as_(person), fields=FIELDS[name])
            except VerbError:
                continue
            possible.add(name)
        assert offered == possible


@pytest.mark.parametrize(
    ("move", "fields", "missing"),
    [
        ("hold", {}, {"hold_reason"}),
        ("hold", {"hold_reason": "nap"}, {"hold_reason"}),
        ("hold", {"hold_reason": "awaiting_caller"}, {"comment"}),
        ("resolve", {}, {"resolution_code", "resolution_notes"}),
        ("resolve", {"resolution_code": "solution_provided", "resolution_notes": "  "}, {"resolution_notes"}),
        ("resolve", {"resolution_code": "magic", "resolution_notes": "x"}, {"resolution_code"}),
        ("resolve", {"resolution_code": "duplicate", "resolution_notes": "a\x00"}, {"resolution_notes"}),
        ("cancel", {"reason": ""}, {"reason"}),
        ("start", {"speed": "11"}, {"speed"}),
        ("fly", {}, {"move"}),
    ],
)
def test_moves_say_what_they_need(cast: Cast, move: str, fields: dict[str, str], missing: set[str]) -> None:
    incident = incident_in(Status.NEW, cast)
    with pytest.raises(Invalid) as error:
        perform(incident, move, actor=as_(cast.anna), fields=fields)
    assert set(error.value.fields) == missing
    assert Incident.objects.get(pk=incident.pk).status == Status.NEW


def test_start_makes_an_ownerless_incident_mine(cast: Cast) -> None:
    assert start(incident_in(Status.NEW, cast), actor=as_(cast.anna)).assignee == cast.anna
    owned = assign(incident_in(Status.NEW, cast), actor=as_(cast.anna), assignee=cast.ben)
    assert start(owned, actor=as_(cast.anna)).assignee == cast.ben


def test_the_requester_may_only_cancel_confirm_and_reopen(cast: Cast) -> None:
    for status, allowed in (
        (Status.NEW, {"cancel"}),
        (Status.IN_PROGRESS, {"cancel"}),
        (Status.ON_HOLD, {"cancel"}),
        (Status.RESOLVED, {"reopen", "close"}),
        (Status.CLOSED, set()),
    ):
        incident = incident_in(status, cast)
        assert {move.name for move in legal_moves(incident, as_(cast.rita))} == allowed
        for move in set(MOVES) - allowed:
            with pytest.raises(VerbError):
                perform(incident, move, actor=as_(cast.rita), fields=FIELDS[move])


def test_resolve_stamps_and_reopen_counts(cast: Cast) -> None:
    resolved = resolve(incident_in(Status.NEW, cast), actor=as_(cast.anna), **FIELDS["resolve"])
    assert resolved.resolved_at is not None
    assert resolved.resolved_by == cast.anna
    assert not resolved.is_open
    again = reopen(resolved, actor=as_(cast.rita), comment="Still dead.")
    assert (again.reopen_count, again.reopened_by, again.resolved_at, again.resolution_code) == (1, cast.rita, None, "")
    assert again.is_open
    assert again.comments.get().body == "Still dead."
    kept = again.events.get(code="incident.reopened").data
    assert kept["resolution_notes"] == "Replaced the cable."
    twice = reopen(resolve(again, actor=as_(cast.anna), **FIELDS["resolve"]), actor=as_(cast.anna), comment="Oh.")
    assert twice.reopen_count == 2


def test_the_requesters_reply_ends_waiting_for_them(cast: Cast) -> None:
    held = hold(
        incident_in(Status.NEW, cast), actor=as_(cast.anna), hold_reason="awaiting_caller", comment="Which room?"
    )
    assert held.hold_reason == HoldReason.AWAITING_CALLER
    by_desk = reply(held, "Ping", actor=as_(cast.anna))
    assert by_desk.incident.status == Status.ON_HOLD
    answered = reply(held, "Room 7", actor=as_(cast.rita))
    assert answered.incident.status == Status.IN_PROGRESS
    assert answered.incident.hold_reason == ""
    assert answered.incident.events.last().data == {"because": "reply"}


def test_a_reply_that_comes_twice_resumes_once(cast: Cast) -> None:
    waiting = {"hold_reason": "awaiting_caller", "comment": "Which room?"}
    held = hold(incident_in(Status.NEW, cast), actor=as_(cast.anna), **waiting)
    reply(held, "Room 7", actor=as_(cast.rita), submission_key="k")
    hold(held, actor=as_(cast.anna), **waiting)
    assert reply(held, "Room 7", actor=as_(cast.rita), submission_key="k").incident.status == Status.ON_HOLD


def test_an_imported_reply_resumes_at_its_own_instant(cast: Cast) -> None:
    past = timezone.now() - timedelta(days=100)

    def at(user: User, hours: int) -> Actor:
        return Actor(user, Channel.IMPORT, at=past + timedelta(hours=hours))

    incident = open_incident(actor=at(cast.imke, 0), title="Old", requester=cast.imke, team=cast.network)
    held = hold(incident, actor=at(cast.imke, 1), hold_reason="awaiting_caller", comment="Which?")
    answered = reply(held, "That one", actor=at(cast.imke, 2))
    assert answered.incident.status == Status.IN_PROGRESS
    assert answered.incident.events.get(code="incident.resumed").at == past + timedelta(hours=2)


def test_a_reply_does_not_end_waiting_for_a_supplier(cast: Cast) -> None:
    held = incident_in(Status.ON_HOLD, cast)
    assert reply(held, "Any news?", actor=as_(cast.rita)).incident.status == Status.ON_HOLD
    assert resume(held, actor=as_(cast.ben)).status == Status.IN_PROGRESS


@pytest.mark.parametrize("status", [Status.CLOSED, Status.CANCELLED])
def test_a_reply_after_the_end_opens_a_linked_incident_once(cast: Cast, status: Status) -> None:
    ended = incident_in(status, cast)
    answer = reply(ended, "It is back", actor=as_(cast.rita), submission_key="k1")
    again = reply(ended, "It is back", actor=as_(cast.rita), submission_key="k1")
    assert answer.opened_new
    assert answer.incident == again.incident
    assert answer.incident != ended
    link = answer.incident.links_out.get()
    assert (link.kind, link.target_id) == (LinkKind.FOLLOWS, ended.pk)
    assert answer.incident.description == "It is back"
    assert answer.incident.requester == cast.rita
    assert Incident.objects.get(pk=ended.pk).status == status
    assert ended.events.filter(code="incident.followed_up").count() == 1


def test_the_desk_writes_only_notes_after_the_end(cast: Cast) -> None:
    ended = incident_in(Status.CLOSED, cast)
    with pytest.raises(IllegalMove):
        reply(ended, "By the way", actor=as_(cast.anna))
    noted = reply(ended, "By the way", actor=as_(cast.anna), visibility=Visibility.INTERNAL)
    assert noted.comment is not None
    assert not noted.opened_new
    with pytest.raises(IllegalMove):
        reply(ended, "Me too", actor=as_(cast.rolf))


def test_the_reopen_window_counts_from_resolution(cast: Cast) -> None:
    resolved = incident_in(Status.RESOLVED, cast)
    Incident.objects.filter(pk=resolved.pk).update(resolved_at=timezone.now() - timedelta(days=6))
    with pytest.raises(Refused):
        reopen(resolved, actor=as_(cast.rita), comment="Late")
    assert reopen(resolved, actor=as_(cast.anna), comment="For her").status == Status.IN_PROGRESS


def test_auto_close_counts_from_resolution_not_from_the_last_touch(cast: Cast) -> None:
    due, fresh, reopened = (incident_in(Status.RESOLVED, cast) for _ in range(3))
    old = timezone.now() - timedelta(days=5, minutes=1)
    Incident.objects.filter(pk__in=[due.pk, reopened.pk]).update(resolved_at=old)
    reopened.refresh_from_db()
    reopen(reopened, actor=as_(cast.anna), comment="Not yet")
    assert close_resolved() == 1
    assert close_resolved() == 0
    due.refresh_from_db()
    assert due.status == Status.CLOSED
    assert due.closed_at is not None
    event = due.events.last()
    assert event.actor is None
    assert event.channel == Channel.SYSTEM
    assert event.data == {"because": "time"}
    assert Incident.objects.get(pk=fresh.pk).status == Status.RESOLVED


def test_auto_close_follows_the_setting(cast: Cast) -> None:
    IncidentSettings.objects.create(pk=1, auto_close_days=1)
    due = incident_in(Status.RESOLVED, cast)
    Incident.objects.filter(pk=due.pk).update(resolved_at=timezone.now() - timedelta(hours=25))
    assert close_resolved() == 1


def test_a_stale_move_is_refused(cast: Cast) -> None:
    incident = incident_in(Status.NEW, cast)
    start(incident, actor=as_(cast.ben), version=1)
    with pytest.raises(Stale):
        resolve(incident, actor=as_(cast.anna), version=1, **FIELDS["resolve"])


def test_closing_twice_closes_once(cast: Cast) -> None:
    resolved = incident_in(Status.RESOLVED, cast)
    close(resolved, actor=as_(cast.rita))
    with pytest.raises(IllegalMove):
        close(resolved, actor=SYSTEM)
    assert resolved.events.filter(code="incident.closed").count() == 1


def test_an_import_moves_at_its_past_instants(cast: Cast) -> None:
    past = timezone.now() - timedelta(days=3000)

    def at(hours: int) -> Actor:
        return Actor(cast.imke, Channel.IMPORT, at=past + timedelta(hours=hours))

    incident = open_incident(actor=at(0), title="Old", requester=cast.rita, team=cast.network)
    start(incident, actor=at(1))
    resolved = resolve(incident, actor=at(30), **FIELDS["resolve"])
    assert resolved.assignee is None
    assert (resolved.resolved_at, resolved.updated_at) == (past + timedelta(hours=30),) * 2
    moves = resolved.events.filter(code__startswith="incident.")
    assert [event.at for event in moves] == [past + timedelta(hours=hours) for hours in (0, 1, 30)]

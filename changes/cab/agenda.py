"""Who takes part in a board, and which changes stand on its agenda. Reads, never writes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django.db.models import Q

from changes.cab.models import AgendaItem, CabBoard, CabMeeting, MeetingState
from changes.models import Change
from changes.statuses import AHEAD
from itsm.accounts.models import User
from itsm.accounts.roles import Permission
from itsm.conditions import Condition, ConditionError, Context, parse, to_predicate, to_q, to_text
from itsm.tickets.clock import db_now
from itsm.tickets.errors import Invalid
from itsm.tickets.models import Ticket
from itsm.tickets.schema import rule_schema
from itsm.tickets.texts import clean_text

MOST_ITEMS = 200
CONDITION_MAX = 1000


def members_of(board: CabBoard) -> list[User]:
    """Return who takes part: the chair, the members, and those of the teams; active people of the desk, by name."""
    wanted = Q(pk=board.chair_id) | Q(pk__in=board.people.values("pk")) | Q(teams__in=board.teams.values("pk"))
    found = User.objects.active().filter(wanted).distinct().order_by("display_name", "pk")
    return [one for one in found if one.may(Permission.VIEW_TICKETS)]


def clean_condition(text: str) -> dict[str, Any]:
    """Return the stored form of a condition as it is typed.

    Raises:
        Invalid: it cannot be read, or means each reader's own tickets.
    """
    words = clean_text(text, "condition", CONDITION_MAX, required=True)
    try:
        condition = parse(words, rule_schema())
        to_predicate(condition, rule_schema(), Context(user=None, now=db_now(), zone=UTC))
    except ConditionError as error:
        raise Invalid({"condition": str(error)}) from error
    return dict(condition.to_json())


def condition_text(board: CabBoard) -> str:
    """Return the condition as one types it; empty where it can no longer be read."""
    try:
        return to_text(Condition.from_json(board.condition), rule_schema())
    except ConditionError:
        return ""


def chosen(board: CabBoard, now: datetime) -> list[int]:
    """Return the ids of the changes ahead that the board's condition chooses, by planned start; none where it can no
    longer be asked."""
    try:
        wanted = to_q(Condition.from_json(board.condition), rule_schema(), Context(user=None, now=now, zone=UTC))
    except ConditionError:
        return []
    tickets = Ticket.objects.filter(wanted, kind="change", status__in=AHEAD)
    rows = Change.objects.filter(pk__in=tickets.values("pk")).order_by("planned_start", "pk")
    return list(rows.values_list("pk", flat=True)[:MOST_ITEMS])


def agenda_of(meeting: CabMeeting, now: datetime) -> list[AgendaItem]:
    """Return the agenda in order: pinned changes, then, as long as the meeting has not begun, what the condition finds
    now as items that are not stored."""
    stored = list(
        meeting.items.select_related(
            "change__service", "change__assignee", "change__team", "change__requester", "decided_by"
        ).order_by("position", "pk")
    )
    if meeting.state != MeetingState.PLANNED:
        return stored
    known = {item.change_id for item in stored}
    ids = [pk for pk in chosen(meeting.board, now) if pk not in known]
    changes = Change.objects.select_related("service", "assignee", "team", "requester").in_bulk(ids)
    return stored + [
        AgendaItem(meeting=meeting, change=changes[pk], position=len(stored) + number)
        for number, pk in enumerate(ids, start=1)
        if pk in changes
    ]


def approvers(ticket: Any) -> Iterable[User]:
    """Return the members of the boards that decide on the ticket: it stands on an agenda ahead, or their condition
    chooses it."""
    pinned = AgendaItem.objects.filter(
        change=ticket.pk, meeting__state__in=(MeetingState.PLANNED, MeetingState.RUNNING), decision=""
    ).values_list("meeting__board", flat=True)
    boards = [one for one in CabBoard.objects.filter(is_active=True) if one.pk in set(pinned) or _chooses(one, ticket)]
    return list({person.pk: person for board in boards for person in members_of(board)}.values())


def _chooses(board: CabBoard, ticket: Any) -> bool:
    try:
        asked = to_predicate(
            Condition.from_json(board.condition), rule_schema(), Context(user=None, now=db_now(), zone=UTC)
        )
    except ConditionError:
        return False
    return ticket.kind == "change" and asked(ticket)

"""Verbs of the CAB: boards, meetings, agenda, decisions. Chairs run their meetings; change managers may do all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from changes.cab.agenda import chosen, clean_condition, members_of
from changes.cab.inviting import invite, is_due
from changes.cab.models import AgendaItem, CabBoard, CabMeeting, Decision, MeetingState
from changes.models import Change
from changes.schedule.actions import NAME_MAX, REASON_MAX, clean_rule, require_manager
from changes.schedule.occurrences import next_occurrences
from changes.schedule.recurrence import Recurrence
from changes.statuses import AHEAD
from itsm.accounts.changelog import Deed, check_seen, record_change, state_of
from itsm.accounts.models import Team, User
from itsm.accounts.roles import Permission
from itsm.approvals.actions import decide
from itsm.approvals.models import ApprovalRound
from itsm.tickets.actions import lock
from itsm.tickets.actors import Actor
from itsm.tickets.clock import db_now
from itsm.tickets.errors import IllegalMove, Invalid, Refused
from itsm.tickets.log import write
from itsm.tickets.texts import clean_text

BOARD_FIELDS = ("name", "chair", "people", "teams", "rule", "condition", "place", "notice_days", "is_active")
KEPT_AHEAD, FAR = 3, timedelta(days=400)
LONGEST_NOTICE = 30
WORDS_MAX, MINUTES_MAX, PLACE_MAX = 4000, 20_000, 500


def may_run(actor: Actor, board: CabBoard) -> bool:
    """Return whether the actor runs the board's meetings: its chair, and change managers."""
    is_chair = actor.user is not None and actor.user.pk == board.chair_id
    return is_chair or actor.may(Permission.MANAGE_CHANGES)


def _require_runner(actor: Actor, board: CabBoard) -> None:
    if not may_run(actor, board):
        raise Refused(_("Only the chair of this board, or a change manager, can do this."))


@transaction.atomic
def save_board(
    board: CabBoard | None,
    *,
    name: str,
    chair: User,
    rule: Recurrence | Mapping[str, Any],
    condition: str,
    actor: Actor,
    people: Iterable[User] = (),
    teams: Iterable[Team] = (),
    place: str = "",
    notice_days: int = 2,
    is_active: bool = True,
    seen: str = "",
) -> CabBoard:
    """Create the board (None) or change it, and return it. Meetings ahead follow its times: those that fall away are
    cancelled, others are made, and who was invited already is told.

    Raises:
        Refused, Invalid, ChangedMeanwhile.
    """
    require_manager(actor)
    title = clean_text(name, "name", NAME_MAX, required=True, one_line=True)
    where = clean_text(place, "place", PLACE_MAX, one_line=True)
    recurrence, asked = clean_rule(rule), clean_condition(condition)
    if not chair.is_active or not chair.may(Permission.VIEW_TICKETS):
        raise Invalid({"chair": _("Choose somebody of the service desk whose account is open.")})
    if not 0 <= notice_days <= LONGEST_NOTICE:
        raise Invalid({"notice_days": _("Invite %(most)d days before at most.") % {"most": LONGEST_NOTICE}})
    fresh = CabBoard.objects.select_for_update().get(pk=board.pk) if board else CabBoard()
    before = state_of(fresh, BOARD_FIELDS) if board else {}
    check_seen(before, seen)
    if CabBoard.objects.filter(name__iexact=title).exclude(pk=fresh.pk).exists():
        raise Invalid({"name": _("There is a board of this name already. Open it, or choose another name.")})
    now = db_now()
    moved_place = bool(board) and where != fresh.place
    fresh.name, fresh.chair, fresh.place, fresh.notice_days, fresh.is_active = (
        title,
        chair,
        where,
        notice_days,
        is_active,
    )
    fresh.rule, fresh.condition = recurrence.to_json(), asked
    fresh.updated_at, fresh.updated_by = now, actor.user
    fresh.save()
    fresh.people.set(people)
    fresh.teams.set(teams)
    deed = Deed.CHANGED if board else Deed.CREATED
    record_change(actor.user, deed, fresh, before, state_of(fresh, BOARD_FIELDS))
    _follow_times(fresh, now, moved=moved_place)
    return fresh


def _follow_times(board: CabBoard, now: datetime, *, moved: bool) -> None:
    """Bring the meetings ahead to the board's times. A meeting that still has its place keeps its agenda."""
    wanted = (
        {one.start: one.end for one in next_occurrences(board.recurrence, now, KEPT_AHEAD, within=FAR)}
        if board.is_active
        else {}
    )
    ahead = board.meetings.select_for_update().filter(state=MeetingState.PLANNED, starts_at__gt=now)
    for meeting in ahead:
        end = wanted.pop(meeting.starts_at, None)
        if end is None:
            _call_off(meeting, _("The board's times have changed."), now)
            continue
        if end != meeting.ends_at or moved:
            meeting.ends_at, meeting.sequence = end, meeting.sequence + 1
            meeting.save(update_fields=["ends_at", "sequence"])
        if meeting.invitations.exists():
            invite(meeting, now)
    taken = set(board.meetings.exclude(state=MeetingState.CANCELLED).values_list("starts_at", flat=True))
    for start, end in wanted.items():
        if start not in taken:
            made = CabMeeting.objects.create(board=board, starts_at=start, ends_at=end)
            if is_due(made, now):
                invite(made, now)


@transaction.atomic
def look_ahead(board: CabBoard, now: datetime) -> int:
    """Make the board's next meetings where they are missing, invite to those whose notice is due, and return how many
    people were told. Doing it again does nothing."""
    locked = CabBoard.objects.select_for_update().get(pk=board.pk)
    if not locked.is_active:
        return 0
    last = locked.meetings.filter(starts_at__gt=now).aggregate(last=Max("starts_at"))["last"] or now
    count = locked.meetings.filter(starts_at__gt=now).exclude(state=MeetingState.CANCELLED).count()
    for one in next_occurrences(locked.recurrence, last, KEPT_AHEAD, within=FAR):
        # One that was cancelled by hand does not come back.
        if count < KEPT_AHEAD and not locked.meetings.filter(starts_at=one.start).exists():
            CabMeeting.objects.create(board=locked, starts_at=one.start, ends_at=one.end)
            count += 1
    told = 0
    for meeting in (
        locked.meetings.select_for_update(of=("self",))
        .select_related("board__chair")
        .filter(state=MeetingState.PLANNED, starts_at__gt=now, starts_at__lte=now + timedelta(days=locked.notice_days))
    ):
        told += invite(meeting, now)
    return told


@transaction.atomic
def pin(meeting: CabMeeting, change: Change, *, actor: Actor) -> AgendaItem:
    """Put the change on the agenda, whatever the condition says, and return the item. Pinned already: the same.

    Raises:
        Refused: not a person who works on tickets. IllegalMove: the meeting is over, or the change is.
    """
    if not (actor.may(Permission.WORK_TICKETS) or may_run(actor, meeting.board)):
        raise Refused(_("Only the service desk can do this."))
    locked = _locked(meeting, MeetingState.PLANNED, MeetingState.RUNNING)
    if change.status not in AHEAD:
        raise IllegalMove(_("%(number)s has been made or cancelled already.") % {"number": change.number})
    known = locked.items.filter(change=change).first()
    if known is not None:
        return known
    last = locked.items.aggregate(last=Max("position"))["last"] or 0
    return AgendaItem.objects.create(
        meeting=locked, change=change, position=last + 1, is_pinned=True, pinned_by=actor.user
    )


@transaction.atomic
def unpin(item: AgendaItem, *, actor: Actor) -> None:
    """Take a pinned change off the agenda. Gone already: nothing happens.

    Raises:
        Refused: neither who runs the meeting nor who pinned it. IllegalMove: the meeting has begun.
    """
    made_it = actor.user is not None and item.pinned_by_id == actor.user.pk
    if not made_it:
        _require_runner(actor, item.meeting.board)
    _locked(item.meeting, MeetingState.PLANNED)
    AgendaItem.objects.filter(pk=item.pk).delete()


@transaction.atomic
def start_meeting(meeting: CabMeeting, *, actor: Actor) -> CabMeeting:
    """Begin the meeting: its agenda is what stands on it now. Begun already: nothing happens.

    Raises:
        Refused, IllegalMove.
    """
    _require_runner(actor, meeting.board)
    locked = _locked(meeting, MeetingState.PLANNED, MeetingState.RUNNING)
    if locked.state == MeetingState.RUNNING:
        return locked
    if locked.board.meetings.filter(state=MeetingState.RUNNING).exists():
        raise IllegalMove(_("Another meeting of this board is under way. End it first."))
    now = db_now()
    known = set(locked.items.values_list("change_id", flat=True))
    last = locked.items.aggregate(last=Max("position"))["last"] or 0
    found = [pk for pk in chosen(locked.board, now) if pk not in known]
    AgendaItem.objects.bulk_create(
        AgendaItem(meeting=locked, change_id=pk, position=last + number) for number, pk in enumerate(found, start=1)
    )
    locked.state, locked.started_at, locked.chair = MeetingState.RUNNING, now, actor.user
    locked.save(update_fields=["state", "started_at", "chair"])
    return locked


def decide_item(item: AgendaItem, decision: str, *, words: str, actor: Actor) -> AgendaItem:
    """Record what the meeting decided on the change, and return the item.

    Approving and rejecting decide the authorisation that the change waits for, in the actor's name, who must be asked
    by it: the board stands in the approval policy as the group “CAB”. What the approval refuses is not recorded.
    Deferring leaves the change as it is and puts it on the agenda of the next meeting. The same again changes nothing.

    Raises:
        Refused, Invalid, IllegalMove: also what `itsm.approvals.actions.decide` raises.
    """
    _require_runner(actor, item.meeting.board)
    said = clean_text(words, "words", WORDS_MAX)
    if decision not in Decision.values:
        raise Invalid({"decision": _("Approve, reject or defer.")})
    if decision == Decision.REJECT and not said:
        raise Invalid({"words": _("Say why, so that the plan can be improved.")})
    _check_undecided(item, decision)
    if decision != Decision.DEFER:
        # In a transaction of its own: a refusal is put on record there, and must stay.
        waiting = ApprovalRound.objects.live().filter(ticket=item.change_id, purpose="authorise").first()
        if waiting is None:
            if not _was_decided(item, decision):
                raise IllegalMove(_("This change does not wait to be authorised now. Defer it, or go on."))
        else:
            decide(waiting, actor=actor, decision=decision, comment=said)
    return _record(item, decision, said, actor)


def _check_undecided(item: AgendaItem, decision: str) -> None:
    fresh = AgendaItem.objects.select_related("meeting").get(pk=item.pk)
    if fresh.meeting.state != MeetingState.RUNNING:
        raise IllegalMove(_("This meeting is not under way."))
    if fresh.decision and fresh.decision not in (decision, Decision.DEFER):
        raise IllegalMove(_("The meeting has decided on this change already."))


def _was_decided(item: AgendaItem, decision: str) -> bool:
    """Whether the last authorisation ended so during this meeting: by somebody else, or by us before we could note
    it."""
    ended = ApprovalRound.objects.filter(ticket=item.change_id, purpose="authorise").order_by("-pk").first()
    state = {Decision.APPROVE: "approved", Decision.REJECT: "rejected"}[Decision(decision)]
    begun = item.meeting.started_at
    if ended is None or ended.ended_at is None or begun is None:
        return False
    return bool(ended.state == state and ended.ended_at >= begun)


@transaction.atomic
def _record(item: AgendaItem, decision: str, words: str, actor: Actor) -> AgendaItem:
    change = lock(item.change)
    fresh = AgendaItem.objects.select_for_update(of=("self",)).select_related("meeting__board").get(pk=item.pk)
    if fresh.decision == decision and fresh.words == words:
        return fresh
    now = db_now()
    fresh.decision, fresh.words, fresh.decided_by, fresh.decided_at = decision, words, actor.user, now
    fresh.save(update_fields=["decision", "words", "decided_by", "decided_at"])
    data = {
        "decision": decision,
        "board": fresh.meeting.board.name,
        "meeting": fresh.meeting.public_id,
        "minutes": words,
    }
    write(change, "change.cab_decided", actor=actor, data=data, bump=False, at=now)
    if decision == Decision.DEFER:
        _carry_over(fresh, actor)
    return fresh


def _carry_over(item: AgendaItem, actor: Actor) -> None:
    """Put a deferred change on the agenda of the board's next meeting, if there is one and it is still ahead."""
    board, begun = item.meeting.board, item.meeting.starts_at
    following = board.meetings.filter(state=MeetingState.PLANNED, starts_at__gt=begun).order_by("starts_at").first()
    if following is None or following.items.filter(change=item.change_id).exists():
        return
    last = following.items.aggregate(last=Max("position"))["last"] or 0
    AgendaItem.objects.create(
        meeting=following, change_id=item.change_id, position=last + 1, is_pinned=True, pinned_by=actor.user
    )


@transaction.atomic
def end_meeting(meeting: CabMeeting, *, minutes: str = "", actor: Actor) -> CabMeeting:
    """End the meeting. What it did not come to is deferred. Ended already: only the minutes are brought up to date.

    Raises:
        Refused, Invalid, IllegalMove.
    """
    _require_runner(actor, meeting.board)
    said = clean_text(minutes, "minutes", MINUTES_MAX)
    locked = _locked(meeting, MeetingState.RUNNING, MeetingState.HELD)
    if locked.state == MeetingState.RUNNING:
        for item in locked.items.select_related("change", "meeting__board").filter(decision="").order_by("change_id"):
            _record(item, Decision.DEFER, _("The meeting did not come to it."), actor)
        locked.state, locked.ended_at = MeetingState.HELD, db_now()
    locked.minutes = said
    locked.save(update_fields=["state", "ended_at", "minutes"])
    return locked


@transaction.atomic
def cancel_meeting(meeting: CabMeeting, *, reason: str, actor: Actor) -> CabMeeting:
    """Cancel a meeting that has not begun; who was invited is told. Pinned changes go to the next one.

    Raises:
        Refused, Invalid: no reason. IllegalMove.
    """
    _require_runner(actor, meeting.board)
    why = clean_text(reason, "reason", REASON_MAX, required=True)
    locked = _locked(meeting, MeetingState.PLANNED)
    now = db_now()
    _call_off(locked, why, now)
    for item in locked.items.select_related("meeting__board").filter(is_pinned=True):
        _carry_over(item, actor)
    record_change(actor.user, Deed.CHANGED, locked.board, {"meeting": str(locked)}, {"meeting": why})
    return locked


def _call_off(meeting: CabMeeting, why: str, now: datetime) -> None:
    meeting.state, meeting.cancel_reason, meeting.sequence = MeetingState.CANCELLED, why, meeting.sequence + 1
    meeting.save(update_fields=["state", "cancel_reason", "sequence"])
    invite(meeting, now)


@transaction.atomic
def invite_now(meeting: CabMeeting, *, actor: Actor) -> int:
    """Invite everybody who takes part and was not told yet, before the notice is due; return how many were told.

    Raises:
        Refused, IllegalMove.
    """
    _require_runner(actor, meeting.board)
    return invite(_locked(meeting, MeetingState.PLANNED), db_now())


def _locked(meeting: CabMeeting, *states: str) -> CabMeeting:
    rows = CabMeeting.objects.select_for_update(of=("self",)).select_related("board__chair")
    locked: CabMeeting = rows.get(pk=meeting.pk)
    if locked.state not in states:
        raise IllegalMove(
            _("This meeting is %(state)s. Load the page again.") % {"state": locked.get_state_display().lower()}
        )
    return locked


def is_member(user: User, board: CabBoard) -> bool:
    """Return whether the person takes part in the board."""
    return user.pk in {one.pk for one in members_of(board)}

"""The pages of the CAB: boards, a meeting with its agenda or minutes, and the run sheet of one that is under way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from changes.approving import PLAN_LABELS
from changes.cab.actions import (
    BOARD_FIELDS,
    cancel_meeting,
    decide_item,
    end_meeting,
    invite_now,
    may_run,
    pin,
    save_board,
    start_meeting,
    unpin,
)
from changes.cab.agenda import agenda_of, condition_text, members_of
from changes.cab.forms import BoardForm
from changes.cab.models import AgendaItem, CabBoard, CabMeeting, Decision, MeetingState
from changes.models import Change
from changes.schedule.panel import conflict_rows
from changes.schedule.views.access import actor_of, desk, submit, viewer_of
from itsm.accounts.changelog import fingerprint, state_of
from itsm.accounts.roles import Permission
from itsm.approvals.models import ApprovalRound
from itsm.desk.answers import status_of
from itsm.tickets.clock import db_now
from itsm.tickets.errors import Invalid, VerbError
from itsm.tickets.querysets import get_visible

SEE_OTHER = 303
MOST_MEETINGS = 40


def find_meeting(ref: str) -> CabMeeting:
    """Return the meeting, or answer 404."""
    return get_object_or_404(CabMeeting.objects.select_related("board__chair", "chair"), public_id=ref)


def find_item(ref: str) -> AgendaItem:
    """Return the agenda item, or answer 404."""
    return get_object_or_404(AgendaItem.objects.select_related("meeting__board__chair", "change"), public_id=ref)


@require_safe
@desk()
def boards(request: HttpRequest) -> HttpResponse:
    """All boards, and when each meets next."""
    now = db_now()
    rows = CabBoard.objects.select_related("chair").order_by("-is_active", "name")
    ahead: dict[int, CabMeeting] = {}
    going = Q(state=MeetingState.RUNNING) | Q(state=MeetingState.PLANNED, ends_at__gt=now)
    for meeting in CabMeeting.objects.filter(going).order_by("-starts_at"):
        ahead[meeting.board_id] = meeting
    context = {
        "boards": [(row, row.recurrence, ahead.get(row.pk)) for row in rows],
        "manages": viewer_of(request).may(Permission.MANAGE_CHANGES),
    }
    return render(request, "changes/cab/boards.html", context)


@require_safe
@desk()
def board(request: HttpRequest, ref: str) -> HttpResponse:
    """A board: who takes part, what its agenda takes, its meetings."""
    found = get_object_or_404(CabBoard.objects.select_related("chair"), public_id=ref)
    meetings = found.meetings.annotate(count=Count("items")).order_by("-starts_at")[:MOST_MEETINGS]
    context = {
        "board": found,
        "rule": found.recurrence,
        "members": members_of(found),
        "condition": condition_text(found),
        "meetings": meetings,
        "manages": viewer_of(request).may(Permission.MANAGE_CHANGES),
    }
    return render(request, "changes/cab/board.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@desk(Permission.MANAGE_CHANGES)
def edit_board(request: HttpRequest, ref: str = "") -> HttpResponse:
    """Set up a board or change it."""
    found = get_object_or_404(CabBoard.objects.select_related("chair"), public_id=ref) if ref else None
    status = 200
    if request.method == "POST":
        form = BoardForm(request.POST)
        saved, status = submit(
            form,
            lambda _values: save_board(found, actor=actor_of(request), **form.said()),
            state=lambda: state_of(CabBoard.objects.get(pk=found.pk), BOARD_FIELDS) if found else {},
        )
        if saved is not None:
            messages.success(request, _("“%(name)s” is saved.") % {"name": saved.name})
            return redirect("cab:board", ref=saved.public_id)
    else:
        zone = timezone.get_current_timezone_name()
        initial = BoardForm.initial_of(found, timezone.localdate(), zone, viewer_of(request))
        if found is not None:
            initial["seen"] = fingerprint(state_of(found, BOARD_FIELDS))
        form = BoardForm(initial=initial)
    return render(request, "changes/cab/edit.html", {"board": found, "form": form}, status=status)


@require_safe
@desk()
def meeting(request: HttpRequest, ref: str) -> HttpResponse:
    """The agenda of a meeting ahead, or the minutes of one that was held."""
    return _meeting_page(request, find_meeting(ref))


def _meeting_page(request: HttpRequest, found: CabMeeting, status: int = 200, **more: Any) -> HttpResponse:
    actor = actor_of(request)
    items = agenda_of(found, db_now())
    runs = may_run(actor, found.board)
    context: dict[str, Any] = {
        "meeting": found,
        "items": items,
        "members": members_of(found.board),
        "runs": runs,
        "may_pin": found.state in (MeetingState.PLANNED, MeetingState.RUNNING)
        and (runs or actor.may(Permission.WORK_TICKETS)),
        "me": viewer_of(request),
        "decisions": {code: sum(item.decision == code for item in items) for code in Decision.values},
        **more,
    }
    return render(request, "changes/cab/meeting.html", context, status=status)


@require_safe
@desk()
def present(request: HttpRequest, ref: str) -> HttpResponse:
    """The run sheet: one change at a time, with what one has to know to decide."""
    found = find_meeting(ref)
    if found.state != MeetingState.RUNNING:
        return redirect("cab:meeting", ref=ref)
    return _present_page(request, found, request.GET.get("item", ""))


def _present_page(request: HttpRequest, found: CabMeeting, ref: str, status: int = 200, **more: Any) -> HttpResponse:
    items = agenda_of(found, db_now())
    index = next((number for number, item in enumerate(items) if item.public_id == ref), None)
    if index is None:
        index = next((number for number, item in enumerate(items) if not item.decision), 0)
    item = items[index] if items else None
    context: dict[str, Any] = {
        "meeting": found,
        "items": items,
        "item": item,
        "number": index + 1,
        "previous": items[index - 1] if items and index > 0 else None,
        "next": items[index + 1] if index + 1 < len(items) else None,
        "left": sum(1 for one in items if not one.decision),
        "runs": may_run(actor_of(request), found.board),
        **(_about(item.change) if item is not None else {}),
        **more,
    }
    return render(request, "changes/cab/present.html", context, status=status)


def _about(change: Change) -> Mapping[str, Any]:
    rounds = ApprovalRound.objects.filter(ticket=change.pk).prefetch_related("stages__asks__person").order_by("pk")
    return {
        "change": change,
        "plans": [(label, getattr(change, name)) for name, label in PLAN_LABELS.items()],
        "services": [row.service for row in change.affected_rows.select_related("service").order_by("service__name")],
        "factors": [factor for factor in change.risk_factors if factor["points"]],
        "conflicts": conflict_rows(change),
        "rounds": rounds,
        "is_waiting": any(one.state in ("open", "parked") and one.purpose == "authorise" for one in rounds),
    }


@require_POST
@desk()
def start(request: HttpRequest, ref: str) -> HttpResponse:
    """Begin the meeting and show its first change."""
    start_meeting(find_meeting(ref), actor=actor_of(request))
    return HttpResponseRedirect(reverse("cab:present", args=[ref]), status=SEE_OTHER)


@require_POST
@desk()
def end(request: HttpRequest, ref: str) -> HttpResponse:
    """End the meeting, or bring its minutes up to date."""
    end_meeting(find_meeting(ref), minutes=request.POST.get("minutes", ""), actor=actor_of(request))
    messages.success(request, _("The minutes are saved."))
    return _to_meeting(ref)


@require_POST
@desk()
def cancel(request: HttpRequest, ref: str) -> HttpResponse:
    """Cancel the meeting."""
    found = find_meeting(ref)
    try:
        cancel_meeting(found, reason=request.POST.get("reason", ""), actor=actor_of(request))
    except Invalid as error:
        return _meeting_page(request, found, 422, problem=error.message)
    messages.success(request, _("The meeting is cancelled, and who was invited is told."))
    return _to_meeting(ref)


@require_POST
@desk()
def invite(request: HttpRequest, ref: str) -> HttpResponse:
    """Invite now who was not told yet."""
    told = invite_now(find_meeting(ref), actor=actor_of(request))
    messages.success(request, _("People told: %(count)d.") % {"count": told})
    return _to_meeting(ref)


@require_POST
@desk()
def pin_change(request: HttpRequest, ref: str) -> HttpResponse:
    """Put a change on the agenda."""
    found = find_meeting(ref)
    number = request.POST.get("change", "").strip()
    known = Change.objects.visible_to(viewer_of(request)).by_ref(number).first() if number.isalnum() else None
    if known is None:
        problem = _("There is no change “%(number)s”. Write its number, such as CHG0030001.") % {"number": number[:40]}
        return _meeting_page(request, found, 422, problem=problem)
    pin(found, get_visible(Change.objects.all(), viewer_of(request), number), actor=actor_of(request))
    messages.success(request, _("%(number)s stands on the agenda.") % {"number": known.number})
    return _to_meeting(ref)


@require_POST
@desk()
def unpin_change(request: HttpRequest, ref: str) -> HttpResponse:
    """Take a pinned change off the agenda."""
    item = find_item(ref)
    unpin(item, actor=actor_of(request))
    return _to_meeting(item.meeting.public_id)


@require_POST
@desk()
def decide(request: HttpRequest, ref: str) -> HttpResponse:
    """Record a decision and show the next change."""
    item = find_item(ref)
    words, decision = request.POST.get("words", ""), request.POST.get("decision", "")
    try:
        decide_item(item, decision, words=words, actor=actor_of(request))
    except VerbError as error:
        return _present_page(request, item.meeting, ref, status_of(error), problem=error.message, typed=words)
    following = item.meeting.items.filter(decision="").order_by("position", "pk").first()
    query = f"?item={following.public_id}" if following is not None else f"?item={ref}"
    return HttpResponseRedirect(reverse("cab:present", args=[item.meeting.public_id]) + query, status=SEE_OTHER)


def _to_meeting(ref: str) -> HttpResponse:
    return HttpResponseRedirect(reverse("cab:meeting", args=[ref]), status=SEE_OTHER)

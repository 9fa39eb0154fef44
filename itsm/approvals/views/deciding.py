"""What waits for the person, what they have decided, and one approval with approve and reject."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from itsm.accounts.models import User
from itsm.approvals.actions import NotDecided, decide, request_approval
from itsm.approvals.models import ApprovalRound, Ask
from itsm.approvals.reading import Page, find_round, page_for, summary_of, views_of
from itsm.approvals.subjects import subject_of
from itsm.desk.answers import done, refused
from itsm.notifications.addresses import ticket_path
from itsm.tickets.actors import Actor, Channel
from itsm.tickets.clock import db_now
from itsm.tickets.errors import Invalid, Refused, VerbError
from itsm.tickets.paging import page_of
from itsm.tickets.querysets import sees_all_tickets

ROWS = 25
TABS = ("waiting", "decided")


def viewer_of(request: HttpRequest) -> User:
    """Return the person signed in; only for views behind `login_required`."""
    return cast(User, request.user)


def actor_of(request: HttpRequest) -> Actor:
    """Return the person signed in, by the road of their pages."""
    user = viewer_of(request)
    return Actor(user, Channel.DESK if user.is_staff else Channel.PORTAL)


def shell_of(user: User) -> str:
    """Return the frame of the person's pages."""
    return "shells/desk.html" if user.is_staff else "shells/portal.html"


@login_required
@require_safe
def waiting(request: HttpRequest) -> HttpResponse:
    """List what waits for the person, or (`?tab=decided`) what they were asked before."""
    viewer, now = viewer_of(request), db_now()
    tab = request.GET.get("tab", "waiting")
    if tab not in TABS:
        tab = "waiting"
    open_asks = Ask.objects.waiting_for(viewer, now)
    rows = open_asks if tab == "waiting" else Ask.objects.of(viewer, now).exclude(pk__in=open_asks.values("pk"))
    rows = rows.select_related("person", "decided_by", "stage__round__ticket", "stage__round__requested_by")
    try:
        page = page_of(rows, ("id",) if tab == "waiting" else ("-id",), limit=ROWS, cursor=request.GET.get("cursor"))
    except Invalid as error:
        messages.warning(request, error.message)
        return redirect("approvals:list")
    context = {
        "tab": tab,
        "rows": [_row(ask, viewer) for ask in page.rows],
        "next_url": _page_url(tab, page.next_cursor),
        "previous_url": _page_url(tab, page.previous_cursor),
        "shell": shell_of(viewer),
    }
    return render(request, "approvals/list.html", context)


def _row(ask: Ask, viewer: User) -> dict[str, Any]:
    round_ = ask.stage.round
    return {
        "ask": ask,
        "round": round_,
        "ticket": round_.ticket,
        "purpose": subject_of(round_.ticket.kind).purpose_label(round_.purpose),
        "giver": ask.person if ask.person_id != viewer.pk else None,
    }


def _page_url(tab: str, cursor: str | None) -> str:
    return f"{reverse('approvals:list')}?{urlencode({'tab': tab, 'cursor': cursor})}" if cursor else ""


@login_required
@require_safe
def detail(request: HttpRequest, ref: str) -> HttpResponse:
    """Show one approval: what is planned, and approve and reject where the person can."""
    return _detail(request, page_for(find_round(ref, viewer_of(request)), viewer_of(request)))


def _detail(request: HttpRequest, page: Page, *, status: int = 200, **more: Any) -> HttpResponse:
    for_desk = sees_all_tickets(page.viewer)
    context: dict[str, Any] = {
        "page": page,
        "round": page.round,
        "ticket": page.ticket,
        "purpose": subject_of(page.ticket.kind).purpose_label(page.round.purpose),
        "shell": shell_of(page.viewer),
        "for_desk": for_desk,
        "own": _own(page),
        "successor": _successor(page),
        **more,
    }
    if for_desk:
        context["view"] = views_of([page.round], db_now())[0]
        context["ticket_url"] = ticket_path(page.ticket, page.viewer)
    # People without rights at the desk see a plan while they are asked about it, not how it goes on later.
    if for_desk or page.round.is_live:
        context["summary"] = summary_of(page.ticket, page.viewer, request)
    return render(request, "approvals/detail.html", context, status=status)


def _own(page: Page) -> list[Ask]:
    """Return what the viewer has answered in this round."""
    asks = Ask.objects.filter(stage__round=page.round, decided_by=page.viewer).select_related("person", "stage")
    return list(asks.order_by("pk"))


def _successor(page: Page) -> ApprovalRound | None:
    following = page.round.successor
    if following is None:
        return None
    found: ApprovalRound | None = (
        ApprovalRound.objects.visible_to(page.viewer, db_now()).filter(pk=following.pk).first()
    )
    return found


@login_required
@require_POST
def answer(request: HttpRequest, ref: str) -> HttpResponse:
    """Approve or reject as the person, or as the delegate of the one whose ask is named."""
    viewer = viewer_of(request)
    found = find_round(ref, viewer)
    asks = Ask.objects.filter(stage__round=found).select_related("person")
    ask = asks.filter(public_id=request.POST.get("ask", "")[:32].replace("\x00", "")).first()
    giver = ask.person if ask is not None and ask.person_id != viewer.pk else None
    comment = request.POST.get("comment", "")
    try:
        decide(
            found,
            actor=actor_of(request),
            decision=request.POST.get("decision", ""),
            comment=comment,
            on_behalf_of=giver,
            seen=request.POST.get("seen") or None,
        )
    except VerbError as error:
        return _refused(request, found, error, comment)
    messages.success(request, _("Your answer is recorded. Thank you."))
    return redirect("approvals:detail", ref=found.public_id)


def _refused(request: HttpRequest, found: ApprovalRound, error: VerbError, comment: str) -> HttpResponse:
    viewer = viewer_of(request)
    fresh = find_round(found.public_id, viewer)
    if isinstance(error, NotDecided) and fresh.successor is not None:
        messages.warning(request, error.message)
        following = ApprovalRound.objects.visible_to(viewer, db_now()).filter(pk=fresh.successor.pk).first()
        return redirect("approvals:detail", ref=(following or fresh).public_id)
    status = 422 if isinstance(error, Invalid) else 403 if isinstance(error, Refused) else 409
    problems = error.fields if isinstance(error, Invalid) else {}
    return _detail(
        request,
        page_for(fresh, viewer),
        status=status,
        comment=comment,
        comment_problem=problems.get("comment", ""),
        refusal="" if "comment" in problems else error.message,
    )


@login_required
@require_POST
def again(request: HttpRequest, ref: str) -> HttpResponse:
    """Ask everybody anew, because the plan has changed since they were asked."""
    found = find_round(ref, viewer_of(request))
    from_ticket = request.POST.get("back") == "ticket" and sees_all_tickets(viewer_of(request))
    try:
        made = request_approval(found.ticket, actor=actor_of(request), purpose=found.purpose)
    except VerbError as error:
        if from_ticket:
            return refused(request, found.ticket, error)
        return _refused(request, found, error, "")
    same = made.pk == found.pk
    text = _("The plan is as it was when people were asked. They go on being asked.")
    text = text if same else _("Everybody is asked anew.")
    if from_ticket:
        return done(request, found.ticket, text)
    messages.success(request, text)
    return redirect("approvals:detail", ref=made.public_id)

"""The page behind the link in a mail. Opening it changes nothing, since mail scanners open every link."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from itsm.approvals.actions import APPROVE, REJECT, NotDecided, decide, is_delegate
from itsm.approvals.actions.deciding import decided_words
from itsm.approvals.actions.refusals import audit_refusal
from itsm.approvals.links import BadLink, ReadLink, read_token
from itsm.approvals.models import Ask, AskState, RoundState
from itsm.approvals.reading import page_for, summary_of
from itsm.approvals.subjects import subject_of
from itsm.notifications.compose import language_of
from itsm.tickets.actions import lock
from itsm.tickets.actors import Actor, Channel
from itsm.tickets.clock import db_now
from itsm.tickets.errors import Invalid, Refused, VerbError

GONE = 410
JUST_NOW = 60  # seconds in which the page after an answer thanks for it


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def link(request: HttpRequest, token: str) -> HttpResponse:
    """Show what is to be approved to the person to whom the mail was sent and, on POST, decide as them."""
    try:
        read = read_token(token)
    except BadLink:
        text = _("This link is not valid. Copy the whole address from the mail, or sign in to see what waits for you.")
        return render(request, "approvals/link_end.html", {"text": text}, status=404)
    with translation.override(language_of(read.reader)), timezone.override(read.reader.zone):
        return _post(request, read, token) if request.method == "POST" else _get(request, read)


def _get(request: HttpRequest, read: ReadLink) -> HttpResponse:
    over = _over(read)
    if over:
        return _end(request, read, over, status=GONE)
    if read.is_expired:
        return _end(request, read, _too_old(), status=GONE)
    return _form(request, read)


def _post(request: HttpRequest, read: ReadLink, token: str) -> HttpResponse:
    """Decide. What does not count is on record: a link that was used or is too old here, the rest by the verb."""
    decision = request.POST.get("decision", "")
    if decision in (APPROVE, REJECT) and (read.ask.is_decided or read.is_expired):
        _audit(read, decision, "link_used" if read.ask.is_decided else "link_expired")
        return _end(request, read, _over(read) or _too_old(), status=GONE)
    comment = request.POST.get("comment", "")
    round_ = read.ask.stage.round
    try:
        decide(
            round_,
            actor=Actor(read.reader, Channel.MAIL),
            decision=decision,
            comment=comment,
            on_behalf_of=read.on_behalf_of,
            seen=request.POST.get("seen") or None,
        )
    except Invalid as error:
        return _form(request, read, comment=comment, problems=error.fields, status=422)
    except VerbError as error:
        status = 403 if isinstance(error, Refused) else GONE if isinstance(error, NotDecided) else 409
        return _end(request, read, error.message, status=status)
    return redirect("approvals:link", token=token)


def _audit(read: ReadLink, decision: str, why: str) -> None:
    with transaction.atomic():
        round_ = read.ask.stage.round
        ticket = lock(round_.ticket)
        actor = Actor(read.reader, Channel.MAIL)
        audit_refusal(ticket, round_, actor=actor, decision=decision, why=why, now=db_now())


def _too_old() -> str:
    return _("This link is too old. Sign in to see whether you are still asked.")


def _over(read: ReadLink) -> str:
    """Return why the link does nothing any more; empty while it does."""
    ask, round_ = read.ask, read.ask.stage.round
    if ask.is_decided:
        values = {"number": round_.ticket.number, "state": ask.get_state_display().lower()}
        if ask.decided_by_id == read.reader.pk:
            return _("This link has been used: your answer on %(number)s is “%(state)s”.") % values
        return decided_words(ask)
    if round_.state == RoundState.WITHDRAWN:
        return _("The request was withdrawn. You need not do anything.")
    if round_.state == RoundState.SUPERSEDED:
        return _("The plan changed and everybody was asked anew. If you are still asked, you have another mail.")
    if ask.state != AskState.ASKED:
        return decided_words(ask)
    if read.on_behalf_of is not None and not is_delegate(read.reader, ask.person, round_.ticket, db_now()):
        return _("You do not decide for %(person)s at present.") % {"person": ask.person.display_name}
    return ""


def _form(
    request: HttpRequest,
    read: ReadLink,
    *,
    comment: str = "",
    problems: dict[str, str] | None = None,
    status: int = 200,
) -> HttpResponse:
    page = page_for(read.ask.stage.round, read.reader)
    if page.hindrance:
        return _end(request, read, page.hindrance, status=403)
    if page.round.state == RoundState.PARKED:
        text = _("The ticket is on hold, so nobody can decide at present. You will be asked again.")
        return _end(request, read, text, status=409)
    problems = problems or {}
    context: dict[str, Any] = {
        "page": page,
        "round": page.round,
        "ticket": page.ticket,
        "ask": read.ask,
        "giver": read.on_behalf_of,
        "purpose": subject_of(page.ticket.kind).purpose_label(page.round.purpose),
        "summary": summary_of(page.ticket, read.reader, request),
        "comment": comment,
        "comment_problem": problems.get("comment", ""),
        "refusal": "" if "comment" in problems else " ".join(problems.values()),
    }
    return render(request, "approvals/link.html", context, status=status)


def _end(request: HttpRequest, read: ReadLink, text: str, *, status: int) -> HttpResponse:
    ask: Ask = read.ask
    just = ask.decided_at is not None and (db_now() - ask.decided_at).total_seconds() < JUST_NOW
    thanks = request.method != "POST" and just and ask.decided_by_id == read.reader.pk
    context = {"text": text, "thanks": thanks, "ask": ask, "round": ask.stage.round}
    return render(request, "approvals/link_end.html", context, status=200 if thanks else status)

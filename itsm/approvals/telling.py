"""Who is told what of approvals, by mail and in the application.

The outbox hands each event of an approval over; approvers need no right to the ticket to hear of what they are asked.
Whether somebody is still asked is looked up when the message is written, so that a late one asks nobody in vain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from itsm.accounts.models import User
from itsm.approvals.links import link_path
from itsm.approvals.models import ApprovalRound, Ask, AskState, Delegation, RoundState
from itsm.approvals.subjects import subject_of, subjects
from itsm.notifications.actions import Words, tell_person
from itsm.notifications.addresses import ticket_path
from itsm.tickets.clock import db_now
from itsm.tickets.models import TicketEvent
from itsm.tickets.querysets import sees_all_tickets

CODES = frozenset(
    {
        "approval.requested",
        "approval.restarted",
        "approval.decided",
        "approval.withdrawn",
        "approval.resumed",
        "approval.expired",
        "approval.reminded",
    }
)
ASKED, REMINDED, OVER = "approval_asked", "approval_reminded", "approval_over"
DECIDED, WITHDRAWN, DELEGATED = "approval_decided", "approval_withdrawn", "approval_delegated"


def tell(event: TicketEvent) -> None:
    """Tell those whom the event concerns; the same event again reaches nobody twice."""
    data = event.data
    if event.ticket.kind not in subjects():
        return
    for round_ in _rounds(event):
        if event.code in {"approval.requested", "approval.restarted"}:
            _tell_asked(event, round_, data.get("stage", {}).get("asked", ()), ASKED)
        elif event.code == "approval.decided" and data.get("next"):
            _tell_asked(event, round_, data["next"].get("asked", ()), ASKED)
        elif event.code == "approval.resumed":
            _tell_asked(event, round_, data.get("told", ()), ASKED)
        elif event.code == "approval.reminded":
            _tell_asked(event, round_, data.get("asked", ()), REMINDED)
        elif event.code == "approval.expired" and not data.get("outcome"):
            _tell_asked(event, round_, data.get("asked", ()), OVER)
        elif data.get("outcome"):
            _tell_decided(event, round_)
    if event.code in {"approval.withdrawn", "approval.restarted"}:
        _tell_withdrawn(event)


def _rounds(event: TicketEvent) -> list[ApprovalRound]:
    refs = event.data.get("rounds") or [event.data.get("round", "")]
    rounds = ApprovalRound.objects.filter(public_id__in=refs, ticket_id=event.ticket_id)
    return list(rounds.select_related("ticket", "requested_by", "ended_by"))


def _tell_asked(event: TicketEvent, round_: ApprovalRound, asked: Iterable[Mapping[str, Any]], kind: str) -> None:
    if round_.state != RoundState.OPEN:
        return
    ids = [one["user"] for one in asked]
    asks = Ask.objects.filter(stage__round=round_, person__in=ids, state=AskState.ASKED).select_related(
        "person", "stage"
    )
    ticket = round_.ticket
    now = db_now()
    for ask in asks.order_by("pk"):
        _tell_one(event, round_, ask, ask.person, kind)
        given = Delegation.objects.at(now).for_kind(ticket.kind).filter(giver=ask.person).select_related("receiver")
        for delegation in given:
            _tell_one(event, round_, ask, delegation.receiver, kind)


def _tell_one(event: TicketEvent, round_: ApprovalRound, ask: Ask, reader: User, kind: str) -> None:
    ticket, stage = round_.ticket, ask.stage

    def words() -> Words:
        values = {"number": ticket.number, "title": ticket.title, "person": ask.person.display_name}
        facts = [(_("Ticket"), f"{ticket.number} {ticket.title}"), (_("For"), purpose_words(round_))]
        if stage.name:
            facts.append((_("Stage"), stage.name))
        if stage.expires_at is not None:
            facts.append((_("Until"), instant_words(stage.expires_at)))
        if kind == ASKED:
            lead = _("Your approval is asked for: %(number)s %(title)s.") % values
            subject = _("[%(number)s] Please approve: %(title)s") % values
        elif kind == OVER:
            lead = _("The time to decide on %(number)s %(title)s is over, and it waits for you.") % values
            subject = _("[%(number)s] Overdue, please approve: %(title)s") % values
        else:
            lead = _("%(number)s %(title)s still waits for your approval.") % values
            subject = _("[%(number)s] Still waits for your approval: %(title)s") % values
        why = _("You are told because you are asked to approve this.")
        if reader.pk != ask.person_id:
            facts.append((_("You decide for"), ask.person.display_name))
            why = _("You are told because you decide for %(person)s at present.") % values
        return Words(
            subject=subject,
            lead=lead,
            facts=facts,
            links=[
                (_("See what is planned, then approve or reject (this link is yours alone):"), link_path(ask, reader)),
                (_("All that waits for you:"), reverse("approvals:list")),
            ],
            why=why,
        )

    tell_person(reader, f"approval:{event.pk}:{ask.pk}", kind, words, path=_path(round_))


def _tell_decided(event: TicketEvent, round_: ApprovalRound) -> None:
    """Tell who asked, and who has the ticket, how it ended. People outside the desk hear it from the ticket's room."""
    ticket = round_.ticket
    approved = event.data.get("outcome") == "approved"
    expired = event.code == "approval.expired"
    people = {person.pk: person for person in (round_.requested_by, ticket.assignee, ticket.requester) if person}
    for person in people.values():
        if person.pk == event.actor_id or not sees_all_tickets(person):
            continue

        def words(person: User = person) -> Words:
            values = {"number": ticket.number, "title": ticket.title}
            if approved:
                lead = _("%(number)s %(title)s has been approved.") % values
            elif expired:
                lead = _("%(number)s %(title)s has been rejected, because the time to approve it is over.") % values
            else:
                lead = _("%(number)s %(title)s has been rejected.") % values
            facts = [(_("For"), purpose_words(round_))]
            if event.actor is not None:
                facts.append((_("By"), by_words(event)))
            if event.data.get("comment"):
                facts.append((_("Comment"), event.data["comment"]))
            subject = _("[%(number)s] Approved: %(title)s") if approved else _("[%(number)s] Rejected: %(title)s")
            return Words(
                subject=subject % values,
                lead=lead,
                facts=facts,
                links=[(_("Read on:"), ticket_path(ticket, person))],
                why=_("You are told because you have a part in this ticket."),
            )

        tell_person(person, f"approval:{event.pk}:decided", DECIDED, words, path=ticket_path(ticket, person))


def by_words(event: TicketEvent) -> str:
    """Return who decided: “Anna”, or “Anna for Bert”."""
    actor = event.actor.display_name if event.actor else ""
    giver = User.objects.filter(pk=(event.data.get("for") or {}).get("user")).first()
    return _("%(actor)s for %(person)s") % {"actor": actor, "person": giver.display_name} if giver else actor


def _tell_withdrawn(event: TicketEvent) -> None:
    """Tell those who were asked and are no longer that they need not decide."""
    rounds = _rounds(event)
    ids = {one["user"] for one in event.data.get("told", ())}
    if event.code == "approval.restarted":
        ids -= {one["user"] for one in event.data.get("stage", {}).get("asked", ())}
    ticket = event.ticket
    reason = event.data.get("reason", "")

    def words() -> Words:
        values = {"number": ticket.number, "title": ticket.title}
        facts = [(_("Reason"), reason)] if reason else []
        return Words(
            subject=_("[%(number)s] No longer needed: %(title)s") % values,
            lead=_("You need not decide on %(number)s %(title)s any more: the request was withdrawn.") % values,
            facts=facts,
            links=[(_("All that waits for you:"), reverse("approvals:list"))],
            why=_("You are told because you were asked to approve this."),
        )

    for person in User.objects.active().filter(pk__in=ids).order_by("pk"):
        if person.pk != event.actor_id:
            path = _path(rounds[0]) if rounds else reverse("approvals:list")
            tell_person(person, f"approval:{event.pk}:withdrawn", WITHDRAWN, words, path=path)


def tell_delegated(delegation: Delegation, by: User | None) -> None:
    """Tell the two people of a delegation, but not the one who made it."""
    path = reverse("approvals:delegations")
    giver, receiver = delegation.giver, delegation.receiver

    def words_to(reader: User) -> Callable[[], Words]:
        def words() -> Words:
            values = {"giver": giver.display_name, "receiver": receiver.display_name}
            if reader.pk == receiver.pk:
                lead = _("You decide on approvals for %(giver)s.") % values
            else:
                lead = _("%(receiver)s decides on approvals for you.") % values
            facts = [(_("From"), instant_words(delegation.starts_at)), (_("Until"), instant_words(delegation.ends_at))]
            if delegation.note:
                facts.append((_("Note"), delegation.note))
            return Words(
                subject=lead,
                lead=lead,
                facts=facts,
                links=[(_("See or end it:"), path)],
                why=_("You are told because it concerns your approvals."),
            )

        return words

    for person in (giver, receiver):
        if by is None or person.pk != by.pk:
            tell_person(person, f"delegation:{delegation.pk}", DELEGATED, words_to(person), path=path)


def purpose_words(round_: ApprovalRound) -> str:
    """Return what a round is for, in words."""
    return subject_of(round_.ticket.kind).purpose_label(round_.purpose)


def instant_words(instant: datetime) -> str:
    """Return an instant with its weekday in the current language and zone."""
    return f"{date_format(timezone.localtime(instant), 'D j M Y, H:i')} ({timezone.get_current_timezone_name()})"


def _path(round_: ApprovalRound) -> str:
    return reverse("approvals:detail", args=[round_.public_id])

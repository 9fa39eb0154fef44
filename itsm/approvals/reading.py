"""Approvals as pages, panel and API show them. A constant number of queries, however many people are asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Prefetch
from django.http import Http404, HttpRequest
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from itsm.accounts.models import User
from itsm.approvals.duties import barred, reason_words, short_words
from itsm.approvals.models import (
    ApprovalRound,
    ApprovalStage,
    Ask,
    AskState,
    Delegation,
    Mode,
    RoundState,
    StageState,
)
from itsm.approvals.subjects import facts_of, subject_of
from itsm.approvals.votes import Vote, can_be_approved
from itsm.tickets.clock import db_now

PUBLIC_ID_LENGTH = 32
TONES = {
    "open": "tag-amber",
    "asked": "tag-amber",
    "parked": "",
    "approved": "tag-green",
    "rejected": "tag-red",
}


@dataclass(frozen=True)
class AskLine:
    """One person of a stage: what they answered, who answered for them or may at present."""

    ask: Ask
    delegates: list[User]

    @property
    def tone(self) -> str:
        """The colour of the state's tag."""
        return TONES.get(self.ask.state, "")

    @property
    def by(self) -> User | None:
        """Who answered in the person's place; None where the person did, or nobody has."""
        found = self.ask.decided_by
        return found if found is not None and found.pk != self.ask.person_id else None


@dataclass(frozen=True)
class StageView:
    """One stage with its people, and who was left out with the reason in words."""

    stage: ApprovalStage
    lines: list[AskLine]
    left_out: list[tuple[str, str]]
    now: datetime

    @property
    def tone(self) -> str:
        """The colour of the state's tag."""
        return TONES.get(self.stage.state, "")

    @property
    def name(self) -> str:
        """What the stage is called; one that only asks the fallback role has no name of its own."""
        return self.stage.name or _("Approval")

    @property
    def rule(self) -> str:
        """How many have to approve, in words."""
        count = len([line for line in self.lines if not line.ask.is_escalated]) or self.stage.needed
        if self.stage.mode == Mode.N_OF_M:
            words = ngettext("%(needed)d of %(count)d has to approve", "%(needed)d of %(count)d have to approve", count)
            return words % {"needed": self.stage.needed, "count": count}
        return {
            Mode.ANY: _("any one of them can approve"),
            Mode.ALL: _("all of them have to approve"),
            Mode.PER_GROUP: _("one of each group has to approve"),
        }[Mode(self.stage.mode)]

    @property
    def is_stuck(self) -> bool:
        """Whether it cannot be approved as it stands: too few were found, or people have left since."""
        return self.stage.state == StageState.ASKED and is_stuck(self.stage, [line.ask for line in self.lines])

    @property
    def waited(self) -> timedelta | None:
        """How long it took, or has taken so far, without the time on hold; None before it began."""
        if self.stage.asked_at is None:
            return None
        end = self.stage.ended_at or self.now
        return max(end - self.stage.asked_at - timedelta(microseconds=self.stage.parked_us), timedelta())

    @property
    def is_overdue(self) -> bool:
        """Whether its time was over before it was decided."""
        return self.stage.state == StageState.ASKED and self.stage.expired_at is not None


@dataclass(frozen=True)
class RoundView:
    """One round with its stages."""

    round: ApprovalRound
    stages: list[StageView]
    purpose: str
    problem: str

    @property
    def tone(self) -> str:
        """The colour of the state's tag."""
        return TONES.get(self.round.state, "")


@dataclass(frozen=True)
class Option:
    """Something that the viewer can answer now: in their own name, or (`giver`) for somebody else."""

    ask: Ask
    giver: User | None


@dataclass
class Page:
    """What the page of one round shows to one viewer."""

    round: ApprovalRound
    ticket: Any
    viewer: User
    options: list[Option] = field(default_factory=list)
    hindrance: str = ""
    has_changed: bool = False
    digest: str = ""


def is_stuck(stage: ApprovalStage, asks: Sequence[Ask]) -> bool:
    """Return whether a stage that is asked cannot be approved by anybody any more. The asks must carry their person."""
    votes = [Vote(ask.state, ask.groups, ask.is_escalated) for ask in asks]
    return not can_be_approved(stage.mode, stage.needed, votes, [ask.person.is_active for ask in asks])


def views_of(rounds: list[ApprovalRound], now: datetime) -> list[RoundView]:
    """Return the rounds with their stages and people. The rounds must carry their ticket and version."""
    people = Ask.objects.select_related("person", "decided_by").order_by("pk")
    stages: dict[int, list[ApprovalStage]] = {}
    found = ApprovalStage.objects.filter(round__in=rounds).prefetch_related(Prefetch("asks", people))
    for stage in found.order_by("position"):
        stages.setdefault(stage.round_id, []).append(stage)
    givers = [ask.person_id for row in stages.values() for one in row for ask in one.asks.all() if _is_open(ask)]
    delegates = _delegates(givers, rounds, now)
    names = _names(one["user"] for row in stages.values() for stage in row for one in stage.left_out)
    return [
        RoundView(
            round_,
            [_stage_view(one, round_, delegates, names, now) for one in stages.get(round_.pk, [])],
            subject_of(round_.ticket.kind).purpose_label(round_.purpose),
            _problem_words(round_),
        )
        for round_ in rounds
    ]


def rounds_of_ticket(ticket: Any) -> list[ApprovalRound]:
    """Return the ticket's rounds, newest first."""
    rounds = ApprovalRound.objects.filter(ticket_id=ticket.pk).order_by("-pk")
    return list(rounds.select_related("ticket", "version__policy", "requested_by", "ended_by"))


def find_round(ref: str, viewer: User) -> ApprovalRound:
    """Return the round with this public id.

    Raises:
        Http404: there is none, or it is not the viewer's to see; the two are not told apart.
    """
    if len(ref) != PUBLIC_ID_LENGTH or not ref.isalnum() or not ref.isascii():
        raise Http404(_("There is no such approval."))
    rounds = ApprovalRound.objects.visible_to(viewer, db_now()).filter(public_id=ref.lower())
    found = rounds.select_related("ticket", "version__policy", "requested_by", "ended_by", "successor").first()
    if found is None:
        raise Http404(_("There is no such approval."))
    return found


def page_for(round_: ApprovalRound, viewer: User) -> Page:
    """Return what the viewer can do on the page of the round, and what keeps them from it."""
    now = db_now()
    base = round_.ticket
    related = ("requester", "opened_by", "assignee", "team", "service")
    ticket = base.kind_info.model.objects.select_related(*related).get(pk=base.pk)
    page = Page(round_, ticket, viewer)
    page.digest = facts_of(ticket)[1]
    if not round_.is_live:
        return page
    page.has_changed = page.digest != round_.digest
    asks = list(
        Ask.objects.waiting_for(viewer, now)
        .filter(stage__round=round_)
        .select_related("person", "stage")
        .order_by("pk")
    )
    out = barred(ticket, round_.barred)
    if viewer.pk in out and asks:
        page.hindrance = reason_words(out[viewer.pk])
    elif round_.state == RoundState.OPEN:
        spoken = set(Ask.objects.filter(stage__round=round_, decided_by=viewer).values_list("stage_id", flat=True))
        page.options = [
            Option(ask, None if ask.person_id == viewer.pk else ask.person)
            for ask in asks
            if ask.stage_id not in spoken and ask.person_id not in out
        ]
    return page


def summary_of(ticket: Any, viewer: User, request: HttpRequest) -> str:
    """Return what an approver sees of what is to be approved, as HTML of the room's template."""
    subject = subject_of(ticket.kind)
    facts, _digest = facts_of(ticket)
    context = {"ticket": ticket, "facts": facts, "viewer": viewer, **subject.summary(ticket, viewer)}
    return render_to_string(subject.summary_template, context, request)


def _is_open(ask: Ask) -> bool:
    return ask.state == AskState.ASKED


def _stage_view(
    stage: ApprovalStage,
    round_: ApprovalRound,
    delegates: dict[int, list[tuple[User, list[str]]]],
    names: dict[int, str],
    now: datetime,
) -> StageView:
    kind = round_.ticket.kind
    lines = [
        AskLine(
            ask,
            [person for person, kinds in delegates.get(ask.person_id, []) if not kinds or kind in kinds]
            if _is_open(ask)
            else [],
        )
        for ask in stage.asks.all()
    ]
    left_out = [(names.get(one["user"], "?"), short_words(one["why"])) for one in stage.left_out]
    return StageView(stage, lines, left_out, now)


def _delegates(
    givers: list[int], rounds: list[ApprovalRound], now: datetime
) -> dict[int, list[tuple[User, list[str]]]]:
    if not givers or not any(round_.is_live for round_ in rounds):
        return {}
    found: dict[int, list[tuple[User, list[str]]]] = {}
    for row in Delegation.objects.at(now).filter(giver__in=givers).select_related("receiver"):
        found.setdefault(row.giver_id, []).append((row.receiver, row.kinds))
    return found


def _names(ids: Any) -> dict[int, str]:
    wanted = set(ids)
    return dict(User.objects.filter(pk__in=wanted).values_list("pk", "display_name")) if wanted else {}


def _problem_words(round_: ApprovalRound) -> str:
    if not round_.problem:
        return ""
    words = {"problem": round_.get_problem_display(), "policy": round_.problem_policy}
    if round_.problem_policy:
        return _("%(problem)s (%(policy)s), so the fallback role is asked.") % words
    return _("%(problem)s, so the fallback role is asked.") % words

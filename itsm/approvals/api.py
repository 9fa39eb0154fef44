"""Approvals in the REST API: what waits for the caller, one approval, deciding; a ticket's approvals for the desk."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from itsm.accounts.api import PersonRef
from itsm.accounts.models import User
from itsm.api.bodies import Instant, StrictSerializer, checked
from itsm.api.paging import PAGING, page_answer, parameters_of, whole_answer
from itsm.api.schema import PAGING_PARAMETERS, page_of_schema
from itsm.api.views import ApiViews
from itsm.approvals.actions import APPROVE, REJECT, decide
from itsm.approvals.models import ApprovalRound, Ask
from itsm.approvals.models.rounds import COMMENT_MAX
from itsm.approvals.reading import RoundView, find_round, page_for, rounds_of_ticket, views_of
from itsm.approvals.subjects import facts_of
from itsm.tickets.clock import db_now
from itsm.tickets.errors import Invalid
from itsm.tickets.models import Ticket
from itsm.tickets.querysets import get_visible, sees_all_tickets

STATES = ("waiting", "done")


class ApprovedTicketRef(serializers.Serializer[Any]):
    """The ticket that is to be approved, briefly."""

    id = serializers.CharField(source="public_id", read_only=True)
    kind = serializers.CharField(read_only=True)
    number = serializers.CharField(read_only=True)
    title = serializers.CharField(read_only=True)


class AskOut(serializers.Serializer[Any]):
    """Somebody who is asked: `state` asked, approved, rejected, not_needed or withdrawn. `decided_by` differs from
    `person` where a delegate answered."""

    id = serializers.CharField(source="public_id", read_only=True)
    person = PersonRef(read_only=True)
    state = serializers.CharField(read_only=True)
    asked_at = Instant()
    decided_by = PersonRef(read_only=True, allow_null=True)
    decided_at = Instant(allow_null=True)
    comment = serializers.CharField(read_only=True)


class WaitingOut(AskOut):
    """Something that the caller was asked, or somebody whose delegate they are (`person` says who)."""

    approval = serializers.CharField(source="stage.round.public_id", read_only=True)
    approval_state = serializers.CharField(source="stage.round.state", read_only=True)
    purpose = serializers.CharField(source="stage.round.purpose", read_only=True)
    stage = serializers.CharField(source="stage.name", read_only=True)
    expires_at = Instant(source="stage.expires_at", allow_null=True)
    ticket = ApprovedTicketRef(source="stage.round.ticket", read_only=True)


class StageOut(serializers.Serializer[Any]):
    """A stage: `mode` any, all, n_of_m or per_group; `used_fallback`: too few were found, so others are asked too."""

    name = serializers.CharField(read_only=True)
    state = serializers.CharField(source="stage.state", read_only=True)
    mode = serializers.CharField(source="stage.mode", read_only=True)
    needed = serializers.IntegerField(source="stage.needed", read_only=True)
    used_fallback = serializers.BooleanField(source="stage.used_fallback", read_only=True)
    asked_at = Instant(source="stage.asked_at", allow_null=True)
    ended_at = Instant(source="stage.ended_at", allow_null=True)
    expires_at = Instant(source="stage.expires_at", allow_null=True)
    people = serializers.SerializerMethodField()

    @extend_schema(responses=AskOut(many=True))
    def get_people(self, view: Any) -> list[dict[str, Any]]:
        """Return who is asked in the stage."""
        one = AskOut(context=self.context)
        return [one.to_representation(line.ask) for line in view.lines]


class RoundOut(serializers.Serializer[Any]):
    """An approval as the desk sees it. `problem`: why the fallback role is asked instead of what a policy says."""

    id = serializers.CharField(source="round.public_id", read_only=True)
    ticket = ApprovedTicketRef(source="round.ticket", read_only=True)
    purpose = serializers.CharField(source="round.purpose", read_only=True)
    state = serializers.CharField(source="round.state", read_only=True)
    policy = serializers.SerializerMethodField()
    problem = serializers.CharField(source="round.problem", read_only=True)
    requested_by = PersonRef(source="round.requested_by", read_only=True, allow_null=True)
    requested_at = Instant(source="round.requested_at")
    ended_at = Instant(source="round.ended_at", allow_null=True)
    reason = serializers.CharField(source="round.reason", read_only=True)
    stages = StageOut(many=True, read_only=True)

    def get_policy(self, view: RoundView) -> str | None:
        """Return the policy's name and version."""
        version = view.round.version
        return f"{version.policy.name} v{version.number}" if version else None


class ApprovalOut(serializers.Serializer[Any]):
    """An approval as somebody who is asked sees it: what is planned (`facts`), and what they can answer (`own`).

    `digest` names the facts: send it with the decision, and the decision counts only while they are the same.
    """

    id = serializers.CharField(source="round.public_id", read_only=True)
    ticket = ApprovedTicketRef(read_only=True)
    purpose = serializers.CharField(source="round.purpose", read_only=True)
    state = serializers.CharField(source="round.state", read_only=True)
    requested_at = Instant(source="round.requested_at")
    has_changed = serializers.BooleanField(read_only=True)
    digest = serializers.CharField(read_only=True)
    facts = serializers.DictField(read_only=True, allow_null=True)
    hindrance = serializers.CharField(read_only=True)
    own = AskOut(many=True, read_only=True)


class DecisionIn(StrictSerializer):
    """What the caller decides. A rejection needs a comment. `on_behalf_of`: id or e-mail address of the person for
    whom the caller decides as a delegate."""

    decision = serializers.ChoiceField(choices=[APPROVE, REJECT])
    comment = serializers.CharField(required=False, allow_blank=True, max_length=COMMENT_MAX, default="")
    on_behalf_of = serializers.CharField(required=False, allow_blank=True, max_length=254, default="")
    digest = serializers.CharField(required=False, allow_blank=True, max_length=64, default="")


STATE = OpenApiParameter(
    "state", OpenApiTypes.STR, enum=STATES, description="waiting (default): what you can answer now; done: the rest."
)


class ApprovalViews(ApiViews):
    """What the caller is asked to approve."""

    @extend_schema(
        operation_id="approvals_list", parameters=[STATE, *PAGING_PARAMETERS], responses=page_of_schema(WaitingOut)
    )
    def index(self, request: Request) -> Response:
        """List what waits for you, or what you were asked before."""
        parameters = parameters_of(request, {"state", *PAGING})
        state = parameters.get("state", "waiting")
        if state not in STATES:
            raise Invalid({"state": _("Choose one of: %(choices)s.") % {"choices": ", ".join(STATES)}})
        now = db_now()
        waiting = Ask.objects.waiting_for(self.viewer, now)
        asks = waiting
        if state == "done":
            asks = Ask.objects.of(self.viewer, now).exclude(pk__in=waiting.values("pk"))
        asks = asks.select_related("person", "decided_by", "stage__round__ticket")
        order = ("id",) if state == "waiting" else ("-id",)
        return page_answer(request, asks, order, lambda rows: self.shown_all(WaitingOut, rows), parameters)

    @extend_schema(operation_id="approvals_get", responses=ApprovalOut)
    def retrieve(self, request: Request, ref: str) -> Response:
        """Read one approval that you are asked about: what is planned, and your own part in it."""
        parameters_of(request, ())
        return Response(self._shown(find_round(ref, self.viewer)))

    @extend_schema(operation_id="approvals_decide", request=DecisionIn, responses=ApprovalOut)
    def decide(self, request: Request, ref: str) -> Response:
        """Approve or reject. The same answer again changes nothing; a late or forbidden one is refused and recorded."""
        found = find_round(ref, self.viewer)
        values = checked(DecisionIn, request)
        decide(
            found,
            actor=self.actor,
            decision=values["decision"],
            comment=values["comment"],
            on_behalf_of=self._giver(found, values["on_behalf_of"]),
            seen=values["digest"] or None,
        )
        return Response(self._shown(find_round(ref, self.viewer)))

    def _giver(self, round_: ApprovalRound, ref: str) -> User | None:
        """Return the person of the round that the text names. Only those who are asked in it can be named.

        Raises:
            Invalid: nobody such is asked.
        """
        if not ref:
            return None
        people = User.objects.filter(approval_asks__stage__round=round_)
        named = people.filter(email=User.objects.normalise(ref)) if "@" in ref else people.filter(public_id=ref)
        person = named.first()
        if person is None:
            raise Invalid({"on_behalf_of": _("Nobody of this id or e-mail address is asked here.")})
        return person

    def _shown(self, round_: ApprovalRound) -> dict[str, Any]:
        page = page_for(round_, self.viewer)
        asks = Ask.objects.of(self.viewer, db_now()).filter(stage__round=round_).select_related("person", "decided_by")
        may_read = round_.is_live or sees_all_tickets(self.viewer)
        found = {
            "round": round_,
            "ticket": page.ticket,
            "has_changed": page.has_changed,
            "digest": page.digest if may_read else "",
            "facts": facts_of(page.ticket)[0] if may_read else None,
            "hindrance": page.hindrance,
            "own": list(asks.order_by("pk")),
        }
        return self.shown(ApprovalOut, found)


class TicketApprovals(ApiViews):
    """The approvals of one ticket, for the desk."""

    @extend_schema(operation_id="ticket_approvals_list", responses=page_of_schema(RoundOut))
    def index(self, request: Request, ref: str) -> Response:
        """List the ticket's approvals with stages and answers, newest first."""
        parameters_of(request, ())
        if not sees_all_tickets(self.viewer):
            raise Http404
        ticket = get_visible(Ticket.objects.all(), self.viewer, ref)
        rounds = rounds_of_ticket(ticket)
        return whole_answer(self.shown_all(RoundOut, views_of(rounds, db_now())))

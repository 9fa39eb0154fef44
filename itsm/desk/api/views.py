"""Tickets of one kind over the API: listing, opening, reading, changing, moving."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from itsm.accounts.roles import Permission
from itsm.api.bodies import body_of, checked, idempotency_key, refuse_unknown, seen_version
from itsm.api.paging import page_answer, parameters_of, whole_answer
from itsm.api.problems import BadRequest
from itsm.api.views import ApiViews
from itsm.desk.api.filters import TicketFilter, known_parameters, narrowed, order_of
from itsm.desk.api.kinds import TicketApi
from itsm.desk.api.serializers import MoveOut, VersionIn
from itsm.tickets.actions import assign, override_priority, update
from itsm.tickets.actions.editing import EDITABLE
from itsm.tickets.errors import Refused, VerbError
from itsm.tickets.kinds import Kind, kind_of
from itsm.tickets.moves import check_move, legal_moves
from itsm.tickets.querysets import get_visible

ASSIGNED = frozenset({"team", "assignee"})
PRIORITY = frozenset({"priority", "priority_reason"})


class TicketViews(ApiViews):
    """Tickets of one kind, as far as the caller sees them."""

    api: TicketApi
    filters: type[TicketFilter]
    move_out: type[MoveOut]

    @property
    def kind_info(self) -> Kind:
        """The registered kind."""
        return kind_of(self.api.kind)

    def _tickets(self) -> Any:
        rows = self.kind_info.model.objects.with_people()
        return rows.select_related("opened_by", *self.api.related).defer("search")

    def _ticket(self, ref: str) -> Any:
        return get_visible(self._tickets(), self.viewer, ref)

    def _check_desk(self) -> None:
        if self.kind_info.desk_only and not self.viewer.may(Permission.VIEW_TICKETS):
            raise Refused(_("Only the service desk can do this."))

    def _answer(self, ticket: Any, **options: Any) -> Response:
        response = Response(self.shown(self.api.out, ticket), **options)
        response["ETag"] = f'"{ticket.version}"'
        return response

    def index(self, request: Request) -> Response:
        """List tickets, by filters and by a condition."""
        self._check_desk()
        parameters = parameters_of(request, known_parameters(self.filters, self.viewer))
        rows = narrowed(self._tickets().visible_to(self.viewer), self.filters, parameters, request)
        order = order_of(parameters, self.viewer)
        return page_answer(request, rows, order, lambda found: self.shown_all(self.api.out, found), parameters)

    def create(self, request: Request) -> Response:
        """Open a ticket."""
        self._check_desk()
        assert self.api.opener is not None  # noqa: S101  the address takes POST only where there is one
        assert self.api.body is not None  # noqa: S101
        key = idempotency_key(request, f"open {self.api.kind}")
        if key is not None:
            rows = self.kind_info.model.objects.filter(opened_by=self.viewer, submission_key=key)
            before = rows.only("public_id").first()
            if before is not None:  # through the door: who opened it may no longer be on it
                return self._answer(self._ticket(before.public_id), headers={"Idempotent-Replay": "true"})
        values = checked(self.api.body, request)
        ticket = self.api.opener(actor=self.actor, submission_key=key, **values)
        return self._answer(ticket, status=201)

    def retrieve(self, request: Request, ref: str) -> Response:
        """Read one ticket by id or number; its ETag is its version."""
        return self._answer(self._ticket(ref))

    def partial_update(self, request: Request, ref: str) -> Response:
        """Change details, owner or priority, all or nothing."""
        ticket = self._ticket(ref)
        values = checked(self.api.patch, request)
        if "priority_reason" in values and "priority" not in values:
            raise serializers.ValidationError({"priority": [_("Give the priority that the reason is for.")]})
        if "priority" in values and "priority_reason" not in values:
            raise serializers.ValidationError({"priority_reason": [_("Say why the priority is set by hand.")]})
        with seen_version(request, values.pop("version", None)) as version:
            changed = self._change(ticket, values, version)
        return self._answer(changed)

    @transaction.atomic
    def _change(self, ticket: Any, values: Mapping[str, Any], version: int | None) -> Any:
        """Call one verb for each group of values; the first compares the version and holds the lock for the rest."""
        changed: Any = ticket
        details = {name: values[name] for name in EDITABLE & values.keys()}
        ownership = {name: values[name] for name in ASSIGNED & values.keys()}
        own = {name: value for name, value in values.items() if name not in EDITABLE | ASSIGNED | PRIORITY}
        if details or not (ownership or own or "priority" in values):
            changed, version = update(changed, details, actor=self.actor, version=version), None
        if ownership:
            changed, version = assign(changed, actor=self.actor, version=version, **ownership), None
        if own and self.api.edit is not None:
            changed, version = self.api.edit(changed, own, actor=self.actor, version=version), None
        if "priority" in values:
            reason = values["priority_reason"]
            changed = override_priority(changed, values["priority"], reason=reason, actor=self.actor, version=version)
        return changed

    def moves(self, request: Request, ref: str) -> Response:
        """List the moves that the caller can make now, with the fields that each takes."""
        parameters = parameters_of(request, ("all",))
        every = parameters.get("all", "false")
        if every not in {"true", "false"}:
            sentence = _("Choose one of: %(names)s.") % {"names": "true, false"}
            raise BadRequest(sentence, {"all": [sentence]})
        ticket = self._ticket(ref)
        if every == "false":
            return whole_answer(self.shown_all(self.move_out, legal_moves(ticket, self.actor)))
        moves = list(self.kind_info.moves.values())
        standing = {move.name: self._standing(ticket, move) for move in moves}
        return whole_answer(self.shown_all(self.move_out, moves, standing=standing))

    def _standing(self, ticket: Any, move: Any) -> dict[str, Any]:
        """Return whether the move is possible, why not, and what is missing on the ticket before it goes through."""
        why_not = ""
        try:
            check_move(ticket, move, self.actor)
        except VerbError as error:
            why_not = error.message
        lacks = list(self.api.lacks(ticket, move.name)) if self.api.lacks is not None and not why_not else []
        missing = [{"field": name, "message": str(message)} for name, message in lacks]
        return {"possible": not why_not and not missing, "why_not": why_not, "missing": missing}

    def move(self, request: Request, ref: str, move: str) -> Response:
        """Make a move with its fields."""
        ticket = self._ticket(ref)
        found = self.kind_info.moves.get(move)
        if found is None:
            raise Http404
        fields = body_of(request)
        if not isinstance(fields, Mapping):
            raise BadRequest(_("Send a JSON object with the fields of the move, or nothing."))
        refuse_unknown(fields, [*(field.name for field in found.fields), "version"])
        reader = VersionIn(data={"version": fields["version"]} if "version" in fields else {})
        reader.is_valid(raise_exception=True)
        said = {name: value for name, value in fields.items() if name != "version"}
        with seen_version(request, reader.validated_data.get("version")) as version:
            moved = self.kind_info.perform(ticket, move, actor=self.actor, fields=said, version=version)
        return self._answer(moved)

"""How changes read and are written in the API, beyond what every ticket has."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from changes.models import Change, ChangeTemplate
from changes.models.change import OTHERS_MAX, PLAN_MAX
from changes.statuses import ChangeType, CloseCode, Risk, Status
from cmdb.api import ServiceField, ServiceRef
from itsm.accounts.api import PersonRef
from itsm.accounts.models import User
from itsm.api.bodies import Instant, ReferenceField
from itsm.desk.api.serializers import LackOut, TicketIn, TicketOut, TicketPatch
from itsm.tickets.models.ticket import TITLE_MAX

NO_TEMPLATE = "There is no approved template with this key or id."


def find_template(ref: str, viewer: User) -> ChangeTemplate | None:
    """Return the template in use with this key or public id, or None."""
    return ChangeTemplate.objects.usable().by_ref(ref).first()


class TemplateField(ReferenceField):
    """A template of the library by key or id."""

    def __init__(self, **options: Any) -> None:
        super().__init__(find_template, NO_TEMPLATE, **options)


class RiskFactorOut(serializers.Serializer[Any]):
    """One thing that the risk is made of: where it comes from, its points, and the inputs they follow from."""

    source = serializers.ChoiceField([("rule", "Rule"), ("question", "Question")], read_only=True)  # type: ignore[assignment]
    name = serializers.CharField(read_only=True)
    points = serializers.IntegerField(read_only=True)
    met = serializers.BooleanField(read_only=True)
    inputs = serializers.DictField(required=False)
    answer = serializers.CharField(required=False)

    def to_representation(self, instance: dict[str, Any]) -> dict[str, Any]:
        """Return the factor as it was stored."""
        known = ("source", "name", "points", "met", "inputs", "answer")
        return {name: instance[name] for name in known if name in instance}


class TemplateRef(serializers.Serializer[Any]):
    """The version of the template that a change was made from."""

    key = serializers.CharField(read_only=True)
    name = serializers.CharField(read_only=True)
    version = serializers.IntegerField(read_only=True)

    def to_representation(self, instance: Any) -> dict[str, Any]:
        """Return key, name and number."""
        return {"key": instance.template.key, "name": instance.template.name, "version": instance.number}


class ChangeOut(TicketOut):
    """A change. `risk` is 1 (very high) to 4 (low), null before it was worked out; `is_on_hold` stands beside the
    status."""

    status = serializers.ChoiceField(Status.choices, read_only=True)
    change_type = serializers.ChoiceField(ChangeType.choices, read_only=True)
    is_on_hold = serializers.BooleanField(read_only=True)
    hold_reason = serializers.CharField(read_only=True)
    justification = serializers.CharField(read_only=True)
    implementation_plan = serializers.CharField(read_only=True)
    backout_plan = serializers.CharField(read_only=True)
    test_plan = serializers.CharField(read_only=True)
    planned_start = Instant(allow_null=True)
    planned_end = Instant(allow_null=True)
    actual_start = Instant(allow_null=True)
    actual_end = Instant(allow_null=True)
    affected = ServiceRef(source="affected_services", many=True, read_only=True)
    affected_other = serializers.ListField(child=serializers.CharField(), read_only=True)
    risk = serializers.ChoiceField(Risk.choices, read_only=True, allow_null=True)
    risk_points = serializers.IntegerField(read_only=True)
    risk_factors = RiskFactorOut(many=True, read_only=True)
    risk_answers = serializers.DictField(child=serializers.CharField(), read_only=True)
    close_code = serializers.ChoiceField(CloseCode.choices, read_only=True, allow_blank=True)
    close_notes = serializers.CharField(read_only=True)
    cancel_reason = serializers.CharField(read_only=True)
    review_notes = serializers.CharField(read_only=True)
    is_retroactive = serializers.BooleanField(read_only=True)
    is_unauthorised = serializers.BooleanField(read_only=True)
    template = TemplateRef(source="template_version", read_only=True, allow_null=True)


def _plans() -> dict[str, Any]:
    options: dict[str, Any] = {"max_length": PLAN_MAX, "allow_blank": True, "required": False}
    return {
        name: serializers.CharField(**options)
        for name in ("justification", "implementation_plan", "backout_plan", "test_plan")
    }


class ChangeIn(TicketIn):
    """A new change: from a template of the library (`template`), or in full.

    From a template it takes `title`, `description`, `justification`, `requester`, `team`, `assignee`, the window, and
    what is affected on top; with a start alone the end follows from the template's usual length.
    """

    title = serializers.CharField(max_length=TITLE_MAX, required=False)
    template = TemplateField(required=False, allow_null=True)
    change_type = serializers.ChoiceField(ChangeType.choices, required=False)
    justification, implementation_plan, backout_plan, test_plan = _plans().values()
    planned_start = serializers.DateTimeField(required=False, allow_null=True)
    planned_end = serializers.DateTimeField(required=False, allow_null=True)
    actual_start = serializers.DateTimeField(required=False, allow_null=True)
    actual_end = serializers.DateTimeField(required=False, allow_null=True)
    affected = serializers.ListField(child=ServiceField(), required=False, max_length=200)
    affected_other = serializers.ListField(
        child=serializers.CharField(max_length=200), required=False, max_length=OTHERS_MAX
    )
    risk_answers = serializers.DictField(child=serializers.CharField(max_length=40), required=False)
    is_retroactive = serializers.BooleanField(required=False)


class ChangePatch(TicketPatch):
    """What is to change; what is not named stays. Type, plans, window and scope are frozen while they are approved."""

    change_type = serializers.ChoiceField(ChangeType.choices, required=False)
    justification, implementation_plan, backout_plan, test_plan = _plans().values()
    planned_start = serializers.DateTimeField(required=False, allow_null=True)
    planned_end = serializers.DateTimeField(required=False, allow_null=True)
    actual_start = serializers.DateTimeField(required=False, allow_null=True)
    actual_end = serializers.DateTimeField(required=False, allow_null=True)
    affected = serializers.ListField(child=ServiceField(), required=False, max_length=200)
    affected_other = serializers.ListField(
        child=serializers.CharField(max_length=200), required=False, max_length=OTHERS_MAX
    )
    risk_answers = serializers.DictField(child=serializers.CharField(max_length=40), required=False)
    review_notes = serializers.CharField(max_length=20_000, allow_blank=True, required=False)
    is_retroactive = serializers.BooleanField(required=False)
    is_unauthorised = serializers.BooleanField(required=False)


class AwaitedOut(serializers.Serializer[Any]):
    """Whose decision is waited for."""

    purpose = serializers.CharField(read_only=True)
    stage = serializers.CharField(read_only=True)
    people = PersonRef(many=True, read_only=True)
    is_on_hold = serializers.BooleanField(source="is_parked", read_only=True)


class NextMoveOut(serializers.Serializer[Any]):
    """One move that starts where the change stands. `possible`: the caller can make it now, sending what `needs`
    names. Else `missing` says what stands against it, `why_not` what forbids it, `waits_for` who decides first;
    `opens_at` is when the window opens."""

    name = serializers.CharField(source="move.name", read_only=True)
    label = serializers.CharField(source="move.label", read_only=True)  # type: ignore[assignment]
    target = serializers.SerializerMethodField()
    possible = serializers.BooleanField(source="is_possible", read_only=True)
    missing = LackOut(many=True, read_only=True)
    why_not = serializers.CharField(source="refusal", read_only=True)
    waits_for = AwaitedOut(many=True, read_only=True)
    opens_at = Instant(allow_null=True)
    needs = serializers.ListField(child=serializers.CharField(), read_only=True)

    @extend_schema_field(serializers.ChoiceField(Status.choices))
    def get_target(self, found: Any) -> str:
        """Return where the move leads; the status itself where it stays."""
        return str(found.move.target or self.context["change"].status)


class NextOut(serializers.Serializer[Change]):
    """What a change can do next."""

    number = serializers.CharField(read_only=True)
    status = serializers.ChoiceField(Status.choices, read_only=True)
    is_on_hold = serializers.BooleanField(read_only=True)
    version = serializers.IntegerField(read_only=True)
    moves = NextMoveOut(many=True, read_only=True)

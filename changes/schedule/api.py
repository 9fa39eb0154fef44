"""Collisions, free slots and windows in the REST API. Read only, for the desk."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.http import Http404
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from changes.models import Change, ChangeWindow, CollisionKind, Weight, WindowKind
from changes.schedule.occurrences import next_occurrences
from changes.schedule.panel import conflict_rows
from changes.schedule.slots import AHEAD, LONGEST, MOST, free_slots, length_of
from cmdb.api import ServiceRef
from itsm.accounts.api import PersonRef
from itsm.accounts.roles import Permission
from itsm.api.paging import PAGING, page_answer, parameters_of, whole_answer
from itsm.api.schema import PAGING_PARAMETERS, page_of_schema
from itsm.api.views import ApiViews
from itsm.tickets.clock import db_now
from itsm.tickets.errors import Invalid, Refused
from itsm.tickets.querysets import get_visible

SHOWN_NEXT, WITHIN = 5, timedelta(days=400)


class ChangeRef(serializers.Serializer[Any]):
    """Another change, briefly."""

    id = serializers.CharField(source="public_id", read_only=True)
    number = serializers.CharField(read_only=True)
    title = serializers.CharField(read_only=True)
    status = serializers.CharField(read_only=True)


class WindowRef(serializers.Serializer[Any]):
    """A window, briefly."""

    id = serializers.CharField(source="public_id", read_only=True)
    name = serializers.CharField(read_only=True)


class ConflictOut(serializers.Serializer[Any]):
    """One thing in which the change collides. Instants are UTC."""

    id = serializers.CharField(source="row.public_id", read_only=True)
    kind = serializers.ChoiceField(CollisionKind.choices, source="row.kind", read_only=True)
    weight = serializers.ChoiceField(
        Weight.choices, read_only=True, help_text="block: it keeps the change from being approved and scheduled."
    )
    text = serializers.CharField(source="words", read_only=True)
    start = serializers.DateTimeField(source="row.starts_at", read_only=True)
    end = serializers.DateTimeField(source="row.ends_at", read_only=True)
    other = ChangeRef(source="row.other", read_only=True, allow_null=True)
    window = WindowRef(source="row.window", read_only=True, allow_null=True)
    service = ServiceRef(source="row.service", read_only=True, allow_null=True)
    person = PersonRef(source="row.person", read_only=True, allow_null=True)
    first_seen_at = serializers.DateTimeField(source="row.first_seen_at", read_only=True)
    overridden_at = serializers.DateTimeField(source="row.overridden_at", read_only=True, allow_null=True)
    override_reason = serializers.CharField(source="row.override_reason", read_only=True)


class SlotOut(serializers.Serializer[Any]):
    """A time at which nothing stands against the change. Instants are UTC."""

    start = serializers.DateTimeField(read_only=True)
    end = serializers.DateTimeField(read_only=True)


class WindowOut(WindowRef):
    """A freeze or a maintenance window. `rule`: when it is, in the local time of its zone; `next`: the next times, UTC.
    Empty `services`, `change_types` and `risks` mean all."""

    description = serializers.CharField(read_only=True)
    kind = serializers.ChoiceField(WindowKind.choices, read_only=True)
    weight = serializers.ChoiceField(Weight.choices, read_only=True)
    is_active = serializers.BooleanField(read_only=True)
    services = ServiceRef(many=True, read_only=True)
    change_types = serializers.ListField(child=serializers.CharField(), read_only=True)
    risks = serializers.ListField(child=serializers.IntegerField(), read_only=True)
    rule = serializers.DictField(read_only=True)
    next = serializers.SerializerMethodField()

    def get_next(self, row: ChangeWindow) -> list[dict[str, Any]]:
        """Return the next times of the window."""
        found = next_occurrences(row.recurrence, self.context["now"], SHOWN_NEXT, within=WITHIN)
        return [dict(SlotOut(one).data) for one in found] if row.is_active else []


COUNT = OpenApiParameter("count", OpenApiTypes.INT, description=f"How many slots; 5 by default, {MOST} at most.")
MINUTES = OpenApiParameter("minutes", OpenApiTypes.INT, description="How long; as planned by default.")
AFTER = OpenApiParameter("after", OpenApiTypes.DATETIME, description="Not before this instant; now by default.")


class ScheduleViews(ApiViews):
    """The schedule side of changes, for the desk."""

    def _change(self, ref: str) -> Change:
        if not self.viewer.may(Permission.VIEW_TICKETS):
            raise Http404
        return get_visible(Change.objects.select_related("template_version"), self.viewer, ref)

    @extend_schema(
        operation_id="changes_conflicts", description="List what the change collides with.",
        responses=page_of_schema(ConflictOut),
    )  # fmt: skip
    def conflicts(self, request: Request, ref: str) -> Response:
        """List in what the change collides now, the heaviest first."""
        parameters_of(request, set())
        return whole_answer(self.shown_all(ConflictOut, conflict_rows(self._change(ref))))

    @extend_schema(
        operation_id="changes_free_slots", parameters=[COUNT, MINUTES, AFTER], responses=page_of_schema(SlotOut)
    )
    def free_slots(self, request: Request, ref: str) -> Response:
        """List the next times at which nothing stands against the change, within 60 days."""
        given = parameters_of(request, {"count", "minutes", "after"})
        change, now = self._change(ref), db_now()
        count = _whole(given.get("count"), "count", 5, MOST)
        longest = int(LONGEST.total_seconds() // 60)
        usual = int(length_of(change).total_seconds() // 60)
        minutes = _whole(given.get("minutes"), "minutes", min(max(usual, 1), longest), longest)
        after = _instant(given.get("after"), now)
        length = None if given.get("minutes") is None else timedelta(minutes=minutes)
        return whole_answer(self.shown_all(SlotOut, free_slots(change, after=after, length=length, count=count)))

    @extend_schema(
        operation_id="change_windows_list", parameters=[*PAGING_PARAMETERS], responses=page_of_schema(WindowOut)
    )
    def windows(self, request: Request) -> Response:
        """List freezes and maintenance windows by name, with when they come next."""
        if not self.viewer.may(Permission.VIEW_TICKETS):
            raise Refused(_("Only the service desk sees the windows of changes."))
        parameters = parameters_of(request, PAGING)
        rows, now = ChangeWindow.objects.prefetch_related("services"), db_now()
        return page_answer(
            request, rows, ("name", "id"), lambda found: self.shown_all(WindowOut, found, now=now), parameters
        )


def _whole(text: str | None, name: str, usual: int, most: int) -> int:
    if text is None:
        return usual
    if text.isascii() and text.isdecimal() and len(text) < 9 and 1 <= int(text) <= most:
        return int(text)
    raise Invalid({name: _("Give a whole number from 1 to %(most)d.") % {"most": most}})


def _instant(text: str | None, now: Any) -> Any:
    if text is None:
        return now
    try:
        found = parse_datetime(text.strip().replace(" ", "+"))
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise Invalid({"after": _("Give an instant with its zone, such as 2026-12-24T18:00:00Z.")})
    if not now - AHEAD <= found <= now + timedelta(days=3650):
        raise Invalid({"after": _("Give an instant from now on, ten years ahead at most.")})
    return max(found, now)

"""The addresses of one kind in the API, each described under the kind's own names."""

from __future__ import annotations

from functools import wraps
from typing import Any

from django.urls import URLPattern, path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers

from itsm.accounts.api import PersonRef
from itsm.api.schema import IDEMPOTENCY_KEY, IF_MATCH, PAGING_PARAMETERS, page_of_schema
from itsm.api.views import ApiViews
from itsm.desk.api import children
from itsm.desk.api.filters import DEFAULT_ORDER, ORDERS, ChoicesFilter
from itsm.desk.api.kinds import TicketApi
from itsm.desk.api.serializers import BIGGEST, CommentAnswerBase, MoveOut
from itsm.desk.api.views import TicketViews
from itsm.tickets.api.attachments import AttachmentIn, TicketAttachmentOut
from itsm.tickets.api.base import TicketRef
from itsm.tickets.api.comments import CommentIn, CommentOut
from itsm.tickets.api.events import EventOut
from itsm.tickets.api.relations import LinkIn, LinkOut, WatcherIn
from itsm.tickets.kinds import kind_of
from itsm.tickets.moves import Move
from slas.api import TimerSerializer
from slas.explain.api import ExplanationOut

NOTHING = {204: OpenApiResponse(description="Done.")}
CONDITION = OpenApiParameter(
    "q", OpenApiTypes.STR, description="A condition, such as `priority:1 is:open team:network`."
)
ALL_MOVES = OpenApiParameter(
    "all",
    {"type": "boolean", "default": False},
    description="Also the moves that are not possible now, each with why not.",
)


def ticket_api_urls(api: TicketApi) -> list[URLPattern]:
    """Return the addresses of the kind, named `problems`, `problem`, `problem-moves`, `problem-comments` and so on.

    A room includes them below `v1/{plural}/`. The kind must be registered before.
    """
    kind = api.kind
    tickets = _ticket_views(api)
    comments, files, events, links, watchers, timers = _child_views(api)
    both: dict[str, Any] = {"get": "index", "post": "create"}
    only: dict[str, Any] = {"get": "index"}
    gone: dict[str, Any] = {"delete": "destroy"}
    one: dict[str, Any] = {"get": "retrieve", "patch": "partial_update"}
    return [
        path("", tickets.as_view(both if api.opener else only), name=api.plural),
        path("<str:ref>/", tickets.as_view(one), name=kind),
        path("<str:ref>/moves/", tickets.as_view({"get": "moves"}), name=f"{kind}-moves"),
        path("<str:ref>/moves/<str:move>/", tickets.as_view({"post": "move"}), name=f"{kind}-move"),
        path("<str:ref>/comments/", comments.as_view(both), name=f"{kind}-comments"),
        path("<str:ref>/attachments/", files.as_view(both), name=f"{kind}-attachments"),
        path("<str:ref>/events/", events.as_view(only), name=f"{kind}-events"),
        path("<str:ref>/timers/", timers.as_view(only), name=f"{kind}-timers"),
        path(
            "<str:ref>/timers/acknowledge/",
            timers.as_view({"post": "acknowledge"}),
            name=f"{kind}-timers-acknowledge",
        ),
        path(
            "<str:ref>/timers/<slug:timer>/explanation/",
            timers.as_view({"get": "explanation"}),
            name=f"{kind}-timer-explanation",
        ),
        path("<str:ref>/links/", links.as_view(both), name=f"{kind}-links"),
        path("<str:ref>/links/<str:public_id>/", links.as_view(gone), name=f"{kind}-link"),
        path("<str:ref>/watchers/", watchers.as_view(both), name=f"{kind}-watchers"),
        path("<str:ref>/watchers/<str:public_id>/", watchers.as_view(gone), name=f"{kind}-watcher"),
    ]


def _described(base: type[Any], name: str, attributes: dict[str, Any], operations: dict[str, Any]) -> type[Any]:
    """Return a subclass of the views whose operations are described so; each is a function of its own for that."""

    def own(method: Any) -> Any:
        @wraps(method)
        def call(self: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
            return method(self, request, *args, **kwargs)

        return call

    made = {op: extend_schema(**said)(own(getattr(base, op))) for op, said in operations.items()}
    return type(name, (base,), {**attributes, **made, "__doc__": base.__doc__})


def _ticket_views(api: TicketApi) -> type[ApiViews]:
    info = kind_of(api.kind)
    by_status = {"status": ChoicesFilter(choices=api.statuses), "__doc__": api.filters.__doc__}
    declared: Any = type(f"{api.name}Filter", (api.filters,), by_status)
    move_out = _move_out(api)
    parameters = [
        CONDITION,
        *(OpenApiParameter(name, OpenApiTypes.STR) for name in declared.base_filters),
        OpenApiParameter("ordering", OpenApiTypes.STR, enum=list(ORDERS), default=DEFAULT_ORDER),
        *PAGING_PARAMETERS,
    ]
    name_of_move = OpenApiParameter("move", OpenApiTypes.STR, OpenApiParameter.PATH, enum=list(info.moves))
    described: dict[str, Any] = {
        "index": {
            "operation_id": f"{api.plural}_list",
            "description": f"List {api.plural}, by filters and by a condition.",
            "parameters": parameters,
            "responses": page_of_schema(api.out),
        },
        "create": {
            "operation_id": f"{api.plural}_create",
            "description": f"Open {api.a}.",
            "parameters": [IDEMPOTENCY_KEY],
            "request": api.body,
            "responses": {201: api.out, 200: api.out},
        },
        "retrieve": {
            "operation_id": f"{api.plural}_get",
            "description": "Read one by id or number; its ETag is its version.",
            "responses": api.out,
        },
        "partial_update": {
            "operation_id": f"{api.plural}_update",
            "parameters": [IF_MATCH],
            "request": api.patch,
            "responses": api.out,
        },
        "moves": {
            "operation_id": f"{api.plural}_moves",
            "parameters": [ALL_MOVES],
            "responses": page_of_schema(move_out, f"{api.name}MoveList"),
        },
        "move": {
            "operation_id": f"{api.plural}_move",
            "description": "Make a move: " + ", ".join(f"`{name}`" for name in info.moves) + ".",
            "parameters": [IF_MATCH, name_of_move],
            "request": api.move_body or _move_in(api, list(info.moves.values())),
            "responses": api.out,
        },
    }
    if api.opener is None:
        del described["create"]
    attributes = {"api": api, "filters": declared, "move_out": move_out}
    return _described(TicketViews, f"{api.name}Views", attributes, described)


def _move_out(api: TicketApi) -> type[MoveOut]:
    """Return how moves of the kind are shown: with the statuses to which they lead, for the description."""
    stays = any(not move.target for move in kind_of(api.kind).moves.values())
    target = serializers.ChoiceField(api.statuses, read_only=True, allow_blank=stays)
    return type(f"{api.name}MoveOut", (MoveOut,), {"target": target, "__doc__": MoveOut.__doc__})


def _move_in(api: TicketApi, moves: list[Move]) -> type[serializers.Serializer[Any]]:
    """Return a description of the fields that moves of the kind take, each with the moves that it is for."""
    used: dict[str, list[str]] = {}
    kinds: dict[str, str] = {}
    for move in moves:
        for one in move.fields:
            used.setdefault(one.name, []).append(move.name)
            kinds.setdefault(one.name, one.kind)
    made: dict[str, Any] = {}
    for name, names in used.items():
        words: dict[str, Any] = {"required": False, "help_text": f"For {', '.join(names)}."}
        if kinds[name] == "bool":
            made[name] = serializers.BooleanField(**words)
        elif kinds[name] == "datetime":
            made[name] = serializers.DateTimeField(**words)
        elif kinds[name] == "date":
            made[name] = serializers.DateField(**words)
        else:
            made[name] = serializers.CharField(**words)
    made["version"] = serializers.IntegerField(required=False, min_value=1, max_value=BIGGEST)
    made["__doc__"] = "The fields that the move takes, and the version last seen (optional)."
    return type(f"{api.name}MoveIn", (serializers.Serializer,), made)


def _comment_answer(api: TicketApi) -> type[serializers.Serializer[Any]]:
    doc = CommentAnswerBase.__doc__
    made = {api.kind: TicketRef(read_only=True), "__doc__": doc}
    return type(f"{api.name}CommentAnswer", (CommentAnswerBase,), made)


def _child_views(api: TicketApi) -> tuple[type[ApiViews], ...]:
    answer = _comment_answer(api)
    paged: dict[str, Any] = {"parameters": [*PAGING_PARAMETERS]}
    what = api.plural
    timers = api.timers_out or page_of_schema(TimerSerializer, "TimerList")
    described: list[tuple[type[Any], dict[str, Any]]] = [
        (
            children.TicketComments,
            {
                "index": {"operation_id": f"{what}_comments_list", **paged, "responses": page_of_schema(CommentOut)},
                "create": {
                    "operation_id": f"{what}_comments_create",
                    "parameters": [IDEMPOTENCY_KEY, IF_MATCH],
                    "request": CommentIn,
                    "responses": {201: answer, 200: answer},
                },
            },
        ),
        (
            children.TicketAttachments,
            {
                "index": {
                    "operation_id": f"{what}_attachments_list",
                    **paged,
                    "responses": page_of_schema(TicketAttachmentOut),
                },
                "create": {
                    "operation_id": f"{what}_attachments_create",
                    "request": {"multipart/form-data": AttachmentIn},
                    "responses": {201: TicketAttachmentOut},
                },
            },
        ),
        (
            children.TicketEvents,
            {"index": {"operation_id": f"{what}_events_list", **paged, "responses": page_of_schema(EventOut)}},
        ),
        (
            children.TicketLinks,
            {
                "index": {"operation_id": f"{what}_links_list", **paged, "responses": page_of_schema(LinkOut)},
                "create": {
                    "operation_id": f"{what}_links_create",
                    "request": LinkIn,
                    "responses": {201: LinkOut},
                },
                "destroy": {"operation_id": f"{what}_links_delete", "responses": NOTHING},
            },
        ),
        (
            children.TicketWatchers,
            {
                "index": {"operation_id": f"{what}_watchers_list", "responses": page_of_schema(PersonRef)},
                "create": {
                    "operation_id": f"{what}_watchers_create",
                    "request": WatcherIn,
                    "responses": {201: PersonRef},
                },
                "destroy": {"operation_id": f"{what}_watchers_delete", "responses": NOTHING},
            },
        ),
        (
            children.TicketTimers,
            {
                "index": {"operation_id": f"{what}_timers_list", "responses": timers},
                "acknowledge": {
                    "operation_id": f"{what}_timers_acknowledge",
                    "request": None,
                    "responses": page_of_schema(TimerSerializer, "TimerList"),
                },
                "explanation": {"operation_id": f"{what}_timers_explanation", "responses": ExplanationOut},
            },
        ),
    ]
    attributes = {"kind": api.kind, "api": api, "answer_serializer": answer}
    return tuple(
        _described(base, api.name + base.__name__.removeprefix("Ticket"), attributes, operations)
        for base, operations in described
    )

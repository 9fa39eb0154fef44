"""What the API has of changes beside what every kind has: opening from a template, and what comes next."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from changes import actions
from changes.actions.library import open_from_template
from changes.api.serializers import NextOut
from changes.gates import PLANS, lacks
from changes.models import Change
from changes.nexts import next_moves
from changes.statuses import ChangeType
from itsm.api.views import ApiViews
from itsm.tickets.actors import Actor
from itsm.tickets.clock import db_now
from itsm.tickets.errors import Invalid
from itsm.tickets.querysets import get_visible

FROM_TEMPLATE = frozenset(
    {
        "title",
        "description",
        "justification",
        "requester",
        "team",
        "assignee",
        "affected",
        "affected_other",
        "planned_start",
        "planned_end",
        "external_id",
    }
)
ALWAYS_SENT = {"impact": 3, "urgency": 3, "description": "", "external_id": ""}


def open_by_api(*, actor: Actor, submission_key: str | None, **values: Any) -> Change:
    """Open a change from a template, or in full, and return it.

    Raises:
        Invalid: a value that does not fit, or that the template says itself. IllegalMove, Refused.
    """
    template = values.pop("template", None)
    if template is not None:
        return _from_template(template, actor, submission_key, values)
    if not values.get("title"):
        raise Invalid({"title": _("Give a title, or a template that has one.")})
    plans = {name: values.pop(name) for name in PLANS if name in values}
    values.setdefault("change_type", ChangeType.NORMAL)
    return actions.open_change(actor=actor, submission_key=submission_key, plans=plans, **values)


def _from_template(template: Any, actor: Actor, submission_key: str | None, values: dict[str, Any]) -> Change:
    given = {name: value for name, value in values.items() if ALWAYS_SENT.get(name, object()) != value}
    own = sorted(set(given) - FROM_TEMPLATE)
    if own:
        raise Invalid(dict.fromkeys(own, _("The template says this. Leave it out, or open the change without one.")))
    return open_from_template(template, actor=actor, submission_key=submission_key, **given)


def missing(change: Any, move: str) -> Iterator[tuple[str, str]]:
    """Yield field and sentence for each thing that keeps the change from the move now."""
    for lack in lacks(change, move, db_now()):
        yield lack.field, lack.message


class NextViews(ApiViews):
    """What a change can do next: the gate of a pipeline."""

    @extend_schema(operation_id="changes_next", responses=NextOut)
    def retrieve(self, request: Request, ref: str) -> Response:
        """Say which moves start where the change stands, and for each what is missing, who still decides, and when the
        window opens."""
        change = get_visible(Change.objects.select_related("team", "template_version__template"), self.viewer, ref)
        moves = next_moves(change, self.actor, db_now())
        change.moves = moves
        return Response(self.shown(NextOut, change, change=change))

"""What changes hang on the ticket page: their properties, and the panels of plan, risk, schedule, scope and review."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from changes.actions import edit_change
from changes.actions.editing import frozen_reason
from changes.approving import PLAN_LABELS
from changes.models import Change, Questionnaire
from changes.nexts import next_moves
from changes.runs import caused_by
from changes.statuses import PATHS, TERMINAL, ChangeType, Status
from itsm.accounts.roles import Permission
from itsm.desk.access import desk_actor
from itsm.desk.pages import TicketPage
from itsm.desk.panels import Panel
from itsm.desk.properties import Property
from itsm.tickets.actors import Actor
from itsm.tickets.clock import db_now
from itsm.tickets.errors import Invalid
from itsm.tickets.models import LinkKind, Ticket
from itsm.tickets.rules import YES, Answer

MOST_CAUSED = 20
KINDS = ("change",)
FIXABLE = ("problem", "incident")
_NOT_AFTERWARDS = (Status.SCHEDULED, Status.IMPLEMENT)


def may_edit(request: HttpRequest, change: Change) -> bool:
    """Return whether the viewer may edit what is a change's own, as far as its state allows."""
    return desk_actor(request).may(Permission.WORK_TICKETS) and change.status not in TERMINAL


def _coming(request: HttpRequest, change: Change) -> dict[str, Any] | None:
    if change.status in TERMINAL:
        return None
    hidden = {"hold", "resume", "cancel", "revert"}
    found = [one for one in next_moves(change, desk_actor(request), db_now()) if one.move.name not in hidden]
    return {"coming": found, "path": path_of(change)}


def path_of(change: Change) -> list[tuple[str, str]]:
    """Return the way of the change: each state in words, and `done`, `current` or `next`."""
    way = [state for state in PATHS[change.change_type] if not (change.is_retroactive and state in _NOT_AFTERWARDS)]
    here = way.index(change.status) if change.status in way else -1
    return [
        (str(Status(state).label), "done" if place < here else "current" if place == here else "next")
        for place, state in enumerate(way)
    ]


def _plan(request: HttpRequest, change: Change) -> dict[str, Any]:
    return {
        "plans": [(name, label, getattr(change, name)) for name, label in PLAN_LABELS.items()],
        "may_edit_plan": may_edit(request, change) and not frozen_reason(change),
        "frozen": frozen_reason(change) if change.status not in TERMINAL else "",
    }


def _risk(request: HttpRequest, change: Change) -> dict[str, Any]:
    editable = may_edit(request, change)
    asks = editable and not frozen_reason(change) and change.change_type != ChangeType.STANDARD
    questionnaire = Questionnaire.current() if asks else None
    return {
        "factors": [factor for factor in change.risk_factors if factor["points"]],
        "others": [factor for factor in change.risk_factors if not factor["points"]],
        "questions": questionnaire.questions if questionnaire else [],
        "unanswered": any(one["source"] == "question" and not one["met"] for one in change.risk_factors),
        "may_reassess": editable,
    }


def _schedule(request: HttpRequest, change: Change) -> dict[str, Any]:
    works, frozen = may_edit(request, change), frozen_reason(change)
    movable = change.change_type == ChangeType.STANDARD and change.status == Status.SCHEDULED
    made = change.status in (Status.IMPLEMENT, Status.REVIEW)
    return {
        "may_plan": works and not change.is_retroactive and (movable or not frozen),
        "may_note": works and (made or (change.is_retroactive and not frozen)),
    }


def _affected(request: HttpRequest, change: Change) -> dict[str, Any]:
    rows = change.affected_rows.select_related("service").order_by("service__name")
    services = [row.service for row in rows]
    return {
        "services": services,
        "others": change.affected_other,
        "may_scope": may_edit(request, change) and not frozen_reason(change),
        "count": len(services) + len(change.affected_other) or None,
    }


def _review(request: HttpRequest, change: Change) -> dict[str, Any] | None:
    if change.status not in (Status.REVIEW, Status.CLOSED, Status.CANCELLED):
        return None
    return {
        "caused": list(caused_by(change).order_by("number")[:MOST_CAUSED]),
        "may_review": may_edit(request, change) and change.status == Status.REVIEW,
        "may_link": desk_actor(request).may(Permission.WORK_TICKETS),
        "needs_review": change.needs_review,
    }


def _fixes(request: HttpRequest, ticket: Ticket) -> dict[str, Any] | None:
    """Return the changes that fix a problem or an incident, and whether another can be opened for it from here."""
    actor = desk_actor(request)
    if not actor.may(Permission.VIEW_TICKETS):
        return None
    made = list(Change.objects.filter(links_in__source=ticket.pk, links_in__kind=LinkKind.FIXED_BY).order_by("-pk"))
    may_open = actor.may(Permission.WORK_TICKETS) and ticket.is_open
    return {"fixes": made, "may_open_change": may_open, "count": len(made) or None} if made or may_open else None


def _set_type(change: Any, value: str, *, actor: Actor, version: int | None) -> Any:
    return edit_change(change, {"change_type": value}, actor=actor, version=version)


def _parse_type(value: str) -> str:
    if value not in ChangeType.values:
        raise Invalid({"change_type": _("Choose one of the types.")})
    return value


def _type_options(change: Any) -> list[tuple[str, str]]:
    """Return the types that it can become: standard it can only stay."""
    return [
        (str(value), str(label))
        for value, label in ChangeType.choices
        if value != ChangeType.STANDARD or change.change_type == ChangeType.STANDARD
    ]


def _type_is_open(actor: Actor, change: Any) -> Answer:
    reason = frozen_reason(change)
    return Answer(False, reason) if reason else YES


def _set_unauthorised(change: Any, value: bool, *, actor: Actor, version: int | None) -> Any:
    return edit_change(change, {"is_unauthorised": value}, actor=actor, version=version)


def _parse_flag(value: str) -> bool:
    if value not in ("yes", "no"):
        raise Invalid({"is_unauthorised": _("Choose yes or no.")})
    return value == "yes"


def _manages(actor: Actor, change: Any) -> Answer:
    return YES if actor.may(Permission.MANAGE_CHANGES) else Answer(False, _("Only a change manager can do this."))


PROPERTIES = (
    Property(
        "change_type",
        gettext_lazy("Type"),
        lambda change: str(change.change_type),
        lambda change: str(change.get_change_type_display()),
        _parse_type,
        _set_type,
        options=_type_options,
        rule=_type_is_open,
    ),
    Property(
        "is_unauthorised",
        gettext_lazy("Made without authorisation"),
        lambda change: "yes" if change.is_unauthorised else "no",
        lambda change: str(_("Yes") if change.is_unauthorised else _("No")),
        _parse_flag,
        _set_unauthorised,
        options=lambda change: [("no", _("No")), ("yes", _("Yes"))],
        rule=_manages,
    ),
)
PAGE = TicketPage(
    related=("reviewed_by", "template_version__template", "questionnaire"),
    properties=("assignee", "team", "service", "category", "impact", "urgency"),
)
PANELS = (
    Panel("change-coming", gettext_lazy("What comes next"), "changes/panels/coming.html", _coming, KINDS, "aside", -90),
    Panel("change-schedule", gettext_lazy("Schedule"), "changes/panels/schedule.html", _schedule, KINDS, "aside", -80),
    Panel("change-affected", gettext_lazy("Affected"), "changes/panels/affected.html", _affected, KINDS, "aside", -70),
    Panel("change-plan", gettext_lazy("Plan"), "changes/panels/plan.html", _plan, KINDS, "main", 10),
    Panel("change-risk", gettext_lazy("Risk"), "changes/panels/risk.html", _risk, KINDS, "main", 20),
    Panel("fixes", gettext_lazy("Fixed by"), "changes/panels/fixes.html", _fixes, FIXABLE, "aside", 60),
    Panel("change-review", gettext_lazy("Review"), "changes/panels/review.html", _review, KINDS, "main", 5),
)

"""Editing what is a change's own: type, plans, window, what it touches, answers about its risk, its review."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from changes.actions.risking import tell_risk
from changes.actions.values import check_others, check_services, check_times, clean_plans
from changes.gates import PLANS
from changes.models import AffectedService, Change, Questionnaire
from changes.risk import assess
from changes.statuses import TERMINAL, ChangeType, Status
from cmdb.models import Service
from itsm.accounts.roles import Permission
from itsm.tickets.actions import begin
from itsm.tickets.actors import Actor
from itsm.tickets.clock import instant_of
from itsm.tickets.errors import IllegalMove, Invalid, Refused
from itsm.tickets.log import plain_value, write
from itsm.tickets.texts import clean_text

REVIEW_MAX = 20_000
PLANNED = ("planned_start", "planned_end")
ACTUAL = ("actual_start", "actual_end")
FLAGS = ("is_retroactive", "is_unauthorised")
SCOPE = ("affected", "affected_other")
EDITABLE = frozenset({"change_type", "risk_answers", "review_notes", *PLANS, *PLANNED, *ACTUAL, *FLAGS, *SCOPE})
OF_TEMPLATE = frozenset({"implementation_plan", "backout_plan", "test_plan", "risk_answers"})
MADE = frozenset({Status.IMPLEMENT, Status.REVIEW})


@transaction.atomic
def edit_change(change: Change, values: Mapping[str, Any], *, actor: Actor, version: int | None = None) -> Change:
    """Set what is the change's own and return it; its risk is worked out anew, and a new level is said in an event.

    `values` may name `change_type`, the plans, `planned_start` and `planned_end` (aware), `actual_start` and
    `actual_end`, `affected` (services) and `affected_other` (texts), `risk_answers` (answer by question),
    `review_notes`, `is_retroactive`, `is_unauthorised`. What is being approved, or was, is frozen until the change goes
    back to New. A call that changes nothing writes nothing.

    Raises:
        Invalid: a value that does not fit. IllegalMove: it cannot be changed at this state. Refused, Stale.
    """
    locked: Change = begin(change, "ticket.edit", actor=actor, version=version)
    unknown = sorted(set(values) - EDITABLE)
    if unknown:
        raise Invalid(dict.fromkeys(unknown, _("This cannot be changed here.")))
    wanted = _checked(locked, values)
    services = check_services(values["affected"]) if "affected" in values else None
    scope = _scope(locked, services)
    fields = {name: value for name, value in wanted.items() if getattr(locked, name) != value}
    if not fields and not any(scope.values()):
        return locked
    _check_editable(locked, {*fields, *(["affected"] if any(scope.values()) else [])}, actor)
    _store_scope(locked, scope, actor)
    now = instant_of(actor)
    found = assess(locked, now, fields)
    before = (locked.risk, locked.risk_points)
    differs = found.differs_from(locked)
    said = {
        "changes": {name: [plain_value(getattr(locked, name)), plain_value(value)] for name, value in fields.items()},
        **{name: [str(one) for one in rows] for name, rows in scope.items() if rows},
    }
    write(
        locked,
        "change.edited",
        actor=actor,
        changes={**fields, **found.fields(now)},
        data=said,
        log_changes=False,
        at=now,
    )
    if differs:
        tell_risk(locked, found, actor=actor, at=now, store=False, before=before)
    return locked


def _checked(locked: Change, values: Mapping[str, Any]) -> dict[str, Any]:
    wanted: dict[str, Any] = clean_plans({name: values[name] for name in PLANS if name in values})
    for pair in (PLANNED, ACTUAL):
        if set(pair) & set(values):
            wanted |= _times(locked, pair, values)
    for name in FLAGS:
        if name in values:
            wanted[name] = bool(values[name])
    if "affected_other" in values:
        wanted["affected_other"] = check_others(values["affected_other"])
    if "review_notes" in values:
        wanted["review_notes"] = clean_text(values["review_notes"], "review_notes", REVIEW_MAX)
    if "risk_answers" in values:
        wanted["risk_answers"] = check_answers(values["risk_answers"])
    if "change_type" in values:
        wanted["change_type"] = _type(locked, values["change_type"])
        if wanted["change_type"] != ChangeType.EMERGENCY and "is_retroactive" not in values:
            wanted["is_retroactive"] = False
    kind = wanted.get("change_type", locked.change_type)
    if wanted.get("is_retroactive", locked.is_retroactive) and kind != ChangeType.EMERGENCY:
        raise Invalid({"is_retroactive": _("Only an emergency is recorded after the act.")})
    return wanted


def _times(locked: Change, pair: tuple[str, str], values: Mapping[str, Any]) -> dict[str, Any]:
    both = {name: values.get(name, getattr(locked, name)) for name in pair}
    if pair == ACTUAL and both["actual_end"] is None and locked.status == Status.IMPLEMENT:
        if both["actual_start"] is None:
            raise Invalid({"actual_start": _("Say when the work began.")})
        return both
    return check_times(**both)


def _type(locked: Change, value: Any) -> str:
    if value not in ChangeType.values:
        raise Invalid({"change_type": _("Choose one of: %(types)s.") % {"types": ", ".join(ChangeType.values)}})
    if value == ChangeType.STANDARD and locked.change_type != ChangeType.STANDARD:
        raise Invalid({"change_type": _("A standard change is made from its template, not by changing the type.")})
    return str(value)


def check_answers(given: Any) -> dict[str, str]:
    """Return the answers by question, for the questions that are asked now.

    Raises:
        Invalid: an answer or a question that there is not.
    """
    if not isinstance(given, Mapping):
        raise Invalid({"risk_answers": _("Give an answer for each question: {question: answer}.")})
    questionnaire = Questionnaire.current()
    allowed = {
        question["key"]: {answer["key"] for answer in question["answers"]}
        for question in (questionnaire.questions if questionnaire else ())
    }
    for key, answer in given.items():
        if key not in allowed:
            said = _("There is no question “%(key)s” any more. Load the page again.") % {"key": key}
            raise Invalid({"risk_answers": said})
        if answer not in allowed[key]:
            choices = ", ".join(sorted(allowed[key]))
            said = _("Answer “%(key)s” with one of: %(choices)s.") % {"key": key, "choices": choices}
            raise Invalid({"risk_answers": said})
    return dict(given)


def _scope(locked: Change, wanted: list[Service] | None) -> dict[str, list[Service]]:
    if wanted is None:
        return {"added": [], "removed": []}
    current = {row.service_id: row.service for row in locked.affected_rows.select_related("service")}
    chosen = {service.pk: service for service in wanted}
    if locked.service_id is not None and locked.service is not None:
        chosen.setdefault(locked.service_id, locked.service)  # what the change is about is touched by it
    return {
        "added": [service for pk, service in chosen.items() if pk not in current],
        "removed": [service for pk, service in current.items() if pk not in chosen],
    }


def _store_scope(locked: Change, scope: Mapping[str, list[Service]], actor: Actor) -> None:
    if scope["removed"]:
        locked.affected_rows.filter(service__in=scope["removed"]).delete()
    AffectedService.objects.bulk_create(
        [AffectedService(change=locked, service=one, added_by=actor.user) for one in scope["added"]],
        ignore_conflicts=True,
    )


def _check_editable(locked: Change, names: Iterable[str], actor: Actor) -> None:
    """Refuse what cannot be changed now.

    Raises:
        IllegalMove, Refused.
    """
    if locked.status in TERMINAL:
        raise IllegalMove(
            _("This change is %(status)s and can no longer be changed.") % {"status": locked.status_label.lower()}
        )
    for name in names:
        if name == "is_unauthorised":
            if not actor.may(Permission.MANAGE_CHANGES):
                raise Refused(_("Only a change manager says whether a change was made without authorisation."))
        elif name == "review_notes":
            if locked.status not in MADE:
                raise IllegalMove(_("The review is written when the change has been made."))
        elif name in ACTUAL:
            if locked.status not in MADE and not (locked.is_retroactive and locked.status == Status.NEW):
                raise IllegalMove(_("It has not been made yet. “Start” and “Finish” note the times."))
        elif locked.change_type == ChangeType.STANDARD and name in OF_TEMPLATE:
            raise IllegalMove(
                _("A standard change keeps the plans of its template. Make it a normal change to depart from them.")
            )
        elif locked.change_type == ChangeType.STANDARD and name in PLANNED and locked.status == Status.SCHEDULED:
            continue
        elif locked.status != Status.NEW:
            raise IllegalMove(frozen_reason(locked))


def frozen_reason(change: Change) -> str:
    """Return why type, plans, window and scope cannot be edited at the change's state; empty: they can."""
    if change.status == Status.NEW:
        return ""
    if change.status in (Status.ASSESS, Status.AUTHORISE):
        return str(_("This is being approved as it stands. Take the change back to New to edit it."))
    if change.status == Status.SCHEDULED:
        return str(_("This was approved as it stands. Take the change back to New to edit it."))
    return str(_("This is frozen: the change is %(status)s.") % {"status": change.status_label.lower()})

"""What setting up service levels has in common: who may, how names are checked, and that set-ups are kept no longer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.apps import apps
from django.utils.translation import gettext as _

from itsm.accounts.changelog import ChangedMeanwhile
from itsm.accounts.roles import Permission
from itsm.conditions import Condition, ConditionError, check
from itsm.tickets.actors import Actor
from itsm.tickets.clock import db_now
from itsm.tickets.errors import Invalid, Refused
from itsm.tickets.schema import rule_schema
from slas.calendars import CalendarError, CalendarSpec
from slas.calendars import compile as compile_calendar
from slas.models import CalendarVersion, ChainVersion, Setup, SetupVersion
from slas.models.policies import new_stamp
from slas.promised import content_of

NAME_MAX = 200
# So many tickets follow an edit at once, while somebody waits for the page; a task moves the others.
MOVED_AT_ONCE = 200


def check_version(current: CalendarVersion | ChainVersion | None, seen: str) -> None:
    """Refuse when the caller has seen another version than the one that holds; blank: the caller does not mind. Call it
    under the lock of what the version is of.

    Raises:
        ChangedMeanwhile.
    """
    if current is not None and seen and seen != str(current.number):
        raise ChangedMeanwhile(str(current.number))


def require_manager(actor: Actor) -> None:
    """Refuse whoever does not manage service levels.

    Raises:
        Refused.
    """
    if not actor.may(Permission.MANAGE_SERVICE_LEVELS):
        raise Refused(_("Only a service-level manager can set up service levels."))


def touch_setup() -> None:
    """Let every process read policies, chains and calendars anew, and put on record what is promised from now on.

    Call it when all of an edit is stored.
    """
    Setup.objects.update_or_create(pk=1, defaults={"stamp": new_stamp()})
    # By the database's clock, as events are: what was promised when one was recorded is looked up by it.
    SetupVersion.objects.create(at=db_now(), content=content_of(lambda name: apps.get_model("slas", name)))


def problem_of(condition: Mapping[str, Any], part: str) -> dict[str, str]:
    """Return a sentence under the name of the part where the condition cannot be asked of a ticket; else nothing."""
    try:
        check(Condition.from_json(dict(condition)), rule_schema(), predicate=True, personal=False)
    except ConditionError as error:
        return {part: str(error)}
    return {}


def check_can_be_due(spec: CalendarSpec, target_s: int, part: str) -> None:
    """Refuse hours by which the target could never be due.

    Raises:
        Invalid: with a sentence under the name of the part.
    """
    if not target_s:
        return
    if not any(spec.weekly):
        # Dated hours end with the last date: from then on nothing that falls under the target could be opened.
        raise Invalid({part: _("A target needs a calendar with weekly hours. Give at least one day opening hours.")})
    try:
        compile_calendar(spec).due(db_now(), target_s * 1_000_000)
    except CalendarError as error:
        raise Invalid({part: _(error.template) % error.params}) from error

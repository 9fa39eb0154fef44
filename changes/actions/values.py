"""Values of a change that come from outside, checked once for every verb."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext as _

from changes.gates import PLANS
from changes.models.change import OTHERS_MAX, PLAN_MAX
from cmdb.models import Service
from itsm.tickets.errors import Invalid
from itsm.tickets.texts import clean_text

SERVICES_MAX = 200
EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def clean_plans(given: Mapping[str, Any]) -> dict[str, str]:
    """Return the plans that are given, trimmed.

    Raises:
        Invalid: no such plan, or one that is too long.
    """
    problems = {name: _("A change has no such plan.") for name in given if name not in PLANS}
    values: dict[str, str] = {}
    for name in PLANS:
        if name in given:
            try:
                values[name] = clean_text(given[name], name, PLAN_MAX)
            except Invalid as error:
                problems |= error.fields
    if problems:
        raise Invalid(problems)
    return values


def check_others(given: Iterable[str]) -> list[str]:
    """Return what is affected and stands in no register, each thing once, in the order given.

    Raises:
        Invalid: too many, or one that is too long.
    """
    values = dict.fromkeys(clean_text(one, "affected_other", 200, one_line=True) for one in given)
    found = [one for one in values if one]
    if len(found) > OTHERS_MAX:
        raise Invalid({"affected_other": _("At most %(max)d things fit here.") % {"max": OTHERS_MAX}})
    return found


def check_services(given: Iterable[Service]) -> list[Service]:
    """Return the services, each once.

    Raises:
        Invalid: too many.
    """
    found = list({one.pk: one for one in given}.values())
    if len(found) > SERVICES_MAX:
        raise Invalid({"affected": _("At most %(max)d services fit here.") % {"max": SERVICES_MAX}})
    return found


def check_times(**given: datetime | None) -> dict[str, datetime | None]:
    """Return a start and an end as they were named (`planned_start=…, planned_end=…`): both, or neither.

    Raises:
        Invalid: one without the other, an end that is not after its start, or a time without a zone.
    """
    (first, start), (last, end) = given.items()
    for name, value in given.items():
        if value is not None and (value.tzinfo is None or not EARLIEST <= value <= LATEST):
            raise Invalid({name: _("Give a date and time with its zone, between the years 2000 and 2200.")})
    if (start is None) != (end is None):
        raise Invalid({last if end is None else first: _("Give the start and the end, or neither.")})
    if start is not None and end is not None and end <= start:
        raise Invalid({last: _("The end must lie after the start.")})
    return dict(given)

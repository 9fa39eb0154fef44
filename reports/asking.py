"""One question to the reports: who asks, about what, as of which instant; and the small choices of single pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.http import HttpRequest
from django.utils.translation import gettext as _

from itsm.accounts.models import User
from itsm.tickets.clock import db_now
from itsm.tickets.errors import Invalid
from reports.access import viewer_of
from reports.filters import Choices, Filters, read_filters
from slas.models import Kind, Metric

MINUTES = (5, 15, 30, 60)
HOURS = (1, 4, 8, 24, 72)


@dataclass(frozen=True)
class Asked:
    """Who asks about what. `given`: the address's parameters, for what only one page takes."""

    user: User
    filters: Filters
    now: datetime
    given: Mapping[str, str]

    @property
    def choices(self) -> Choices:
        """What the filters offer."""
        return self.filters.choices

    def number(self, name: str, offered: Sequence[int], default: int) -> int:
        """Return a number of the address that must be one of those offered.

        Raises:
            Invalid: it is none of them.
        """
        text = self.given.get(name, "")
        if not text:
            return default
        if text not in {str(one) for one in offered}:
            choice = ", ".join(str(one) for one in offered)
            raise Invalid({name: _("Choose one of: %(choice)s.") % {"choice": choice}})
        return int(text)

    def of_one_promise(self) -> Asked:
        """Return the question for clocks of which a ticket has one: the resolution promised to requesters, unless a
        metric, kind or policy was chosen. Time would be counted twice otherwise."""
        values = dict(self.filters.values)
        if "policy" not in values:
            values.setdefault("kind", Kind.SLA.value)
            values.setdefault("metric", Metric.RESOLUTION.value)
        return replace(self, filters=replace(self.filters, values=values))


def ask(request: HttpRequest, choices: Choices) -> Asked:
    """Return the question that the address puts.

    Raises:
        Invalid: a sentence for each part that does not fit.
    """
    viewer = viewer_of(request)
    given = request.GET.dict()
    return Asked(viewer, read_filters(given, viewer, choices), db_now(), given)

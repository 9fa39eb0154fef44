"""What a report is about: its period, and which clocks count. It is in the address, so that a report can be sent on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.utils.translation import gettext as _

from cmdb.models import Service
from itsm.accounts.models import Team, User
from itsm.tickets.clock import db_now
from itsm.tickets.errors import Invalid
from itsm.tickets.models import Priority
from reports.period import Period, Span, period_of
from slas.models import Kind, Metric, ServiceLevelPolicy

NONE = "none"
NAMES = ("policy", "kind", "metric", "team", "service", "priority")


@dataclass(frozen=True)
class Option:
    """One thing to choose: its reference in the address, its words, its id in the database (None: nothing is set)."""

    ref: str
    label: str
    pk: int | None = None


@dataclass(frozen=True)
class Choices:
    """All that the filters offer, read in three queries; also the names that tables show."""

    policies: list[Option]
    teams: list[Option]
    services: list[Option]

    @classmethod
    def read(cls) -> Choices:
        """Return what there is, closed teams and services included: old tickets are theirs."""
        return cls(
            [
                Option(ref, name, pk)
                for ref, name, pk in ServiceLevelPolicy.objects.values_list("public_id", "name", "pk")
            ],
            [Option(NONE, _("No team")), *_options(Team.objects.values_list("key", "name", "pk"))],
            [Option(NONE, _("No service")), *_options(Service.objects.values_list("key", "name", "pk"))],
        )

    def of(self, name: str) -> list[Option]:
        """Return the options of the filter."""
        if name == "policy":
            return self.policies
        if name in {"team", "service"}:
            return self.teams if name == "team" else self.services
        enum: Any = {"kind": Kind, "metric": Metric, "priority": Priority}[name]
        return [Option(str(value), str(label), value if name == "priority" else None) for value, label in enum.choices]


def _options(rows: Any) -> list[Option]:
    return [Option(ref, name, pk) for ref, name, pk in rows]


@dataclass(frozen=True)
class Filters:
    """A report's question. `values`: the chosen references by filter, without those that are open."""

    period: Period
    choices: Choices
    values: Mapping[str, str] = field(default_factory=dict)

    def chosen(self, name: str) -> Option | None:
        """Return the option that was chosen; None where the filter is open."""
        ref = self.values.get(name)
        return next((option for option in self.choices.of(name) if option.ref == ref), None) if ref else None

    def query(self, **changes: str) -> str:
        """Return the filters as the query of an address; `changes` replace single ones (blank: open)."""
        span = {"period": str(self.period.span)}
        if self.period.span == Span.CUSTOM:
            span |= {"from": self.period.first.isoformat(), "to": self.period.last.isoformat()}
        return urlencode({name: value for name, value in {**span, **self.values, **changes}.items() if value})

    def within(self, first: date, last: date) -> Filters:
        """Return the same question for the part of the period from first to last."""
        part = Period(Span.CUSTOM, max(first, self.period.first), min(last, self.period.last), self.period.zone)
        return replace(self, period=part)


def read_filters(given: Mapping[str, str], user: User, choices: Choices) -> Filters:
    """Return the filters of an address as the person means them: days by the clocks of their zone.

    Raises:
        Invalid: a sentence for each one that is not on offer.
    """
    problems: dict[str, str] = {}
    zone = user.zone
    today = db_now().astimezone(zone).date()
    try:
        period = period_of(given.get("period", ""), given.get("from", ""), given.get("to", ""), today=today, zone=zone)
    except Invalid as error:
        problems.update(error.fields)
        period = period_of("", "", "", today=today, zone=zone)
    values = {}
    for name in NAMES:
        ref = given.get(name, "")
        if not ref:
            continue
        if ref in {option.ref for option in choices.of(name)}:
            values[name] = ref
        else:
            problems[name] = _("There is no such choice here. Choose one from the list.")
    if problems:
        raise Invalid(problems)
    return Filters(period, choices, values)

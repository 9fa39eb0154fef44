"""Whether an incident is one that a rule means, and why or why not, in words. Nothing is changed here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC
from functools import cached_property
from typing import Any

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from incidents.major.rules.models import WHY_MAX, MajorRule
from incidents.major.states import MajorState
from incidents.models import Incident
from incidents.statuses import Status
from itsm.conditions import AllOf, Condition, ConditionError, Context, describe, to_predicate, to_q
from itsm.tickets.clock import db_now
from itsm.tickets.models import Ticket
from itsm.tickets.schema import rule_schema


@dataclass(frozen=True)
class Tried:
    """One rule asked of one incident. `met` and `unmet`: what speaks for it and against it, in words; `problem`: why it
    cannot be asked."""

    rule: MajorRule
    met: tuple[str, ...] = ()
    unmet: tuple[str, ...] = ()
    problem: str = ""

    @property
    def matches(self) -> bool:
        """Whether everything that the rule asks for is so."""
        return not self.unmet and not self.problem

    @property
    def why(self) -> str:
        """What made it match, as one sentence without an end."""
        text = "; ".join(self.met)
        return text if len(text) <= WHY_MAX else text[: WHY_MAX - 1] + "…"


class Reach:
    """How many an incident hits; each number is counted when a rule asks for it, and once.

    Cancelled incidents do not count: somebody took them back.
    """

    def __init__(self, incident: Incident) -> None:
        self._incident = incident

    @cached_property
    def children(self) -> int:
        """How many incidents are part of it."""
        if not self._incident.child_count:
            return 0
        return Incident.objects.children_of(self._incident).exclude(status=Status.CANCELLED).count()

    @cached_property
    def people(self) -> int:
        """How many people asked for it, for one that is part of it, or for one that was merged into it."""
        if not (self._incident.child_count or self._incident.merged_count):
            return 1
        return _family(Value(self._incident.pk)).values("requester").distinct().count()


def _family(pk: Any) -> QuerySet[Incident]:
    together = Incident.objects.filter(Q(pk=pk) | Q(parent=pk) | Q(merged_into=pk))
    return together.exclude(status=Status.CANCELLED).order_by()


def why_not_judged(incident: Incident) -> str:
    """Return why no rule is asked about the incident; empty where they are."""
    if incident.major_state != MajorState.NONE:
        said = {
            MajorState.PROPOSED: _("It is proposed already."),
            MajorState.ACCEPTED: _("It is a major incident already."),
            MajorState.REJECTED: _("It was rejected: what people have decided, no rule undoes. They can propose it."),
            MajorState.DEMOTED: _("It was demoted: what people have decided, no rule undoes. They can propose it."),
        }
        return said[MajorState(incident.major_state)]
    if not incident.is_open:
        return _("It is %(status)s: only an open incident can be a major one.") % {
            "status": incident.status_label.lower()
        }
    if incident.parent_id is not None:
        return _("It is part of another incident: that one is judged.")
    return ""


def judge(incident: Incident, rules: Iterable[MajorRule]) -> Iterator[Tried]:
    """Ask each of the rules about the incident, in their order. One that can no longer be read matches nothing."""
    reach = Reach(incident)
    context = Context(user=None, now=db_now(), zone=UTC)
    for rule in rules:
        met: list[str] = []
        unmet: list[str] = []
        try:
            _ask_condition(rule, incident, context, met, unmet)
        except ConditionError as error:
            yield Tried(rule, problem=error.message)
            continue
        if rule.min_children is not None:
            words = _children_words(reach.children, rule.min_children)
            (met if reach.children >= rule.min_children else unmet).append(words)
        if rule.min_people is not None:
            words = _people_words(reach.people, rule.min_people)
            (met if reach.people >= rule.min_people else unmet).append(words)
        yield Tried(rule, tuple(met), tuple(unmet))


def first_match(incident: Incident, rules: Iterable[MajorRule]) -> Tried | None:
    """Return the first of the rules that the incident meets; None where none does, or where none is asked."""
    if why_not_judged(incident):
        return None
    return next((tried for tried in judge(incident, rules) if tried.matches), None)


def _ask_condition(rule: MajorRule, incident: Incident, context: Context, met: list[str], unmet: list[str]) -> None:
    condition = Condition.from_json(rule.condition)
    for part in condition.children if isinstance(condition, AllOf) else (condition,):
        holds = to_predicate(part, rule_schema(), context)(incident)
        (met if holds else unmet).append(describe(part, rule_schema()))


def _children_words(count: int, least: int) -> str:
    words = ngettext("%(count)d incident is part of it", "%(count)d incidents are part of it", count)
    return _("%(words)s (the rule asks for %(least)d)") % {"words": words % {"count": count}, "least": least}


def _people_words(count: int, least: int) -> str:
    words = ngettext("%(count)d person is affected", "%(count)d people are affected", count)
    return _("%(words)s (the rule asks for %(least)d)") % {"words": words % {"count": count}, "least": least}


def matching_now(rule: MajorRule) -> QuerySet[Incident]:
    """Return the open incidents that the rule would act on now, asked by itself.

    Raises:
        ConditionError: the rule can no longer be read.
    """
    context = Context(user=None, now=db_now(), zone=UTC)
    found: QuerySet[Incident] = Incident.objects.undecided()
    condition = Condition.from_json(rule.condition)
    if list(condition.leaves()):
        # Asked of tickets, which is what the language knows: of an incident it would not find the fields of its kind.
        found = found.filter(pk__in=Ticket.objects.filter(to_q(condition, rule_schema(), context)).values("pk"))
    if rule.min_children is not None:
        children = Incident.objects.filter(parent=OuterRef("pk")).exclude(status=Status.CANCELLED).order_by()
        found = found.filter(child_count__gte=rule.min_children).annotate(
            joined=_counted(children, Count("pk")),
        )
        found = found.filter(joined__gte=rule.min_children)
    if rule.min_people is not None and rule.min_people > 1:
        found = found.filter(child_count__gte=rule.min_people - 1 - F("merged_count")).annotate(
            people=_counted(_family(OuterRef("pk")), Count("requester", distinct=True))
        )
        found = found.filter(people__gte=rule.min_people)
    return found


def _counted(rows: QuerySet[Incident], count: Count) -> Coalesce:
    one = rows.annotate(all=Value(1)).values("all").annotate(number=count).values("number")
    return Coalesce(Subquery(one), 0)

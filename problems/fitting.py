"""Known errors that may fit an incident: those whose words are most like its own."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.search import SearchQuery
from django.db.models import Case, F, IntegerField, Q, QuerySet, Value, When

from itsm.tickets.models import LinkKind
from itsm.tickets.querysets import query_words
from problems.models import Problem
from problems.trends.words import words_of_title

SHOWN = 3
ENOUGH = 2
READ = 500


def known_errors_for(incident: Any) -> QuerySet[Problem]:
    """Return up to three current known errors that share at least two telling words with the incident (one, where it
    has no more), the most alike first; the same service counts as another word. Those linked already are left out."""
    words = words_of_title(f"{incident.title} {incident.description[:READ]}")
    queries = [SearchQuery(raw, config="simple", search_type="raw") for word in words for raw in query_words(word)]
    found: QuerySet[Problem] = Problem.objects.known_errors().current()
    if not queries:
        return found.none()
    shared: Any = Value(0)
    for query in queries:
        shared = shared + Case(
            When(Q(search=query) | Q(found=query), then=Value(1)), default=Value(0), output_field=IntegerField()
        )
    same: Any = Value(0)
    if incident.service_id is not None:
        same = Case(When(service_id=incident.service_id, then=Value(1)), default=Value(0), output_field=IntegerField())
    linked = Q(links_in__source_id=incident.pk, links_in__kind=LinkKind.PROBLEM)
    alike = found.exclude(linked).annotate(shared=shared, same=same).filter(shared__gte=min(ENOUGH, len(queries)))
    return alike.order_by((F("shared") + F("same")).desc(), "-known_error_at", "pk")[:SHOWN]

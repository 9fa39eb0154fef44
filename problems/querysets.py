"""Questions about problems and known errors."""

from __future__ import annotations

from typing import Any, Self

from django.contrib.postgres.search import SearchQuery
from django.db.models import Q

from itsm.tickets.models.children import LinkKind
from itsm.tickets.querysets import TicketQuerySet, query_words
from problems.statuses import OutcomeCode

OVER = (OutcomeCode.FIX_APPLIED, OutcomeCode.CANCELLED, OutcomeCode.DUPLICATE)


class ProblemQuerySet(TicketQuerySet[Any]):
    """Questions about problems, beyond those that every ticket answers."""

    def known_errors(self) -> Self:
        """Return the known errors, those that have been fixed since included."""
        return self.filter(is_known_error=True)

    def current(self) -> Self:
        """Return those that people still meet: neither fixed nor ended as no problem. An accepted risk is still met."""
        return self.exclude(resolution_code__in=OVER)

    def published(self) -> Self:
        """Return the known errors that everybody may read of in the portal, by their public texts alone."""
        return self.known_errors().current().filter(published_at__isnull=False)

    def known_error_text(self, text: str) -> Self:
        """Return those whose title, symptoms, cause or workaround together contain all words (each as a prefix)."""
        words = query_words(text)
        if not words:
            return self.none()
        found = self
        for raw in words:
            query = SearchQuery(raw, config="simple", search_type="raw")
            found = found.filter(Q(search=query) | Q(found=query))
        return found

    def public_text(self, text: str) -> Self:
        """Return those whose public texts contain all words (each as a prefix). Never looks at anything internal."""
        words = query_words(text)
        if not words:
            return self.none()
        return self.filter(public_found=SearchQuery(" & ".join(words), config="simple", search_type="raw"))

    def of_incident(self, ticket_id: int) -> Self:
        """Return the problems that the incident is linked to."""
        return self.filter(links_in__source_id=ticket_id, links_in__kind=LinkKind.PROBLEM)

"""Questions about tickets. `visible_to` is the one door: what it does not return does not exist for that person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self, TypeVar

from django.contrib.auth.models import AnonymousUser
from django.contrib.postgres.search import SearchQuery, SearchRank
from django.db import models
from django.db.models import Case, Exists, ExpressionWrapper, F, FloatField, OuterRef, Q, Value, When
from django.http import Http404
from django.utils.translation import gettext as _

from itsm.accounts.roles import Permission

if TYPE_CHECKING:
    from itsm.accounts.models import User

NEVER = Q(pk__isnull=True)
T = TypeVar("T", bound=models.Model)


def sees_all_tickets(user: User | AnonymousUser) -> bool:
    """Return whether every ticket, with its work notes, is visible to the person."""
    return bool(user.is_authenticated and user.may(Permission.VIEW_TICKETS))


class TicketQuerySet(models.QuerySet[T]):
    """Questions that every kind of ticket answers."""

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Return the tickets that exist for the person: all for the desk, else those they asked for or watch.

        What is of the desk alone (a task below somebody's incident) exists for nobody else.
        """
        from itsm.tickets.kinds import desk_only_kinds  # a kind's moves ask rules, and those ask this module

        if not user.is_authenticated:
            return self.none()
        if sees_all_tickets(user):
            return self
        hidden = desk_only_kinds()
        return self.involving(user).exclude(kind__in=hidden) if hidden else self.involving(user)

    def involving(self, user: User) -> Self:
        """Return the tickets that are the person's own: asked for by them, or watched."""
        from itsm.tickets.models import Watcher  # the model imports this module

        watched = Watcher.objects.filter(ticket=OuterRef("pk"), user=user)
        return self.filter(Q(requester=user) | Exists(watched))

    def open(self) -> Self:
        """Return tickets on which work is still to be done."""
        return self.filter(resolved_at__isnull=True, closed_at__isnull=True)

    def by_ref(self, ref: str) -> Self:
        """Return the ticket with this public id or number (at most one row)."""
        return self.filter(number=ref.upper()) if len(ref) < 32 else self.filter(public_id=ref.lower())

    def with_people(self) -> Self:
        """Return the tickets with everything that a list row shows, in one query."""
        return self.select_related("requester", "assignee", "team", "service", "category")

    def matching_text(self, text: str) -> Self:
        """Return tickets that contain all words of the text (last word as a prefix), or have it as number."""
        return self.filter(text_q(text))

    def similar_to(self, title: str, *, service_id: int | None = None, category_id: int | None = None) -> Self:
        """Return the open tickets that speak of the same, the most similar first, with `likeness` (above 0) for each.

        Similar: at least half of the title's words are in the ticket; a third where the service is the same too.
        """
        words = telling_words(title)
        if not words:
            return self.none()
        some = SearchQuery(" | ".join(f"'{word}':*" for word in words), config="simple", search_type="raw")
        found: Any = Value(0.0)
        for word in words:
            one = SearchQuery(f"'{word}':*", config="simple", search_type="raw")
            found = found + _points(Q(search=one), 1.0 / len(words))
        same_service = Q(service_id=service_id) if service_id else NEVER
        same_category = Q(category_id=category_id) if category_id else NEVER
        likeness = F("share") + _points(same_service, 0.3) + _points(same_category, 0.1) + SearchRank("search", some)
        matching = self.open().filter(search=some).annotate(share=ExpressionWrapper(found, FloatField()))
        half, third = Q(share__gte=0.499), Q(share__gte=0.33) & same_service
        ranked = matching.annotate(likeness=ExpressionWrapper(likeness, FloatField()))
        return ranked.filter(half | third).order_by("-likeness", "-opened_at", "-pk")


def _points(condition: Q, points: float) -> Case:
    return Case(When(condition, then=Value(points)), default=Value(0.0), output_field=FloatField())


def telling_words(text: str) -> list[str]:
    """Return up to ten words of the text that may say what it is about: the longest ones, three letters at least."""
    words = {"".join(ch for ch in word if ch.isalnum()) for word in text[:500].lower().replace("-", " ").split()}
    longest = sorted((word for word in words if len(word) >= 3), key=lambda word: (-len(word), word))
    return longest[:10]


def query_words(text: str) -> list[str]:
    """Return a person's words as PostgreSQL's raw text queries, each as a prefix; none where no letter or digit is."""
    words = ["".join(ch for ch in word if ch.isalnum() or ch in "-_.@") for word in text.split()]
    return ["'" + word.replace("'", "") + "':*" for word in words if any(ch.isalnum() for ch in word)]


def text_q(text: str) -> Q:
    """Return the full-text condition for a person's words: every word, each as a prefix of a word in the ticket."""
    words = query_words(text)
    if not words:
        return Q(pk__isnull=True)
    found = Q(search=SearchQuery(" & ".join(words), config="simple", search_type="raw"))
    return found | Q(number=text.strip().upper()) if len(words) == 1 else found


class CommentQuerySet(models.QuerySet[Any]):
    """Questions about comments."""

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Return the comments the person may read: never a work note for somebody outside the desk."""
        if sees_all_tickets(user):
            return self
        return _public_children_of_visible(self, user)


class AttachmentQuerySet(models.QuerySet[Any]):
    """Questions about attachments."""

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Return the files the person may download."""
        if sees_all_tickets(user):
            return self
        return _public_children_of_visible(self, user)


class EventQuerySet(models.QuerySet[Any]):
    """Questions about the event log."""

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Return the events the person may read: internal ones only for the desk."""
        if sees_all_tickets(user):
            return self
        return self.filter(internal=False, ticket__in=_visible_tickets(user))


def _visible_tickets(user: User | AnonymousUser) -> models.QuerySet[Any]:
    from itsm.tickets.models import Ticket  # the model imports this module

    return Ticket.objects.visible_to(user)


def _public_children_of_visible(children: Any, user: User | AnonymousUser) -> Any:
    return children.filter(visibility="public", ticket__in=_visible_tickets(user))


def get_visible[M: models.Model](queryset: TicketQuerySet[M], user: User | AnonymousUser, ref: str) -> M:
    """Return the one ticket with this number or public id that exists for the person.

    Raises:
        Http404: there is none, or it is not theirs to see; the two are not told apart.
    """
    if "\x00" in ref or len(ref) > 40:
        raise Http404(_("There is no such ticket."))
    found = queryset.visible_to(user).by_ref(ref).first()
    if found is None:
        raise Http404(_("There is no such ticket."))
    return found

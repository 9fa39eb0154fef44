"""Who is told: each function answers for one relation to the ticket, with the reason why."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from itsm.accounts.models import Team, User
from itsm.notifications.occasion import Occasion
from itsm.tickets.querysets import sees_all_tickets


class Why(models.TextChoices):
    """Why somebody is told; said under every mail and notice."""

    REQUESTER = "requester", _("You are told because you asked for help with this.")
    WATCHER = "watcher", _("You are told because you watch this ticket.")
    ASSIGNEE = "assignee", _("You are told because this ticket is assigned to you.")
    TEAM = "team", _("You are told because this ticket is in the queue of your team.")
    ESCALATION = "escalation", _("You are told because an escalation step names you.")


@dataclass(frozen=True)
class Recipient:
    """A person, or (user None) the mailbox of a team; `by_mail` is false where the application's inbox is enough."""

    user: User | None
    address: str
    why: Why
    by_mail: bool = True


Audience = Callable[[Occasion], Iterable[Recipient]]


def requester(occasion: Occasion) -> Iterator[Recipient]:
    """The one for whom the ticket was opened."""
    yield _person(occasion.ticket.requester, Why.REQUESTER)


def watchers(occasion: Occasion) -> Iterator[Recipient]:
    """The people who watch the ticket."""
    for person in occasion.ticket.watchers.filter(is_active=True).order_by("pk"):
        yield _person(person, Why.WATCHER)


def assignee(occasion: Occasion) -> Iterator[Recipient]:
    """The person who works on the ticket."""
    person = occasion.ticket.assignee
    if person is not None and sees_all_tickets(person):
        yield _person(person, Why.ASSIGNEE)


def assignee_inbox(occasion: Occasion) -> Iterator[Recipient]:
    """The person who works on the ticket, in the application only."""
    for found in assignee(occasion):
        yield Recipient(found.user, found.address, found.why, by_mail=False)


def owner(occasion: Occasion) -> Iterator[Recipient]:
    """The person who works on the ticket; while nobody does, the people of its team, in the application only."""
    if occasion.ticket.assignee_id is not None:
        yield from assignee(occasion)
    elif occasion.ticket.team is not None:
        for person in _members(occasion.ticket.team):
            yield _person(person, Why.TEAM, by_mail=False)


def owner_when_asked(occasion: Occasion) -> Iterator[Recipient]:
    """The owner when somebody outside the desk spoke; for a colleague's words the assignee's inbox is enough."""
    yield from assignee_inbox(occasion) if occasion.by_desk else owner(occasion)


def new_assignee(occasion: Occasion) -> Iterator[Recipient]:
    """The person that the event gave the ticket to, while it is still theirs."""
    person = occasion.ticket.assignee
    if person is not None and person.pk == occasion.new_assignee_id and sees_all_tickets(person):
        yield _person(person, Why.ASSIGNEE)


def new_team(occasion: Occasion) -> Iterator[Recipient]:
    """The team that the event brought the ticket to without naming a person."""
    found = occasion.team_named(occasion.new_team_id)
    if found is not None:
        yield from _team(found, Why.TEAM)


def team(occasion: Occasion) -> Iterator[Recipient]:
    """The team in whose queue the ticket is."""
    found = occasion.team_named(occasion.ticket.team_id)
    if found is not None:
        yield from _team(found, Why.TEAM)


def named(occasion: Occasion) -> Iterator[Recipient]:
    """The people and the team that the event itself names under `notify`."""
    notify = occasion.data.get("notify") or {}
    for person in User.objects.active().filter(pk__in=notify.get("users") or ()).order_by("pk"):
        if sees_all_tickets(person):
            yield _person(person, Why.ASSIGNEE if person.pk == occasion.ticket.assignee_id else Why.ESCALATION)
    found = occasion.team_named(notify.get("team"))
    if found is not None:
        yield from _team(found, Why.ESCALATION)


def named_or(*audiences: Audience) -> Audience:
    """Return the audience that the event names; these others where it names nobody."""

    def chosen(occasion: Occasion) -> Iterator[Recipient]:
        if "notify" in occasion.data:
            yield from named(occasion)
        else:
            for audience in audiences:
                yield from audience(occasion)

    return chosen


def if_said(audience: Audience) -> Audience:
    """Return the audience where the event came with words for the public; nobody where it came without."""

    def chosen(occasion: Occasion) -> Iterator[Recipient]:
        if occasion.comment:
            yield from audience(occasion)

    return chosen


def unless(because: str, audience: Audience) -> Audience:
    """Return the audience; nobody where the event gives this reason in its data."""

    def chosen(occasion: Occasion) -> Iterator[Recipient]:
        if occasion.data.get("because") != because:
            yield from audience(occasion)

    return chosen


def _person(user: User, why: Why, *, by_mail: bool = True) -> Recipient:
    return Recipient(user, user.email, why, by_mail)


def _members(team: Team) -> Iterator[User]:
    people = User.objects.active().filter(Q(memberships__team=team) | Q(led_teams=team)).distinct().order_by("pk")
    for person in people:
        if sees_all_tickets(person):
            yield person


def _team(team: Team, why: Why) -> Iterator[Recipient]:
    """The members; a team with a mailbox of its own is mailed there, and its members see it in the application."""
    if team.email:
        yield Recipient(None, team.email, why)
    for person in _members(team):
        yield _person(person, why, by_mail=not team.email)

"""Who is meant by what a stage names, for one ticket at one instant."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from itsm.accounts.models import Team, User
from itsm.accounts.roles import Role
from itsm.approvals.models import ApprovalSettings, Source
from itsm.approvals.subjects import group_of

Found = Iterable[User]


def people_of(source: Mapping[str, Any], ticket: Any) -> list[User]:
    """Return the active people that the source means for the ticket, each once, by id. Unknown sources mean nobody."""
    finder = _FINDERS.get(source.get("from", ""))
    found = finder(source, ticket) if finder else ()
    return sorted({person.pk: person for person in found if person.is_active}.values(), key=lambda person: person.pk)


def fallback_people() -> list[User]:
    """Return who is asked where nobody else is found: the fallback role; where it has nobody, the administrators."""
    role = ApprovalSettings.current().fallback_role
    found = list(User.objects.active().filter(roles__contains=[role]).order_by("pk"))
    return found or list(User.objects.active().filter(roles__contains=[Role.ADMINISTRATOR]).order_by("pk"))


def source_words(source: Mapping[str, Any]) -> str:
    """Return what the source names, in words: “Team Network”, “Role Change manager”."""
    kind = source.get("from")
    if kind == Source.PEOPLE:
        names = User.objects.filter(pk__in=source.get("ids") or ()).order_by("display_name")
        return ", ".join(str(person) for person in names)
    if kind == Source.TEAM:
        return _("Team %(team)s") % {"team": Team.objects.filter(pk=source.get("id") or 0).first() or "?"}
    if kind == Source.ROLE:
        role = source.get("role")
        return _("Role %(role)s") % {"role": Role(role).label if role in Role.values else role}
    if kind == Source.GROUP:
        group = group_of(str(source.get("code")))
        return str(group.label) if group else str(source.get("code"))
    return str(Source(kind).label) if kind in Source.values else str(kind)


def _members(team: Team | None) -> Found:
    if team is None:
        return ()
    return User.objects.active().filter(Q(memberships__team=team) | Q(led_teams=team)).distinct()


def _named(source: Mapping[str, Any], ticket: Any) -> Found:
    return User.objects.active().filter(pk__in=source.get("ids") or ())


def _team(source: Mapping[str, Any], ticket: Any) -> Found:
    return _members(Team.objects.active().filter(pk=source.get("id") or 0).first())


def _role(source: Mapping[str, Any], ticket: Any) -> Found:
    return User.objects.active().filter(roles__contains=[source.get("role", "")])


def _ticket_team(source: Mapping[str, Any], ticket: Any) -> Found:
    return _members(ticket.team)


def _team_lead(source: Mapping[str, Any], ticket: Any) -> Found:
    return _one(ticket.team.lead if ticket.team else None)


def _service_owner(source: Mapping[str, Any], ticket: Any) -> Found:
    return _one(ticket.service.owner if ticket.service else None)


def _owner_manager(source: Mapping[str, Any], ticket: Any) -> Found:
    owner = ticket.service.owner if ticket.service else None
    return _one(owner.manager if owner else None)


def _requester_manager(source: Mapping[str, Any], ticket: Any) -> Found:
    return _one(ticket.requester.manager)


def _group(source: Mapping[str, Any], ticket: Any) -> Found:
    group = group_of(str(source.get("code")))
    return group.people(ticket) if group else ()


def _one(person: User | None) -> Sequence[User]:
    return [person] if person is not None else []


_FINDERS: Mapping[str, Callable[[Mapping[str, Any], Any], Found]] = {
    Source.PEOPLE: _named,
    Source.TEAM: _team,
    Source.ROLE: _role,
    Source.TICKET_TEAM: _ticket_team,
    Source.TEAM_LEAD: _team_lead,
    Source.SERVICE_OWNER: _service_owner,
    Source.OWNER_MANAGER: _owner_manager,
    Source.REQUESTER_MANAGER: _requester_manager,
    Source.GROUP: _group,
}

"""The people, teams, categories and services of the log, made when first met and kept at hand."""

from __future__ import annotations

from django.utils.text import slugify

from cmdb.models import Service
from incidents.replay.mapping import UNDISCLOSED_CALLER, UNDISCLOSED_TEAM
from incidents.replay.reading import LoggedIncident, Row
from itsm.accounts.actions import add_member, create_team
from itsm.accounts.models import Team, TeamMembership, User
from itsm.accounts.roles import Role
from itsm.tickets.models import Category
from itsm.tickets.models.settings import PATH_SEPARATOR

DOMAIN = "uci.example"
IMPORTER_EMAIL = f"importer@{DOMAIN}"


class Directory:
    """Finds what the log names, or makes it. Its memory grows with the names, not with the rows."""

    def __init__(self) -> None:
        """Take over what an earlier run made."""
        found = User.objects.filter(email__endswith=f"@{DOMAIN}")
        self._people: dict[str, User] = {user.email: user for user in found}
        self._teams: dict[str, Team] = {team.name: team for team in Team.objects.all()}
        self._services: dict[str, Service] = {service.name: service for service in Service.objects.all()}
        self._categories: dict[str, Category] = {
            category.path: category for category in Category.objects.select_related("parent__parent", "team")
        }
        self._members = set(TeamMembership.objects.values_list("team_id", "user_id"))
        self.importer = self._person("Importer of the incident log", IMPORTER_EMAIL, Role.IMPORTER)

    def prepare(self, incident: LoggedIncident) -> None:
        """Make everything that the incident's rows name. Done before its transaction, whose undoing must not leave
        names at hand that the database no longer has."""
        if incident.opened_by:
            self.resolver(incident.opened_by)
        if incident.ending.resolved_by:
            self.resolver(incident.ending.resolved_by)
        for row in incident.rows:
            if isinstance(row, Row):
                self.caller(row.caller)
                self.category(row)
                self.service(row.service)
                self.assignee(row)

    def caller(self, name: str) -> User:
        """Return the requester with this name; one stands for all whom the log does not disclose."""
        shown = name or UNDISCLOSED_CALLER
        return self._person(shown, _email(shown), Role.REQUESTER)

    def resolver(self, name: str) -> User:
        """Return the agent with this name."""
        return self._person(name, _email(name), Role.REQUESTER, Role.AGENT)

    def assignee(self, row: Row) -> User | None:
        """Return whom the row's incident is assigned to, a member of its team; None where the log names nobody."""
        if not row.assignee:
            return None
        user, team = self.resolver(row.assignee), self.team(row)
        if row.team and (team.pk, user.pk) not in self._members:
            add_member(team, user)
            self._members.add((team.pk, user.pk))
        return user

    def team(self, row: Row) -> Team:
        """Return the row's team; one stands for all that the log does not disclose."""
        name = row.team or UNDISCLOSED_TEAM
        team = self._teams.get(name)
        if team is None:
            team = self._teams[name] = create_team(name)
        return team

    def service(self, name: str) -> Service | None:
        """Return the service that stands for the configuration item; None where the log names none."""
        if not name:
            return None
        service = self._services.get(name)
        if service is None:
            service, _made = Service.objects.get_or_create(name=name, defaults={"key": slugify(name)[:60]})
            self._services[name] = service
        return service

    def category(self, row: Row) -> Category | None:
        """Return the subcategory below its category, or whichever of the two is known."""
        parent = self._category(row.category, None) if row.category else None
        return self._category(row.subcategory, parent) if row.subcategory else parent

    def _category(self, name: str, parent: Category | None) -> Category:
        path = f"{parent.path}{PATH_SEPARATOR}{name}" if parent else name
        category = self._categories.get(path)
        if category is None:
            category, _made = Category.objects.get_or_create(parent=parent, name=name, defaults={"path": path})
            self._categories[path] = category
        return category

    def _person(self, name: str, email: str, *roles: Role) -> User:
        user = self._people.get(email)
        if user is None:
            user = User.objects.create_user(email, display_name=name, roles=list(roles))
            self._people[email] = user
        return user


def _email(name: str) -> str:
    return f"{slugify(name)[:60] or 'unnamed'}@{DOMAIN}"

"""The people, teams, services and categories of the demo desk."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from cmdb.models import Service
from itsm.accounts.actions import create_team
from itsm.accounts.models import Department, Location, Organisation, Team, User
from itsm.accounts.roles import Role
from itsm.tickets.actors import SYSTEM
from itsm.tickets.models import Category, RoutingRule
from slas.actions import save_rota

DOMAIN = "demo.example"
LOGINS = ("requester", "agent", "lead", "changes", "problems", "levels", "auditor", "admin")

# mailbox, name, roles, department, location, zone, VIP
PEOPLE: tuple[tuple[str, str, tuple[Role, ...], str, str, str, bool], ...] = (
    ("requester", "Marta Keller", (), "Finance", "Rotterdam", "Europe/Amsterdam", True),
    ("agent", "Priya Nair", (Role.AGENT,), "IT", "Rotterdam", "Europe/Amsterdam", False),
    ("lead", "Tomás Rivera", (Role.AGENT, Role.TEAM_LEAD), "IT", "Lisbon", "Europe/Lisbon", False),
    ("changes", "Nora Hansen", (Role.AGENT, Role.CHANGE_MANAGER), "IT", "Oslo", "Europe/Oslo", False),
    ("problems", "Hugo Brandt", (Role.AGENT, Role.PROBLEM_MANAGER), "IT", "Rotterdam", "Europe/Amsterdam", False),
    ("auditor", "Edwin Osei", (Role.AUDITOR,), "Audit", "Rotterdam", "Europe/Amsterdam", False),
    ("admin", "Ada Admin", (Role.ADMINISTRATOR,), "IT", "Rotterdam", "Europe/Amsterdam", False),
    ("levels", "Sofia Lind", (Role.AGENT, Role.SERVICE_LEVEL_MANAGER), "IT", "Oslo", "Europe/Oslo", False),
    ("nils", "Nils Hagen", (Role.AGENT,), "IT", "Oslo", "Europe/Oslo", False),
    ("bram", "Bram de Vries", (), "Logistics", "Rotterdam", "Europe/Amsterdam", False),
    ("aiko", "Aiko Tanaka", (), "Sales", "Tokyo", "Asia/Tokyo", False),
    ("jonas", "Jonas Lindqvist", (), "Facilities", "Oslo", "Europe/Oslo", False),
    ("ingrid", "Ingrid Solberg", (), "Finance", "Oslo", "Europe/Oslo", False),
    ("diego", "Diego Fernández", (), "Engineering", "Lisbon", "Europe/Lisbon", False),
    ("samuel", "Samuel Okafor", (), "People", "Rotterdam", "Europe/Amsterdam", False),
    ("chloe", "Chloé Martin", (), "Sales", "Lisbon", "Europe/Lisbon", True),
    ("rui", "Rui Almeida", (), "Engineering", "Lisbon", "Europe/Lisbon", False),
    ("elena", "Elena Petrova", (), "Legal", "Rotterdam", "Europe/Amsterdam", False),
    ("hannah", "Hannah Schmidt", (), "Customer care", "Rotterdam", "Europe/Amsterdam", False),
)
# name, description, support team, picture
SERVICES = (
    ("Remote access (VPN)", "Working from outside the office", "Network Operations", "shield-lock"),
    ("Wi-Fi and network", "Offices, warehouse, guests", "Network Operations", "wifi"),
    ("E-mail and calendar", "Mailboxes, rooms, distribution lists", "Applications", "mail"),
    ("Expenses", "The expense application", "Applications", "receipt"),
    ("File shares", "Team and project folders", "Applications", "folder"),
    ("Printing", "Printers and scanners", "Workplace", "printer"),
    ("Laptops and phones", "Everything on the desk", "Workplace", "device-laptop"),
    ("Building access", "Badges and doors", "Workplace", "door"),
    ("Telephony", "Desk phones and conference bridges", "Network Operations", "phone"),
)
# path, team
CATEGORIES = (
    ("Hardware", "Workplace"),
    ("Hardware / Laptop", None),
    ("Hardware / Printer", None),
    ("Hardware / Phone", None),
    ("Software", "Applications"),
    ("Software / Office", None),
    ("Software / Business application", None),
    ("Network", "Network Operations"),
    ("Network / VPN", None),
    ("Network / Wi-Fi", None),
    ("Access", "Service Desk"),
    ("Access / Password", None),
    ("Access / Permission", None),
)


@dataclass(frozen=True)
class Desk:
    """Who and what the demo's tickets are about."""

    people: dict[str, User]
    teams: dict[str, Team]
    services: dict[str, Service]
    categories: dict[str, Category]


def make_desk(password: str) -> Desk:
    """Create the demo desk's people (all with this password), teams, services, categories and routing rules."""
    people = _people(password)
    teams = {
        "Service Desk": create_team(
            "Service Desk",
            lead=people["lead"],
            members=(people["agent"], people["nils"], people["levels"], people["problems"]),
        ),
        "Network Operations": create_team(
            "Network Operations", lead=people["lead"], members=(people["agent"], people["lead"], people["nils"])
        ),
        "Workplace": create_team("Workplace", lead=people["changes"], members=(people["nils"], people["changes"])),
        "Applications": create_team(
            "Applications",
            lead=people["levels"],
            members=(people["agent"], people["levels"], people["problems"]),
        ),
    }
    services = {
        name: Service.objects.create(
            name=name,
            key=name.lower().split(" (")[0].replace(" ", "-"),
            description=description,
            support_team=teams[team],
            icon=icon,
        )
        for name, description, team, icon in SERVICES
    }
    return Desk(people, teams, services, _categories(teams))


def make_rota(desk: Desk, now: datetime) -> None:
    """Let the network team be on call by weeks outside office hours, with its lead as the second level."""
    start = (now - timedelta(days=28)).date().isoformat()
    turns = {"unit": "week", "every": 1, "minute": 9 * 60, "weekday": 0, "starts": start}
    agents = [desk.people["agent"].pk, desk.people["nils"].pk]
    night = [["00:00", "08:00"], ["17:00", "24:00"]]
    weekly = [night] * 5 + [[["00:00", "24:00"]]] * 2
    layers = [
        {**turns, "name": "Nights and weekends", "level": 1, "members": agents, "weekly": weekly},
        {**turns, "name": "Lead", "level": 2, "members": [desk.people["lead"].pk]},
    ]
    team = desk.teams["Network Operations"]
    save_rota(None, name="Network on call", team=team, time_zone="Europe/London", layers=layers, actor=SYSTEM)


def _people(password: str) -> dict[str, User]:
    organisation = Organisation.objects.create(name="Northwind")
    found: dict[str, User] = {}
    for mailbox, name, roles, department, location, zone, vip in PEOPLE:
        found[mailbox] = User.objects.create_user(
            f"{mailbox}@{DOMAIN}",
            password if mailbox in LOGINS else None,
            display_name=name,
            roles=[Role.REQUESTER, *roles],
            organisation=organisation,
            department=Department.objects.get_or_create(name=department)[0],
            location=Location.objects.get_or_create(name=location)[0],
            time_zone=zone,
            is_vip=vip,
        )
    return found


def _categories(teams: dict[str, Team]) -> dict[str, Category]:
    found: dict[str, Category] = {}
    for path, team in CATEGORIES:
        parent, _sep, name = path.rpartition(" / ")
        found[path] = Category.objects.create(
            path=path, name=name, parent=found.get(parent), team=teams[team] if team else None
        )
    rules = (
        ("VPN by its name", "vpn", "Network Operations"),
        ("Passwords", "password", "Service Desk"),
        ("Badges", "badge", "Workplace"),
    )
    for order, (rule, word, team) in enumerate(rules, start=1):
        RoutingRule.objects.create(
            name=rule,
            order=order * 10,
            condition={"field": "title", "op": "contains", "value": word},
            team=teams[team],
        )
    return found

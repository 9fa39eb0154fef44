"""The pages of the settings: what each is for, and who may open it. Cards, side menu and doors read this table."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from itsm.accounts.models import User
from itsm.accounts.roles import Permission

TICKETS, PEOPLE, LEVELS, RECORD = _("Tickets"), _("People"), _("Service levels"), _("Record")


@dataclass(frozen=True)
class Section:
    """One page of the settings."""

    key: str
    group: Promise
    label: Promise
    text: Promise
    icon: str
    permission: Permission

    @property
    def url(self) -> str:
        """The page's address."""
        return reverse(f"administration:{self.key}")


SECTIONS = (
    Section(
        "matrix",
        TICKETS,
        _("Priority matrix"),
        _("Which impact and urgency make which priority."),
        "grid-3x3",
        Permission.MANAGE_DESK,
    ),
    Section(
        "categories",
        TICKETS,
        _("Categories"),
        _("What tickets are about, as a tree, and which team each goes to."),
        "category",
        Permission.MANAGE_DESK,
    ),
    Section(
        "routing",
        TICKETS,
        _("Routing rules"),
        _("If a ticket is like this, then that team. Try a rule before it counts."),
        "route",
        Permission.MANAGE_DESK,
    ),
    Section(
        "services",
        TICKETS,
        _("Services"),
        _("What people use and report about, with owner and support team."),
        "apps",
        Permission.MANAGE_DESK,
    ),
    Section(
        "incidents",
        TICKETS,
        _("Incidents"),
        _("When resolved incidents close, and how long they can be reopened."),
        "alert-circle",
        Permission.MANAGE_DESK,
    ),
    Section(
        "major_rules",
        TICKETS,
        _("Major incidents"),
        _("Which incidents are proposed or accepted as major ones by rules. Try a rule before it counts."),
        "urgent",
        Permission.MANAGE_DESK,
    ),
    Section(
        "approvals",
        TICKETS,
        _("Approvals"),
        _("Who has to agree to which changes, in which order, and what each approval costs and brings."),
        "user-question",
        Permission.MANAGE_CHANGES,
    ),
    Section(
        "problems",
        TICKETS,
        _("Problems"),
        _("What a known error needs, and whether an accepted risk closes a problem."),
        "zoom-question",
        Permission.MANAGE_DESK,
    ),
    Section(
        "people",
        PEOPLE,
        _("People"),
        _("Accounts, roles, where somebody belongs. Close an account at once."),
        "users",
        Permission.MANAGE_ACCOUNTS,
    ),
    Section(
        "teams",
        PEOPLE,
        _("Teams"),
        _("Who works together, who leads, where their mail goes."),
        "users-group",
        Permission.MANAGE_ACCOUNTS,
    ),
    Section(
        "places",
        PEOPLE,
        _("Organisations and places"),
        _("Organisations, departments and locations that people belong to."),
        "building",
        Permission.MANAGE_ACCOUNTS,
    ),
    Section(
        "policies",
        LEVELS,
        _("Policies"),
        _("What is promised to which tickets, and by when."),
        "target-arrow",
        Permission.MANAGE_SERVICE_LEVELS,
    ),
    Section(
        "calendars",
        LEVELS,
        _("Calendars"),
        _("Business hours, closed days and public holidays."),
        "calendar-time",
        Permission.MANAGE_SERVICE_LEVELS,
    ),
    Section(
        "escalations",
        LEVELS,
        _("Escalations"),
        _("Who is told, and what is done, as time runs out."),
        "stairs-up",
        Permission.MANAGE_SERVICE_LEVELS,
    ),
    Section(
        "rehearsals",
        LEVELS,
        _("Rehearsals"),
        _("What a draft would have meant for the tickets of the last months."),
        "test-pipe",
        Permission.MANAGE_SERVICE_LEVELS,
    ),
    Section(
        "rotas",
        LEVELS,
        _("On-call rotas"),
        _("Who is on call when: layers, turns and hours."),
        "calendar-user",
        Permission.MANAGE_SERVICE_LEVELS,
    ),
    Section(
        "webhooks",
        LEVELS,
        _("Webhooks"),
        _("Other systems that escalations call, and what came of each call."),
        "webhook",
        Permission.MANAGE_SERVICE_LEVELS,
    ),
    Section(
        "clocks",
        LEVELS,
        _("Clock watch"),
        _("Whether every clock is watched: who is at work, how late steps are, what checks found."),
        "heartbeat",
        Permission.MANAGE_SERVICE_LEVELS,
    ),
    Section(
        "changes",
        RECORD,
        _("Change log"),
        _("Who changed which setting, when, and what it was before."),
        "history",
        Permission.VIEW_CHANGE_LOG,
    ),
)
BY_KEY = {section.key: section for section in SECTIONS}


def sections_of(user: User) -> list[Section]:
    """Return the pages that the person may open, in order."""
    return [section for section in SECTIONS if user.may(section.permission)]


def has_settings(user: User) -> bool:
    """Return whether the settings hold anything for the person."""
    return any(user.may(section.permission) for section in SECTIONS)


def grouped(user: User) -> list[tuple[Promise, list[Section]]]:
    """Return the pages that the person may open under their headings."""
    groups: dict[str, tuple[Promise, list[Section]]] = {}
    for section in sections_of(user):
        groups.setdefault(str(section.group), (section.group, []))[1].append(section)
    return list(groups.values())

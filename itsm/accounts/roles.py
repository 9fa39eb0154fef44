"""Roles and what each of them may do.

A role is a named bundle of permission codes. The table below is the only place that says which role may do what;
`RoleBackend` answers Django's `user.has_perm` from it, and the rules of the rooms ask `user.may(code)`.
"""

from enum import StrEnum

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    """The roles of a service desk, in the words of ITIL 4."""

    REQUESTER = "requester", _("Requester")
    AGENT = "agent", _("Agent")
    TEAM_LEAD = "team_lead", _("Team lead")
    PROBLEM_MANAGER = "problem_manager", _("Problem manager")
    CHANGE_MANAGER = "change_manager", _("Change manager")
    CAB_MEMBER = "cab_member", _("CAB member")
    SERVICE_LEVEL_MANAGER = "service_level_manager", _("Service-level manager")
    KNOWLEDGE_AUTHOR = "knowledge_author", _("Knowledge author")
    ASSET_MANAGER = "asset_manager", _("Asset manager")
    AUDITOR = "auditor", _("Auditor")
    IMPORTER = "importer", _("Importer")
    ADMINISTRATOR = "administrator", _("Administrator")


class Permission(StrEnum):
    """What a person may be allowed to do, beyond their own tickets."""

    USE_DESK = "desk.use"
    VIEW_TICKETS = "tickets.view"
    WORK_TICKETS = "tickets.work"
    OPEN_FOR_OTHERS = "tickets.open_for_others"
    OVERRIDE_PRIORITY = "tickets.override_priority"
    SET_PAST_INSTANT = "tickets.set_past_instant"
    VIEW_EVENTS = "tickets.view_events"
    RUN_MAJOR_INCIDENTS = "incidents.run_major"
    MANAGE_PROBLEMS = "problems.manage"
    MANAGE_CHANGES = "changes.manage"
    VIEW_SERVICE_LEVELS = "slas.view"
    MANAGE_SERVICE_LEVELS = "slas.manage"
    MANAGE_DESK = "desk.manage"
    VIEW_OUTBOX = "notifications.view_outbox"
    MANAGE_ACCOUNTS = "accounts.manage"
    VIEW_CHANGE_LOG = "accounts.view_change_log"


_READ = frozenset({Permission.USE_DESK, Permission.VIEW_TICKETS, Permission.VIEW_EVENTS})
_WORK = _READ | {Permission.WORK_TICKETS, Permission.OPEN_FOR_OTHERS}
_LEAD = _WORK | {Permission.OVERRIDE_PRIORITY, Permission.RUN_MAJOR_INCIDENTS}

ROLE_PERMISSIONS: dict[str, frozenset[Permission]] = {
    Role.REQUESTER: frozenset(),
    Role.AGENT: _WORK,
    Role.TEAM_LEAD: _LEAD | {Permission.VIEW_SERVICE_LEVELS},
    Role.PROBLEM_MANAGER: _LEAD | {Permission.MANAGE_PROBLEMS},
    Role.CHANGE_MANAGER: _LEAD | {Permission.MANAGE_CHANGES},
    Role.CAB_MEMBER: _READ,
    Role.SERVICE_LEVEL_MANAGER: _LEAD | {Permission.VIEW_SERVICE_LEVELS, Permission.MANAGE_SERVICE_LEVELS},
    Role.KNOWLEDGE_AUTHOR: _READ,
    Role.ASSET_MANAGER: _READ,
    Role.AUDITOR: _READ | {Permission.VIEW_CHANGE_LOG, Permission.VIEW_SERVICE_LEVELS},
    Role.IMPORTER: _LEAD | {Permission.SET_PAST_INSTANT},
    Role.ADMINISTRATOR: frozenset(Permission),
}


def permissions_of(roles: list[str]) -> frozenset[Permission]:
    """Return every permission that a person with these roles has; unknown roles give none."""
    found: frozenset[Permission] = frozenset()
    for role in roles:
        found |= ROLE_PERMISSIONS.get(role, frozenset())
    return found

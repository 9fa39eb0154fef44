"""Asking the rules when something happened to an incident: a consumer of the outbox, in a worker.

An event may be handed over twice, and two workers may have two events of one incident in hand. The incident's row is
locked before the rule acts and everything is looked at again, so that it is proposed or accepted once.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from incidents.major.actions import accept, propose
from incidents.major.models import REASON_MAX
from incidents.major.rules.impact import filled
from incidents.major.rules.judging import Reach, Tried, first_match
from incidents.major.rules.models import MajorRule, MajorRuleMatch, RuleDeed
from incidents.models import Incident
from itsm.accounts.models import Team, User
from itsm.accounts.roles import Permission
from itsm.tickets.actions import lock
from itsm.tickets.actors import SYSTEM
from itsm.tickets.clock import db_now
from itsm.tickets.models import TicketEvent
from slas.models import Rota
from slas.rotas import person_on_call

# What can make an incident one that a rule means: its fields and state, its family, and that it stands alone again.
CODES = frozenset(
    {
        "incident.opened",
        "incident.started",
        "incident.held",
        "incident.resumed",
        "incident.reopened",
        "incident.child_added",
        "incident.absorbed",
        "incident.unmerged",
        "incident.parent_left",
        "ticket.updated",
        "ticket.priority_overridden",
        "ticket.assigned",
        "ticket.watched",
        "ticket.unwatched",
    }
)


def follow(event: TicketEvent) -> None:
    """Propose or accept the event's incident where a rule says so; most of the time, look and do nothing."""
    if event.ticket.kind != "incident":
        return
    rules = list(MajorRule.objects.active())
    if not rules:
        return
    incident = Incident.objects.filter(pk=event.ticket_id).first()
    if incident is not None and first_match(incident, rules) is not None:
        act(incident, rules, event)


@transaction.atomic
def act(incident: Incident, rules: list[MajorRule], event: TicketEvent) -> Incident | None:
    """Let the first of the rules that the incident still meets, now that it is locked, do what it says, because of the
    event. Returns the incident; None where there was nothing to do any more."""
    locked: Incident = lock(incident)
    found = first_match(locked, rules)
    if found is None or MajorRuleMatch.objects.filter(incident=locked).exists():
        return None
    rule = found.rule
    MajorRuleMatch.objects.create(
        incident=locked, rule=rule, rule_name=rule.name, deed=rule.deed, why=found.why, event=event, at=db_now()
    )
    return _accept(locked, found) if rule.deed == RuleDeed.ACCEPT else _propose(locked, found)


def _said(found: Tried) -> dict[str, dict[str, str]]:
    return {"rule": {"id": found.rule.public_id, "name": found.rule.name, "why": found.why}}


def _propose(locked: Incident, found: Tried) -> Incident:
    words = _("Rule “%(rule)s”: %(why)s.") % {"rule": found.rule.name, "why": found.why}
    return propose(locked, actor=SYSTEM, reason=words[:REASON_MAX], said=_said(found))


def _accept(locked: Incident, found: Tried) -> Incident:
    rule = found.rule
    commander, missing = chosen_commander(rule, db_now())
    words = _("Accepted by the rule “%(rule)s”: %(why)s.") % {"rule": rule.name, "why": found.why}
    return accept(
        locked,
        actor=SYSTEM,
        impact=filled(rule.impact, locked, Reach(locked)),
        note=f"{words} {missing}".strip(),
        commander=commander,
        said=_said(found),
    )


def chosen_commander(rule: MajorRule, at: datetime) -> tuple[User | None, str]:
    """Return who commands by the rule at the instant, and a sentence where that is nobody though the rule names one."""
    if rule.commander is not None:
        if _can_command(rule.commander):
            return rule.commander, ""
        return None, _("%(person)s no longer works on tickets, so it has no commander yet.") % {
            "person": rule.commander
        }
    if rule.commander_team is None:
        return None, ""
    person = on_call_of(rule.commander_team, at)
    if person is not None:
        return person, ""
    return None, _("Nobody of %(team)s is on call now, so it has no commander yet.") % {"team": rule.commander_team}


def on_call_of(team: Team, at: datetime) -> User | None:
    """Return who is on call first for the team at the instant and works on tickets: by its rotas, in order of name."""
    for pk in Rota.objects.filter(team=team, is_active=True).order_by("name").values_list("pk", flat=True):
        person = person_on_call(pk, 1, at)
        if person is not None and _can_command(person):
            return person
    return None


def _can_command(person: User) -> bool:
    return person.is_active and person.may(Permission.WORK_TICKETS)

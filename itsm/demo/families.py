"""Incidents of the demo desk that belong together: an outage that people join, a parent with a child, a merged pair;
and those that are major ones, by people and by rules."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from incidents.actions import open_incident
from incidents.actions.family import set_parent
from incidents.actions.merging import merge
from incidents.actions.outages import join_outage, publish_outage
from incidents.major.actions import accept, add_stakeholder, give_role, propose, save_plan, send_update
from incidents.major.rules.actions import save_rule
from incidents.major.rules.running import follow
from incidents.major.states import MajorRole
from incidents.models import Incident
from itsm.demo.people import Desk
from itsm.tickets.actors import SYSTEM, Actor, Channel
from itsm.tickets.models import TicketEvent

BADGES = "Badge readers on floor 3 reject all cards"


def make_families(desk: Desk, incidents: dict[str, Any], now: Any) -> None:
    """Publish the outage of the badge readers and let two people join; give the scanners a child; merge a pair."""

    def by(who: str, minutes: int, channel: Channel = Channel.DESK) -> Actor:
        return Actor(desk.people[who], channel, at=now - timedelta(minutes=minutes))

    outage = publish_outage(
        incidents[BADGES],
        title="Badge readers on floor 3 do not work",
        text="Reception opens the doors by hand until the controller is exchanged. Please have your badge with you.",
        actor=by("nils", 240),
    )
    join_outage(outage, actor=by("samuel", 200, Channel.PORTAL), comment="The side door by the stairs too.")
    join_outage(outage, actor=by("elena", 150, Channel.PORTAL))
    child = open_incident(
        actor=by("hannah", 120, Channel.PORTAL),
        title="Scanner at the returns desk loses its connection",
        description="Next to aisle 12. It comes back after a minute.",
        service=desk.services["Wi-Fi and network"],
        category=desk.categories["Network / Wi-Fi"],
        impact=3,
        urgency=2,
    )
    scanners = incidents["Warehouse scanners lose Wi-Fi in aisle 12"]
    set_parent(child, Incident.objects.get(pk=scanners.pk), actor=by("nils", 110))
    twice = open_incident(
        actor=by("aiko", 18, Channel.PORTAL),
        title="Outlook asks for my password all the time",
        description="Sorry if this arrives twice, the page stood still.",
        service=desk.services["E-mail and calendar"],
        category=desk.categories["Software / Office"],
        impact=2,
        urgency=1,
    )
    kept = incidents["Outlook keeps asking for the password after the update"]
    merge([twice], Incident.objects.get(pk=kept.pk), actor=by("agent", 12))


def make_major(desk: Desk, incident: Incident, now: Any) -> None:
    """Run the VPN incident as a major one: proposed, accepted, with roles, a plan and an update in the portal."""

    def by(who: str, minutes: int) -> Actor:
        return Actor(desk.people[who], Channel.DESK, at=now - timedelta(minutes=minutes))

    def this() -> Incident:
        return Incident.objects.get(pk=incident.pk)

    propose(this(), actor=by("agent", 9), reason="Payroll closes at 17:00, and all of Finance works over this gateway.")
    accept(
        this(),
        actor=by("lead", 8),
        impact="Finance loses what is entered into the ledger. About forty people; payroll is at risk.",
        note="Gateway vpn-gw-02. The way round is rtm-backup. Nils prepares the change that sets the timeout back.",
    )
    give_role(this(), MajorRole.COMMUNICATIONS, desk.people["problems"], actor=by("lead", 7))
    give_role(this(), MajorRole.SCRIBE, desk.people["agent"], actor=by("lead", 7))
    add_stakeholder(this(), person=desk.people["samuel"], actor=by("lead", 6))
    everybody: dict[str, Any] = {"to_portal": True, "to_requesters": True, "to_stakeholders": True}
    save_plan(this(), actor=by("problems", 5), cadence_minutes=60, **everybody)
    send_update(
        this(),
        actor=by("problems", 4),
        headline="The VPN drops every few minutes",
        text="Please choose “Rotterdam backup” in the gateway list of the VPN client. We write again within the hour.",
        **everybody,
    )


def make_major_rules(desk: Desk, incident: Incident) -> None:
    """Set up two rules, and let the worker's part be done for the badge readers: three people have that, so that the
    second rule proposes it."""
    save_rule(
        None,
        name="Critical, and ten people have it",
        condition={"field": "priority", "op": "eq", "value": 1},
        min_people=10,
        deed="accept",
        impact="{people} people report that {service} fails them: {title}.",
        commander_team=desk.teams["Network Operations"],
        actor=SYSTEM,
    )
    save_rule(None, name="An outage that three people have", min_people=3, actor=SYSTEM)
    joined = TicketEvent.objects.filter(ticket_id=incident.pk, code="incident.child_added").order_by("-seq")
    follow(joined[0])

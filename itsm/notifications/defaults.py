"""The rules and words that every installation begins with: one table for what is said, one for who hears it."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from itsm.notifications import audience
from itsm.notifications.consumer import tell
from itsm.notifications.occasion import Occasion
from itsm.notifications.registry import Wording, register_rule, register_wording, use_consumer


def _comment(occasion: Occasion) -> str:
    return occasion.comment


def _resolution(occasion: Occasion) -> str:
    return occasion.resolution


def _reason(occasion: Occasion) -> str:
    return str(occasion.data.get("reason", ""))


def _description(occasion: Occasion) -> str:
    return str(occasion.ticket.description)


WORDINGS = (
    Wording(
        "received",
        _("Received: %(title)s"),
        _("Your request %(number)s has been received."),
        closing=_("The service desk will answer you there. You need not do anything now."),
        icon="plus",
    ),
    Wording(
        "reply",
        _("Reply: %(title)s"),
        _("%(actor)s replied on %(number)s."),
        by_system=_("There is a reply on %(number)s."),
        quote=_comment,
        icon="message",
    ),
    Wording(
        "held",
        _("On hold: %(title)s"),
        _("%(actor)s put %(number)s on hold and wrote to you."),
        closing=_(
            "If you are asked for something, answer on the page of the request: work goes on when you have replied."
        ),
        quote=_comment,
        icon="player-pause",
    ),
    Wording(
        "resolved",
        _("Resolved: %(title)s"),
        _("%(number)s has been resolved."),
        quote=_resolution,
        asks_to_confirm=True,
        icon="check",
    ),
    Wording(
        "reopened",
        _("Open again: %(title)s"),
        _("%(actor)s reopened %(number)s."),
        by_system=_("%(number)s has been reopened."),
        quote=_comment,
        icon="rotate",
    ),
    Wording(
        "closed",
        _("Closed: %(title)s"),
        _("%(actor)s closed %(number)s."),
        by_system=_("%(number)s has been closed, because nobody objected to its resolution."),
        closing=_("If you still need help, reply on its page: that opens a new request linked to this one."),
        icon="circle-check",
    ),
    Wording(
        "cancelled",
        _("Cancelled: %(title)s"),
        _("%(actor)s cancelled %(number)s."),
        by_system=_("%(number)s has been cancelled."),
        quote=_reason,
        icon="x",
    ),
    Wording(
        "assigned",
        _("Assigned to you: %(title)s"),
        _("%(actor)s assigned %(number)s to you."),
        by_system=_("%(number)s has been assigned to you."),
        quote=_description,
        icon="user-check",
    ),
    Wording(
        "queued",
        _("New in your team's queue: %(title)s"),
        _("%(number)s is in your team's queue, and nobody works on it yet."),
        quote=_description,
        icon="inbox",
    ),
    Wording("attached", _("File: %(title)s"), _("%(actor)s added a file to %(number)s."), icon="paperclip"),
    Wording("noted", _("Work note: %(title)s"), _("%(actor)s wrote a work note on %(number)s."), icon="lock"),
    Wording(
        "followed_up",
        _("Continued: %(title)s"),
        _("%(actor)s replied to %(number)s after its end: it goes on in %(continued)s."),
        icon="arrow-forward-up",
    ),
    Wording(
        "sla_warned",
        _("Target at risk: %(title)s"),
        _("%(number)s, service level: %(said)s."),
        is_urgent=True,
        icon="clock",
    ),
    Wording(
        "sla_breached",
        _("Target missed: %(title)s"),
        _("%(number)s, service level: %(said)s."),
        is_urgent=True,
        icon="alert-triangle",
    ),
    Wording(
        "sla_escalated",
        _("Escalated: %(title)s"),
        _("%(number)s, service level: %(said)s."),
        is_urgent=True,
        icon="arrow-up",
    ),
)


def register() -> None:
    """Register the words and the rules, and become the consumer of their events."""
    for wording in WORDINGS:
        register_wording(wording)
    register_rule("incident.opened", audience.requester, "received", also_actor=True)
    register_rule("incident.opened", audience.new_assignee, "assigned")
    register_rule("incident.opened", audience.unless("joined", audience.new_team), "queued")
    register_rule("ticket.assigned", audience.new_assignee, "assigned")
    register_rule("ticket.assigned", audience.new_team, "queued")
    for code, kind in (
        ("ticket.commented", "reply"),
        ("incident.resolved", "resolved"),
        ("incident.reopened", "reopened"),
        ("incident.cancelled", "cancelled"),
    ):
        register_rule(code, audience.requester, kind)
        register_rule(code, audience.watchers, kind)
    for people in (audience.requester, audience.watchers):
        register_rule("incident.closed", audience.unless("merged", people), "closed")
    register_rule("incident.held", audience.if_said(audience.requester), "held")
    register_rule("incident.held", audience.if_said(audience.watchers), "held")
    register_rule("ticket.commented", audience.owner_when_asked, "reply")
    register_rule("ticket.attached", audience.owner_when_asked, "attached")
    register_rule("incident.reopened", audience.owner, "reopened")
    register_rule("incident.cancelled", audience.assignee_inbox, "cancelled")
    register_rule("incident.followed_up", audience.assignee_inbox, "followed_up")
    register_rule("ticket.noted", audience.assignee_inbox, "noted")
    register_rule("sla.warned", audience.named_or(audience.assignee), "sla_warned")
    register_rule("sla.breached", audience.named_or(audience.assignee, audience.team), "sla_breached")
    register_rule("sla.escalated", audience.named, "sla_escalated")
    register_rule("sla.caught_up", audience.named, "sla_escalated")
    use_consumer(tell)

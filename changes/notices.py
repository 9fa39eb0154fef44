"""Who is told of what happens to a change, and in which words."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from itsm.notifications import audience
from itsm.notifications.occasion import Occasion
from itsm.notifications.registry import Wording, register_rule, register_wording


def _reason(occasion: Occasion) -> str:
    return str(occasion.data.get("reason", ""))


def _plan(occasion: Occasion) -> str:
    return str(occasion.record.justification)


WORDINGS = (
    Wording(
        "change_received",
        _("Received: %(title)s"),
        _("The change %(number)s has been opened for you."),
        icon="plus",
    ),
    Wording(
        "change_scheduled",
        _("Scheduled: %(title)s"),
        _("The change %(number)s has been approved and is scheduled."),
        quote=_plan,
        icon="calendar",
    ),
    Wording("change_started", _("Begun: %(title)s"), _("The change %(number)s is being made now."), icon="player-play"),
    Wording(
        "change_finished",
        _("Made: %(title)s"),
        _("The change %(number)s has been made. What came of it is reviewed before it is closed."),
        icon="flag",
    ),
    Wording(
        "change_cancelled",
        _("Cancelled: %(title)s"),
        _("%(actor)s cancelled the change %(number)s."),
        by_system=_("The change %(number)s has been cancelled."),
        quote=_reason,
        icon="x",
    ),
    Wording(
        "change_rejected",
        _("Rejected: %(title)s"),
        _("%(actor)s rejected the change %(number)s: it is back at New."),
        by_system=_("The change %(number)s was rejected: it is back at New."),
        icon="x",
    ),
    Wording(
        "change_template",
        _("Change templates: %(title)s"),
        _("%(number)s: %(said)s."),
        icon="template",
    ),
)


def register() -> None:
    """Register the words and the rules. Of a change's way its requester and watchers are told at each new stage."""
    for wording in WORDINGS:
        register_wording(wording)
    register_rule("change.opened", audience.new_assignee, "assigned")
    register_rule("change.opened", audience.new_team, "queued")
    register_rule("change.opened", audience.requester, "change_received")
    for code, kind in (
        ("change.scheduled", "change_scheduled"),
        ("change.authorised", "change_scheduled"),
        ("change.started", "change_started"),
        ("change.finished", "change_finished"),
        ("change.authorised_afterwards", "change_finished"),
        ("change.cancelled", "change_cancelled"),
    ):
        register_rule(code, audience.requester, kind)
        register_rule(code, audience.watchers, kind)
    register_rule("change.authorised", audience.assignee_inbox, "change_scheduled")
    register_rule("change.cancelled", audience.assignee_inbox, "change_cancelled")
    register_rule("change.rejected", audience.owner, "change_rejected")
    register_rule("change.rejected", audience.requester, "change_rejected")
    register_rule("change.template_offered", audience.named, "change_template")
    register_rule("change.template_demoted", audience.named, "change_template")

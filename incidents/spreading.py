"""The effects that something on one ticket can have on many incidents, by the names under which rooms order them."""

from django.utils.translation import gettext_lazy as _

from incidents.actions import following
from itsm.tickets.spreading import register_effect


def register() -> None:
    """Make the effects known."""
    register_effect("incident.start", following.start, label=_("Start work"))
    register_effect("incident.hold", following.hold, label=_("Put on hold"))
    register_effect("incident.resume", following.resume, label=_("Resume"))
    register_effect("incident.resolve", following.resolve, label=_("Resolve"))
    register_effect(
        "incident.resolve_waiting_for_problem",
        following.resolve_waiting_for_problem,
        label=_("Resolve what waits for the problem"),
    )
    register_effect("incident.reopen", following.reopen, label=_("Reopen"))
    register_effect("incident.comment", following.comment, label=_("Write to the requesters"))
    register_effect("incident.note", following.note, label=_("Write a work note"))

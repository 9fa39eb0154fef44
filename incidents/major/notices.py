"""Who is told what of a major incident: the desk by the events that name them, stakeholders by each update."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from incidents.major.models import MajorStakeholder, MajorUpdate
from itsm.accounts.models import User
from itsm.notifications import audience
from itsm.notifications.actions.direct import Words, tell_person
from itsm.notifications.registry import Wording, register_rule, register_wording
from itsm.tickets.models import TicketEvent
from itsm.tickets.querysets import sees_all_tickets

SAID = gettext_lazy("%(number)s: %(said)s.")
TITLES = (
    ("major_proposed", gettext_lazy("Proposed as a major incident: %(title)s"), True, "flag"),
    ("major_accepted", gettext_lazy("Major incident: %(title)s"), True, "urgent"),
    ("major_rejected", gettext_lazy("Not a major incident: %(title)s"), False, "x"),
    ("major_demoted", gettext_lazy("No major incident any more: %(title)s"), False, "arrow-down"),
    ("major_role_given", gettext_lazy("Your role in a major incident: %(title)s"), True, "user-check"),
    ("major_paged", gettext_lazy("You are needed in a major incident: %(title)s"), True, "phone"),
)
WORDINGS = (
    *(Wording(kind, title, SAID, is_urgent=urgent, icon=icon) for kind, title, urgent, icon in TITLES),
    Wording(
        "major_update_overdue",
        gettext_lazy("Update overdue: %(title)s"),
        SAID,
        closing=gettext_lazy("Send an update, or change the cadence in the communication plan."),
        is_urgent=True,
        icon="alert-triangle",
    ),
)


def register() -> None:
    """Register the words and the rules."""
    for wording in WORDINGS:
        register_wording(wording)
        register_rule(f"incident.{wording.kind}", audience.named, wording.kind)


def tell_stakeholders(event: TicketEvent) -> None:
    """Tell the stakeholders of an update; handed the same event again it tells nobody twice.

    Everybody reads the public words and nothing else; the desk is led to the incident, others to the portal.
    """
    update = MajorUpdate.objects.filter(public_id=event.data.get("update")).select_related("incident").first()
    if update is None or not update.to_stakeholders:
        return
    incident = update.incident
    rows = MajorStakeholder.objects.filter(incident=incident)
    people = User.objects.active().filter(pk__in=rows.values("person"))
    members = User.objects.active().filter(memberships__team__in=rows.exclude(team=None).values("team"))
    for person in {*people, *members}:
        desk = sees_all_tickets(person)
        path = reverse("incidents:major", args=[incident.number]) if desk else reverse("portal:outages")
        tell_person(person, f"major-update:{update.public_id}", "major_update", lambda: _words(update), path=path)


def _words(update: MajorUpdate) -> Words:
    return Words(
        subject=_("Major incident: %(headline)s") % {"headline": update.headline},
        lead=update.headline,
        facts=[(_("What we know"), update.text)],
        why=_("You are told because you are a stakeholder of this major incident."),
    )

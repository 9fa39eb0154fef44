"""Known outages: what the portal says of an incident that many feel, and “Me too” by which people join it."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from incidents.actions.family import attach_child, check_version, lock_together
from incidents.actions.opening import open_incident
from incidents.models import OUTAGE_TEXT_MAX, Incident, Outage
from itsm.tickets.actions import lock
from itsm.tickets.actors import Actor
from itsm.tickets.clock import instant_of
from itsm.tickets.errors import IllegalMove, Refused
from itsm.tickets.log import write
from itsm.tickets.models.ticket import TEXT_MAX, TITLE_MAX
from itsm.tickets.rules import require
from itsm.tickets.texts import clean_text


@transaction.atomic
def publish_outage(incident: Incident, *, title: str, text: str, actor: Actor, version: int | None = None) -> Outage:
    """Show the incident in the portal under this title and text and return what is shown; again: change the words.

    Everybody who is signed in reads them, and nothing else of the incident.

    Raises:
        Invalid: words that do not fit. IllegalMove: it has ended, or goes on in another one. Refused, Stale.
    """
    this: Incident = lock(incident)
    require("ticket.edit", actor, this)
    check_version(this, version)
    if not this.is_open:
        raise IllegalMove(
            _("%(number)s is %(status)s. Only an open incident is shown as an outage.")
            % {"number": this.number, "status": this.status_label.lower()}
        )
    if this.parent is not None:
        raise IllegalMove(
            _("%(number)s is part of %(upper)s. Show that one: people who join become part of it.")
            % {"number": this.number, "upper": this.parent.number}
        )
    words = {
        "title": clean_text(title, "title", TITLE_MAX, required=True, one_line=True),
        "text": clean_text(text, "text", OUTAGE_TEXT_MAX, required=True),
    }
    now = instant_of(actor)
    shown = Outage.objects.filter(incident=this).first()
    was_live = shown is not None and shown.withdrawn_at is None
    if shown is not None and was_live and (shown.title, shown.text) == (words["title"], words["text"]):
        return shown
    if shown is None:
        shown = Outage(incident=this)
    shown.title, shown.text = words["title"], words["text"]
    if not was_live:
        shown.published_at, shown.published_by, shown.withdrawn_at = now, actor.user, None
    shown.save()
    code = "incident.outage_changed" if was_live else "incident.outage_published"
    write(this, code, actor=actor, data=words, at=now, bump=False)
    return shown


@transaction.atomic
def withdraw_outage(incident: Incident, *, actor: Actor) -> None:
    """Show the incident in the portal no more; it is no error when it was not shown.

    Raises:
        Refused: only the desk does this.
    """
    this: Incident = lock(incident)
    require("ticket.edit", actor, this)
    now = instant_of(actor)
    if Outage.objects.filter(incident=this, withdrawn_at=None).update(withdrawn_at=now):
        write(this, "incident.outage_withdrawn", actor=actor, at=now, bump=False)


@transaction.atomic
def join_outage(outage: Outage, *, actor: Actor, comment: str = "") -> Incident:
    """Say “me too” and return the person's own incident, which is part of the outage's and is resolved with it.

    Once each: who is in already gets the incident that they have.

    Raises:
        Refused: nobody is signed in. IllegalMove: the outage is over or no longer shown. Invalid: the comment.
    """
    user = actor.user
    if user is None:
        raise Refused(_("Sign in to say that you have this too."))
    said = clean_text(comment, "comment", TEXT_MAX)
    above = lock_together([outage.incident])[outage.incident_id]
    if above.requester_id == user.pk:
        return above
    own = Incident.objects.children_of(above).filter(requester=user).order_by("pk")
    found = list(own)
    for one in found:
        if one.closed_at is None:
            return one
    if not Outage.objects.live().filter(pk=outage.pk).exists():
        raise IllegalMove(_("This outage is over. If it still does not work for you, ask for help anew."))
    fresh = open_incident(
        actor=actor,
        title=outage.title,
        description=said or _("Reported as “me too” for the outage that the portal shows."),
        service=above.service,
        category=above.category,
        submission_key=f"me-too:{outage.public_id}:{len(found)}",
        because="joined",
    )
    if fresh.parent_id is None and fresh.event_seq == 1:
        return attach_child(lock(fresh), above, actor=actor)
    return fresh

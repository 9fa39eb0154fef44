"""The communication plan, the updates that are sent by it, and the alarm when one is overdue."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from incidents.actions.outages import publish_outage
from incidents.actions.passing import pass_on
from incidents.major.actions.base import begin_running, tell
from incidents.major.models import (
    CADENCE_MAX,
    CADENCE_MIN,
    UPDATE_MAX,
    MajorDuty,
    MajorIncident,
    MajorUpdate,
)
from incidents.major.states import MajorRole, MajorState
from incidents.models import Incident
from itsm.tickets.actions import comment, lock
from itsm.tickets.actors import SYSTEM, Actor
from itsm.tickets.clock import db_now, instant_of
from itsm.tickets.errors import Invalid
from itsm.tickets.log import write
from itsm.tickets.models.ticket import TITLE_MAX
from itsm.tickets.texts import clean_text
from itsm.tickets.values import clean_flag

AUDIENCES = ("to_portal", "to_requesters", "to_stakeholders")
KEY_MAX = 100


def clean_cadence(value: Any) -> int | None:
    """Return the minutes between two updates; None: no updates are promised.

    Raises:
        Invalid: no whole number between 5 and 1440.
    """
    if value is None or value == "":
        return None
    text = str(value).strip()
    if not text.isascii() or not text.isdecimal() or len(text) > 5 or not CADENCE_MIN <= int(text) <= CADENCE_MAX:
        raise Invalid(
            {
                "cadence_minutes": _("Give whole minutes from %(min)d to %(max)d, or nothing for no cadence.")
                % {"min": CADENCE_MIN, "max": CADENCE_MAX}
            }
        )
    return int(text)


@transaction.atomic
def save_plan(
    incident: Incident,
    *,
    actor: Actor,
    cadence_minutes: Any,
    to_portal: Any = False,
    to_requesters: Any = False,
    to_stakeholders: Any = False,
    template: str = "",
    version: int | None = None,
) -> MajorIncident:
    """Say how often who is told, and with which words an update begins; return the major incident.

    With another cadence the next update is due that long after the last one (or the acceptance).

    Raises:
        Invalid, IllegalMove, Refused, Stale.
    """
    locked, major = begin_running(incident, actor=actor, version=version)
    cadence = clean_cadence(cadence_minutes)
    flags = {"to_portal": to_portal, "to_requesters": to_requesters, "to_stakeholders": to_stakeholders}
    for name, value in flags.items():
        setattr(major, name, clean_flag(value, name))
    major.template = clean_text(template, "template", UPDATE_MAX)
    before = major.cadence_minutes
    if cadence != before:
        last = MajorUpdate.objects.filter(incident=locked).values_list("sent_at", flat=True).first()
        since = max(one for one in (last, major.accepted_at, instant_of(actor) if before is None else None) if one)
        major.cadence_minutes = cadence
        major.next_update_at = since + timedelta(minutes=cadence) if cadence else None
    major.save()
    data = {"cadence": cadence, "audiences": [name for name in AUDIENCES if getattr(major, name)]}
    write(locked, "incident.major_plan_saved", actor=actor, data=data, bump=False)
    return major


@transaction.atomic
def send_update(
    incident: Incident,
    *,
    actor: Actor,
    headline: str = "",
    text: str = "",
    to_portal: Any = False,
    to_requesters: Any = False,
    to_stakeholders: Any = False,
    submission_key: str | None = None,
) -> MajorUpdate:
    """Send an update to the chosen audiences and return it; the next one falls due one cadence from now.

    The words are public: the portal's banner shows them, the requesters of this incident and of all its children get
    them as a reply (those of children from the worker), stakeholders as a message. The same `submission_key` again
    gives the update that was sent.

    Raises:
        Invalid: a text is missing or nobody was chosen. IllegalMove: no major incident, or it is over. Refused.
    """
    locked, major = begin_running(incident, actor=actor)
    key = (submission_key or "")[:KEY_MAX] or None
    if key is not None:
        sent = MajorUpdate.objects.filter(incident=locked, submission_key=key).first()
        if sent is not None:
            return sent
    given = {"to_portal": to_portal, "to_requesters": to_requesters, "to_stakeholders": to_stakeholders}
    flags = {name: clean_flag(value, name) for name, value in given.items()}
    problems: dict[str, str] = {}
    words: dict[str, str] = {}
    for name, value, most in (("headline", headline, TITLE_MAX), ("text", text, UPDATE_MAX)):
        try:
            words[name] = clean_text(value, name, most, required=True, one_line=name == "headline")
        except Invalid as error:
            problems.update(error.fields)
    if not any(flags.values()):
        problems["audience"] = _("Choose who gets the update.")
    if problems:
        raise Invalid(problems)
    now = instant_of(actor)
    update = MajorUpdate.objects.create(
        incident=locked, sent_at=now, sent_by=actor.user, submission_key=key, **words, **flags
    )
    data: dict[str, Any] = {"update": update.public_id, "headline": update.headline}
    if flags["to_portal"]:
        publish_outage(locked, title=words["headline"], text=words["text"], actor=actor)
    body = f"**{words['headline']}**\n\n{words['text']}"
    if flags["to_requesters"]:
        data["comment"] = comment(locked, body, actor=actor).public_id
    major.next_update_at = now + timedelta(minutes=major.cadence_minutes) if major.cadence_minutes else None
    major.save(update_fields=["next_update_at"])
    locked = lock(locked)
    data["audiences"] = [name for name in AUDIENCES if flags[name]]
    event = write(locked, "incident.major_update_sent", actor=actor, data=data, at=now, bump=False)
    if flags["to_requesters"]:
        pass_on(locked, "incident.comment", actor=actor, event=event, data={"body": body})
    return update


def alarm_overdue() -> int:
    """Tell the commanders of updates that are overdue, once for each instant at which one was due; return how many.

    Each alarm is a transaction of its own: it locks the incident (one that somebody is writing to waits for the next
    look), looks again, and marks what it told in the same transaction as the event that tells.
    """
    due = MajorIncident.objects.filter(next_update_at__lte=db_now()).exclude_alarmed()
    return sum(_alarm(pk) for pk in list(due.values_list("pk", flat=True)[:200]))


@transaction.atomic
def _alarm(pk: int) -> bool:
    rows = Incident.objects.select_for_update(of=("ticket_ptr", "self"), no_key=True, skip_locked=True)
    locked = rows.filter(pk=pk).first()
    if locked is None or locked.major_state != MajorState.ACCEPTED or not locked.is_open:
        return False
    major = MajorIncident.objects.filter(pk=pk, next_update_at__lte=db_now()).exclude_alarmed().first()
    if major is None or major.next_update_at is None:
        return False
    MajorIncident.objects.filter(pk=pk).update(alarmed_for=major.next_update_at)
    duties = MajorDuty.objects.filter(incident=locked, until=None).select_related("person")
    people = {duty.role: duty.person for duty in duties if duty.person.is_active}
    lead = locked.team.lead if locked.team is not None else None
    told = people.get(MajorRole.COMMANDER) or lead or people.get(MajorRole.COMMUNICATIONS)
    data = {"due": major.next_update_at.isoformat(), **tell(told)}
    write(locked, "incident.major_update_overdue", actor=SYSTEM, data=data, bump=False)
    return True

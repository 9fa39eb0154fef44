"""Invitations to meetings: mails that calendars understand (RFC 5545, RFC 5546), one for each person and edit."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.urls import reverse
from django.utils.translation import gettext as _
from icalendar import Calendar, Event, vCalAddress, vText

from changes.cab.agenda import agenda_of, members_of
from changes.cab.models import CabInvitation, CabMeeting, MeetingState
from changes.schedule.words import stretch
from itsm.accounts.models import User
from itsm.notifications.actions import Words, tell_person
from itsm.notifications.addresses import absolute, mail_domain

NOTICE = "change.cab"
MOST_NAMED = 10
REQUEST, CANCEL = "REQUEST", "CANCEL"


def is_due(meeting: CabMeeting, now: datetime) -> bool:
    """Return whether it is time to invite to the meeting."""
    return (
        meeting.state == MeetingState.PLANNED
        and meeting.starts_at - timedelta(days=meeting.board.notice_days) <= now < meeting.starts_at
    )


def invite(meeting: CabMeeting, now: datetime) -> int:
    """Bring everybody's calendar to how the locked meeting stands: invite who takes part and was not told of this
    sequence, take back from who does not any more; of a cancelled meeting, from all. Return how many were told."""
    known = {one.person_id: one for one in meeting.invitations.select_related("person")}
    going = meeting.state in (MeetingState.PLANNED, MeetingState.RUNNING)
    members = {one.pk: one for one in members_of(meeting.board)} if going else {}
    told = 0
    for person in members.values():
        row = known.get(person.pk)
        if row is not None and not row.is_cancelled and row.sequence == meeting.sequence:
            continue
        CabInvitation.objects.update_or_create(
            meeting=meeting,
            person=person,
            defaults={"sequence": meeting.sequence, "is_cancelled": False, "sent_at": now},
        )
        _tell(meeting, person, REQUEST, now, again=row is not None)
        told += 1
    for row in known.values():
        if row.person_id not in members and not row.is_cancelled:
            row.is_cancelled, row.sequence, row.sent_at = True, max(meeting.sequence, row.sequence), now
            row.save(update_fields=["is_cancelled", "sequence", "sent_at"])
            _tell(meeting, row.person, CANCEL, now, again=False)
            told += 1
    return told


def _tell(meeting: CabMeeting, person: User, method: str, now: datetime, *, again: bool) -> None:
    path = reverse("cab:meeting", args=[meeting.public_id])
    items = agenda_of(meeting, now)[:MOST_NAMED] if method == REQUEST else []

    def words() -> Words:
        values = {"board": meeting.board.name, "when": stretch(meeting.starts_at, meeting.ends_at)}
        if method == CANCEL:
            subject, lead = _("%(board)s is off"), _("The meeting of %(board)s, %(when)s, does not take place for you.")
        elif again:
            subject, lead = _("%(board)s has moved"), _("%(board)s now meets %(when)s.")
        else:
            subject, lead = _("You are invited to %(board)s"), _("%(board)s meets %(when)s.")
        facts = [(item.change.number, item.change.title) for item in items]
        if meeting.board.place:
            facts.insert(0, (_("Where"), meeting.board.place))
        return Words(
            subject=subject % values,
            lead=lead % values,
            facts=facts,
            links=[(_("Look at the agenda"), path)],
            why=_("You are told because you take part in this board."),
            calendar=invitation(meeting, person, method, now).decode(),
        )

    stamp = f"{method[0]}{meeting.sequence}:{int(now.timestamp())}"
    tell_person(person, f"{NOTICE}:{meeting.public_id}:{stamp}", NOTICE, words, path=path)


def invitation(meeting: CabMeeting, person: User, method: str, now: datetime) -> bytes:
    """Return the meeting as an invitation to the person, or its end, as an iCalendar object in UTF-8."""
    calendar = Calendar()
    calendar.add("prodid", "-//Service desk//CAB//EN")
    calendar.add("version", "2.0")
    calendar.add("method", method)
    event = Event()
    event.add("uid", f"{meeting.public_id}@{mail_domain()}")
    event.add("dtstamp", now)
    event.add("sequence", meeting.sequence)
    event.add("dtstart", meeting.starts_at)
    event.add("dtend", meeting.ends_at)
    event.add("summary", meeting.board.name)
    event.add("location", meeting.board.place)
    event.add("url", absolute(reverse("cab:meeting", args=[meeting.public_id])))
    event.add("status", "CANCELLED" if method == CANCEL else "CONFIRMED")
    organiser = vCalAddress(f"MAILTO:{meeting.board.chair.email}")
    organiser.params["cn"] = vText(meeting.board.chair.display_name)
    event["organizer"] = organiser
    attendee = vCalAddress(f"MAILTO:{person.email}")
    attendee.params["cn"] = vText(person.display_name)
    attendee.params["role"] = vText("REQ-PARTICIPANT")
    event.add("attendee", attendee, encode=False)
    calendar.add_component(event)
    return bytes(calendar.to_ical())

"""Who hears of what, through the verbs, the outbox and the sender."""

from __future__ import annotations

import pytest
from django.core import mail as django_mail

from incidents.actions import cancel, close, hold, open_incident, reopen, reply, resolve, start
from incidents.closing import close_resolved
from incidents.models import Incident
from incidents.statuses import HoldReason, ResolutionCode
from itsm.accounts.models import User
from itsm.accounts.roles import Role
from itsm.notifications.actions import notices_for
from itsm.notifications.models import Mail, Notice
from itsm.tickets.actions import assign, comment, update, watch
from itsm.tickets.actors import Actor, Channel
from itsm.tickets.models import Visibility
from tests.cast import Cast, as_
from tests.notifications.conftest import told

RITA, ROSA, ANNA, BEN, LENA = (f"{name}@example.com" for name in ("rita", "rosa", "anna", "ben", "lena"))
SOLVED = {"resolution_code": ResolutionCode.SOLUTION_PROVIDED, "resolution_notes": "Restarted the gateway."}


def forget() -> None:
    """Start counting anew."""
    Mail.objects.all().delete()
    Notice.objects.all().delete()
    django_mail.outbox.clear()


def inbox(user: User) -> list[str]:
    """Return the kinds of the person's notices, oldest first."""
    return list(Notice.objects.filter(user=user).order_by("pk").values_list("kind", flat=True))


def test_the_requester_gets_the_number_and_the_team_a_new_ticket(incident: Incident, deliver) -> None:
    sent = deliver()
    assert told(incident) == {(RITA, "received"), (ANNA, "queued"), (BEN, "queued"), (LENA, "queued")}
    [received] = [message for message in sent if message.to == [RITA]]
    assert received.subject == f"[{incident.number}] Received: VPN is slow"
    assert incident.number in received.body
    assert "asked for help" in received.body


def test_a_team_with_a_mailbox_is_mailed_there_once(cast: Cast, deliver) -> None:
    cast.network.email = "network@example.com"
    cast.network.save()
    incident = open_incident(actor=as_(cast.rita), title="VPN is slow")
    deliver()
    assert told(incident) == {(RITA, "received"), ("network@example.com", "queued")}
    assert inbox(cast.anna) == inbox(cast.ben) == ["queued"]


def test_opened_on_behalf_tells_the_requester_and_not_the_one_who_typed(cast: Cast, deliver) -> None:
    incident = open_incident(
        actor=as_(cast.anna, Channel.PHONE), requester=cast.rita, title="VPN is slow", assignee=cast.ben
    )
    deliver()
    assert told(incident) == {(RITA, "received"), (BEN, "assigned")}


def test_a_ticket_without_team_tells_only_the_requester(cast: Cast, deliver) -> None:
    incident = open_incident(actor=as_(cast.rita), title="The coffee is cold")
    assert incident.team is None
    deliver()
    assert told(incident) == {(RITA, "received")}


def test_an_agents_own_request_is_received_and_not_queued_to_them(cast: Cast, deliver) -> None:
    incident = open_incident(actor=as_(cast.anna), title="VPN is slow")
    deliver()
    assert told(incident) == {(ANNA, "received"), (BEN, "queued"), (LENA, "queued")}


def test_assigning_tells_the_new_person_and_nobody_who_did_it(incident: Incident, cast: Cast, deliver) -> None:
    deliver()
    forget()
    assign(incident, actor=as_(cast.ben), assignee=cast.ben)
    deliver()
    assert told(incident) == set()
    assign(incident, actor=as_(cast.ben), assignee=cast.anna)
    deliver()
    assert told(incident) == {(ANNA, "assigned")}


def test_another_team_hears_of_a_ticket_without_a_person(incident: Incident, cast: Cast, deliver) -> None:
    deliver()
    forget()
    assign(incident, actor=as_(cast.anna), team=cast.desktop)
    deliver()
    assert told(incident) == {("carl@example.com", "queued")}


def test_an_assignment_that_was_passed_on_before_it_was_handed_over_tells_the_last_person_only(
    incident: Incident, cast: Cast, deliver
) -> None:
    deliver()
    forget()
    assign(incident, actor=as_(cast.lena), assignee=cast.anna)
    assign(incident, actor=as_(cast.lena), assignee=cast.ben)
    deliver()
    assert told(incident) == {(BEN, "assigned")}


def test_replies_go_to_the_other_side(incident: Incident, cast: Cast, deliver) -> None:
    assign(incident, actor=as_(cast.anna), assignee=cast.anna)
    watch(incident, cast.rosa, actor=as_(cast.anna))
    deliver()
    forget()
    reply(incident, "Which office are you in?", actor=as_(cast.anna))
    [first, second] = deliver()
    assert {first.to[0], second.to[0]} == {RITA, ROSA}
    assert "> Which office are you in?" in first.body
    forget()
    reply(incident, "North.", actor=as_(cast.rita, Channel.PORTAL))
    deliver()
    assert told(incident) == {(ANNA, "reply"), (ROSA, "reply")}
    forget()
    reply(incident, "Me too.", actor=as_(cast.rosa, Channel.PORTAL))
    deliver()
    assert told(incident) == {(RITA, "reply"), (ANNA, "reply")}
    forget()
    reply(incident, "I will look as well.", actor=as_(cast.ben))
    deliver()
    assert told(incident) == {(RITA, "reply"), (ROSA, "reply")}
    assert inbox(cast.anna) == ["reply"]


def test_a_reply_on_a_ticket_without_a_person_reaches_the_team_inside(incident: Incident, cast: Cast, deliver) -> None:
    deliver()
    forget()
    reply(incident, "Is anybody there?", actor=as_(cast.rita))
    deliver()
    assert told(incident) == set()
    assert inbox(cast.anna) == inbox(cast.lena) == ["reply"]


def test_a_hold_is_told_only_with_a_message(incident: Incident, cast: Cast, deliver) -> None:
    deliver()
    forget()
    hold(incident, actor=as_(cast.anna), hold_reason=HoldReason.AWAITING_VENDOR)
    deliver()
    assert told(incident) == set()


def test_a_hold_with_a_question_carries_it(incident: Incident, cast: Cast, deliver) -> None:
    deliver()
    forget()
    hold(incident, actor=as_(cast.anna), hold_reason=HoldReason.AWAITING_CALLER, comment="Please restart it.")
    [message] = deliver()
    assert message.to == [RITA]
    assert "> Please restart it." in message.body


def test_resolved_asks_only_the_requester_to_confirm(incident: Incident, cast: Cast, deliver) -> None:
    watch(incident, cast.rosa, actor=as_(cast.anna))
    deliver()
    forget()
    resolve(incident, actor=as_(cast.anna), **SOLVED)
    by_address = {message.to[0]: message.body for message in deliver()}
    assert by_address.keys() == {RITA, ROSA}
    assert by_address[RITA].count("/r/") == 2
    assert "/r/" not in by_address[ROSA]
    assert all("> Restarted the gateway." in body for body in by_address.values())


def test_a_late_mail_says_what_that_resolution_said(incident: Incident, cast: Cast, deliver) -> None:
    deliver()
    forget()
    resolve(incident, actor=as_(cast.anna), **SOLVED)
    reopen(incident, actor=as_(cast.rita), comment="No.")
    resolve(incident, actor=as_(cast.anna), **{**SOLVED, "resolution_notes": "Replaced the gateway."})
    bodies = [message.body for message in deliver() if message.to == [RITA]]
    assert ["> Restarted the gateway." in body for body in bodies] == [True, False]
    assert ["> Replaced the gateway." in body for body in bodies] == [False, True]


def test_reopened_tells_the_assignee_what_is_still_wrong(incident: Incident, cast: Cast, deliver) -> None:
    start(incident, actor=as_(cast.anna))
    resolve(incident, actor=as_(cast.anna), **SOLVED)
    deliver()
    forget()
    reopen(incident, actor=as_(cast.rita), comment="Still slow.")
    [message] = deliver()
    assert message.to == [ANNA]
    assert "> Still slow." in message.body


def test_closing_is_told_to_the_requester_unless_they_did_it(incident: Incident, cast: Cast, deliver) -> None:
    resolve(incident, actor=as_(cast.anna), **SOLVED)
    deliver()
    forget()
    close(incident, actor=as_(cast.rita))
    deliver()
    assert told(incident) == set()


def test_closing_by_time_says_so(incident: Incident, cast: Cast, deliver) -> None:
    resolve(incident, actor=as_(cast.anna), **SOLVED)
    deliver()
    forget()
    Incident.objects.update(resolved_at="2020-01-01T00:00:00Z")
    assert close_resolved() == 1
    [message] = deliver()
    assert message.to == [RITA]
    assert "because nobody objected" in message.body


def test_cancelling_tells_the_requester_why_unless_they_did_it(cast: Cast, deliver) -> None:
    mine, theirs = (open_incident(actor=as_(cast.rita), title=f"Number {n}") for n in (1, 2))
    deliver()
    forget()
    cancel(mine, actor=as_(cast.rita), reason="Works again")
    cancel(theirs, actor=as_(cast.anna), reason="Reported twice")
    [message] = deliver()
    assert message.to == [RITA]
    assert "> Reported twice" in message.body


def test_a_reply_after_the_end_is_received_under_its_new_number(incident: Incident, cast: Cast, deliver) -> None:
    start(incident, actor=as_(cast.anna))
    resolve(incident, actor=as_(cast.anna), **SOLVED)
    close(incident, actor=as_(cast.rita))
    deliver()
    forget()
    fresh = reply(incident, "It is back.", actor=as_(cast.rita)).incident
    deliver()
    assert (RITA, "received") in told(fresh)
    assert told(incident) == set()
    assert "followed_up" in inbox(cast.anna)


def test_a_person_in_two_roles_hears_once(incident: Incident, cast: Cast, deliver) -> None:
    watch(incident, cast.rita, actor=as_(cast.rita))
    assign(incident, actor=as_(cast.lena), assignee=cast.anna)
    watch(incident, cast.anna, actor=as_(cast.anna))
    deliver()
    forget()
    resolve(incident, actor=as_(cast.lena), **SOLVED)
    assert [message.to for message in deliver()].count([RITA]) == 1
    assert Mail.objects.filter(address=ANNA).count() == 1


def test_deactivated_people_hear_nothing(incident: Incident, cast: Cast, deliver) -> None:
    watch(incident, cast.rosa, actor=as_(cast.anna))
    User.objects.filter(pk__in=[cast.rita.pk, cast.rosa.pk, cast.ben.pk]).update(is_active=False)
    deliver()
    assert told(incident) == {(ANNA, "queued"), (LENA, "queued")}
    assert not Notice.objects.filter(user__is_active=False).exists()


def test_what_nobody_needs_to_hear_is_not_even_handed_over(incident: Incident, cast: Cast, deliver) -> None:
    deliver()
    forget()
    update(incident, {"impact": 1}, actor=as_(cast.anna))
    assert not incident.events.get(code="ticket.updated").outbox.filter(consumer="notifications").exists()
    assert deliver() == []


def test_an_import_tells_nobody(cast: Cast, deliver) -> None:
    past = Actor(cast.imke, Channel.IMPORT, at=cast.imke.created_at)
    open_incident(actor=past, requester=cast.rita, title="VPN was slow")
    assert deliver() == []
    assert not Notice.objects.exists()


SECRET = "xyzzy-internal-secret"


def test_nothing_internal_reaches_anybody_by_mail_or_outside_the_desk(incident: Incident, cast: Cast, deliver) -> None:
    watch(incident, cast.rosa, actor=as_(cast.anna))
    start(incident, actor=as_(cast.anna))
    steps = (
        lambda: comment(incident, SECRET, actor=as_(cast.ben), visibility=Visibility.INTERNAL),
        lambda: reply(incident, "Public words", actor=as_(cast.anna)),
        lambda: comment(incident, f"again {SECRET}", actor=as_(cast.anna), visibility=Visibility.INTERNAL),
        lambda: hold(incident, actor=as_(cast.anna), hold_reason=HoldReason.AWAITING_CALLER, comment="Please restart"),
        lambda: resolve(incident, actor=as_(cast.anna), **SOLVED),
        lambda: comment(incident, SECRET, actor=as_(cast.anna), visibility=Visibility.INTERNAL),
        lambda: reopen(incident, actor=as_(cast.rita), comment="No"),
        lambda: cancel(incident, actor=as_(cast.anna), reason="Twice"),
    )
    for step in steps:
        step()
        deliver()
    assert len(django_mail.outbox) > 10
    for message in django_mail.outbox:
        assert SECRET not in message.message().as_string()
    assert not Mail.objects.filter(text__contains=SECRET).exists()
    assert not Mail.objects.filter(html__contains=SECRET).exists()
    assert not Mail.objects.filter(kind="noted").exists()
    for outsider in (cast.rita, cast.rosa):
        assert Notice.objects.filter(user=outsider).exists()
        assert not Notice.objects.filter(user=outsider, event__internal=True).exists()
    assert inbox(cast.anna).count("noted") == 1


def test_somebody_who_left_the_desk_no_longer_reads_its_notices(incident: Incident, cast: Cast, deliver) -> None:
    start(incident, actor=as_(cast.anna))
    comment(incident, "For us only", actor=as_(cast.ben), visibility=Visibility.INTERNAL)
    deliver()
    assert notices_for(cast.anna).filter(kind="noted").exists()
    cast.anna.roles = [Role.REQUESTER]
    cast.anna.save()
    former = User.objects.get(pk=cast.anna.pk)
    assert not notices_for(former).exists()


@pytest.mark.parametrize("code", ["sla.warned", "sla.breached", "sla.escalated"])
def test_service_levels_tell_the_desk_never_the_requester(incident: Incident, cast: Cast, deliver, code: str) -> None:
    from itsm.tickets.actors import SYSTEM
    from itsm.tickets.log import write

    start(incident, actor=as_(cast.anna))
    watch(incident, cast.rosa, actor=as_(cast.anna))
    deliver()
    forget()
    notify = {"notify": {"users": [cast.lena.pk, cast.rita.pk], "team": cast.desktop.pk, "role": "team_lead"}}
    incident.refresh_from_db()
    write(incident, code, actor=SYSTEM, data=notify if code == "sla.escalated" else {})
    deliver()
    expected = {
        "sla.warned": {(ANNA, "sla_warned")},
        "sla.breached": {(ANNA, "sla_breached"), (BEN, "sla_breached"), (LENA, "sla_breached")},
        "sla.escalated": {(LENA, "sla_escalated"), ("carl@example.com", "sla_escalated")},
    }
    assert told(incident) == expected[code]
    assert not Notice.objects.filter(user__in=[cast.rita, cast.rosa]).exists()

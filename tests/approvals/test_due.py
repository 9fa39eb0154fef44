"""Reminders and what happens when the time of a stage is over; the time on hold does not count."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from incidents.models import Incident
from itsm.accounts.models import User
from itsm.approvals.actions import NotDecided, decide, fire_due, park, request_approval, unpark
from itsm.approvals.actions.stages import after
from itsm.approvals.models import ApprovalRound, ApprovalStage, Mode
from itsm.approvals.subjects import ApprovalSubject, register_approval_subject
from slas.actions import save_calendar
from slas.calendars import CalendarSpec
from tests.approvals.conftest import ENDS, asked, codes, let_pass, people, policy, stage
from tests.cast import Cast, as_

H = timedelta(hours=1)


def test_reminders_come_every_so_many_hours(cast: Cast, chris: User, ticket: Incident) -> None:
    policy(chris, stage(people(cast.lena, cast.ben), mode=Mode.ALL, remind_hours=24))
    round_ = request_approval(ticket, actor=as_(cast.carl))
    assert fire_due() == 0
    decide(round_, actor=as_(cast.ben), decision="approve")
    for number in (1, 2):
        let_pass(round_, 24 * H)
        assert (fire_due(), fire_due()) == (1, 0)
        last = ticket.events.filter(code="approval.reminded").last()
        assert (last.data["number"], last.data["asked"]) == (number, [{"user": cast.lena.pk}])


def test_time_over_rejects(cast: Cast, chris: User, ticket: Incident) -> None:
    policy(chris, stage(people(cast.lena), expires_hours=8, then="reject"), stage(people(cast.olaf)))
    round_ = request_approval(ticket, actor=as_(cast.carl))
    let_pass(round_, 8 * H)
    assert fire_due() == 1
    assert (ApprovalRound.objects.get().state, ENDS) == ("rejected", [("rejected", "rejected")])
    with pytest.raises(NotDecided) as refused:
        decide(round_, actor=as_(cast.lena), decision="approve")
    assert refused.value.why == "expired"
    assert codes(ticket) == ["requested", "expired", "refused"]


def test_an_answer_after_the_end_of_time_does_not_count_though_no_tick_came(
    cast: Cast, chris: User, ticket: Incident
) -> None:
    policy(chris, stage(people(cast.lena), expires_hours=8, then="reject"))
    round_ = request_approval(ticket, actor=as_(cast.carl))
    let_pass(round_, 8 * H)
    with pytest.raises(NotDecided) as refused:
        decide(round_, actor=as_(cast.lena), decision="approve")
    assert refused.value.why == "expired"
    assert (ApprovalRound.objects.get().state, ENDS, fire_due()) == ("rejected", [("rejected", "rejected")], 0)
    assert codes(ticket) == ["requested", "refused", "expired"]


def test_time_over_asks_somebody_else_whose_answer_decides(cast: Cast, chris: User, ticket: Incident) -> None:
    escalating = stage(
        people(cast.lena, cast.ben), mode=Mode.ALL, expires_hours=8, then="escalate", escalate_to=(people(cast.olaf),)
    )
    policy(chris, escalating)
    round_ = request_approval(ticket, actor=as_(cast.carl))
    let_pass(round_, 9 * H)
    assert (fire_due(), asked(round_), fire_due()) == (1, {cast.lena, cast.ben, cast.olaf}, 0)
    assert ticket.events.get(code="approval.expired").data["escalated"] == [{"user": cast.olaf.pk}]
    assert decide(round_, actor=as_(cast.olaf), decision="approve").state == "approved"


def test_without_somebody_to_escalate_to_the_fallback_role_is_asked(cast: Cast, chris: User, ticket: Incident) -> None:
    """Carl opened the ticket, so it cannot be escalated to him."""
    policy(chris, stage(people(cast.lena), expires_hours=1, then="escalate", escalate_to=(people(cast.carl),)))
    round_ = request_approval(ticket, actor=as_(cast.carl))
    let_pass(round_, 2 * H)
    fire_due()
    assert asked(round_) == {cast.lena, chris}


def test_time_over_may_only_remind(cast: Cast, chris: User, ticket: Incident) -> None:
    policy(chris, stage(people(cast.lena), expires_hours=1, then="remind"))
    round_ = request_approval(ticket, actor=as_(cast.carl))
    let_pass(round_, 2 * H)
    assert (fire_due(), fire_due(), codes(ticket)) == (1, 0, ["requested", "expired"])
    assert decide(round_, actor=as_(cast.lena), decision="approve").state == "approved"


def test_the_time_on_hold_does_not_count(cast: Cast, chris: User, ticket: Incident) -> None:
    policy(chris, stage(people(cast.lena), expires_hours=10, then="reject", remind_hours=6))
    round_ = request_approval(ticket, actor=as_(cast.carl))
    let_pass(round_, 4 * H)
    park(ticket, actor=as_(cast.anna))
    parked = ApprovalStage.objects.get()
    assert (parked.next_at, fire_due()) == (None, 0)
    ApprovalRound.objects.update(parked_at=ApprovalRound.objects.get().parked_at - 100 * H)
    unpark(ticket, actor=as_(cast.anna))
    found = ApprovalStage.objects.get()
    now = ApprovalRound.objects.get().requested_at
    assert found.expires_at is not None
    assert abs(found.expires_at - now - 6 * H) < timedelta(minutes=1)
    assert found.remind_at is not None
    assert abs(found.remind_at - now - 2 * H) < timedelta(minutes=1)
    assert abs(found.parked_us / 3_600_000_000 - 100) < 0.1


def test_time_by_a_calendar_skips_the_night_of_the_clock_change(cast: Cast, chris: User, ticket: Incident) -> None:
    """Four hours from Friday 16:00 in Berlin are Monday 11:00, by summer time then: 09:00 UTC instead of 10:00."""
    weekly = (((540, 1020),),) * 5 + ((),) * 2
    calendar = save_calendar("Office", CalendarSpec("Europe/Berlin", weekly), actor=as_(cast.ada))
    policy(chris, stage(people(cast.lena), expires_hours=4, then="reject", calendar=calendar))
    request_approval(ticket, actor=as_(cast.carl))
    begun = ApprovalStage.objects.get()
    friday = datetime(2026, 3, 27, 15, 0, tzinfo=UTC)
    assert after(begun, friday, 4 * 3_600_000_000) == datetime(2026, 3, 30, 10, 0, tzinfo=UTC)
    assert begun.spec["expires"]["calendar_version"] == calendar.current_id


def test_what_fails_on_one_ticket_holds_up_no_other(cast: Cast, chris: User, ticket: Incident) -> None:
    from incidents.actions import open_incident

    def broken(ticket: Incident, round_: ApprovalRound, actor: object) -> None:
        if ticket.title == "Broken":
            raise RuntimeError("the room fell over")

    register_approval_subject("incident", ApprovalSubject(on_rejected=broken))
    policy(chris, stage(people(cast.lena), expires_hours=1, then="reject"))
    bad = open_incident(actor=as_(cast.carl), title="Broken", requester=cast.rita)
    for one in (bad, ticket):
        let_pass(request_approval(one, actor=as_(cast.carl)), 2 * H)
    assert fire_due() == 1
    states = dict(ApprovalRound.objects.values_list("ticket_id", "state"))
    assert states == {bad.pk: "open", ticket.pk: "rejected"}
    put_off = ApprovalStage.objects.get(round__ticket_id=bad.pk)
    assert put_off.next_at is not None
    assert (fire_due(), codes(bad)) == (0, ["requested"])

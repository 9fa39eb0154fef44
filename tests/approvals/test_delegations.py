"""Deciding for somebody else: from when until when, for what, and never around separation of duties."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from unittest import mock

import pytest

from incidents.models import Incident
from itsm.accounts.models import AdminEvent, User
from itsm.approvals.actions import NotYours, decide, delegate, end_delegation, request_approval
from itsm.approvals.models import ApprovalRound, Ask, Delegation, Mode
from itsm.notifications.models import Mail
from itsm.tickets.clock import db_now
from itsm.tickets.errors import Invalid, Refused
from tests.approvals.conftest import asked, codes, people, policy, stage
from tests.cast import Cast, as_

DAY = timedelta(days=1)


def give(giver: User, receiver: User, start: timedelta = -DAY, end: timedelta = DAY, **more: object) -> Delegation:
    now = db_now()
    return delegate(giver, receiver, actor=as_(giver), starts_at=now + start, ends_at=now + end, **more)  # type: ignore[arg-type]


def test_anna_decides_for_bert_and_it_is_recorded_so(cast: Cast, chris: User, ticket: Incident) -> None:
    policy(chris, stage(people(cast.lena)))
    round_ = request_approval(ticket, actor=as_(cast.carl))
    give(cast.lena, cast.sven)
    done = decide(round_, actor=as_(cast.sven), decision="approve", on_behalf_of=cast.lena)
    ask = Ask.objects.get()
    assert (done.state, ask.person, ask.decided_by) == ("approved", cast.lena, cast.sven)
    event = ticket.events.get(code="approval.decided")
    assert (event.actor, event.data["for"]) == (cast.sven, {"user": cast.lena.pk})


@pytest.mark.parametrize(("start", "end"), [(DAY, 2 * DAY), (-2 * DAY, timedelta(seconds=0.2))])
def test_before_and_after_its_dates_it_gives_nothing(
    cast: Cast, chris: User, ticket: Incident, start: timedelta, end: timedelta
) -> None:
    policy(chris, stage(people(cast.lena)))
    round_ = request_approval(ticket, actor=as_(cast.carl))
    made = give(cast.lena, cast.sven, start, end)
    later = made.ends_at + timedelta(seconds=1) if end < DAY else db_now()
    with (
        mock.patch("itsm.approvals.actions.deciding.instant_of", return_value=later),
        pytest.raises(NotYours) as refused,
    ):
        decide(round_, actor=as_(cast.sven), decision="approve", on_behalf_of=cast.lena)
    assert refused.value.why == "no_delegation"
    assert ApprovalRound.objects.get().state == "open"


def test_the_dates_hold_to_the_second_over_the_clock_change(cast: Cast, chris: User, ticket: Incident) -> None:
    """Until Sunday 29 March 2026 03:00 in Berlin, the hour that follows 01:59: 01:00 UTC."""
    start, end = datetime(2026, 3, 28, 23, 0, tzinfo=UTC), datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
    with mock.patch("itsm.approvals.actions.delegating.db_now", return_value=start - DAY):
        delegate(cast.lena, cast.sven, actor=as_(cast.lena), starts_at=start, ends_at=end)
    held = {
        instant: Delegation.objects.at(instant).exists()
        for instant in (start - timedelta(seconds=1), start, end - timedelta(seconds=1), end)
    }
    assert list(held.values()) == [False, True, True, False]


def test_an_ended_one_gives_nothing_and_another_kind_neither(cast: Cast, chris: User, ticket: Incident) -> None:
    policy(chris, stage(people(cast.lena)))
    round_ = request_approval(ticket, actor=as_(cast.carl))
    made = give(cast.lena, cast.sven)
    end_delegation(made, actor=as_(cast.lena))
    assert end_delegation(made, actor=as_(cast.lena)).ended_at is not None
    Delegation.objects.create(
        giver=cast.lena, receiver=cast.sven, starts_at=db_now() - DAY, ends_at=db_now() + DAY, kinds=["change"]
    )
    with pytest.raises(NotYours):
        decide(round_, actor=as_(cast.sven), decision="approve", on_behalf_of=cast.lena)


def test_a_delegate_with_a_part_in_it_is_refused(cast: Cast, chris: User, ticket: Incident) -> None:
    policy(chris, stage(people(cast.lena)))
    round_ = request_approval(ticket, actor=as_(cast.carl))
    give(cast.lena, cast.anna)
    with pytest.raises(NotYours, match="You carry this out"):
        decide(round_, actor=as_(cast.anna), decision="approve", on_behalf_of=cast.lena)
    assert codes(ticket) == ["requested", "refused"]


def test_nobody_approves_through_a_delegate_what_they_have_a_part_in(cast: Cast, chris: User, ticket: Incident) -> None:
    policy(chris, stage(people(cast.lena, cast.ben), mode=Mode.ALL))
    round_ = request_approval(ticket, actor=as_(cast.carl))
    give(cast.lena, cast.sven)
    Incident.objects.filter(pk=ticket.pk).update(assignee=cast.lena)
    with pytest.raises(NotYours, match="Lena Example has a part in this"):
        decide(round_, actor=as_(cast.sven), decision="approve", on_behalf_of=cast.lena)


def test_one_human_counts_once_in_a_stage(cast: Cast, chris: User, ticket: Incident) -> None:
    policy(chris, stage(people(cast.lena, cast.ben, cast.sven), mode=Mode.N_OF_M, needed=2))
    round_ = request_approval(ticket, actor=as_(cast.carl))
    give(cast.lena, cast.ben)
    decide(round_, actor=as_(cast.ben), decision="approve")
    with pytest.raises(NotYours) as refused:
        decide(round_, actor=as_(cast.ben), decision="approve", on_behalf_of=cast.lena)
    assert refused.value.why == "one_voice"
    assert asked(round_) == {cast.lena, cast.sven}


def test_what_was_received_is_not_passed_on(cast: Cast, chris: User, ticket: Incident) -> None:
    policy(chris, stage(people(cast.lena)))
    round_ = request_approval(ticket, actor=as_(cast.carl))
    give(cast.lena, cast.sven)
    give(cast.sven, cast.olaf)
    with pytest.raises(NotYours):
        decide(round_, actor=as_(cast.olaf), decision="approve", on_behalf_of=cast.lena)


def test_not_to_oneself_nor_in_circles(cast: Cast) -> None:
    with pytest.raises(Invalid, match="themselves"):
        give(cast.lena, cast.lena)
    give(cast.lena, cast.ben)
    give(cast.ben, cast.sven)
    with pytest.raises(Invalid, match="has delegated to you"):
        give(cast.sven, cast.lena)
    give(cast.sven, cast.lena, 2 * DAY, 3 * DAY)  # by then the others are over


@pytest.mark.parametrize(
    ("start", "end", "more"),
    [
        (DAY, DAY, {}),
        (2 * DAY, DAY, {}),
        (-3 * DAY, -DAY, {}),
        (DAY, 400 * DAY, {}),
        (DAY, 2 * DAY, {"kinds": ["coffee"]}),
        (DAY, 2 * DAY, {"note": "\x00"}),
        (DAY, 2 * DAY, {"note": "x" * 301}),
    ],
)
def test_dates_and_words_that_cannot_be(cast: Cast, start: timedelta, end: timedelta, more: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        give(cast.lena, cast.ben, start, end, **more)
    assert not Delegation.objects.exists()


def test_only_ones_own_unless_one_sets_up_approvals(cast: Cast, chris: User) -> None:
    start, end = db_now(), db_now() + DAY
    with pytest.raises(Refused):
        delegate(cast.lena, cast.ben, actor=as_(cast.ben), starts_at=start, ends_at=end)
    made = delegate(cast.lena, cast.ben, actor=as_(chris), starts_at=start, ends_at=end, note="Lena is ill")
    assert delegate(cast.lena, cast.ben, actor=as_(chris), starts_at=start, ends_at=end) == made
    assert AdminEvent.objects.filter(model="approvals.delegation", actor=chris).count() == 1
    assert set(Mail.objects.values_list("address", flat=True)) == {cast.lena.email, cast.ben.email}
    with pytest.raises(Refused):
        end_delegation(made, actor=as_(cast.sven))
    assert end_delegation(made, actor=as_(cast.ben)).ended_at is not None

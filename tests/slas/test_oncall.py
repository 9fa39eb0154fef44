"""Rotas through their verbs: who may, what is stored, swaps, time off, feeds, reminders."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from icalendar import Calendar

from itsm.accounts.actions import deactivate_user
from itsm.accounts.changelog import ChangedMeanwhile, fingerprint, state_of
from itsm.accounts.models import AdminEvent, User
from itsm.notifications.models import ContactPreference, Mail, Notice
from itsm.tickets.clock import db_now
from itsm.tickets.errors import IllegalMove, Invalid, Refused
from slas.actions import (
    accept_swap,
    add_override,
    add_time_off,
    ask_swap,
    decline_swap,
    find_feed,
    make_feed,
    remove_override,
    remove_time_off,
    revoke_feed,
    save_rota,
    withdraw_swap,
)
from slas.actions.reminders import remind
from slas.actions.rotas import ROTA_FIELDS
from slas.models import Rota, RotaOverride, SwapState
from slas.oncall_feed import feed_calendar
from slas.rotas import on_call_now, person_on_call, schedule_of, shifts_of
from tests.cast import Cast, as_

DAY = timedelta(days=1)


def layer(*people: User, **more: Any) -> dict[str, Any]:
    """A layer that hands over each midnight UTC, begun ten days ago."""
    start = (db_now() - 10 * DAY).date()
    base: dict[str, Any] = {
        "name": "Days",
        "level": 1,
        "members": [one.pk for one in people],
        "unit": "day",
        "every": 1,
        "minute": 0,
        "weekday": 0,
        "starts": start.isoformat(),
    }
    return base | more


@pytest.fixture
def rota(cast: Cast) -> Rota:
    """Anna and Ben by turns, Lena behind them on the second level."""
    layers = [layer(cast.anna, cast.ben), layer(cast.lena, level=2)]
    return save_rota(None, name="Network", team=cast.network, time_zone="UTC", layers=layers, actor=as_(cast.sven))


def next_shift(rota: Rota, user: User) -> Any:
    """The person's next shift that has not begun."""
    now = db_now()
    return next(one.shift for one in shifts_of(user, now, now + 20 * DAY) if one.shift.start > now)


def test_who_is_on_call_is_the_same_by_every_door(cast: Cast, rota: Rota) -> None:
    now = db_now()
    first, second = on_call_now(now)
    assert first.person in (cast.anna, cast.ben)
    assert second.person == cast.lena
    assert person_on_call(rota.pk, 1, now) == first.person
    assert first.until == now.replace(hour=0, minute=0, second=0, microsecond=0) + DAY
    assert second.until is None


def test_only_service_level_managers_set_rotas_up(cast: Cast, rota: Rota) -> None:
    for who in (cast.anna, cast.lena, cast.rita, cast.olaf):
        with pytest.raises(Refused):
            save_rota(rota, name="Mine", team=None, time_zone="UTC", layers=[], actor=as_(who))


def test_what_cannot_be_is_refused_with_a_sentence(cast: Cast, rota: Rota) -> None:
    def save(**change: Any) -> Rota:
        values: dict[str, Any] = {"name": "Other", "team": None, "time_zone": "UTC", "layers": [layer(cast.anna)]}
        return save_rota(None, **(values | change), actor=as_(cast.sven))

    for change in (
        {"name": ""},
        {"name": "a\x00b"},
        {"name": "network"},
        {"time_zone": "Nowhere/Here"},
        {"layers": [layer(cast.rita)]},
        {"layers": [layer()]},
        {"layers": [layer(cast.anna, calendar=99_999)]},
        {"layers": [layer(cast.anna, every=0)]},
        {"layers": ["x"]},
    ):
        with pytest.raises(Invalid):
            save(**change)


def test_a_stale_editor_is_told_and_the_change_log_has_both_states(cast: Cast, rota: Rota) -> None:
    seen = fingerprint(state_of(rota, ROTA_FIELDS))
    values: dict[str, Any] = {"team": cast.network, "time_zone": "UTC", "layers": rota.layers, "actor": as_(cast.sven)}
    save_rota(rota, name="Net", seen=seen, **values)
    with pytest.raises(ChangedMeanwhile):
        save_rota(rota, name="Web", seen=seen, **values)
    event = AdminEvent.objects.filter(model="slas.rota", deed="changed")[0]
    assert event.changes["name"] == ["Network", "Net"]


def test_somebody_who_leaves_is_passed_over(cast: Cast, rota: Rota) -> None:
    deactivate_user(cast.anna, by=cast.ada)
    now = db_now()
    assert {person_on_call(rota.pk, 1, now + n * DAY) for n in range(4)} <= {cast.ben, None}
    assert {one.person for one in schedule_of(rota, now, now + 4 * DAY).warnings(now, now + 4 * DAY)} == {
        cast.anna.pk,
        None,
    }


def test_override_is_for_managers_leads_and_oneself(cast: Cast, rota: Rota) -> None:
    now = db_now()
    stretch = {"starts_at": now, "ends_at": now + DAY}
    assert add_override(rota, cast.carl, actor=as_(cast.sven), **stretch).person == cast.carl
    assert add_override(rota, cast.lena, actor=as_(cast.lena), **stretch).person == cast.lena
    made = add_override(rota, cast.ben, actor=as_(cast.ben), **stretch)
    assert person_on_call(rota.pk, 1, db_now()) == cast.ben
    for who, person in ((cast.ben, cast.anna), (cast.carl, cast.carl), (cast.rita, cast.rita)):
        with pytest.raises(Refused):
            add_override(rota, person, actor=as_(who), **stretch)
    with pytest.raises(Refused):
        remove_override(made, actor=as_(cast.anna))
    remove_override(made, actor=as_(cast.ben))
    again = remove_override(made, actor=as_(cast.ben))
    assert again.ends_at <= db_now()
    assert person_on_call(rota.pk, 1, db_now()) == cast.lena


def test_override_that_cannot_be_is_refused(cast: Cast, rota: Rota) -> None:
    now = db_now()
    deactivate_user(cast.carl, by=cast.ada)
    cast.carl.refresh_from_db()
    for person, starts_at, ends_at, level in (
        (cast.ben, now + DAY, now, 1),
        (cast.ben, now - 2 * DAY, now - DAY, 1),
        (cast.ben, now, now + 500 * DAY, 1),
        (cast.ben, now, now + DAY, 7),
        (cast.rita, now, now + DAY, 1),
        (User.objects.get(pk=cast.carl.pk), now, now + DAY, 1),
    ):
        with pytest.raises(Invalid):
            add_override(rota, person, starts_at=starts_at, ends_at=ends_at, level=level, actor=as_(cast.sven))


def test_accepted_swap_moves_the_shift_once_and_tells_both(cast: Cast, rota: Rota) -> None:
    shift = next_shift(rota, cast.anna)
    swap = ask_swap(rota, starts_at=shift.start, ends_at=shift.end, asked=cast.ben, actor=as_(cast.anna))
    assert Mail.objects.filter(user=cast.ben, kind="swap_asked").count() == 1
    assert Notice.objects.get(user=cast.ben, kind="swap_asked").path.startswith("/r/swap/")
    accept_swap(swap, actor=as_(cast.ben))
    accept_swap(swap, actor=as_(cast.ben))
    assert RotaOverride.objects.filter(swap=swap).count() == 1
    assert person_on_call(rota.pk, 1, shift.start) == cast.ben
    assert Notice.objects.filter(user=cast.anna, kind="swap_answered").count() == 1
    assert AdminEvent.objects.filter(model="slas.swaprequest").count() == 2


def test_swap_with_a_shift_in_return_moves_both(cast: Cast, rota: Rota) -> None:
    mine, his = next_shift(rota, cast.anna), next_shift(rota, cast.ben)
    swap = ask_swap(
        rota,
        starts_at=mine.start,
        ends_at=mine.end,
        asked=cast.ben,
        in_return=(his.start, his.end),
        actor=as_(cast.anna),
    )
    accept_swap(swap, actor=as_(cast.ben))
    assert person_on_call(rota.pk, 1, mine.start) == cast.ben
    assert person_on_call(rota.pk, 1, his.start) == cast.anna


def test_asked_of_everybody_the_first_who_accepts_has_it(cast: Cast, rota: Rota) -> None:
    shift = next_shift(rota, cast.anna)
    swap = ask_swap(rota, starts_at=shift.start, ends_at=shift.end, actor=as_(cast.anna))
    assert set(Notice.objects.filter(kind="swap_asked").values_list("user", flat=True)) == {cast.ben.pk, cast.lena.pk}
    decline_swap(swap, actor=as_(cast.ben))
    accept_swap(swap, actor=as_(cast.lena))
    with pytest.raises(IllegalMove):
        accept_swap(swap, actor=as_(cast.ben))
    assert person_on_call(rota.pk, 1, shift.start) == cast.lena


def test_swaps_that_cannot_be_are_refused(cast: Cast, rota: Rota) -> None:
    mine, his = next_shift(rota, cast.anna), next_shift(rota, cast.ben)
    ask: dict[str, Any] = {"starts_at": mine.start, "ends_at": mine.end}
    for change, error in (
        ({"actor": as_(cast.carl)}, Refused),
        ({"starts_at": his.start, "ends_at": his.end}, Invalid),
        ({"asked": cast.carl}, Invalid),
        ({"asked": cast.anna}, Invalid),
        ({"starts_at": db_now() - DAY}, Invalid),
        ({"in_return": (his.start, his.end)}, Invalid),
        ({"asked": cast.ben, "in_return": (mine.start, mine.end)}, Invalid),
    ):
        with pytest.raises(error):
            ask_swap(rota, **({"actor": as_(cast.anna)} | ask | change))
    swap = ask_swap(rota, **ask, asked=cast.ben, actor=as_(cast.anna))
    with pytest.raises(IllegalMove):
        ask_swap(rota, **ask, asked=cast.lena, actor=as_(cast.anna))
    for who in (cast.anna, cast.lena, cast.carl, cast.rita):
        with pytest.raises(Refused):
            accept_swap(swap, actor=as_(who))
    assert withdraw_swap(swap, actor=as_(cast.anna)).state == SwapState.WITHDRAWN
    with pytest.raises(IllegalMove):
        accept_swap(swap, actor=as_(cast.ben))


def test_swap_expires_when_the_shift_begins_and_when_it_is_no_longer_the_askers(cast: Cast, rota: Rota) -> None:
    shift = next_shift(rota, cast.anna)
    swap = ask_swap(rota, starts_at=shift.start, ends_at=shift.end, asked=cast.ben, actor=as_(cast.anna))
    add_override(rota, cast.lena, starts_at=shift.start, ends_at=shift.end, actor=as_(cast.lena))
    with pytest.raises(IllegalMove, match="no longer the shift"):
        accept_swap(swap, actor=as_(cast.ben))
    swap.starts_at = db_now() - timedelta(hours=1)
    swap.save(update_fields=["starts_at"])
    with pytest.raises(IllegalMove, match="expired"):
        accept_swap(swap, actor=as_(cast.ben))


def test_time_off_is_planned_by_oneself_the_lead_or_a_manager(cast: Cast, rota: Rota) -> None:
    now = db_now()
    stretch = {"starts_at": now, "ends_at": now + 3 * DAY}
    for who in (cast.carl, cast.ben):
        with pytest.raises(Refused):
            add_time_off(cast.anna, actor=as_(who), **stretch)
    made = [add_time_off(cast.anna, actor=as_(who), **stretch) for who in (cast.anna, cast.lena, cast.sven)]
    assert {person_on_call(rota.pk, 1, now + n * DAY) for n in range(3)} == {cast.ben, None}
    for one in made:
        remove_time_off(one, actor=as_(cast.anna))
        remove_time_off(one, actor=as_(cast.anna))
    assert {person_on_call(rota.pk, 1, now + n * DAY) for n in range(3)} == {cast.ben, cast.anna}


def test_calendar_link_opens_until_it_is_replaced_revoked_or_its_owner_leaves(cast: Cast, rota: Rota) -> None:
    _feed, first = make_feed(cast.anna, None)
    _feed, second = make_feed(cast.anna, None)
    assert find_feed(first) is None
    found = find_feed(second)
    assert found is not None
    assert found.owner == cast.anna
    _feed, of_rota = make_feed(cast.anna, rota)
    assert find_feed(second) is not None
    assert revoke_feed(cast.anna, None) == 1
    assert find_feed(second) is None
    deactivate_user(cast.anna, by=cast.ada)
    assert find_feed(of_rota) is None
    with pytest.raises(Refused):
        make_feed(cast.rita, None)


def test_feed_is_a_calendar_whose_events_keep_their_ids(cast: Cast, rota: Rota) -> None:
    feed, _token = make_feed(cast.ben, rota)
    now = db_now()
    body = feed_calendar(feed, now)
    events = list(Calendar.from_ical(body).walk("VEVENT"))
    assert len({str(one["UID"]) for one in events}) == len(events) > 100
    assert all(one["DTSTART"].dt < one["DTEND"].dt for one in events)
    assert body == feed_calendar(feed, now + timedelta(minutes=1)) or now.date() != db_now().date()
    assert all(len(line) <= 75 for line in body.split(b"\r\n"))
    shift = next_shift(rota, cast.anna)
    swap = ask_swap(rota, starts_at=shift.start, ends_at=shift.end, asked=cast.ben, actor=as_(cast.anna))
    accept_swap(swap, actor=as_(cast.ben))
    after = {
        str(one["UID"]): str(one["SUMMARY"]) for one in Calendar.from_ical(feed_calendar(feed, now)).walk("VEVENT")
    }
    before = {str(one["UID"]): str(one["SUMMARY"]) for one in events}
    assert after.keys() == before.keys()
    assert len([uid for uid in after if after[uid] != before[uid]]) == 1


def test_reminder_comes_once_and_as_early_as_chosen(cast: Cast, rota: Rota) -> None:
    shift = next_shift(rota, cast.anna)
    other = next_shift(rota, cast.ben)
    early = int((shift.start - db_now()).total_seconds() // 60) + 2
    ContactPreference.objects.create(user=cast.anna, remind_minutes=early)
    ContactPreference.objects.create(user=cast.ben, remind_minutes=None)
    assert remind() == 1
    assert remind() == 0
    assert Notice.objects.get(user=cast.anna, kind="shift_reminder").text
    assert not Notice.objects.filter(user=cast.ben).exists()
    assert other.start != shift.start


@pytest.mark.django_db(transaction=True)
def test_two_who_accept_at_the_same_moment_are_one(cast: Cast) -> None:
    layers = [layer(cast.anna, cast.ben)]
    rota = save_rota(None, name="Network", team=cast.network, time_zone="UTC", layers=layers, actor=as_(cast.sven))
    shift = next_shift(rota, cast.anna)
    swap = ask_swap(rota, starts_at=shift.start, ends_at=shift.end, actor=as_(cast.anna))
    together, outcomes = threading.Barrier(4), []

    def accept(user: User) -> None:
        together.wait()
        try:
            outcomes.append(accept_swap(swap, actor=as_(user)).state)
        except IllegalMove:
            outcomes.append("refused")
        finally:
            connection.close()

    people = (cast.ben, cast.ben, cast.lena, cast.lena)
    threads = [threading.Thread(target=accept, args=(User.objects.get(pk=one.pk),)) for one in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["accepted", "accepted", "refused", "refused"]
    assert RotaOverride.objects.count() == 1
    assert Notice.objects.filter(user=cast.anna, kind="swap_answered").count() == 1

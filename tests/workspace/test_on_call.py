"""The on-call pages by their front door: schedule, overrides, swaps, time off, calendar links, and what goes wrong."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from itsm.accounts.models import User
from itsm.logs import LineFormatter
from itsm.notifications.models import ContactPreference, Delivery, Endpoint, Mail, Notice
from itsm.tickets.clock import db_now
from slas.actions import add_override, ask_swap, save_rota
from slas.models import Rota, RotaOverride, SwapRequest, SwapState, TimeOff
from slas.rotas import person_on_call, shifts_of
from slas.swap_mail import swap_token
from tests.cast import Cast, as_

SignIn = Callable[[User], Client]
DAY = timedelta(days=1)
BASE = "/desk/on-call/"
NUL = "a\x00b"


@pytest.fixture
def rota(cast: Cast) -> Rota:
    """Anna and Ben by turns, a day each, from midnight UTC."""
    start = (db_now() - 10 * DAY).date().isoformat()
    turns = {"unit": "day", "every": 1, "minute": 0, "weekday": 0, "starts": start, "name": "Days", "level": 1}
    layers = [{**turns, "members": [cast.anna.pk, cast.ben.pk]}]
    return save_rota(None, name="Nights", team=cast.network, time_zone="UTC", layers=layers, actor=as_(cast.sven))


def typed(instant: Any) -> str:
    return timezone.localtime(instant).strftime("%Y-%m-%dT%H:%M")


def next_shift(user: User) -> Any:
    now = db_now()
    return next(one.shift for one in shifts_of(user, now, now + 20 * DAY) if one.shift.start > now)


def test_pages_say_who_is_on_call(cast: Cast, rota: Rota, signed_in: SignIn) -> None:
    anna = signed_in(cast.anna)
    name = person_on_call(rota.pk, 1, db_now()).display_name  # type: ignore[union-attr]
    for path in ("/desk/", BASE, f"{BASE}{rota.public_id}/", f"{BASE}mine/"):
        answer = anna.get(path)
        assert answer.status_code == 200
        assert name in answer.content.decode() or path.endswith("mine/")
    page = anna.get(f"{BASE}{rota.public_id}/").content.decode()
    assert page.count("<tr") > 25
    assert "Nobody is missing in these weeks." in page
    for odd in ("?from=2026-02-30", "?from=9999-01-01", "?from=0001-01-01", "?from=2026-12-30"):
        assert anna.get(f"{BASE}{rota.public_id}/{odd}").status_code == 200


def test_what_is_not_there_is_404_and_requesters_find_nothing(cast: Cast, rota: Rota, signed_in: SignIn) -> None:
    anna, rita = signed_in(cast.anna), signed_in(cast.rita)
    for path in (f"{BASE}nothing/", f"{BASE}{rota.pk}/"):
        assert anna.get(path).status_code == 404
    for path in (BASE, f"{BASE}{rota.public_id}/", f"{BASE}mine/"):
        assert rita.get(path).status_code == 404
    for path in ("overrides/nothing/remove/", "swaps/nothing/accept/", "nothing/overrides/", "nothing/swaps/"):
        assert anna.post(f"{BASE}{path}").status_code == 404
        assert rita.post(f"{BASE}{path}").status_code == 404


def test_an_override_is_made_and_taken_back(cast: Cast, rota: Rota, signed_in: SignIn) -> None:
    lena = signed_in(cast.lena)
    now = db_now()
    where = f"{BASE}{rota.public_id}/overrides/"
    values = {"person": cast.lena.public_id, "level": "1", "starts_at": typed(now), "ends_at": typed(now + DAY)}
    assert lena.post(where, values).status_code == 302
    assert person_on_call(rota.pk, 1, db_now()) == cast.lena
    for bad in (
        {"ends_at": typed(now - DAY)},
        {"person": cast.rita.public_id},
        {"level": "9"},
        {"starts_at": "soon"},
        {"reason": "x" * 301},
    ):
        answer = lena.post(where, {**values, **bad})
        assert answer.status_code == 422
        assert "field-error" in answer.content.decode()
    assert RotaOverride.objects.count() == 1
    row = RotaOverride.objects.get()
    remove = f"{BASE}overrides/{row.public_id}/remove/"
    assert signed_in(cast.anna).post(remove).status_code == 403
    for _time in range(2):
        assert lena.post(remove).status_code == 302
    assert person_on_call(rota.pk, 1, db_now()) != cast.lena


def test_agents_put_only_themselves_on_call(cast: Cast, rota: Rota, signed_in: SignIn) -> None:
    now = db_now()
    values = {"level": "1", "starts_at": typed(now), "ends_at": typed(now + DAY)}
    where = f"{BASE}{rota.public_id}/overrides/"
    assert signed_in(cast.ben).post(where, {**values, "person": cast.anna.public_id}).status_code == 422
    assert signed_in(cast.carl).post(where, {**values, "person": cast.carl.public_id}).status_code == 403
    assert signed_in(cast.ben).post(where, {**values, "person": cast.ben.public_id}).status_code == 302


def test_a_swap_from_asking_to_taking(cast: Cast, rota: Rota, signed_in: SignIn) -> None:
    anna, ben = signed_in(cast.anna), signed_in(cast.ben)
    shift = next_shift(cast.anna)
    where = f"{BASE}{rota.public_id}/swaps/"
    values = {"level": "1", "starts_at": typed(shift.start), "ends_at": typed(shift.end), "asked": cast.ben.public_id}
    assert anna.post(where, {**values, "ends_at": typed(shift.end + DAY)}).status_code == 422
    assert anna.post(where, {**values, "note": NUL}).status_code == 400
    assert anna.post(where, {**values, "return_starts_at": typed(shift.start)}).status_code == 422
    assert anna.post(where, values).status_code == 302
    assert anna.post(where, values).status_code == 409  # pressed twice
    swap = SwapRequest.objects.get()
    assert "You are asked" in ben.get(f"{BASE}mine/").content.decode()
    assert "You have asked" in anna.get(f"{BASE}mine/").content.decode()
    accept = f"{BASE}swaps/{swap.public_id}/accept/"
    assert signed_in(cast.carl).post(accept).status_code == 403
    assert ben.post(f"{BASE}swaps/{swap.public_id}/dance/").status_code == 404
    for _time in range(2):
        assert ben.post(accept).status_code == 302
    assert RotaOverride.objects.count() == 1
    assert anna.post(f"{BASE}swaps/{swap.public_id}/withdraw/").status_code == 409
    assert person_on_call(rota.pk, 1, shift.start) == cast.ben


def test_the_link_of_a_swap_acts_as_its_reader_and_only_when_sent(cast: Cast, rota: Rota, client: Client) -> None:
    shift = next_shift(cast.anna)
    swap = ask_swap(rota, starts_at=shift.start, ends_at=shift.end, actor=as_(cast.anna))
    path = Notice.objects.get(user=cast.ben, kind="swap_asked").path
    assert client.get(path).status_code == 200
    assert SwapRequest.objects.get().state == SwapState.OPEN
    for _time in range(2):
        assert client.post(path, {"answer": "accept"}).status_code == 302
    assert "The shift is yours" in client.get(path).content.decode()
    late = f"/r/swap/{swap_token(swap, cast.lena)}/"
    assert "Somebody else has taken" in client.get(late).content.decode()
    assert client.post(late, {"answer": "accept"}).status_code == 409
    assert client.post(f"/r/swap/{swap_token(swap, cast.carl)}/", {"answer": "accept"}).status_code == 403
    for forged in (path[:-3] + "xy/", "/r/swap/x/", f"/r/swap/{'a' * 4000}/"):
        assert client.get(forged).status_code == 404
    User.objects.filter(pk=cast.lena.pk).update(roles=["requester"])
    User.objects.filter(pk=cast.ben.pk).update(is_active=False)
    for closed in (path, late):
        assert client.get(closed).status_code == 404
        assert rota.name not in client.get(closed).content.decode()


def test_time_off_is_noted_and_taken_back(cast: Cast, rota: Rota, signed_in: SignIn) -> None:
    anna, now = signed_in(cast.anna), db_now()
    values = {"starts_at": typed(now), "ends_at": typed(now + 5 * DAY), "note": "Skiing"}
    assert anna.post(f"{BASE}time-off/", {**values, "ends_at": ""}).status_code == 422
    assert anna.post(f"{BASE}time-off/", {**values, "note": NUL}).status_code == 400
    assert anna.post(f"{BASE}time-off/", values).status_code == 302
    page = anna.get(f"{BASE}{rota.public_id}/").content.decode()
    assert "is away, and nobody covers." in page
    row = TimeOff.objects.get()
    remove = f"{BASE}time-off/{row.public_id}/remove/"
    assert signed_in(cast.ben).post(remove).status_code == 403
    for _time in range(2):
        assert anna.post(remove).status_code == 302
    assert not TimeOff.objects.exists()


def test_two_who_are_called_at_one_address_get_two_messages(cast: Cast, rota: Rota) -> None:
    for person in (cast.ben, cast.lena):
        ContactPreference.objects.create(user=person, order=["webhook"], webhook_url="https://chat.example.com/")
    shift = next_shift(cast.anna)
    ask_swap(rota, starts_at=shift.start, ends_at=shift.end, actor=as_(cast.anna))
    ids = list(Delivery.objects.values_list("message_id", flat=True))
    assert len(ids) == len(set(ids)) == 2


def test_what_lies_too_far_ahead_is_refused(cast: Cast, rota: Rota, signed_in: SignIn) -> None:
    # The last hours of the year 9999 are no instant in UTC west of Greenwich: stored, they could not be read any more.
    User.objects.filter(pk=cast.anna.pk).update(time_zone="America/New_York")
    anna = signed_in(cast.anna)
    values = {"starts_at": "9999-12-01T00:00", "ends_at": "9999-12-31T23:59"}
    cover = {**values, "person": cast.anna.public_id, "level": "1"}
    for path, typed_in in ((f"{BASE}time-off/", values), (f"{BASE}{rota.public_id}/overrides/", cover)):
        assert anna.post(path, typed_in).status_code == 422
    assert anna.get(f"{BASE}mine/").status_code == 200


def test_no_secret_address_is_shown_in_the_outbox(cast: Cast, rota: Rota, signed_in: SignIn) -> None:
    shift = next_shift(cast.anna)
    swap = ask_swap(rota, starts_at=shift.start, ends_at=shift.end, actor=as_(cast.anna))
    ada = signed_in(cast.ada)
    mail = Mail.objects.get(user=cast.ben)
    for path in ("/outbox/", f"/outbox/{mail.public_id}/"):
        answer = ada.get(path)
        assert answer.status_code == 200
        assert mail.subject in answer.content.decode()
        assert swap_token(swap, cast.ben).rpartition(".")[0] not in answer.content.decode()


def test_no_secret_address_is_written_to_the_log(
    cast: Cast, rota: Rota, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    shift = next_shift(cast.anna)
    swap = ask_swap(rota, starts_at=shift.start, ends_at=shift.end, actor=as_(cast.anna))
    secret = swap_token(swap, cast.ben)
    feed = "0123456789abcdef" * 2
    User.objects.filter(pk=cast.ben.pk).update(is_active=False)
    for path in (f"/r/swap/{secret}/", f"/r/acknowledge/{secret}/", f"/on-call/{feed}.ics"):
        assert client.get(path).status_code == 404
    written = "\n".join(LineFormatter().format(record) for record in caplog.records)
    assert "/r/swap/…" in written
    assert "/on-call/…" in written
    for word in (secret, feed):
        assert word not in written


def test_no_name_breaks_out_of_its_line_in_a_calendar(cast: Cast, rota: Rota, signed_in: SignIn) -> None:
    anna = signed_in(cast.anna)
    named = {"display_name": "Anna\r\nMETHOD:CANCEL\rX:1, B;c", "time_zone": "UTC", "language": "en", "theme": "auto"}
    assert anna.post("/profile/", named).status_code == 302
    for of in ("", rota.public_id):
        page = anna.post(f"{BASE}calendar/", {"rota": of}).content.decode()
        link = page[page.index("/on-call/", page.index("oc-link")) : page.index(".ics") + 4]
        answer = Client().get(link)
        assert answer.status_code == 200
        lines = re.split(r"\r\n|\r|\n", answer.content.decode())
        assert [line for line in lines if line.startswith(("METHOD", "X:"))] == ["METHOD:PUBLISH"]


def test_a_calendar_link_is_shown_once_and_can_be_revoked(cast: Cast, rota: Rota, signed_in: SignIn) -> None:
    anna, nobody = signed_in(cast.anna), Client()
    page = anna.post(f"{BASE}calendar/", {"rota": rota.public_id}).content.decode()
    link = page[page.index("/on-call/", page.index("oc-link")) : page.index(".ics") + 4]
    assert link not in anna.get(f"{BASE}mine/").content.decode()
    answer = nobody.get(link)
    assert answer["Content-Type"].startswith("text/calendar")
    assert answer["Cache-Control"] == "private, max-age=900"
    assert answer.content.startswith(b"BEGIN:VCALENDAR")
    assert nobody.get(link, headers={"If-None-Match": answer["ETag"]}).status_code == 304
    assert nobody.get(link.upper().replace(".ICS", ".ics")).status_code == 404
    assert nobody.post(link).status_code == 405
    assert signed_in(cast.ben).post(f"{BASE}calendar/", {"rota": rota.public_id, "deed": "revoke"}).status_code == 302
    assert nobody.get(link).status_code == 200  # another person's revoking is not mine
    assert anna.post(f"{BASE}calendar/", {"rota": rota.public_id, "deed": "revoke"}).status_code == 302
    assert nobody.get(link).status_code == 404
    assert anna.post(f"{BASE}calendar/", {"rota": "nothing"}).status_code == 404


def rota_form(cast: Cast, **more: Any) -> dict[str, Any]:
    values = {
        "name": "Weeks",
        "team": cast.network.public_id,
        "time_zone": "Europe/London",
        "is_active": "on",
        "form-TOTAL_FORMS": "2",
        "form-INITIAL_FORMS": "0",
        "form-0-name": "Week",
        "form-0-level": "1",
        "form-0-every": "1",
        "form-0-unit": "week",
        "form-0-weekday": "0",
        "form-0-handover": "09:00",
        "form-0-starts": "2026-01-05",
        "form-0-hours": "own",
        "form-0-day_0": "18:00-08:00",
        "form-0-day_4": "18:00-08:00",
        "form-0-member_0": cast.anna.public_id,
        "form-0-member_1": cast.ben.public_id,
    }
    return values | more


def test_a_rota_is_made_and_changed_in_the_settings(cast: Cast, signed_in: SignIn) -> None:
    sven = signed_in(cast.sven)
    where = "/desk/settings/rotas/"
    assert sven.post(f"{where}new/", rota_form(cast)).status_code == 302
    rota = Rota.objects.get()
    [layer] = rota.spec.layers
    assert (layer.members, layer.minute) == ((cast.anna.pk, cast.ben.pk), 540)
    assert layer.weekly is not None
    assert layer.weekly[0] == ((1080, 480),)
    page = sven.get(f"{where}{rota.public_id}/")
    html = page.content.decode()
    assert "18:00-08:00" in html
    assert sven.get(where).status_code == 200
    seen = page.context["form"].initial["seen"]
    assert sven.post(f"{where}{rota.public_id}/", rota_form(cast, name="Months", seen=seen)).status_code == 302
    stale = sven.post(f"{where}{rota.public_id}/", rota_form(cast, name="Years", seen=seen))
    assert stale.status_code == 409
    assert "Somebody else changed this" in stale.content.decode()
    for bad in (
        {"name": ""},
        {"name": "MONTHS"},
        {"time_zone": "Mars"},
        {"team": "nothing"},
        {"form-0-every": "0"},
        {"form-0-handover": "25:00"},
        {"form-0-starts": ""},
        {"form-0-ends": "2025-01-01"},
        {"form-0-member_0": cast.rita.public_id},
        {"form-0-day_0": "late"},
        {"form-0-day_0": "", "form-0-day_4": ""},
        {"form-0-hours": "in"},
        {"form-TOTAL_FORMS": "x"},
    ):
        assert sven.post(f"{where}new/", rota_form(cast, **bad)).status_code == 422, bad
    assert Rota.objects.count() == 1


def test_a_webhook_is_set_up_and_tried(cast: Cast, signed_in: SignIn) -> None:
    sven = signed_in(cast.sven)
    where = "/desk/settings/webhooks/"
    for url in ("http://example.com/", "https://u:p@example.com/", "ftp://example.com", "https://", "", "x"):
        assert sven.post(f"{where}new/", {"name": "Chat", "url": url, "is_active": "on"}).status_code == 422, url
    assert (
        sven.post(f"{where}new/", {"name": "Chat", "url": "https://example.com/x", "is_active": "on"}).status_code
        == 302
    )
    endpoint = Endpoint.objects.get()
    secret = endpoint.secret
    base = f"{where}{endpoint.public_id}/"
    assert sven.post(f"{base}test/").status_code == 302
    assert Delivery.objects.count() == 1
    assert sven.get(where).status_code == 200
    assert sven.post(f"{base}secret/").status_code == 302
    endpoint.refresh_from_db()
    assert endpoint.secret != secret
    assert sven.post(f"{base}again/").status_code == 302
    assert sven.post(f"{base}dance/").status_code == 404
    assert signed_in(cast.lena).post(f"{base}secret/").status_code == 403


def test_one_says_how_one_is_told(cast: Cast, signed_in: SignIn) -> None:
    rita = signed_in(cast.rita)
    good: dict[str, Any] = {
        "first": "mail",
        "second": "inbox",
        "third": "",
        "wait_minutes": "5",
        "hours_from": "22:00",
        "hours_to": "06:00",
        "days": ["0", "6"],
        "holds_back": "on",
        "remind_minutes": "",
    }
    assert rita.get("/profile/contact/").status_code == 200
    assert rita.post("/profile/contact/", good).status_code == 302
    chosen = ContactPreference.objects.get()
    assert (chosen.order, chosen.days, chosen.hours_from, chosen.hours_to) == (["mail", "inbox"], [0, 6], 1320, 360)
    assert (chosen.holds_back, chosen.urgent_breaks_through, chosen.remind_minutes) == (True, False, None)
    assert "22:00" in rita.get("/profile/contact/").content.decode()
    for bad in (
        {"first": "pigeon"},
        {"first": "webhook"},
        {"webhook_url": "http://127.0.0.1/"},
        {"wait_minutes": "999"},
        {"hours_from": "x"},
        {"days": []},
        {"days": ["9"]},
        {"remind_minutes": "0"},
    ):
        assert rita.post("/profile/contact/", {**good, **bad}).status_code == 422, bad


def test_the_api_says_who_is_on_call(cast: Cast, rota: Rota, signed_in: SignIn) -> None:
    anna = signed_in(cast.anna)
    add_override(rota, cast.lena, starts_at=db_now(), ends_at=db_now() + DAY, actor=as_(cast.lena))
    [duty] = anna.get("/api/v1/on-call/").json()["results"]
    assert (duty["rota"]["name"], duty["level"], duty["person"]["email"]) == ("Nights", 1, cast.lena.email)
    assert anna.get("/api/v1/rotas/").json()["results"][0]["id"] == rota.public_id
    found = anna.get(f"/api/v1/rotas/{rota.public_id}/?days=3").json()
    assert found["shifts"][0]["by"] == "override"
    assert found["warnings"] == []
    for bad in ("?days=0", "?days=9999", "?days=x", "?from=soon", "?from=2026-01-01T00:00:00"):
        assert anna.get(f"/api/v1/rotas/{rota.public_id}/{bad}").status_code == 422, bad
    assert anna.get(f"/api/v1/rotas/{rota.public_id}/?colour=red").status_code == 400
    assert signed_in(cast.rita).get("/api/v1/on-call/").status_code == 403
    assert signed_in(cast.rita).get(f"/api/v1/rotas/{rota.public_id}/").status_code == 404

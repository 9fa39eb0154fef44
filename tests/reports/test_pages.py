"""The reports through the front door: who gets in, what does not fit, why a target was missed, what an export holds."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from incidents.actions import cancel, open_incident
from itsm.accounts.models import User
from itsm.tickets.actors import Actor, Channel
from itsm.tickets.errors import IllegalMove, Invalid, Refused
from itsm.tickets.models import TicketEvent
from itsm.tickets.verification import broken_events
from reports.actions import explain_breach
from reports.csvs import Table, cell, lines_of
from reports.models import BreachReason
from slas.models import Timer
from slas.tick import tick
from tests.cast import Cast, as_
from tests.reports.conftest import ROOT, SPRING
from tests.slas.conftest import move_back

PAGES = ["", "clocks/", "breaches/", "soon/", "time/", "pauses/", "waits/", "export/breaches.csv"]
SignIn = Callable[[User], Client]


def table_of(answer: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.getvalue().decode().removeprefix("\ufeff"))))


def a_late_one() -> Timer:
    return Timer.objects.filter(breached_at__isnull=False, metric="resolution").select_related("ticket")[0]


def test_a_breach_stays_on_the_list_when_its_clock_is_cancelled(levels: Cast, signed_in: SignIn) -> None:
    """A reset, another policy or a cancelled ticket takes the clock out of the share, and not out of sight."""
    incident, kept, early = (
        open_incident(actor=as_(levels.anna), title=title, requester=levels.rita, team=levels.network)
        for title in ("Printer burns", "Printer smokes", "Printer hums")
    )
    for one in (incident, kept):
        move_back(one, timedelta(hours=9))
    tick()
    cancel(early, actor=as_(levels.anna), reason="It may hum")
    sven = signed_in(levels.sven)
    before = sven.get(ROOT).context["total"]
    assert (before.late_open, before.cancelled_late) == (4, 0)
    cancel(incident, actor=as_(levels.anna), reason="It was the other printer")
    after = sven.get(ROOT)
    assert "Cancelled after the breach" in after.content.decode()
    total = after.context["total"]
    assert (total.late_open, total.cancelled, total.cancelled_late, total.per_cent) == (2, 2, 2, 0.0)
    (url,) = {cell.url for cell in after.context["total_cells"] if "cancelled_late" in cell.url}
    behind = sven.get(url).content.decode()
    assert incident.number in behind
    assert kept.number not in behind
    assert early.number not in behind
    listed = sven.get(f"{ROOT}breaches/").content.decode()
    assert incident.number in listed
    assert kept.number in listed
    assert early.number not in listed
    verdicts = sorted((row["ticket"], row["verdict"]) for row in table_of(sven.get(f"{ROOT}export/breaches.csv")))
    assert verdicts == sorted([(incident.number, "cancelled_late")] * 2 + [(kept.number, "late_open")] * 2)
    (line,) = table_of(sven.get(f"{ROOT}export/teams.csv"))
    assert (line["cancelled"], line["cancelled after the breach"], line["late and open"]) == ("2", "2", "2")


@pytest.mark.parametrize("page", PAGES)
def test_who_reads_the_reports(desk: Cast, signed_in: SignIn, client: Client, page: str) -> None:
    assert client.get(ROOT + page).status_code == 302
    for person, status in (
        *((one, 404) for one in (desk.rita, desk.rolf)),
        *((one, 403) for one in (desk.anna, desk.carl, desk.imke)),
        *((one, 200) for one in (desk.lena, desk.sven, desk.olaf, desk.ada)),
    ):
        answer = signed_in(person).get(ROOT + page)
        assert answer.status_code == status, person
        if status == 403:
            assert "service-level managers" in answer.content.decode()
    assert client.post(ROOT + page).status_code == 405


def test_the_rail_leads_there_for_those_who_may(desk: Cast, signed_in: SignIn) -> None:
    assert f'href="{ROOT}"' in signed_in(desk.lena).get("/desk/").content.decode()
    assert f'href="{ROOT}"' not in signed_in(desk.anna).get("/desk/").content.decode()


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("period=custom&from=2026-13-01&to=2026-03-31", "year-month-day"),
        ("period=custom&from=&to=", "year-month-day"),
        ("period=custom&from=2026-03-31&to=2026-03-01", "Swap the two"),
        ("period=custom&from=2015-01-01&to=2026-03-01", "ten years"),
        ("period=custom&from=0001-01-01&to=9999-12-31", "between 2000 and 2100"),
        ("period=decade", "Choose a period"),
        ("policy=00000000000000000000000000000000", "no such choice"),
        ("team=no-such-team", "no such choice"),
        ("service=%F0%9F%92%A5", "no such choice"),
        ("priority=9", "no such choice"),
        ("metric=' OR 1=1 --", "no such choice"),
        ("kind=" + "x" * 3000, "no such choice"),
    ],
)
def test_what_does_not_fit_is_said_on_every_page(sven: Client, query: str, says: str) -> None:
    for page in ("", "breaches/", "export/teams.csv"):
        answer = sven.get(f"{ROOT}{page}?{query}")
        assert answer.status_code == 400
        assert says in answer.content.decode(), page


@pytest.mark.parametrize(
    "address",
    [
        "clocks/?verdict=splendid",
        "clocks/?after=yesterday",
        "clocks/?after=2026-01-01T00:00:00~1",
        "clocks/?after=2026-01-01T00:00:00%2B00:00~99999999999999999999",
        "soon/?hours=5",
        "soon/?hours=x",
        "pauses/?minutes=-1",
        "pauses/?which=none",
        "export/soon.csv?hours=1e9",
        "?period=this_month%00",
    ],
)
def test_a_wrong_address_is_400(sven: Client, address: str) -> None:
    assert sven.get(ROOT + address).status_code == 400


@pytest.mark.parametrize("address", ["clocks/999999/", f"clocks/{2**70}/", "export/secrets.csv", "nothing/"])
def test_what_is_not_there_is_not_found(sven: Client, address: str) -> None:
    assert sven.get(ROOT + address).status_code == 404


def test_ten_years_are_one_report(sven: Client) -> None:
    answer = sven.get(f"{ROOT}?period=custom&from=2017-01-01&to=2026-12-31")
    assert answer.status_code == 200
    assert len(answer.context["chart"].points) == 120


def test_an_empty_desk_says_so(cast: Cast, signed_in: SignIn) -> None:
    for page in PAGES:
        assert signed_in(cast.sven).get(ROOT + page).status_code == 200
    page = signed_in(cast.sven).get(ROOT).content.decode()
    assert "No clocks in this period." in page
    assert "No clock was decided in this period." in page


def test_the_page_shows_definition_counts_and_a_table_beside_the_picture(sven: Client) -> None:
    page = sven.get(f"{ROOT}?{SPRING}").content.decode()
    total = sven.get(f"{ROOT}?{SPRING}").context["total"]
    for expected in ("met ÷ (met + missed + late and still open)", "Network", "Remote access (VPN)", "March 2026"):
        assert expected in page
    assert f"{total.per_cent} %" in page
    assert page.count('role="img"') > 3
    assert "The same as a table" in page
    assert " style=" not in page


def test_somebody_says_why_it_was_late(desk: Cast, signed_in: SignIn, sven: Client) -> None:
    timer = a_late_one()
    url = f"{ROOT}clocks/{timer.pk}/"
    assert "Save the reason" in sven.get(url).content.decode()
    assert sven.post(url, {"reason": "supplier", "remark": "=Parts came late"}).status_code == 302
    stored = BreachReason.objects.get()
    assert (stored.timer_id, stored.reason, stored.given_by) == (timer.pk, "supplier", desk.sven)
    event = TicketEvent.objects.get(code="sla.breach_explained")
    assert event.internal
    assert event.ticket_id == timer.ticket_id
    assert list(broken_events(number=timer.ticket.number)) == []
    assert "The supplier was late" in sven.get(f"{ROOT}breaches/?{SPRING}").content.decode()
    [row] = [
        row
        for row in table_of(sven.get(f"{ROOT}export/breaches.csv?{SPRING}"))
        if (row["ticket"], row["metric"]) == (timer.ticket.number, "resolution")
    ]
    assert (row["reason"], row["remark"]) == ("supplier", "'=Parts came late")
    history = signed_in(desk.anna).get(f"/desk/incidents/{timer.ticket.number}/history/").content.decode()
    assert "The supplier was late" in history
    portal = signed_in(desk.rita).get(f"/requests/{timer.ticket.number}/").content.decode()
    assert "The supplier was late" not in portal
    assert signed_in(desk.lena).post(url, {"reason": "other", "remark": "Snow"}).status_code == 302
    assert BreachReason.objects.get().reason == "other"
    sven.post(url, {"reason": "other", "remark": "Snow"})
    assert TicketEvent.objects.filter(code="sla.breach_explained").count() == 2


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({}, "Choose a reason"),
        ({"reason": "weather"}, "Choose a reason"),
        ({"reason": "other"}, "what the other reason was"),
        ({"reason": "supplier", "remark": "x" * 1001}, "at most 1000"),
    ],
)
def test_a_reason_that_does_not_fit_is_sent_back(sven: Client, form: dict[str, str], says: str) -> None:
    answer = sven.post(f"{ROOT}clocks/{a_late_one().pk}/", form)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert says in page
    assert form.get("remark", "") in page
    assert not BreachReason.objects.exists()


def test_who_may_not_say_why(desk: Cast, signed_in: SignIn) -> None:
    timer = a_late_one()
    for person, status in ((desk.rita, 404), (desk.anna, 403), (desk.olaf, 403)):
        answer = signed_in(person).post(f"{ROOT}clocks/{timer.pk}/", {"reason": "supplier"})
        assert answer.status_code == status
    with pytest.raises(Refused):
        explain_breach(timer, actor=as_(desk.olaf), reason="supplier")
    assert "Save the reason" not in signed_in(desk.olaf).get(f"{ROOT}clocks/{timer.pk}/").content.decode()
    assert not BreachReason.objects.exists()


def test_only_a_breach_has_a_reason(desk: Cast, sven: Client) -> None:
    met = Timer.objects.filter(state="met")[0]
    with pytest.raises(IllegalMove):
        explain_breach(met, actor=as_(desk.sven), reason="supplier")
    assert sven.post(f"{ROOT}clocks/{met.pk}/", {"reason": "supplier"}).status_code == 409
    with pytest.raises(Invalid):
        explain_breach(a_late_one(), actor=as_(desk.sven), reason="supplier", remark="a\x00b")


def test_cells_are_harmless_in_a_spreadsheet() -> None:
    for begins in "=+-@\t\r":
        assert cell(f"{begins}SUM(A1)") == f"'{begins}SUM(A1)"
    assert cell("a=b") == "a=b"
    assert cell(-3.5) == -3.5
    assert cell(datetime(2026, 3, 1, 12, tzinfo=UTC)) == "2026-03-01T12:00:00Z"
    text = "".join(lines_of(Table("x", ["a", "b"], [('say "hi"', "one,\ntwo"), (None, True)]), bom=True))
    assert text == '\ufeffa,b\r\n"say ""hi""","one,\ntwo"\r\n,yes\r\n'


def test_an_export_has_what_the_page_has(desk: Cast, sven: Client) -> None:
    title = '=HYPERLINK("https://evil.example","x"), "quoted"'
    open_incident(actor=Actor(desk.rita, Channel.PORTAL), title=title)
    answer = sven.get(f"{ROOT}export/clocks.csv?period=this_month&verdict=running&bom=1")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"].startswith('attachment; filename="clocks-')
    raw = answer.getvalue().decode()
    assert raw.startswith("\ufeff")
    rows = list(csv.DictReader(io.StringIO(raw[1:])))
    assert {row["title"] for row in rows} == {f"'{title}"}
    assert all(row["started"].endswith("Z") for row in rows)
    assert not sven.get(f"{ROOT}export/clocks.csv?{SPRING}").getvalue().decode().startswith("\ufeff")
    for name, key in (("teams", 1), ("policies", 0), ("services", 2), ("months", 3)):
        shown = sven.get(f"{ROOT}?{SPRING}").context["sections"][key]["lines"]
        exported = table_of(sven.get(f"{ROOT}export/{name}.csv?{SPRING}"))
        assert [(row["name"], int(row["met"])) for row in exported] == [
            (line.label, line.cells[0].value) for line in shown
        ]
    total = sven.get(f"{ROOT}?{SPRING}").context["total"]
    breached = total.late + total.cancelled_late
    assert len(table_of(sven.get(f"{ROOT}export/breaches.csv?{SPRING}"))) == breached > total.late > 3

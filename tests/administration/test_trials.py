"""What would change, and rehearsals, through the front door: nothing is saved by looking."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from incidents.actions import open_incident, resolve
from itsm.accounts.models import AdminEvent, User
from slas.models import BusinessCalendar, CalendarVersion, EscalationChain, Goal, ServiceLevelPolicy, Timer, Trial
from slas.rehearsal.running import work
from tests.cast import Cast, as_
from tests.memory import remembered
from tests.slas.conftest import MONDAY_NINE, OFFICE, at, make_levels
from workspace.administration import trials

FIXED = {"resolution_code": "solution_provided", "resolution_notes": "Done."}


@pytest.fixture
def sven(cast: Cast, signed_in: Callable[[User], Client]) -> Client:
    """A service-level manager's browser; three past incidents and an open one."""

    def make() -> None:
        make_levels(OFFICE)
        for index, hours in enumerate((1, 6, 30)):
            incident = open_incident(actor=at(cast.imke, MONDAY_NINE), title=f"No. {index}", requester=cast.rita)
            resolve(incident, actor=at(cast.imke, MONDAY_NINE + timedelta(hours=hours)), **FIXED)
        open_incident(actor=as_(cast.anna), title="=Cannot print", requester=cast.rita)

    remembered("four incidents", make)
    return signed_in(cast.sven)


def stored() -> list[Any]:
    models = (Timer, Goal.stored, ServiceLevelPolicy, CalendarVersion, BusinessCalendar, EscalationChain, AdminEvent)
    return [sorted(map(repr, getattr(model, "objects", model).values())) for model in models]


def calendar_form(**changes: str) -> dict[str, str]:
    week = {f"day_{day}": "09:00-17:00" for day in range(5)} | {"day_5": "", "day_6": ""}
    return {"name": "Hours", "time_zone": "UTC", "dates": "", **week, **changes}


def policy_form(target: str, **changes: str) -> dict[str, str]:
    calendar = BusinessCalendar.objects.get(name="Hours").public_id
    rows = {
        "form-TOTAL_FORMS": "1",
        "form-INITIAL_FORMS": "0",
        "form-0-condition": "",
        "form-0-target": target,
        "form-0-calendar": calendar,
        "form-0-zone_from": "calendar",
    }
    rules = {
        "start_from": "attach", "on_retarget": "keep", "on_reopen": "resume", "late_steps": "highest",
    }  # fmt: skip
    return {
        "name": "Resolution", "metric": "resolution", "kind": "sla", "condition": "", "pause": "on_hold",
        "order": "100", "is_active": "on", **rules, **rows, **changes,
    }  # fmt: skip


def address(kind: str, row: Any) -> str:
    return reverse(f"administration:{kind}", args=[row.public_id])


def test_a_calendar_says_what_would_move_and_saves_nothing(sven: Client) -> None:
    before = stored()
    where = address("calendar", BusinessCalendar.objects.get(name="Hours"))
    answer = sven.post(where, calendar_form(day_0="10:00-11:00", day_1="", day_2="", day_3="", day_4="", trial="check"))
    html = answer.content.decode()
    assert answer.status_code == 200
    assert 'id="whatif"' in html
    assert html.count('<tr><td><a class="num prose-link"') == 2
    assert "=Cannot print" in html
    assert stored() == before
    same = sven.post(where, calendar_form(trial="check")).content.decode()
    assert "No clock of an open ticket would change." in same


def test_all_of_it_as_csv_harmless_in_a_spreadsheet(sven: Client) -> None:
    where = address("calendar", BusinessCalendar.objects.get(name="Hours"))
    answer = sven.post(where, calendar_form(day_0="10:00-11:00", day_1="", day_2="", day_3="", day_4="", trial="csv"))
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    assert len(rows) == 3
    assert rows[1][1] == "'=Cannot print"
    assert rows[1][5] == "moves"
    assert datetime.fromisoformat(rows[1][14]) != datetime.fromisoformat(rows[1][15])


def test_a_policy_says_which_clocks_keep_their_target(sven: Client) -> None:
    before = stored()
    where = address("policy", ServiceLevelPolicy.objects.get(name="Resolution"))
    html = sven.post(where, policy_form("2h", trial="check")).content.decode()
    assert 'id="whatif"' in html
    assert "Clocks that move</dt><dd>0<" in html
    assert "A clock keeps the target it began with" in html  # it takes the new one when its ticket needs another goal
    assert stored() == before


def test_an_escalation_says_which_steps_would_lie_elsewhere(sven: Client) -> None:
    before = stored()
    where = address("escalation", EscalationChain.objects.get(name="Chain"))
    page = sven.get(where)
    data: dict[str, Any] = {"name": "Chain"}
    for form in page.context["steps"].forms[:1]:
        data |= {
            form.add_prefix(name): value for name, value in form.initial.items() if isinstance(value, str | list | int)
        }
    data |= {"form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "0", "form-0-number": "20", "form-0-who": ["assignee"]}
    html = sven.post(where, {**data, "trial": "check"}).content.decode()
    assert 'id="whatif"' in html
    assert "By the new version" in html
    assert stored() == before


def test_what_cannot_be_saved_is_said_beside_its_field(sven: Client) -> None:
    where = address("calendar", BusinessCalendar.objects.get(name="Hours"))
    never = calendar_form(**{f"day_{day}": "" for day in range(7)}, trial="check")
    answer = sven.post(where, never)
    assert answer.status_code == 422
    assert 'id="whatif"' not in answer.content.decode()
    policy = address("policy", ServiceLevelPolicy.objects.get(name="Resolution"))
    assert sven.post(policy, policy_form("soon", trial="check")).status_code == 422


def test_many_clocks_are_a_job_that_the_page_follows(sven: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials, "AT_ONCE", 0)
    where = address("calendar", BusinessCalendar.objects.get(name="Hours"))
    narrow = calendar_form(day_0="10:00-11:00", day_1="", day_2="", day_3="", day_4="", trial="check")
    html = sven.post(where, narrow).content.decode()
    trial = Trial.objects.get(purpose="open")
    own = address("whatif", trial)
    assert f'href="{own}"' in html
    assert reverse("administration:trial_progress", args=[trial.public_id]) in html
    assert "Waits for a free worker." in sven.get(own).content.decode()
    work()
    part = sven.get(reverse("administration:trial_progress", args=[trial.public_id])).content.decode()
    assert "Clocks that move</dt><dd>2<" in part
    assert "hx-get" not in part
    text = b"".join(sven.get(reverse("administration:trial_rows", args=[trial.public_id])).streaming_content).decode()
    assert text.count("\n") == 3


def test_a_form_that_is_not_saved_is_rehearsed(sven: Client) -> None:
    before = stored()
    where = address("policy", ServiceLevelPolicy.objects.get(name="Resolution"))
    answer = sven.post(where, policy_form("4h", trial="rehearse"))
    trial = Trial.objects.get()
    own = address("rehearsal", trial)
    assert answer["Location"] == own
    assert "Start the rehearsal" in sven.get(own).content.decode()
    started = sven.post(own, {"months": "", "opened_from": "2026-03-01", "opened_until": "2026-03-31"})
    assert started.status_code == 302
    assert "Waits for a free worker." in sven.get(own).content.decode()
    assert sven.get(reverse("administration:trial_progress", args=[trial.public_id])).headers.get("HX-Refresh") is None
    work()
    assert sven.get(reverse("administration:trial_progress", args=[trial.public_id]))["HX-Refresh"] == "true"
    html = sven.get(own).content.decode()
    assert "33.3 %" in html
    assert "66.6 %" in html
    assert "March 2026" in html
    assert "No. 1" in html
    assert "No. 0" not in html
    gained = sven.get(own, {"which": "gained"}).content.decode()
    assert "No. 1" in gained
    assert "No. 2" not in gained
    text = b"".join(sven.get(reverse("administration:trial_rows", args=[trial.public_id])).streaming_content).decode()
    assert text.count("\n") == 4
    assert "33.3 %" in sven.get(reverse("administration:rehearsals")).content.decode()
    assert stored() == before


def test_a_stored_policy_is_rehearsed_as_it_stands(sven: Client) -> None:
    policy = ServiceLevelPolicy.objects.get(name="Resolution")
    answer = sven.post(reverse("administration:rehearsals"), {"policy": policy.public_id})
    own = answer["Location"]
    sven.post(own, {"months": "24", "condition": 'title:"No. 1"'})
    work()
    trial = Trial.objects.get()
    assert (trial.state, trial.total) == ("done", 1)
    assert sven.post(reverse("administration:rehearsals"), {"policy": "nowhere"}).status_code == 422


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"months": ""}, "opened_from"),
        ({"months": "", "opened_from": "2026-03-01", "opened_until": "2026-02-01"}, "opened_until"),
        ({"months": "3", "condition": "colour:red"}, "condition"),
        ({"months": "3", "condition": "assignee:me"}, "condition"),
        ({"months": "5"}, "months"),
        ({"months": "", "opened_from": "2026-03-01", "opened_until": "9999-12-31"}, "opened_until"),
        ({"months": "", "opened_from": "0001-01-01", "opened_until": "2026-02-01"}, "opened_from"),
    ],
)
def test_a_choice_that_does_not_fit_is_said_beside_its_field(sven: Client, given: dict[str, str], field: str) -> None:
    policy = ServiceLevelPolicy.objects.get(name="Resolution")
    own = sven.post(reverse("administration:rehearsals"), {"policy": policy.public_id})["Location"]
    answer = sven.post(own, given)
    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    assert Trial.objects.get().state == "prepared"


def test_stopping_and_starting_anew(sven: Client) -> None:
    policy = ServiceLevelPolicy.objects.get(name="Resolution")
    own = sven.post(reverse("administration:rehearsals"), {"policy": policy.public_id})["Location"]
    sven.post(own, {"months": "12"})
    first = Trial.objects.get()
    second = sven.post(reverse("administration:rehearsals"), {"policy": policy.public_id})["Location"]
    busy = sven.post(second, {"months": "12"})
    assert busy.status_code == 409
    assert "one at work already" in busy.content.decode()
    sven.post(reverse("administration:trial_change", args=[first.public_id, "stop"]))
    first.refresh_from_db()
    assert first.state == "stopped"
    answer = sven.post(reverse("administration:trial_change", args=[first.public_id, "repeat"]))
    again = Trial.objects.get(state="waiting")
    assert answer["Location"] == address("rehearsal", again)
    assert sven.post(reverse("administration:trial_change", args=[first.public_id, "burn"])).status_code == 404


def test_somebody_elses_can_be_read_but_not_stopped(
    sven: Client, cast: Cast, signed_in: Callable[[User], Client]
) -> None:
    policy = ServiceLevelPolicy.objects.get(name="Resolution")
    own = sven.post(reverse("administration:rehearsals"), {"policy": policy.public_id})["Location"]
    sven.post(own, {"months": "12"})
    ada = signed_in(cast.ada)
    assert ada.get(own).status_code == 200
    ada.post(reverse("administration:trial_change", args=[Trial.objects.get().public_id, "stop"]))
    assert Trial.objects.get().state == "waiting"
    assert ada.get(own, {"which": "nothing"}).status_code == 404
    anna = signed_in(cast.anna)
    assert anna.get(own).status_code == 403
    assert anna.post(address("policy", policy), policy_form("4h", trial="rehearse")).status_code == 403

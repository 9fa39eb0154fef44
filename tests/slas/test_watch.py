"""The watchdogs: heartbeats, the auditor, alarms and who hears of them, parked steps, the status page and metrics."""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

import pytest
from django.core import mail
from django.core.mail import mailers
from django.db import connection
from django.test import Client
from django.urls import reverse

from incidents.actions import hold, open_incident, resume
from incidents.models import Incident
from itsm.accounts.models import AdminEvent
from itsm.tickets.actions import override_priority
from itsm.tickets.clock import db_now
from itsm.tickets.errors import Refused
from slas.actions import retry_parked
from slas.models import Alarm, AlarmKind, Audit, Heartbeat, Run, SlaEvent, StepDue, Timer
from slas.tasks import tell_alarms, watch
from slas.tasks import tick as tick_task
from slas.tick import tick
from slas.watch import alarms, beat, heartbeats, leave, look, tell_people
from slas.watch.auditor import TICKETS_AT_ONCE, audit, audit_if_time
from tests.cast import Cast, as_
from tests.slas.conftest import clock, move_back

H = timedelta(hours=1)
PAGE = "/desk/settings/clocks/"


@pytest.fixture(autouse=True)
def fresh_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each test be a process that has only just begun: none has said anything, or waited for the others."""
    heartbeats._last.clear()
    monkeypatch.setattr(alarms, "_began", time.monotonic())


def opened(cast: Cast, **more: Any) -> Incident:
    """Open an incident with two clocks."""
    return open_incident(actor=as_(cast.anna), title="Cannot print", requester=cast.rita, team=cast.network, **more)


def park(incident: Incident) -> StepDue:
    """Let the next step of the ticket stand parked, as after five failures."""
    step = StepDue.objects.filter(timer__ticket_id=incident.pk).order_by("fire_at")[0]
    step.attempts, step.parked_at, step.last_error = 5, db_now(), "RuntimeError: no way"
    step.save()
    return step


def standing() -> list[str]:
    """Return the kinds of alarm that stand."""
    return list(Alarm.objects.filter(cleared_at__isnull=True).order_by("kind").values_list("kind", flat=True))


def test_what_the_verbs_leave_behind_agrees_with_its_history(levels: Cast) -> None:
    one, two = opened(levels), opened(levels)
    hold(one, actor=as_(levels.anna), hold_reason="awaiting_vendor")
    resume(one, actor=as_(levels.anna))
    override_priority(one, 1, reason="Director", actor=as_(levels.lena))
    move_back(two, 200 * H)
    tick()
    found = audit()
    assert (found.sampled, found.findings) == (4, [])


def test_hours_that_can_no_longer_be_read_are_a_finding_and_do_not_stop_the_auditor(levels: Cast) -> None:
    one, two = opened(levels), opened(levels)
    timer = Timer.objects.filter(ticket_id=one.pk).first()
    assert timer is not None
    Run.objects.create(
        timer=timer,
        started_at=timer.started_at,
        ended_at=timer.started_at,
        calendar_version=timer.calendar_version,
        time_zone="Mars/Phobos",
        elapsed_us=0,
    )
    Timer.objects.filter(ticket_id=two.pk, metric="resolution").update(elapsed_closed_us=1)
    assert look(at_once=True)
    found = audit()
    assert {(finding["ticket"], finding["what"]) for finding in found.findings} >= {
        (one.pk, "hours"),
        (two.pk, "elapsed"),
    }
    assert standing() == ["different"]


@pytest.mark.parametrize(
    ("column", "by", "what"),
    [("due_at", "interval '1 microsecond'", "due_at"), ("elapsed_closed_us", "1", "elapsed")],
)
def test_the_auditor_finds_a_column_that_is_off_by_a_microsecond(levels: Cast, column: str, by: str, what: str) -> None:
    incident = opened(levels)
    timer = clock(incident)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"UPDATE slas_timer SET {column} = {column} + {by} WHERE id = %s", [timer.pk])  # noqa: S608
    findings = audit().findings
    assert [(one["number"], one["timer"]) for one in findings][:1] == [(incident.number, timer.pk)]
    assert what in [one["what"] for one in findings]
    assert findings[0]["stored"] != findings[0]["computed"]


@pytest.mark.parametrize("harm", ["moved", "missing", "extra"])
def test_the_auditor_finds_steps_that_are_moved_missing_or_too_many(levels: Cast, harm: str) -> None:
    timer = clock(opened(levels))
    step = StepDue.objects.get(timer=timer, step=75)
    if harm == "moved":
        StepDue.objects.filter(pk=step.pk).update(fire_at=step.fire_at + timedelta(microseconds=1))
    elif harm == "missing":
        step.delete()
    else:
        StepDue.objects.create(timer=timer, version=timer.version, epoch=0, step=60, fire_at=step.fire_at)
    [finding] = audit().findings
    assert finding["what"] == ("step 60/0" if harm == "extra" else "step 75/0")


def test_the_auditor_goes_round_and_looks_again_at_what_it_found(levels: Cast) -> None:
    first = opened(levels)
    for _more in range(3):
        opened(levels)
    timer = clock(first)
    right = timer.due_at
    Timer.objects.filter(pk=timer.pk).update(due_at=right + H)
    from unittest.mock import patch

    with patch("slas.watch.auditor.TICKETS_AT_ONCE", 2):
        samples = [audit() for _round in range(3)]
        assert [one.sampled for one in samples] == [4, 6, 2]  # two tickets, two more and the suspect, round again
        assert all(one.findings for one in samples)
        Timer.objects.filter(pk=timer.pk).update(due_at=right)
        assert audit().findings == []
    assert TICKETS_AT_ONCE > 2
    assert audit_if_time() is None
    Audit.objects.update(at=db_now() - timedelta(days=20))
    assert audit_if_time() is not None
    assert Audit.objects.count() == 1  # old ones go


def test_an_alarm_stands_once_and_is_cleared_when_it_is_well_again(levels: Cast, caplog: Any) -> None:
    beat("ticker@here 1", "ticker")
    incident = opened(levels)
    with caplog.at_level(logging.INFO):
        assert look(at_once=True)
        assert standing() == []
        move_back(incident, 5 * H)
        for _look in range(3):
            look(at_once=True)
        assert standing() == [AlarmKind.LATE]
        tick()
        look(at_once=True)
    assert standing() == []
    assert Alarm.objects.count() == 1
    assert [record.message for record in caplog.records if record.message.startswith("Alarm")] != []
    assert sum(record.message.startswith("Alarm") for record in caplog.records) == 1


def test_each_alarm_has_its_reason(levels: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    incident = opened(levels)
    step = park(incident)
    timer = clock(incident)
    Timer.objects.filter(pk=timer.pk).update(due_at=timer.due_at + H)
    beat("ticker@here 1", "ticker")
    Heartbeat.objects.update(beat_at=db_now() - timedelta(seconds=heartbeats.SILENT_AFTER_S + 5))
    look(at_once=True)
    assert standing() == [AlarmKind.DIFFERENT, AlarmKind.PARKED]  # who has just begun to look lets the others speak
    monkeypatch.setattr(alarms, "_began", float("-inf"))
    look(at_once=True)
    assert standing() == [AlarmKind.DIFFERENT, AlarmKind.PARKED, AlarmKind.SILENT]
    assert Alarm.objects.get(kind=AlarmKind.PARKED).details == {"steps": 1}
    assert list(Alarm.objects.get(kind=AlarmKind.SILENT).details["roles"]) == ["ticker"]
    beat("ticker@there 2", "ticker")  # another one has taken over
    retry_parked([step.pk], actor=as_(levels.sven))
    look(at_once=True)
    assert standing() == [AlarmKind.DIFFERENT]
    leave("ticker@there 2")
    assert [one.name for one in Heartbeat.objects.all()] == ["ticker@here 1"]


def test_administrators_hear_once_that_it_began_and_once_that_it_is_over(levels: Cast) -> None:
    Alarm.objects.create(kind=AlarmKind.LATE, raised_at=db_now(), details={"lag_s": 7.5})
    assert tell_people() == 1
    assert tell_people() == 0
    Alarm.objects.update(cleared_at=db_now())
    assert tell_people() == 1
    assert tell_people() == 0
    begun, over = mail.outbox
    assert begun.to == over.to == [levels.ada.email]
    assert begun.subject == "Clock watch: Steps are late"
    assert over.subject == "Clock watch, well again: Steps are late"
    assert "7.5" in begun.body
    assert PAGE in begun.body
    assert begun.extra_headers["Message-ID"] != over.extra_headers["Message-ID"]


def test_a_mail_server_that_is_away_leaves_the_alarm_to_be_told(levels: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    Alarm.objects.create(kind=AlarmKind.PARKED, raised_at=db_now())

    def away(self: Any) -> None:
        raise ConnectionRefusedError

    with monkeypatch.context() as patched:
        patched.setattr(type(mailers.default), "open", away)
        assert tell_people() == 0
    assert Alarm.objects.get().told_at is None
    assert tell_people() == 1


def test_tasks_beat_for_their_worker(levels: Cast) -> None:
    heartbeats._last.clear()
    tick_task.apply()
    tell_alarms.apply()
    watch.apply()
    assert set(Heartbeat.objects.values_list("role", flat=True)) <= {"timers", "mail"}
    assert Heartbeat.objects.exists()


def test_a_parked_step_is_tried_again_from_the_start_and_that_is_recorded(levels: Cast) -> None:
    incident = opened(levels)
    step = park(incident)
    move_back(incident, 3 * H)
    with pytest.raises(Refused):
        retry_parked(actor=as_(levels.anna))
    tick()
    assert not SlaEvent.objects.filter(timer=step.timer, step=step.step).exists()
    assert retry_parked(actor=as_(levels.ada)) == 1
    assert retry_parked([step.pk], actor=as_(levels.ada)) == 0
    tick()
    assert SlaEvent.objects.filter(timer=step.timer, step=step.step).count() == 1
    kept = AdminEvent.objects.filter(model="slas.stepdue").get()
    assert (kept.actor, kept.changes["last_error"]) == (levels.ada, ["RuntimeError: no way", ""])


def test_the_page_shows_how_the_clocks_stand(levels: Cast, client: Client) -> None:
    client.force_login(levels.anna)
    assert client.get(PAGE).status_code == 403
    client.force_login(levels.sven)
    page = client.get(PAGE).content.decode()
    assert "Nobody is at work" in page
    beat("ticker@here 3", "ticker")
    assert "All is well" in client.get(PAGE).content.decode()
    incident = opened(levels)
    step = park(incident)
    timer = clock(incident)
    Timer.objects.filter(pk=timer.pk).update(due_at=timer.due_at + H)
    look(at_once=True)
    page = client.get(PAGE).content.decode()
    assert "All is well" not in page
    for words in ("ticker@here 3", incident.number, "RuntimeError: no way", "due_at", "Steps are parked"):
        assert words in page
    answer = client.post(reverse("administration:clocks_retry"), {"step": step.pk}, follow=True)
    assert "1 step is tried again now." in answer.content.decode()
    assert client.post(reverse("administration:clocks_retry"), {"step": "1; DROP"}).status_code == 400
    client.force_login(levels.anna)
    assert client.post(reverse("administration:clocks_retry")).status_code == 403


def test_metrics_are_for_who_has_the_token_or_is_near(levels: Cast, client: Client, settings: Any) -> None:
    settings.METRICS_TOKEN, settings.METRICS_FROM = "", []
    assert client.get("/metrics").status_code == 404
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404
    settings.METRICS_TOKEN = "secret-token"
    assert client.get("/metrics", headers={"Authorization": "Bearer other"}).status_code == 404
    assert client.get("/metrics", headers={"Authorization": "Bearer sécret"}).status_code == 404
    assert client.get("/metrics", headers={"Authorization": "Bearer secret-token"}).status_code == 200
    settings.METRICS_FROM = [ip_network("127.0.0.0/8")]
    assert client.get("/metrics").status_code == 200
    for proxied in ({"X-Forwarded-For": "203.0.113.9"}, {"X-Forwarded-Proto": "https"}, {"X-Real-IP": "203.0.113.9"}):
        assert client.get("/metrics", headers=proxied).status_code == 404
    assert client.get("/metrics", REMOTE_ADDR="203.0.113.9").status_code == 404
    assert client.get("/metrics", REMOTE_ADDR="").status_code == 404


def test_metrics_can_be_read_straight_also_where_people_come_by_https(levels: Cast, settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT, settings.METRICS_FROM = True, [ip_network("127.0.0.0/8")]
    assert Client().get("/profile/").status_code == 301
    assert Client().get("/metrics").status_code == 200


def test_metrics_say_in_text_how_the_clocks_stand(levels: Cast, client: Client, settings: Any) -> None:
    settings.METRICS_TOKEN = "secret-token"
    park(opened(levels))
    beat('ticker@"here"\\ 4', "ticker")
    look(at_once=True)
    answer = client.get("/metrics", headers={"Authorization": "Bearer secret-token"})
    assert answer["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    text = answer.content.decode()
    values = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert values["itsm_sla_lag_seconds"] == "0"
    assert values["itsm_sla_timers_running"] == "2"
    assert values["itsm_sla_steps_waiting"] == "5"
    assert values["itsm_sla_steps_parked"] == "1"
    assert values['itsm_sla_alarm{kind="parked"}'] == "1"
    assert values['itsm_sla_alarm{kind="late"}'] == "0"
    assert float(values['itsm_sla_heartbeat_age_seconds{role="ticker"}']) < 60
    assert text.count("# TYPE") == text.count("# HELP") == len({name.partition("{")[0] for name in values})

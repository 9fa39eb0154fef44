"""A ticket that lives at random, by today's clock: after each step its timers say what a naive model says.

Time passes by moving everything that is stored into the past, by whole hours; the hours in use open in the same minutes
of every hour, so that nothing that was measured changes by it. At the end the log gives the same rows.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from incidents.actions import cancel, close, hold, open_incident, reopen, reply, resolve, resume
from incidents.models import Incident
from itsm.tickets.actions import assign, override_priority
from itsm.tickets.actors import SYSTEM, Actor, Channel
from itsm.tickets.clock import db_now
from itsm.tickets.models import NO_TARGET, Ticket, TicketEvent
from slas.actions import save_calendar, save_chain
from slas.calendars import CalendarSpec
from slas.calendars import compile as compile_calendar
from slas.models import SlaEvent, StepDue, Sweep, Timer
from slas.promised import Promised
from slas.rebuild import differences, rebuild
from slas.tick import tick
from slas.timing import elapsed_us
from tests.cast import Cast
from tests.slas.conftest import HOUR, move_back
from tests.slas.promises import FIXED, is_, no_promises, promise, steps_listed
from tests.slas.properties.naive_timers import NEVER_PAUSED, Naive, Said

# The same minutes of every hour, round the clock: moving by whole hours keeps every measure.
HOURS = {
    "always": CalendarSpec.always(),
    "half": CalendarSpec("UTC", (tuple((60 * hour, 60 * hour + 30) for hour in range(24)),) * 7),
    "third": CalendarSpec("UTC", (tuple((60 * hour + 15, 60 * hour + 35) for hour in range(24)),) * 7),
}
METRICS = ("response", "next_response", "update", "resolution", "team_stay", "supplier")
OPEN = ("new", "in_progress", "on_hold")
LONG = 8


class Life(RuleBasedStateMachine):
    """One ticket; every rule is a verb of production."""

    cast: Cast

    @initialize()
    def begin(self) -> None:
        save_calendar("Machine", HOURS["always"], actor=SYSTEM)
        self.naive = Naive(compile_calendar(HOURS["always"]))
        self.seen = 0
        self.incident: Any = open_incident(actor=Actor(self.cast.rita, Channel.PORTAL), title="Cannot print")
        self.note("open")

    def note(self, *whats: str, value: Any = None) -> None:
        """Tell the naive model what happened, at the instants of the events since."""
        events = TicketEvent.objects.filter(ticket_id=self.incident.pk, seq__gt=self.seen).order_by("seq")
        fresh = [event for event in events if not event.code.startswith("sla.")]
        assert len(fresh) == len(whats)
        for what, event in zip(whats, fresh, strict=True):
            self.naive.add(what, event.at, value)
        self.incident = Incident.objects.get(pk=self.incident.pk)
        self.seen = self.incident.event_seq
        self.check()

    @property
    def desk(self) -> Actor:
        return Actor(self.cast.anna, Channel.DESK)

    def is_in(self, *statuses: str) -> bool:
        return self.incident.status in statuses

    @precondition(lambda self: self.is_in(*OPEN, "resolved"))
    @rule()
    def answer(self) -> None:
        reply(self.incident, "We are on it.", actor=self.desk)
        self.note("answer")

    @precondition(lambda self: self.is_in(*OPEN, "resolved"))
    @rule()
    def ask(self) -> None:
        waited = self.incident.hold_reason == "awaiting_caller"
        reply(self.incident, "Any news?", actor=Actor(self.cast.rita, Channel.PORTAL))
        self.note("ask", *(["resume"] if waited else []))

    @precondition(lambda self: self.is_in("new", "in_progress"))
    @rule(reason=st.sampled_from(["awaiting_vendor", "awaiting_problem", "awaiting_change"]))
    def hold(self, reason: str) -> None:
        hold(self.incident, actor=self.desk, hold_reason=reason)
        self.note("hold", value=reason)

    @precondition(lambda self: self.is_in("new", "in_progress"))
    @rule()
    def hold_with_a_question(self) -> None:
        hold(self.incident, actor=self.desk, hold_reason="awaiting_caller", comment="Which printer?")
        (event,) = TicketEvent.objects.filter(ticket_id=self.incident.pk, code="incident.held").order_by("-seq")[:1]
        self.naive.add("answer", event.at)
        self.note("hold", value="awaiting_caller")

    @precondition(lambda self: self.is_in("on_hold"))
    @rule()
    def resume(self) -> None:
        resume(self.incident, actor=self.desk)
        self.note("resume")

    @precondition(lambda self: self.is_in(*OPEN))
    @rule(priority=st.sampled_from([1, 4]))
    def change_priority(self, priority: int) -> None:
        if self.incident.priority != priority:
            override_priority(self.incident, priority, reason="So it is", actor=Actor(self.cast.lena, Channel.DESK))
            self.note("priority", value=priority)

    @precondition(lambda self: self.is_in(*OPEN, "resolved"))
    @rule(number=st.sampled_from([0, 1, 2]))
    def change_team(self, number: int) -> None:
        team = [None, self.cast.network, self.cast.desktop][number]
        if self.incident.team != team:
            assign(self.incident, actor=self.desk, team=team)
            self.note("team", value=team.pk if team else None)

    @precondition(lambda self: self.is_in(*OPEN))
    @rule()
    def resolve(self) -> None:
        resolve(self.incident, actor=self.desk, **FIXED)
        self.note("resolve")

    @precondition(lambda self: self.is_in("resolved"))
    @rule()
    def reopen(self) -> None:
        reopen(self.incident, actor=Actor(self.cast.rita, Channel.PORTAL), comment="Still broken")
        self.note("reopen", value="ask")

    @precondition(lambda self: self.is_in("resolved") and len(self.naive.events) > LONG)
    @rule()
    def close(self) -> None:
        close(self.incident, actor=self.desk)
        self.seen += 1
        self.incident = Incident.objects.get(pk=self.incident.pk)
        self.check()

    @precondition(lambda self: self.is_in(*OPEN) and len(self.naive.events) > LONG)
    @rule()
    def cancel(self) -> None:
        cancel(self.incident, actor=self.desk, reason="Never mind")
        self.note("cancel")

    @precondition(lambda self: self.is_in(*OPEN))
    @rule(which=st.sampled_from(sorted(HOURS)))
    def edit_calendar(self, which: str) -> None:
        save_calendar("Machine", HOURS[which], actor=SYSTEM)
        sweep = Sweep.objects.filter(ticket=self.incident).order_by("pk").last()
        swept = sweep is not None and sweep.at > self.naive.events[-1][1]
        self.naive.add("hours", sweep.at if sweep is not None and swept else db_now(), compile_calendar(HOURS[which]))
        self.check()

    @rule(hours=st.integers(1, 30), ticks=st.booleans())
    def time_passes(self, hours: int, ticks: bool) -> None:
        by = timedelta(hours=hours)
        move_back(self.incident, by)
        move_the_log_back(self.incident, by)
        self.naive.later(by)
        self.incident = Incident.objects.get(pk=self.incident.pk)
        if ticks:
            self.tick()

    @rule()
    def tick(self) -> None:
        tick()
        self.incident = Incident.objects.get(pk=self.incident.pk)
        self.seen = self.incident.event_seq
        now = db_now()
        assert not StepDue.objects.filter(timer__ticket_id=self.incident.pk, fire_at__lt=now).exists()
        expected = {self.key(said): said.late_since for said in self.naive.tell(now)}
        for timer in Timer.objects.filter(ticket_id=self.incident.pk):
            assert timer.breached_at == expected[timer.metric, timer.started_at]
        self.check()

    def key(self, said: Said) -> tuple[str, datetime]:
        return (said.metric, said.started_at)

    def check(self) -> None:
        """The timers say what the naive model says."""
        now = db_now()
        expected = sorted(self.naive.tell(now), key=lambda said: (said.metric, said.started_at))
        timers = list(Timer.objects.filter(ticket_id=self.incident.pk).order_by("metric", "started_at", "cycle_no"))
        assert [(t.metric, t.state, t.started_at, t.stopped_at, t.team_id) for t in timers] == [
            (one.metric, one.state, one.started_at, one.stopped_at, one.team) for one in expected
        ]
        for timer, one in zip(timers, expected, strict=True):
            assert elapsed_us(timer, now) == one.elapsed
            if timer.state in ("met", "missed", "paused"):
                assert timer.breached_at == one.late_since
            if timer.state == "running" and one.late_since is not None:
                assert timer.due_at == one.late_since
            elif timer.state == "running":
                assert timer.due_at >= now
                assert timer.hours.open_us(now, timer.due_at) == timer.target_us - one.elapsed
            events = list(SlaEvent.objects.filter(timer=timer).values_list("epoch", "step", "repetition"))
            assert len(events) == len(set(events))
        due = [timer.due_at for timer in timers if timer.state == "running"]
        assert Ticket.objects.get(pk=self.incident.pk).queue_due_at == min(due, default=NO_TARGET)

    def teardown(self) -> None:
        """The log gives the rows that are stored; nothing of this ticket is left running for the next life."""
        if not hasattr(self, "incident"):
            return
        found = [str(one) for made in rebuild([self.incident], Promised(), now=db_now()) for one in differences(made)]
        if self.is_in(*OPEN):
            cancel(self.incident, actor=SYSTEM, reason="The end")
        assert found == []


def move_the_log_back(incident: Incident, by: timedelta) -> None:
    """Let the log tell that all of it happened earlier; not when it was written down."""
    values = {"by": by, "ticket": incident.pk}
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table, trigger in TRIGGERS:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {trigger}")
        cursor.execute("UPDATE tickets_ticketevent SET at = at - %(by)s WHERE ticket_id = %(ticket)s", values)
        cursor.execute("UPDATE slas_sweep SET at = at - %(by)s WHERE ticket_id = %(ticket)s", values)
        cursor.execute(
            "UPDATE slas_slaevent e SET at = e.at - %(by)s FROM slas_timer t"
            " WHERE t.id = e.timer_id AND t.ticket_id = %(ticket)s",
            values,
        )
        cursor.execute(
            "UPDATE tickets_comment SET created_at = created_at - %(by)s WHERE ticket_id = %(ticket)s", values
        )
        cursor.execute(
            "UPDATE tickets_ticket SET resolved_at = resolved_at - %(by)s, closed_at = closed_at - %(by)s,"
            " updated_at = updated_at - %(by)s WHERE id = %(ticket)s",
            values,
        )
        for table, trigger in TRIGGERS:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER {trigger}")


TRIGGERS: list[tuple[str, str]] = []


def triggers_of_logs() -> list[tuple[str, str]]:
    """Return the triggers that keep the logs from being rewritten."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal AND tgrelid IN"
            " ('tickets_ticketevent'::regclass, 'slas_sweep'::regclass, 'slas_slaevent'::regclass)"
        )
        return [(str(table), str(trigger)) for table, trigger in cursor.fetchall()]


@pytest.mark.django_db
def test_p13_timers_say_what_a_naive_model_says_and_can_be_rebuilt(cast: Cast) -> None:
    no_promises()
    TRIGGERS[:] = triggers_of_logs()
    machine = save_calendar("Machine", HOURS["always"], actor=SYSTEM)
    chain = save_chain("Machine", steps_listed(50, 100, 150), actor=SYSTEM)
    for metric in METRICS:
        urgent = [{"target_s": 4 * HOUR, "condition": is_("priority", 1)}] if metric == "resolution" else []
        rest = 8 * HOUR if metric == "resolution" else 3 * HOUR
        never = {"pause_condition": None} if metric in NEVER_PAUSED else {}
        promise(metric, *urgent, rest, calendar=machine, chain=chain, **never)

    class ThisLife(Life):
        pass

    ThisLife.cast = cast
    run_state_machine_as_test(
        ThisLife,
        settings=settings(
            max_examples=8,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )

"""A small desk on which there is one of everything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from changes.actions import open_change
from changes.actions.library import approve_version, propose_template
from changes.cab.actions import pin, save_board
from changes.cab.models import AgendaItem
from changes.models import CalendarFeed, Change, ChangeTemplate, ChangeWindow
from changes.schedule.actions import make_feed as make_change_feed
from changes.schedule.actions import save_window
from incidents.actions import open_incident, perform, reply
from incidents.major.rules.actions import save_rule
from incidents.models import Incident
from itsm.accounts.actions import create_token
from itsm.accounts.models import ApiToken, User
from itsm.approvals.actions import delegate, request_approval
from itsm.approvals.links import make_token as decision_token
from itsm.approvals.models import ApprovalRound, Ask, Delegation
from itsm.desk.keeping import save_draft
from itsm.desk.models import StoredDraft
from itsm.notifications.actions.endpoints import save_endpoint
from itsm.notifications.links import Purpose, make_token
from itsm.notifications.models import Endpoint, Mail, Notice
from itsm.tasking.actions import open_task
from itsm.tasking.models import Task
from itsm.tickets.actions import link, store_upload, watch
from itsm.tickets.actors import Channel
from itsm.tickets.clock import db_now
from itsm.tickets.models import Attachment, Visibility
from itsm.tickets.outbox import dispatch
from problems.actions import (
    add_timeline_entry,
    assess,
    declare_known_error,
    open_problem,
    publish,
    save_analysis,
    save_workaround,
)
from problems.actions.trends import start_run
from problems.models import Basis, Problem, TimelineEntry, TrendCandidate, TrendRun
from slas.ack_links import ack_token
from slas.actions import add_override, add_time_off, ask_swap, install_defaults, make_feed, save_rota
from slas.actions.holidays import new_holiday_set
from slas.actions.trials import prepare_trial, try_on_open_tickets
from slas.models import (
    Rota,
    RotaOverride,
    SwapRequest,
    TimeOff,
)
from slas.plans import current_levels
from slas.rotas import shifts_of
from slas.swap_mail import swap_token
from tests.cast import Cast, as_

SignIn = Callable[[User], Client]


@dataclass
class World:
    """Rita's incident with all that can hang on one, a second one of hers that is resolved, and one of Rolf's."""

    cast: Cast
    incident: Incident
    resolved: Incident
    foreign: Incident
    file: Attachment
    hidden_file: Attachment
    token: ApiToken
    mail: Mail
    notice: Notice
    link_id: str
    task: Task
    task_link_id: str
    mail_link: str
    rota: Rota
    override: RotaOverride
    time_off: TimeOff
    swap: SwapRequest
    swap_link: str
    ack_link: str
    feed_link: str
    endpoint: Endpoint
    approval: ApprovalRound
    delegation: Delegation
    approval_link: str
    change: Change
    template: ChangeTemplate
    problem: Problem
    happened: TimelineEntry
    run: TrendRun
    candidate: TrendCandidate
    window: ChangeWindow
    agenda_item: AgendaItem
    change_feed: CalendarFeed
    change_feed_link: str
    draft: StoredDraft


def make_world(cast: Cast, words: str = "") -> World:
    """Make the desk; `words` stand in everything that Rita must not see."""
    install_defaults()
    new_holiday_set("DE", "BY").save()
    rita, anna = as_(cast.rita, Channel.PORTAL), as_(cast.anna)
    incident = open_incident(actor=rita, title="The vpn drops", description="At **noon**.", service=cast.vpn)
    file = store_upload(SimpleUploadedFile("log.txt", b"public"))
    reply(incident, "With a file", actor=rita, files=[file])
    hidden = store_upload(SimpleUploadedFile(f"{words or 'note'}.txt", f"hidden {words}".encode()))
    reply(incident, f"Note {words}", actor=anna, visibility=Visibility.INTERNAL, files=[hidden])
    resolved = open_incident(actor=rita, title="The vpn was slow")
    perform(resolved, "start", actor=anna)
    fields = {"resolution_code": "solution_provided", "resolution_notes": "Faster now."}
    done = perform(resolved, "resolve", actor=anna, fields=fields)
    foreign = open_incident(
        actor=as_(cast.rolf, Channel.PORTAL), title=f"Rolf's laptop {words}", description=f"Broken {words}"
    )
    connected = link(incident, foreign, "related", actor=anna)
    watch(incident, cast.ben, actor=anna)
    task = open_task(incident, actor=anna, title=f"Look at the tunnel {words}", description=f"Hidden {words}")
    task_link = link(task, foreign, "related", actor=anna)
    watch(task, cast.ben, actor=anna)
    save_rule(None, name=f"Many {words}", min_people=99, actor=as_(cast.ada))
    dispatch(1000)
    prepare_trial("Try", current_levels(), kind="sla", metric="resolution", actor=as_(cast.ada))
    try_on_open_tickets("Try", current_levels(), actor=as_(cast.ada))
    token, _secret = create_token(cast.rita, name="mine")
    event = done.events.get(code="incident.resolved")
    draft = save_draft(cast.anna, incident, Visibility.INTERNAL, f"Half a note {words}", base="")
    assert draft is not None
    return World(
        draft=draft,
        **make_on_call(cast, incident),
        **make_approval(cast, words),
        **make_problem(cast, incident, words),
        **make_change(cast, resolved, words),
        **make_schedule(cast, words),
        cast=cast,
        incident=incident,
        resolved=resolved,
        foreign=foreign,
        file=Attachment.objects.get(storage_key=file.storage_key),
        hidden_file=Attachment.objects.get(storage_key=hidden.storage_key),
        token=token,
        mail=Mail.objects.filter(ticket=incident, user=cast.rita)[0],
        notice=Notice.objects.filter(user=cast.rita)[0],
        link_id=connected.public_id,
        task=task,
        task_link_id=task_link.public_id,
        mail_link=make_token(Purpose.CLOSE, event, cast.rita),
    )


def make_change(cast: Cast, incident: Incident, words: str) -> dict[str, Any]:
    """Plan a change that caused Rita's resolved incident, and propose a template that waits for a decision."""
    anna = as_(cast.anna)
    plans = dict.fromkeys(("justification", "implementation_plan", "backout_plan", "test_plan"), f"Plan {words}")
    change = open_change(actor=anna, title=f"New certificate {words}", service=cast.vpn, plans=plans)
    link(incident, change, "caused_by", actor=anna)
    watch(change, cast.ben, actor=anna)
    content = {"title": f"Renew {words}", **plans}
    version = propose_template(actor=anna, name=f"Renewal {words}", key="renewal", content=content)
    used = propose_template(actor=anna, name=f"Restart {words}", key="restart", content=content)
    approve_version(used, actor=as_(cast.ada))
    return {"change": change, "template": version.template}


def make_problem(cast: Cast, incident: Incident, words: str) -> dict[str, Any]:
    """Let Anna coordinate a published known error behind the incident, and look for trends; `words` stand in all of it
    that is not for everybody."""
    anna, now = as_(cast.anna), db_now()
    problem = open_problem(actor=anna, title=f"Cause {words}", description=f"Why {words}", incidents=[incident])
    problem = assess(problem, actor=anna)
    problem = save_analysis(problem, {"cause_notes": f"A leak {words}"}, actor=anna)
    problem = save_workaround(problem, f"Mop {words}", actor=anna)
    problem = declare_known_error(problem, actor=anna)
    problem = publish(problem, actor=anna, title="The vpn drops for some", workaround="Dial in again.")
    run = start_run(now - timedelta(days=9), now, least=2, actor=anna)
    candidate = TrendCandidate.objects.create(
        run=run, basis=Basis.WORDS, title=f"Trend {words}", ticket_ids=[incident.pk], count=1, wait_s=1, agent_s=1
    )
    return {
        "problem": problem,
        "happened": add_timeline_entry(problem, now, f"It began {words}", actor=anna),
        "run": run,
        "candidate": candidate,
    }


def make_schedule(cast: Cast, words: str) -> dict[str, Any]:
    """Let a change ahead lie in a freeze and stand on a board's agenda; `words` stand in all of it."""
    ada, start = as_(cast.ada), db_now() + timedelta(days=3)
    change = open_change(
        actor=as_(cast.anna), title=f"Swap {words}", planned_start=start, planned_end=start + timedelta(hours=2)
    )
    day = start.date().isoformat()
    rule = {"time_zone": "UTC", "repeat": "once", "first": day, "start": "00:00", "end": "24:00", "end_day": 2}
    weekly = {"time_zone": "UTC", "repeat": "daily", "first": day, "start": "10:00", "end": "11:00"}
    window = save_window(None, name=f"Freeze {words}", kind="freeze", rule=rule, actor=ada)
    board = save_board(None, name=f"CAB {words}", chair=cast.ada, rule=weekly, condition="status:authorise", actor=ada)
    feed, token = make_change_feed(cast.anna)
    item = pin(board.meetings.all()[0], change, actor=as_(cast.anna))
    return {"window": window, "agenda_item": item, "change_feed": feed, "change_feed_link": token}


def make_on_call(cast: Cast, incident: Incident) -> dict[str, Any]:
    """Let Anna and Ben be on call by turns, Anna ask Ben for a swap, and everything hang on it that can."""
    sven, now = as_(cast.sven), db_now()
    start = (now - timedelta(days=9)).date().isoformat()
    members = [cast.anna.pk, cast.ben.pk]
    turns = {"unit": "day", "every": 1, "minute": 0, "weekday": 0, "starts": start, "name": ""}
    layers = [{**turns, "level": 1, "members": members}]
    rota = save_rota(None, name="Nights", team=cast.network, time_zone="UTC", layers=layers, actor=sven)
    shifts = shifts_of(cast.anna, now, now + timedelta(days=9))
    shift = next(one.shift for one in shifts if one.shift.start > now)
    swap = ask_swap(rota, starts_at=shift.start, ends_at=shift.end, asked=cast.ben, actor=as_(cast.anna))
    later = {"starts_at": now + timedelta(days=30), "ends_at": now + timedelta(days=31)}
    return {
        "rota": rota,
        "override": add_override(rota, cast.ben, actor=sven, **later),
        "time_off": add_time_off(cast.ben, actor=sven, **later),
        "swap": swap,
        "swap_link": swap_token(swap, cast.ben),
        "ack_link": ack_token(incident.events.order_by("seq")[0], cast.ben),
        "feed_link": make_feed(cast.anna, rota)[1],
        "endpoint": save_endpoint(None, name="Chat", url="https://hooks.example.com/desk", by=cast.sven),
    }


def make_approval(cast: Cast, words: str) -> dict[str, Any]:
    """Let a change of Anna's wait for Ada's approval, and Lena let Ben decide for her."""
    change = open_change(actor=as_(cast.anna), title=f"New gateway {words}", team=cast.network, service=cast.vpn)
    found = request_approval(change, actor=as_(cast.anna))
    ask = Ask.objects.get(stage__round=found, person=cast.ada)
    start, end = db_now() + timedelta(days=30), db_now() + timedelta(days=31)
    return {
        "approval": found,
        "delegation": delegate(cast.lena, cast.ben, actor=as_(cast.lena), starts_at=start, ends_at=end),
        "approval_link": decision_token(ask, cast.ada),
    }

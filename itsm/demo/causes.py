"""The problems of the demo desk: causes looked for, lived with and removed, with the incidents and changes of each."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from changes.models import Change
from itsm.demo.changing import DAY, HOUR, Clock
from itsm.demo.month import BACKUP, RESTORE, ROOMS, TIMEOUT
from itsm.demo.people import Desk
from itsm.tasking.actions import open_task
from itsm.tickets.actions import link
from itsm.tickets.actors import Actor, Channel
from itsm.tickets.models import LinkKind
from problems.actions import (
    add_timeline_entry,
    communicate_workaround,
    declare_known_error,
    link_incidents,
    open_problem,
    perform,
    publish,
    save_analysis,
    save_workaround,
)
from problems.models import Problem

WHYS = (
    ("Why are sessions lost?", "The gateway ends them, not the laptop."),
    ("Why does the gateway end them?", "It takes them for idle, although they are in use."),
    ("Why does it take them for idle?", "On vpn-gw-02 the counter is not reset by traffic of the ledger."),
    ("Why not by that traffic?", "Release 9.1.2 counts keep-alive packets only, and the ledger sends none."),
    ("Why did we not see it before?", "With sixty minutes the counter never ran out; with fifteen it does."),
)


def make_problems(desk: Desk, incidents: dict[str, Any], changes: dict[str, Change], clock: Clock) -> None:
    """Make a problem in its analysis, a known error, one that a change has removed and a risk that was accepted."""
    _sessions(desk, incidents, changes, clock)
    _logins(desk, incidents, changes, clock)
    _rooms(desk, incidents, changes, clock)
    _scanners(desk, clock)


def _open(desk: Desk, at: Any, who: str, service: str, title: str, text: str, **values: Any) -> Problem:
    actor = Actor(desk.people[who], Channel.DESK, at=at)
    person = desk.people["problems"]
    return open_problem(
        actor=actor, title=title, description=text, service=desk.services[service], assignee=person, **values
    )


def _sessions(desk: Desk, incidents: dict[str, Any], changes: dict[str, Change], clock: Clock) -> None:
    start = clock.now - timedelta(minutes=72)

    def by(who: str, minutes: int) -> Actor:
        return Actor(desk.people[who], Channel.DESK, at=start + timedelta(minutes=minutes))

    incident = incidents["Finance VPN drops every few minutes since this morning"]
    problem = _open(
        desk,
        start,
        "agent",
        "Remote access (VPN)",
        "VPN sessions end every six to seven minutes on vpn-gw-02",
        "Since the idle timeout was shortened. Finance feels it most: the ledger loses what is being entered.",
        impact=1,
        urgency=1,
        incidents=[incident],
    )
    link(incident, changes[TIMEOUT], LinkKind.CAUSED_BY, actor=by("agent", 5))
    problem = perform(problem, "assess", actor=by("problems", 8))
    problem = perform(problem, "confirm", actor=by("problems", 20))
    whys = [{"why": why, "answer": answer} for why, answer in WHYS]
    problem = save_analysis(problem, {"whys": whys}, actor=by("problems", 45))
    text = (
        "Please choose “Rotterdam backup” in the gateway list of the VPN client: that gateway is not affected.\n\n"
        "1. Disconnect and open the gateway list.\n2. Choose `rtm-backup` and connect again."
    )
    problem = save_workaround(problem, text, actor=by("problems", 50))
    add_timeline_entry(
        problem, changes[TIMEOUT].actual_start, "The idle timeout is shortened.", actor=by("problems", 52)
    )
    add_timeline_entry(problem, incident.opened_at, "Finance reports the first drops.", actor=by("problems", 53))
    open_task(
        problem,
        actor=by("problems", 55),
        title="Ask the maker whether 9.1.4 counts all traffic",
        task_type="rca",
        order=1,
        assignee=desk.people["nils"],
        description="Case with the log of this morning. Release 9.1.2 is installed on both gateways.",
    )
    link(problem, changes[RESTORE], LinkKind.FIXED_BY, actor=by("problems", 60))


def _logins(desk: Desk, incidents: dict[str, Any], changes: dict[str, Change], clock: Clock) -> None:
    start = clock.now - DAY

    def by(who: str, hours: float) -> Actor:
        return Actor(desk.people[who], Channel.DESK, at=start + hours * HOUR)

    problem = _open(
        desk,
        start,
        "lead",
        "Wi-Fi and network",
        "Logins in Lisbon take minutes before 09:00",
        "Every working day between 08:00 and 09:00, every floor.",
        impact=2,
        urgency=3,
        incidents=[incidents["Slow logins in the Lisbon office before 09:00"]],
    )
    problem = perform(problem, "assess", actor=by("problems", 1))
    problem = perform(problem, "confirm", actor=by("problems", 2))
    text = (
        "Sign in before 08:00, or start the laptop without the network cable and plug it in after you have signed in."
    )
    problem = save_workaround(problem, text, actor=by("problems", 3))
    cause = {
        "cause_notes": "The backup of the profile server runs until 09:00 and fills the line to Rotterdam.",
        "fix_notes": "The backup runs at 02:00 and takes no more than half of the line.",
    }
    problem = perform(problem, "fix", actor=by("problems", 4), fields=cause)
    problem = declare_known_error(problem, actor=by("problems", 4.2))
    publish(
        problem,
        actor=by("problems", 4.5),
        title="Slow logins in Lisbon before 09:00",
        symptoms="Between 08:00 and 09:00 it takes up to five minutes until your desktop appears.",
        workaround=text,
    )
    link(problem, changes[BACKUP], LinkKind.FIXED_BY, actor=by("problems", 5))
    fresh = Problem.objects.get(pk=problem.pk)
    communicate_workaround(fresh, actor=Actor(desk.people["problems"], Channel.DESK))


def _rooms(desk: Desk, incidents: dict[str, Any], changes: dict[str, Change], clock: Clock) -> None:
    change = changes[ROOMS]
    assert change.planned_end is not None  # noqa: S101  it was planned
    start = change.opened_at - 2 * HOUR

    def by(who: str, at: Any) -> Actor:
        return Actor(desk.people[who], Channel.DESK, at=at)

    problem = _open(
        desk,
        start,
        "problems",
        "E-mail and calendar",
        "Rooms accept bookings from the old system too",
        "",
        impact=3,
        urgency=2,
    )
    problem = perform(problem, "assess", actor=by("problems", start + HOUR / 6))
    problem = perform(problem, "confirm", actor=by("problems", start + HOUR / 2))
    cause = {
        "cause_notes": "The old booking system kept its right to book, and its recurring bookings were never removed.",
        "fix_notes": "Its right is taken away and its recurring bookings are deleted in all 41 rooms.",
    }
    problem = perform(problem, "fix", actor=by("problems", start + HOUR), fields=cause)
    link(problem, change, LinkKind.FIXED_BY, actor=by("problems", change.opened_at + HOUR / 2))
    after = change.planned_end + DAY
    linked = [incidents["Meeting room Kyoto shows double bookings"], incidents["Room Fado is booked twice on Mondays"]]
    link_incidents(problem, linked, actor=by("problems", after))
    perform(Problem.objects.get(pk=problem.pk), "resolve", actor=by("problems", after + HOUR / 4))


def _scanners(desk: Desk, clock: Clock) -> None:
    start = clock.now - 16 * DAY

    def by(days: float) -> Actor:
        return Actor(desk.people["problems"], Channel.DESK, at=start + days * DAY)

    problem = _open(
        desk,
        start,
        "problems",
        "Laptops and phones",
        "Handheld scanners switch off in the cold store",
        "Below minus ten degrees the battery reports that it is empty.",
        impact=3,
        urgency=3,
    )
    problem = perform(problem, "assess", actor=by(0.1))
    problem = perform(problem, "confirm", actor=by(0.5))
    said = {
        "cause_notes": "The batteries of this model are made for minus five degrees and warmer.",
        "close_notes": "Forty new scanners cost more than the ten minutes a shift that are lost. The team warms the "
        "scanners in the charger. We look at it again when they are due for exchange, in two years.",
    }
    perform(problem, "accept_risk", actor=by(3), fields=said)

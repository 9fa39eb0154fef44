"""The demo desk's library of standard changes, its maintenance windows and freeze, and its change advisory board."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from changes.actions.library import approve_version, propose_template
from changes.cab.actions import pin, save_board
from changes.cab.models import CabBoard
from changes.models import Change, ChangeTemplate, Track, WindowKind
from changes.schedule.actions import save_window
from changes.schedule.models import Weight
from changes.schedule.recurrence import Recurrence, Repeat
from changes.statuses import ChangeType
from itsm.approvals.actions.policies import save_policy
from itsm.approvals.specs import StageSpec
from itsm.demo.people import Desk
from itsm.tickets.actors import SYSTEM, Actor, Channel

ZONE = "Europe/Amsterdam"
CERTIFICATE, ACCESS_POINTS = "Renew a TLS certificate", "Update the access points of one floor"
SUNDAY, WEDNESDAY, TUESDAY = 6, 2, 1
RISKY = {"field": "risk", "op": "lte", "value": 3}


def make_library(desk: Desk, at: datetime) -> dict[str, ChangeTemplate]:
    """Put two approved standard changes and one that waits for a decision into the library, as of the past instant."""
    proposer = Actor(desk.people["nils"], Channel.DESK, at=at)
    manager = Actor(desk.people["changes"], Channel.DESK, at=at + timedelta(hours=4))
    network, workplace = desk.teams["Network Operations"], desk.teams["Workplace"]
    certificate = propose_template(
        actor=proposer,
        name=CERTIFICATE,
        key="renew-certificate",
        wanted_track=Track.STANDARD,
        content={
            "title": "Renew the TLS certificate of the VPN gateways",
            "justification": "The certificate ends within thirty days.",
            "implementation_plan": "1. Order the certificate with the key that the gateway made.\n"
            "2. Install it on vpn-gw-02 and reload.\n3. Wait ten minutes, then the same on vpn-gw-01.",
            "backout_plan": "Select the former certificate, which stays on the gateway, and reload.",
            "test_plan": "Connect from outside to each gateway; the new end date is shown.",
            "duration_minutes": 60,
            "team": network,
            "services": [desk.services["Remote access (VPN)"]],
            "risk_answers": {"loss": "nothing", "tested": "twin", "undone": "quick", "practice": "often"},
        },
        tasks=(
            {"title": "Install on both gateways", "task_type": "implementation", "starts_after": 0, "takes": 40},
            {"title": "Connect from outside", "task_type": "test", "starts_after": 40, "takes": 20},
        ),
    )
    points = propose_template(
        actor=proposer,
        name=ACCESS_POINTS,
        key="update-access-points",
        wanted_track=Track.STANDARD,
        content={
            "title": "Update the access points of one floor",
            "justification": "Keeps the access points on the release that the maker supports.",
            "implementation_plan": "Update every second access point, wait until clients are back, then the others.",
            "backout_plan": "Start the access points from the second image, which holds the former release.",
            "test_plan": "Walk the floor with a handheld scanner; no place without a signal.",
            "duration_minutes": 90,
            "team": network,
            "services": [desk.services["Wi-Fi and network"]],
            "risk_answers": {"loss": "part", "tested": "twin", "undone": "quick", "practice": "often"},
        },
    )
    propose_template(
        actor=Actor(desk.people["nils"], Channel.DESK),
        name="Exchange the print server's drivers",
        key="print-drivers",
        wanted_track=Track.STANDARD,
        content={
            "title": "Exchange the drivers on the print server",
            "justification": "We have done this four times this year without any trouble.",
            "implementation_plan": "Install the driver beside the old one and move the queues one after the other.",
            "backout_plan": "Move the queues back to the old driver.",
            "test_plan": "Print one page, two-sided, from each queue.",
            "duration_minutes": 45,
            "team": workplace,
            "services": [desk.services["Printing"]],
        },
    )
    return {
        CERTIFICATE: approve_version(certificate, actor=manager, note="Ten clean runs before it was listed.").template,
        ACCESS_POINTS: approve_version(points, actor=manager).template,
    }


def make_board(desk: Desk, today: date) -> CabBoard:
    """Let the change advisory board meet every Tuesday about what is risky or waits for it, and authorise that."""
    board = save_board(
        None,
        name="Change advisory board",
        chair=desk.people["changes"],
        people=[desk.people[name] for name in ("lead", "levels", "problems")],
        place="Room Maas and video",
        rule=Recurrence(ZONE, Repeat.WEEKLY, today, 14 * 60, 14 * 60 + 45, weekdays=(TUESDAY,)),
        condition="kind:change status:authorise",
        actor=SYSTEM,
    )
    save_policy(
        "Authorisation by the change advisory board",
        actor=SYSTEM,
        kind="change",
        purpose="authorise",
        condition=RISKY,
        stages=[StageSpec("Change advisory board", [{"from": "group", "code": "cab"}])],
        order=500,
    )
    return board


def make_windows(desk: Desk, today: date) -> None:
    """Declare when the network and the applications are maintained, and the freeze over the turn of the year.

    Called when the month of changes is there: a demo that is made in the freeze would else have none.
    """
    save_window(
        None,
        name="Network maintenance",
        kind=WindowKind.MAINTENANCE,
        description="Agreed with the warehouse: no shift on Sunday nights.",
        rule=Recurrence(ZONE, Repeat.WEEKLY, today, 20 * 60, 2 * 60, end_day=1, weekdays=(SUNDAY,)),
        services=[desk.services["Wi-Fi and network"], desk.services["Remote access (VPN)"]],
        change_types=[ChangeType.NORMAL],
        weight=Weight.WARN,
        actor=SYSTEM,
    )
    save_window(
        None,
        name="Applications on Wednesday evening",
        kind=WindowKind.MAINTENANCE,
        rule=Recurrence(ZONE, Repeat.WEEKLY, today, 19 * 60, 22 * 60, weekdays=(WEDNESDAY,)),
        services=[desk.services["Expenses"], desk.services["E-mail and calendar"]],
        change_types=[ChangeType.NORMAL],
        weight=Weight.WARN,
        actor=SYSTEM,
    )
    save_window(
        None,
        name="Year-end freeze",
        kind=WindowKind.FREEZE,
        description="Finance closes the books: only emergencies.",
        rule=Recurrence(ZONE, Repeat.YEARLY, today, 0, 24 * 60, end_day=14, month=12, month_day=20),
        change_types=[ChangeType.NORMAL, ChangeType.STANDARD],
        weight=Weight.BLOCK,
        actor=SYSTEM,
    )


def pin_for_next_meeting(board: CabBoard, change: Change, desk: Desk) -> None:
    """Put the change on the agenda of the board's next meeting by hand."""
    meeting = board.meetings.filter(state="planned").order_by("starts_at").first()
    if meeting is not None:
        pin(meeting, change, actor=Actor(desk.people["changes"], Channel.DESK))

"""What the demo desk changed over the last month, and what it plans: one row a change, with its start and its hours."""

from __future__ import annotations

from datetime import datetime, timedelta

from changes.models import Change, ChangeTemplate
from changes.statuses import ChangeType
from itsm.demo.calendar import ACCESS_POINTS, CERTIFICATE
from itsm.demo.changing import DAY, HOUR, Clock, Told, plan_tasks, tell_change
from itsm.demo.people import Desk
from itsm.tickets.actors import Actor, Channel

VPN, WIFI, MAIL = "Remote access (VPN)", "Wi-Fi and network", "E-mail and calendar"
WELL = {"close_code": "successful", "close_notes": "Made as planned, within the window. Nobody noticed."}
ROOMS, TIMEOUT, BACKUP, RESTORE, PINNED = "rooms", "timeout", "backup", "restore", "pinned"


def make_month(desk: Desk, templates: dict[str, ChangeTemplate], clock: Clock) -> dict[str, Change]:
    """Make the month of changes and return those that incidents and problems are linked to."""
    now = clock.now
    made: dict[str, Change] = {}
    for key, told, start, hours in [*_past(clock), *_ahead(clock)]:
        change = tell_change(told, start, hours, desk, templates, now)
        if key:
            made[key] = change
    plan_tasks(
        made[RESTORE],
        desk,
        (
            ("Save the configuration of both gateways", "implementation", "nils", 0, 10),
            ("Set the idle timeout to 60 minutes on vpn-gw-01 and vpn-gw-02", "implementation", "nils", 10, 40),
            ("Keep a ledger session open for thirty minutes", "test", "nils", 40, 90),
        ),
        Actor(desk.people["nils"], Channel.DESK, at=now - HOUR / 2),
    )
    return made


Row = tuple[str, Told, datetime, float]


def _past(clock: Clock) -> list[Row]:
    yesterday = clock.on(-1, 21)
    return [
        (
            "",
            Told(
                "Renew the TLS certificate of vpn-gw-02",
                VPN,
                "agent",
                "nils",
                template=CERTIFICATE,
                is_started=True,
                is_finished=True,
                closing=WELL,
            ),
            clock.week(-4, 2, 20),
            1,
        ),
        (
            "",
            Told(
                "Move the Contracts and Finance folders to the new file cluster",
                "File shares",
                "agent",
                "levels",
                (
                    "The old server is out of warranty in March and 94 % full.",
                    "1. Copy what has changed.\n2. Close the old folders.\n3. Point the drive letters to the cluster.",
                    "Point the drive letters back; the old folders are untouched until Friday.",
                    "Open, save and rename a file in each folder as somebody of Finance and of Legal.",
                ),
                agreed=(("problems", "The copy was rehearsed last week, numbers match."), ("changes", "")),
                is_started=True,
                is_finished=True,
                closing=WELL,
            ),
            clock.week(-3, 2, 19),
            3,
        ),
        (
            "",
            Told(
                "Upgrade the expense application to 8.2",
                "Expenses",
                "levels",
                "agent",
                (
                    "Version 8.0 loses its support at the end of the quarter; 8.2 brings the new mileage rates.",
                    "1. Stop the application.\n2. Back up the database.\n3. Run the installer.\n4. Start.",
                    "Restore the database from step 2 and start version 8.0.",
                    "Hand in, approve and pay one claim in the test company.",
                ),
                answers=("all", "partly", "window", "few"),
                agreed=(("problems", ""), ("changes", "Finance knows that it is away from 19:00.")),
                is_started=True,
                is_finished=True,
                closing={
                    "close_code": "unsuccessful",
                    "close_notes": "Backed out at 21:20: after the upgrade no receipt could be uploaded. "
                    "Version 8.0 runs again and no claim was lost.",
                    "review_notes": "What happened: the new version stores receipts in a folder that the service "
                    "account may not write to. Our test company has no receipts, so the test did not show it.\n\n"
                    "What we change: the test plan hands in a claim with a photo, and the installer's list of folders "
                    "is checked the day before. Next try after the supplier has answered.",
                },
            ),
            clock.week(-2, 2, 19),
            3,
        ),
        (
            "",
            Told(
                "Update the access points, Rotterdam floor 2",
                WIFI,
                "nils",
                "agent",
                template=ACCESS_POINTS,
                is_started=True,
                is_finished=True,
                closing={
                    "close_code": "successful_issues",
                    "close_notes": "Two access points needed a second restart; done twenty minutes later than "
                    "planned, still within the window.",
                },
            ),
            clock.week(-2, 6, 21),
            1.5,
        ),
        (
            "",
            Told(
                "Replace the failed power supply of vpn-gw-01",
                VPN,
                "nils",
                "nils",
                (
                    "One of two power supplies has failed. If the other goes, half of the remote users are offline.",
                    "Exchange the supply while the gateway runs; the maker supports it.",
                    "Put the old supply back; sessions move to vpn-gw-02 by themselves.",
                    "Both supplies show green, sessions stay.",
                ),
                change_type=ChangeType.EMERGENCY,
                impact=1,
                answers=("part", "not", "quick", "few"),
                lead=2 * HOUR,
                agreed=(("changes", "Agreed by phone with Tomás, 11:40."),),
                is_started=True,
                is_finished=True,
                closing={
                    "close_code": "successful",
                    "close_notes": "Exchanged in twelve minutes. No session was lost.",
                    "review_notes": "The spare was in Oslo, not in Rotterdam: we lost an hour on the way. From now on "
                    "there is one in each office, and the monitor warns when a supply fails, not only when both do.",
                },
            ),
            clock.on(-10, 12),
            1,
        ),
        (
            ROOMS,
            Told(
                "Disconnect the old booking system from all rooms",
                MAIL,
                "agent",
                "levels",
                (
                    "Rooms accept bookings from two systems, and people stand in front of taken rooms.",
                    "1. Remove the old system's right to book.\n2. Delete its recurring bookings after today.",
                    "Give the right back; the deleted bookings are kept in a file and can be imported.",
                    "Book each of the 41 rooms twice for the same time: the second booking is refused.",
                ),
                answers=("nothing", "partly", "window", "never"),
                lead=4 * HOUR,
                agreed=(("problems", "Good that the file is kept."), ("changes", "")),
                is_started=True,
                is_finished=True,
                closing=WELL,
            ),
            clock.on(-5, 18),
            2,
        ),
        (
            "",
            Told(
                "Renew the TLS certificate of vpn-gw-01",
                VPN,
                "agent",
                "nils",
                template=CERTIFICATE,
                is_started=True,
                is_finished=True,
                closing=WELL,
            ),
            clock.on(-3, 20),
            1,
        ),
        (
            TIMEOUT,
            Told(
                "Shorten the idle timeout of the VPN gateways to 15 minutes",
                VPN,
                "agent",
                "nils",
                (
                    "The audit asks that idle sessions end after fifteen minutes.",
                    "Set idle-timeout to 15 in the profile “staff” on both gateways and reload the profile.",
                    "Set idle-timeout back to 60 and reload the profile.",
                    "Leave a session alone for sixteen minutes: it ends. Use another one: it stays.",
                ),
                answers=("nothing", "partly", "quick", "few"),
                agreed=(("lead", "Please watch the session table the morning after."), ("changes", "")),
                is_started=True,
                is_finished=True,
            ),
            yesterday,
            1.5,
        ),
    ]


def _ahead(clock: Clock) -> list[Row]:
    now = clock.now
    minute = now.replace(second=0, microsecond=0)
    return [
        (
            BACKUP,
            Told(
                "Move the backup of the Lisbon profile server to 02:00",
                WIFI,
                "agent",
                "nils",
                (
                    "The backup runs until 09:00 and slows every login in Lisbon down.",
                    "1. Move the job to 02:00.\n2. Let it run once by hand, limited to half of the line.",
                    "Move the job back to 06:00.",
                    "The job ends before 07:00; a login at 08:15 takes less than thirty seconds.",
                ),
                answers=("nothing", "partly", "quick", "often"),
                lead=2 * DAY,
                agreed=(("lead", ""), ("changes", "")),
                is_started=True,
                others=("lis-profile-01",),
            ),
            minute - timedelta(minutes=35),
            2.5,
        ),
        (
            RESTORE,
            Told(
                "Set the idle timeout of the VPN gateways back to 60 minutes",
                VPN,
                "nils",
                "nils",
                (
                    "Since it was shortened, vpn-gw-02 ends sessions that are in use. Payroll cannot be closed.",
                    "1. Save the configuration.\n2. Set idle-timeout to 60.\n3. Reload vpn-gw-01, later vpn-gw-02.",
                    "Load the saved configuration.",
                    "A session in the ledger stays open for thirty minutes on each gateway.",
                ),
                answers=("part", "partly", "window", "few"),
                impact=1,
                lead=9 * DAY,
                agreed=(("lead", "Go. The other gateway can carry everybody for an hour."),),
                others=("vpn-gw-01", "vpn-gw-02"),
            ),
            clock.week(1, 6, 21),
            1.5,
        ),
        (
            "",
            Told(
                "Patch the VPN gateways to 9.1.4",
                VPN,
                "agent",
                "agent",
                (
                    "Closes two holes that the maker rates as high.",
                    "Patch vpn-gw-02, move the sessions over, patch vpn-gw-01.",
                    "Start from the former image.",
                    "Connect from outside to each gateway, then let one fail.",
                ),
                is_asked=False,
                note=("agent", "Same evening as the timeout. Nora, shall I wait a week, or do we do both in one go?"),
            ),
            clock.week(1, 6, 22),
            2,
        ),
        (
            PINNED,
            Told(
                "Move the conference bridge to the new telephone provider",
                "Telephony",
                "nils",
                "nils",
                (
                    "The present provider drops callers after ten minutes and does not find the cause.",
                    "1. Order the port for 18:00.\n2. Switch the trunk in the exchange.\n3. Release the old one.",
                    "Switch the trunk back; both stay in service for two weeks.",
                    "A call with five people, two of them from abroad, for thirty minutes.",
                ),
                answers=("all", "partly", "window", "never"),
                impact=1,
                lead=8 * DAY,
            ),
            clock.week(1, 3, 18),
            2,
        ),
        (
            "",
            Told(
                "Give the handheld scanners an address range of their own",
                WIFI,
                "agent",
                "agent",
                (
                    "The range of the warehouse is full on Mondays; the last scanners get no address.",
                    "Make the range, move the scanners by groups of ten.",
                    "Move the groups back; the old range stays.",
                    "Forty scanners online at once, one sync each.",
                ),
                lead=7 * DAY,
                agreed=(("lead", ""), ("changes", "Fine, after the evening shift.")),
            ),
            clock.week(1, 6, 20),
            1,
        ),
        (
            "",
            Told("Update the access points, Rotterdam floor 3", WIFI, "agent", "nils", template=ACCESS_POINTS),
            clock.week(1, 1, 20),
            1.5,
        ),
        (
            "",
            Told(
                "Exchange the badge controller of floor 3",
                "Building access",
                "nils",
                "nils",
                (
                    "Controller 3B has failed twice within a month.",
                    "Exchange the controller, load the list of badges, test each of the six doors.",
                    "Mount the old controller again.",
                    "A valid badge opens each door, a blocked one none.",
                ),
                answers=("all", "twin", "window", "few"),
                lead=12 * DAY,
                agreed=(("changes", "Reception is told the day before."),),
                held="The controller is delivered late next week, says the supplier.",
            ),
            clock.week(2, 1, 19),
            2,
        ),
        (
            "",
            Told(
                "Upgrade the expense application to 8.2, second try",
                "Expenses",
                "levels",
                "agent",
                (
                    "Version 8.0 loses its support at the end of the quarter. The first try was backed out.",
                    "As the first time, and before the start: give the service account the right to write receipts.",
                    "Restore the database from step 2 and start version 8.0.",
                    "Hand in a claim with a photo, approve and pay it in the test company.",
                ),
                answers=("all", "twin", "window", "few"),
                lead=14 * DAY,
                agreed=(("problems", "The test plan has what the review asked for."),),
            ),
            clock.week(2, 2, 19),
            3,
        ),
        (
            "",
            Told(
                "Send the payroll files over the new transfer server",
                "File shares",
                "levels",
                "levels",
                (
                    "The bank closes the old way at the end of January.",
                    "Exchange the keys with the bank, switch the job, send one file of the test company.",
                    "Switch the job back.",
                    "The bank confirms the file of the test company.",
                ),
                is_asked=False,
                description="The bank offers two evenings; this one lies between the years.",
            ),
            clock.year_end(),
            2,
        ),
        (
            "",
            Told(
                "Exchange the desk phones of Customer care",
                "Telephony",
                "agent",
                "nils",
                (
                    "The old phones get no updates any more.",
                    "Exchange ten phones an evening.",
                    "Plug the old phone in again.",
                    "A call in and out from each phone.",
                ),
                cancelled="Customer care takes headsets instead, from their own budget.",
            ),
            clock.week(1, 0, 18),
            3,
        ),
    ]

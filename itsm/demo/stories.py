"""What happened on the demo desk: each story is one incident and the verbs that worked on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

# A step is (minutes after the one before, mailbox of who acts, verb, values).
Step = tuple[int, str, str, dict[str, Any]]


@dataclass(frozen=True)
class Story:
    """One incident: when it was opened (minutes ago), by whom, what about, and what was done."""

    minutes_ago: int
    requester: str
    title: str
    description: str
    service: str
    category: str
    impact: int
    urgency: int
    steps: tuple[Step, ...] = field(default_factory=tuple)


TAKE: Step = (4, "agent", "start", {})


def note(minutes: int, who: str, text: str) -> Step:
    """Return the step of writing a work note."""
    return (minutes, who, "note", {"body": text})


def say(minutes: int, who: str, text: str) -> Step:
    """Return the step of writing a public reply."""
    return (minutes, who, "reply", {"body": text})


def wait(minutes: int, who: str, reason: str, text: str = "") -> Step:
    """Return the step of putting on hold."""
    return (minutes, who, "hold", {"hold_reason": reason, "comment": text})


def solve(minutes: int, who: str, notes: str, code: str = "solution_provided") -> Step:
    """Return the step of resolving."""
    return (minutes, who, "resolve", {"resolution_code": code, "resolution_notes": notes})


STORIES: tuple[Story, ...] = (
    Story(
        192,
        "requester",
        "Finance VPN drops every few minutes since this morning",
        "Hello,\n\nIt reconnects but every session in the ledger is lost. Payroll closes at 17:00 so we are really "
        "stuck.\n\nI can send the client log if that helps.",
        "Remote access (VPN)",
        "Network / VPN",
        1,
        1,
        (
            (6, "agent", "start", {}),
            say(2, "agent", "Hi Marta, thank you for the clear description. I am looking at the gateway now."),
            note(
                70,
                "agent",
                "Session table on **vpn-gw-02** resets every 6–7 minutes since last night's change. Can somebody look "
                "at the idle timeout?",
            ),
            say(
                30,
                "agent",
                "Hi Marta, I can see your session being closed by our side, not by your laptop. As a stop-gap please "
                "pick **“Rotterdam backup”** in the client's gateway list: it is not affected.\n\n"
                "1. Disconnect, open the gateway list\n2. Choose `rtm-backup` and connect again\n\n"
                "I will write again with the fix.",
            ),
            say(11, "requester", "The backup gateway works, thank you. Please tell me when I can go back."),
        ),
    ),
    Story(
        270,
        "jonas",
        "Badge readers on floor 3 reject all cards",
        "Nobody gets in on floor 3. Reception lets people in one by one.",
        "Building access",
        "Hardware",
        1,
        1,
        ((3, "nils", "start", {}), note(20, "nils", "Controller 3B is offline. Facilities are on the way.")),
    ),
    Story(
        21,
        "aiko",
        "Outlook keeps asking for the password after the update",
        "Since the update of this morning it asks every five minutes.",
        "E-mail and calendar",
        "Software / Office",
        2,
        1,
    ),
    Story(
        55,
        "ingrid",
        "Expense app: “session expired” when adding a receipt",
        "I take a photo, then it says that the session expired and the receipt is gone.",
        "Expenses",
        "Software / Business application",
        2,
        2,
        ((12, "agent", "start", {}),),
    ),
    Story(
        140,
        "bram",
        "Warehouse scanners lose Wi-Fi in aisle 12",
        "All four scanners drop in the same corner. We walk back to sync.",
        "Wi-Fi and network",
        "Network / Wi-Fi",
        2,
        1,
        ((9, "nils", "start", {}), say(5, "nils", "Thanks Bram. I am checking the access point above aisle 12.")),
    ),
    Story(
        1500,
        "diego",
        "Restore a spreadsheet deleted last Thursday",
        "“Capacity 2026.xlsx” in the Engineering share. Somebody deleted it by mistake.",
        "File shares",
        "Software / Office",
        3,
        2,
        (
            (30, "agent", "start", {}),
            say(5, "agent", "I found Thursday's backup. Restoring to a new folder so that nothing is overwritten."),
        ),
    ),
    Story(
        90,
        "samuel",
        "New starter's laptop does not start",
        "It was fine when I unpacked it. Now the screen stays black. She starts on Monday.",
        "Laptops and phones",
        "Hardware / Laptop",
        3,
        2,
    ),
    Story(
        200,
        "chloe",
        "No access to the sales forecast workspace",
        "I was moved to the new region and lost access.",
        "File shares",
        "Access / Permission",
        3,
        2,
    ),
    Story(
        430,
        "hannah",
        "Printer on floor 2 prints everything twice",
        "Every job, from every laptop. We waste a lot of paper.",
        "Printing",
        "Hardware / Printer",
        3,
        3,
        ((25, "nils", "start", {}),),
    ),
    Story(
        1700,
        "rui",
        "Slow logins in the Lisbon office before 09:00",
        "Between 08:00 and 09:00 it takes up to five minutes. Later it is fine.",
        "Wi-Fi and network",
        "Network",
        2,
        3,
        (
            (40, "lead", "start", {}),
            note(60, "lead", "The profile server runs its backup until 09:00. Ask for an earlier slot."),
        ),
    ),
    Story(
        2900,
        "elena",
        "Shared drive “Contracts” shows as read-only",
        "We cannot save new versions. Old files open.",
        "File shares",
        "Access / Permission",
        2,
        2,
        (
            (15, "agent", "start", {}),
            wait(
                30,
                "agent",
                "awaiting_caller",
                "Hello Elena, which folder exactly, and what is the name of your laptop?",
            ),
        ),
    ),
    Story(
        3000,
        "hannah",
        "Phone bridge drops callers after ten minutes",
        "Customers are cut off in the middle of the call.",
        "Telephony",
        "Hardware / Phone",
        2,
        2,
        (
            (20, "nils", "start", {}),
            say(10, "nils", "I have opened a case with the provider and will tell you what they find."),
            wait(5, "nils", "awaiting_vendor"),
        ),
    ),
    Story(
        4400,
        "requester",
        "Second screen stays black after the move",
        "Desk 4.21. The first screen works.",
        "Laptops and phones",
        "Hardware",
        3,
        3,
        (
            (60, "nils", "start", {}),
            say(30, "nils", "I will come by at 14:00 with a new cable."),
            solve(200, "nils", "The cable to the dock was broken in the move. Replaced it; both screens work."),
        ),
    ),
    Story(
        9000,
        "aiko",
        "Meeting room Kyoto shows double bookings",
        "Two teams stood in front of the room today.",
        "E-mail and calendar",
        "Software / Office",
        3,
        2,
        (
            (90, "agent", "start", {}),
            solve(300, "agent", "The room accepted bookings from the old system too. That connection is off now."),
            (600, "aiko", "reopen", {"comment": "It happened again this morning, with a recurring meeting."}),
            say(
                30,
                "agent",
                "Thank you for telling me. Recurring bookings made before the switch were still in the room.",
            ),
            solve(240, "agent", "Removed the recurring bookings of the old system from all rooms."),
            (500, "aiko", "close", {}),
        ),
    ),
    Story(
        9300,
        "chloe",
        "Room Fado is booked twice on Mondays",
        "Every Monday at ten. The other team has a booking too.",
        "E-mail and calendar",
        "Software / Office",
        3,
        3,
        (
            (60, "agent", "start", {}),
            solve(1500, "agent", "The second booking came from the old system. It is removed."),
            (700, "chloe", "close", {}),
        ),
    ),
    Story(
        15000,
        "bram",
        "Forgot the password of the handheld scanner",
        "Nobody here knows the PIN.",
        "Laptops and phones",
        "Access / Password",
        3,
        1,
        (
            (12, "agent", "start", {}),
            solve(8, "agent", "Set a new PIN and put it into the team's password safe."),
            (60, "bram", "close", {}),
        ),
    ),
    Story(
        6200,
        "diego",
        "Licence warning when opening the drawing program",
        "It says 12 days left.",
        "Laptops and phones",
        "Software / Business application",
        3,
        3,
        ((300, "diego", "cancel", {"reason": "The warning went away after a restart."}),),
    ),
)

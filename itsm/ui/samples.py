"""Invented tickets, people and links for the style guide: the shapes that the components read, without a database."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

PEOPLE = {"me": "Priya Nair", "writer": "Tomás Rivera", "requester": "Marta Keller"}
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
# number, title, requester, priority, status, hold reason, assignee, unread, service level state, minutes left
_QUEUE = """
INC0010479|Badge readers on floor 3 reject all cards|Jonas Lindqvist|1|in_progress||Priya Nair|unread|breached|-34
INC0010491|Outlook keeps asking for the password after the update|Aiko Tanaka|2|new|||unread|at_risk|9
INC0010482|Finance VPN drops every few minutes today|Marta Keller|1|in_progress||Priya Nair|unread|at_risk|18
INC0010490|Expense app: 'session expired' when adding a receipt|Ingrid Solberg|3|new|||unread|on_track|26
INC0010466|Warehouse scanners lose Wi-Fi in aisle 12|Bram de Vries|2|in_progress||Noor Haddad||on_track|74
INC0010409|Restore a spreadsheet deleted last Thursday|Diego Fernández|3|in_progress||Priya Nair||on_track|98
INC0010471|Printer on floor 2 prints everything twice|Oluwaseun Adebayo|4|in_progress||Priya Nair||on_track|655
INC0010453|Slow logins in the Lisbon office before 09:00|Rui Almeida|4|in_progress||Tomás Rivera||on_track|1290
INC0010488|Shared drive 'Contracts' shows as read-only|Elena Petrova|2|on_hold|awaiting_caller|Priya Nair||paused|90
INC0010459|Phone bridge drops callers after ten minutes|Hannah Schmidt|2|on_hold|awaiting_vendor|Noor Haddad||paused|90
INC0010440|Projector in room 4.12 shows a green tint|Samuel Okafor|5|resolved||Noor Haddad||met|0
"""


class SampleMoveForm(forms.Form):
    """The fields that resolving asks for, as crispy shows them."""

    code = forms.ChoiceField(
        label=_("How was it solved?"),
        choices=[("", "–"), ("fix", _("Solution provided"))],
    )
    notes = forms.CharField(
        label=_("What was done"),
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("The requester reads this."),
    )
    tell = forms.BooleanField(label=_("Tell the requester by mail"), required=False)


def tickets(now: datetime) -> list[dict[str, Any]]:
    """The rows of the sample queue; times are relative to `now`."""
    rows = []
    for line in _QUEUE.strip().splitlines():
        number, title, requester, priority, status, reason, assignee, unread, state, minutes = line.split("|")
        level: dict[str, Any] = {"state": state, "seconds": 360}
        if state not in ("paused", "met"):
            level |= {
                "due_at": now + int(minutes) * MINUTE + timedelta(seconds=30),
                "target_s": 4500,
            }
        rows.append(
            {
                "id": number,
                "url": "ticket",
                "number": number,
                "title": title,
                "requester": requester,
                "priority": int(priority),
                "status": status,
                "reason": reason,
                "assignee": assignee,
                "unread": bool(unread),
                "sla": level,
            }
        )
    return rows


def timeline(now: datetime) -> list[dict[str, Any]]:
    """A conversation with every kind of entry."""
    mine = {"author": PEOPLE["me"], "at": now - HOUR}
    files = [
        {
            "name": "vpn-client.log",
            "size": 223_000,
            "url": "#f",
            "content_type": "text/plain",
        },
        {
            "name": "error-809.png",
            "size": 96_000,
            "url": "#f",
            "content_type": "image/png",
        },
    ]
    return [
        {
            "kind": "requester",
            "author": PEOPLE["requester"],
            "at": now - 3 * HOUR,
            "via": _("by e-mail"),
            "body": "Hello,\n\nIt reconnects but every session in the ledger is lost. Payroll closes at 17:00 so we "
            "are really stuck.\n\nI attached the client log and a picture of the message.",
            "attachments": files,
        },
        {
            "kind": "event",
            "text": "Routed to Network Operations by rule “Remote access (VPN)”",
            "icon": "route",
            "at": now - 3 * HOUR,
        },
        {"kind": "event", "text": "Priya Nair raised priority: High → Critical", "icon": "flag", "at": now - 2 * HOUR},
        {
            "kind": "note",
            **mine,
            "body": "Session table on vpn-gw-02 resets every 6–7 minutes since last night's change. Same "
            "signature as PRB0040311. @Tomás Rivera can you look at the idle timeout?",
        },
        {
            "kind": "agent",
            **mine,
            "via": _("e-mail to Marta"),
            "body": "Hi Marta, thanks for the log. I can see your "
            "session being closed by our side, not by your laptop. As a stop-gap please pick “Rotterdam backup” in the "
            "client's gateway list: it is not affected.\n\nI will write again before 15:30 with the fix.",
        },
    ]


def banners(now: datetime) -> list[dict[str, Any]]:
    """Status banners: in time, overdue, and one of which nothing was said yet."""
    first = {
        "headline": _("Remote access (VPN) drops for everybody in Kiruna"),
        "text": _("The web mail works. We change the gateway now and write again before 15:30."),
        "services": ["Remote access (VPN)", "Mail"],
        "since": now - 3 * HOUR,
        "said_at": now - 20 * MINUTE,
        "next_at": now + 40 * MINUTE,
        "joined": 12,
    }
    late = first | {"next_at": now - 9 * MINUTE, "is_overdue": True, "text": "", "joined": 0}
    silent = {"headline": _("Badge readers reject all cards"), "services": [], "since": now - 5 * MINUTE}
    return [first, late, silent]


def desk_nav(current: str = "Network Operations") -> list[dict[str, Any]]:
    """The rail's links in the shape that `request.desk_nav` has."""
    views = [
        ("user-check", _("Assigned to me"), 8),
        ("user-question", _("Unassigned"), 3),
        ("clock-exclamation", _("Breaching within 1 h"), 5),
        ("users", "Network Operations", 14),
    ]
    return [
        {"key": "home", "label": _("Home"), "url": "#home", "icon": "home", "hotkey": "G H"},
        {
            "key": "queue",
            "label": _("Queue"),
            "url": "queue",
            "icon": "inbox",
            "count": 6,
            "alert": True,
            "hotkey": "G Q",
        },
        *(
            {
                "section": "views",
                "label": label,
                "url": "queue",
                "icon": icon,
                "count": count,
                "current": label == current,
            }
            for icon, label, count in views
        ),
        {"section": "practices", "label": _("Incidents"), "url": "#incidents", "icon": "flame", "count": 24},
        {"section": "bottom", "label": _("Outbox"), "url": "#outbox", "icon": "mail"},
        {"key": "search", "label": _("Search"), "url": "#search", "icon": "search"},
        {"key": "new", "label": _("New"), "url": "#new", "icon": "plus"},
    ]


def requests(now: datetime) -> list[dict[str, Any]]:
    """A requester's own requests, with the sentence that says what happens next."""
    return [
        {
            "url": "portal-request",
            "number": "INC0010488",
            "title": "Shared drive 'Contracts' shows as read-only",
            "status": "on_hold",
            "reason": "awaiting_caller",
            "status_label": _("We need your answer"),
            "needs_you": True,
            "sentence": _("Priya Nair asked you a question. The clock stands still until you reply."),
            "changed_at": now - HOUR,
        },
        {
            "url": "portal-request",
            "number": "INC0010482",
            "title": "Finance VPN drops every few minutes since this morning",
            "status": "in_progress",
            "sentence": _("Priya Nair is working on it. We expect it to be solved today by 16:20."),
            "changed_at": now - 8 * MINUTE,
        },
        {
            "url": "portal-request",
            "number": "INC0010490",
            "title": "Expense app: session expired",
            "status": "new",
            "sentence": _("We have it. Somebody will look at it within 30 minutes."),
            "changed_at": now - 4 * MINUTE,
        },
    ]


def context(now: datetime) -> dict[str, Any]:
    """Everything that the style guide and the sample pages read."""
    rows = tickets(now)
    ticket = rows[2] | {
        "team": "Network Operations",
        "service": "Remote access (VPN)",
        "opened_at": now - 3 * HOUR,
    }
    teams = [("net", "Network Operations"), ("work", "Workplace")]
    properties = [
        {
            "label": _("Priority"),
            "name": "priority",
            "options": [(1, _("Critical")), (2, _("High"))],
            "value": 1,
            "hotkey": "Y",
        },
        {
            "label": _("Assignee"),
            "name": "assignee",
            "options": [("", "–"), (1, PEOPLE["me"])],
            "value": 1,
            "hotkey": "O",
        },
        {"label": _("Team"), "name": "team", "options": teams, "value": "net", "hotkey": "T"},
        {"label": _("Service"), "name": "service", "options": [("vpn", ticket["service"])], "value": "vpn"},
    ]
    entries = timeline(now)
    return {
        "banners": banners(now),
        "user": {"display_name": PEOPLE["me"], "is_authenticated": True},
        "view_name": "Network Operations",
        "total": len(rows),
        "tickets": rows,
        "ticket": ticket,
        "timeline": entries,
        "public_timeline": [e for e in entries if e["kind"] in ("requester", "agent")],
        "writer": PEOPLE["writer"],
        "properties": properties,
        "resolve_form": SampleMoveForm(auto_id="resolve_%s"),
        "refused_form": SampleMoveForm({}, auto_id="refused_%s"),
        "requests": requests(now),
        "now": now,
        "send_ways": [("hold", _("Send and wait for user")), ("resolve", _("Send and resolve"))],
        "service_levels": [
            {"name": _("First response"), "state": "met", "seconds": 360, "fraction": 0.2},
            {"name": _("Resolution"), "fraction": 0.92, **ticket["sla"]},
        ],
        "situations": [
            {"icon": "key", "title": _("I cannot sign in"), "text": _("Password, locked account, code by phone")},
            {"icon": "wifi", "title": _("No network or VPN"), "text": _("Wi-Fi, cable, working from home")},
            {"icon": "device-laptop", "title": _("My device is broken"), "text": _("Laptop, screen, phone, printer")},
            {"icon": "tool", "title": _("A program does not work"), "text": _("Errors, slow, missing rights")},
        ],
        "steps": [
            (_("Received"), "done"),
            (_("With a person"), "done"),
            (_("Being solved"), "current"),
            (_("Solved"), "next"),
        ],
        "crumbs": [(_("My requests"), "portal-requests"), (ticket["number"], "")],
        "ages": [now, now - 5 * MINUTE, now - 3 * HOUR, now - timedelta(days=4), now + HOUR],
        "statuses": ["new", "in_progress", "on_hold", "resolved", "closed", "cancelled"],
        "sla_states": [
            {"state": "on_track", "due_at": now + 5 * HOUR, "target_s": 28800},
            {"state": "at_risk", "due_at": now + 9 * MINUTE, "target_s": 3600},
            {"state": "breached", "due_at": now - 34 * MINUTE, "target_s": 3600},
            {"state": "paused", "seconds": 900},
            {"state": "met", "seconds": 360},
        ],
        "people": [
            "Marta Keller",
            "Priya Nair",
            "Tomás Rivera",
            "Noor Haddad",
            "Aiko Tanaka",
            "Bram de Vries",
            "Ingrid Solberg",
            "Rui Almeida",
            "李雷",
        ],
    }

"""The queues that everybody has, and the orders of a queue: fixed tables, of which a request only names a row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from itsm.accounts.models import Team
from itsm.conditions import EVERYTHING, AllOf, Condition, Leaf
from itsm.tickets.kinds import Kind, all_kinds
from itsm.tickets.models.ticket import QUEUE_ORDER

OPEN = Leaf("is", "eq", "open")
SOON = "1h"
TEAM, KIND = "team-", "kind-"


@dataclass(frozen=True)
class Queue:
    """One queue: its name in addresses, its words, its icon, and the condition that its tickets meet."""

    key: str
    label: str | Promise
    icon: str
    condition: Condition
    hotkey: str = ""
    is_counted: bool = True
    empty_text: str | Promise = ""
    kind: str = ""


FIXED: tuple[Queue, ...] = (
    Queue("open", pgettext_lazy("queue", "All open"), "inbox", OPEN, "G Q", empty_text=_("Nobody waits for anything.")),
    Queue(
        "mine",
        pgettext_lazy("queue", "Assigned to me"),
        "user-check",
        AllOf((OPEN, Leaf("assignee", "eq", "me"))),
        "G M",
        empty_text=_("Take the next ticket from Home, or pick one that has no owner."),
    ),
    Queue(
        "unassigned",
        pgettext_lazy("queue", "Unassigned"),
        "user-question",
        AllOf((OPEN, Leaf("assignee", "is_empty"))),
        "G U",
        empty_text=_("Every open ticket has an owner."),
    ),
    Queue(
        "breaching",
        pgettext_lazy("queue", "Breaching within 1 h"),
        "clock-exclamation",
        AllOf((OPEN, Leaf("due", "lt", SOON))),
        "G B",
        empty_text=_("Nothing is late, and nothing falls due within an hour."),
    ),
    Queue(
        "waiting",
        pgettext_lazy("queue", "Waiting on user"),
        "message-question",
        # What is on hold is open; said twice, the database would think such tickets far rarer than they are.
        Leaf("is", "eq", "waiting"),
        "G W",
        empty_text=_("No ticket waits for an answer from its requester."),
    ),
)
ENDED: tuple[Queue, ...] = (
    Queue(
        "resolved",
        pgettext_lazy("queue", "Resolved"),
        "circle-check",
        # Said by the two instants rather than by the status: those have an index of their own.
        AllOf((Leaf("resolved", "is_not_empty"), Leaf("closed", "is_empty"))),
        is_counted=False,
        empty_text=_("No ticket is resolved and not yet closed."),
    ),
    Queue(
        "all",
        pgettext_lazy("queue", "All tickets"),
        "stack-2",
        EVERYTHING,
        is_counted=False,
        empty_text=_("There is no ticket yet. Open the first one."),
    ),
)
_BY_KEY = {queue.key: queue for queue in (*FIXED, *ENDED)}


def team_queue(team: Team) -> Queue:
    """Return the queue of one team's open work."""
    return Queue(
        TEAM + team.key,
        team.name,
        "users",
        AllOf((OPEN, Leaf("team", "eq", team.pk))),
        empty_text=_("This team has no open work."),
    )


def kind_queue(kind: Kind, hotkey: str = "") -> Queue:
    """Return the queue of the open tickets of one kind."""
    return Queue(
        KIND + kind.code,
        kind.plural or kind.label,
        kind.icon,
        AllOf((OPEN, Leaf("kind", "eq", kind.code))),
        hotkey,
        empty_text=_("Nothing of this kind is open."),
        kind=kind.code,
    )


def queue_named(key: str, mine: Sequence[Team]) -> Queue | None:
    """Return the queue with this key, a kind's or a team's included (a team is asked of the database unless it is one
    of `mine`), or None."""
    if key in _BY_KEY:
        return _BY_KEY[key]
    for kind in all_kinds():
        if key == KIND + kind.code:
            return kind_queue(kind)
    if not key.startswith(TEAM) or "\x00" in key:
        return None
    wanted = key.removeprefix(TEAM)
    team = next((one for one in mine if one.key == wanted), None) or Team.objects.filter(key=wanted[:60]).first()
    return team_queue(team) if team else None


@dataclass(frozen=True)
class Order:
    """One order of a queue: its words and its columns, none of which may be NULL and the last of which is unique."""

    label: str | Promise
    fields: tuple[str, ...]


ORDERS: dict[str, Order] = {
    "due": Order(_("Next service level"), QUEUE_ORDER),
    "priority": Order(_("Priority"), ("priority", "opened_at", "id")),
    "opened": Order(_("Newest"), ("-opened_at", "-id")),
    "oldest": Order(_("Oldest"), ("opened_at", "id")),
    "updated": Order(_("Last changed"), ("-updated_at", "-id")),
    "number": Order(_("Number"), ("number", "id")),
}

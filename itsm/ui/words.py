"""Words and shapes of statuses, priorities and lengths of time: one place, so that a thing looks alike everywhere."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


@dataclass(frozen=True, slots=True)
class Look:
    """How one value is shown: its word, its icon, and the CSS class that colours it."""

    word: str | Promise
    icon: str
    css: str


STATUSES = {
    "new": Look(pgettext_lazy("status", "New"), "circle-dashed", "st-new"),
    "in_progress": Look(pgettext_lazy("status", "In progress"), "contrast", "st-progress"),
    "on_hold": Look(pgettext_lazy("status", "On hold"), "circle-minus", "st-hold"),
    "resolved": Look(pgettext_lazy("status", "Resolved"), "circle-check", "st-resolved"),
    "closed": Look(pgettext_lazy("status", "Closed"), "lock", "st-closed"),
    "cancelled": Look(pgettext_lazy("status", "Cancelled"), "circle-x", "st-closed"),
    "assess": Look(pgettext_lazy("status", "Assess"), "eye", "st-progress"),
    "authorise": Look(pgettext_lazy("status", "Authorise"), "gavel", "st-progress"),
    "scheduled": Look(pgettext_lazy("status", "Scheduled"), "calendar", "st-new"),
    "implement": Look(pgettext_lazy("status", "Implement"), "player-play", "st-progress"),
    "review": Look(pgettext_lazy("status", "Review"), "clipboard-check", "st-resolved"),
}
# Reasons of a hold that mean "the ball is in the user's court"; they are amber because a reminder may be due.
WAITING_ON_USER = frozenset(
    {
        "waiting_on_user",
        "awaiting_user",
        "awaiting_caller",
        "waiting_user",
        "user",
        "requester",
    }
)
HOLD_ON_USER = Look(pgettext_lazy("status", "Waiting on user"), "circle-minus", "st-hold-user")

PRIORITIES = {
    1: pgettext_lazy("priority", "Critical"),
    2: pgettext_lazy("priority", "High"),
    3: pgettext_lazy("priority", "Moderate"),
    4: pgettext_lazy("priority", "Low"),
    5: pgettext_lazy("priority", "Planning"),
}

SLA = {
    "on_track": Look(pgettext_lazy("service level", "On track"), "clock", "sla-ok"),
    "at_risk": Look(pgettext_lazy("service level", "At risk"), "clock", "sla-risk"),
    "breached": Look(pgettext_lazy("service level", "Breached"), "alert-triangle", "sla-late"),
    "paused": Look(pgettext_lazy("service level", "Paused"), "player-pause", "sla-paused"),
    "met": Look(pgettext_lazy("service level", "Met"), "check", "sla-met"),
    "missed": Look(pgettext_lazy("service level", "Missed"), "alert-triangle", "sla-late"),
}

EVENT_ICON = "point"
MESSAGE_ICONS = {
    "success": "circle-check",
    "info": "info-circle",
    "warning": "alert-triangle",
    "error": "alert-circle",
}
FILE_ICONS = {
    "image": "photo",
    "text": "file-text",
    "audio": "volume",
    "video": "movie",
    "application": "file",
}

ICONS_IN_CODE = sorted(
    {look.icon for table in (STATUSES, SLA) for look in table.values()}
    | set(MESSAGE_ICONS.values())
    | set(FILE_ICONS.values())
    | {
        HOLD_ON_USER.icon,
        EVENT_ICON,
        "user-plus",
        "tool",
        "key",
        "wifi",
        "device-laptop",
        "mail",
        "help-circle",
    }
)


def register_statuses(looks: Mapping[str, Look]) -> None:
    """Give statuses that a room adds their looks, by code. Its icons must exist; a code has one look everywhere.

    Raises:
        ValueError: the code has another look already.
    """
    for code, look in looks.items():
        if STATUSES.get(code, look) != look:
            raise ValueError(f"The status {code} has a look already.")
        STATUSES[code] = look


def has_look(code: str) -> bool:
    """Whether the status is known here, with a word, an icon and a colour."""
    return code in STATUSES


def status_look(code: str, reason: str = "") -> Look:
    """The look of a status; an unknown code is shown as written, grey, rather than failing the whole page."""
    if code == "on_hold" and reason in WAITING_ON_USER:
        return HOLD_ON_USER
    return STATUSES.get(code) or Look(code.replace("_", " ").capitalize(), "circle", "st-closed")


def short_duration(seconds: float) -> str:
    """A length of time in at most two units: 34m, 1h 14m, 2d 3h. Rounds down to the minute; the sign is dropped."""
    minutes = int(abs(seconds)) // 60
    days, rest = divmod(minutes, 24 * 60)
    hours, minutes = divmod(rest, 60)
    if days:
        return f"{days}d {hours}h" if hours and days < 10 else f"{days}d"
    if hours:
        return f"{hours}h {minutes}m" if minutes and hours < 20 else f"{hours}h"
    return f"{minutes}m"


def at_risk_below(target_s: float | None) -> float:
    """Seconds left at which a running target counts as at risk: the larger of 20 % of the target and 15 minutes."""
    return max(0.2 * target_s, 900.0) if target_s else 900.0


def ago(then: datetime, now: datetime) -> str | Promise:
    """How long ago, in one short word as lists show it; an instant less than a minute ahead counts as now."""
    past = now - then
    if past < -timedelta(minutes=1):
        return _("in %(time)s") % {"time": short_duration(past.total_seconds())}
    if past < timedelta(minutes=1):
        return _("just now")
    if past < timedelta(hours=1):
        length = f"{past.seconds // 60}m"
    elif past < timedelta(days=1):
        length = f"{past.seconds // 3600}h"
    else:
        length = f"{past.days}d"
    return _("%(time)s ago") % {"time": length}

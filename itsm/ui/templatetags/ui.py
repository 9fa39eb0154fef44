"""`{% load ui %}`: the small parts that every page repeats. Parameters and looks: docs/design.md and /styleguide/."""

import zlib
from datetime import datetime
from functools import lru_cache
from typing import Any

from django import template
from django.conf import settings
from django.template.context import Context
from django.template.defaultfilters import date as format_date
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _

from itsm.ui.icons import icon_svg
from itsm.ui.words import (
    FILE_ICONS,
    MESSAGE_ICONS,
    PRIORITIES,
    SLA,
    Look,
    ago,
    at_risk_below,
    short_duration,
    status_look,
)

register = template.Library()
AVATAR_COLOURS = 8
THEMES = ("light", "dark", "auto")


@register.simple_tag
def icon(name: str, css_class: str = "", label: str = "") -> SafeString:
    """An inline icon. Give `label` only when no word stands beside it. Raises UnknownIcon for an unknown name."""
    if not label:
        return icon_svg(name, css_class)
    return format_html('{}<span class="visually-hidden">{}</span>', icon_svg(name, css_class), label)


def person_name(person: Any) -> str:
    """The name to show for a user, a dict with `name`, or a plain string; never empty."""
    if isinstance(person, dict):
        name = person.get("display_name") or person.get("name") or person.get("email")
    else:
        name = getattr(person, "display_name", "") or str(person)
    return str(name or "").strip() or "?"


def initials(name: str) -> str:
    """One or two letters: the first of the first and of the last word that starts with a letter or digit."""
    words = [word for word in name.split() if word[0].isalnum()]
    if not words:
        return "?"
    return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper()


@register.simple_tag
def avatar(person: Any = None, size: str = "md", named: bool = False) -> SafeString:
    """A round mark with initials; `person=None` is the dashed mark of nobody. `named=True` says the name aloud."""
    return _avatar_html(person_name(person) if person else "", size, bool(named), get_language())


@lru_cache(maxsize=2048)
def _avatar_html(name: str, size: str, named: bool, language: str | None) -> SafeString:
    if not name:
        return format_html(
            '<span class="av av-{} av-none" title="{}">{}<span class="visually-hidden">{}</span></span>',
            size, _("Unassigned"), icon_svg("user-plus"), _("Unassigned"),
        )  # fmt: skip
    colour = zlib.crc32(name.encode()) % AVATAR_COLOURS
    spoken = format_html('<span class="visually-hidden">{}</span>', name) if named else ""
    return format_html(
        '<span class="av av-{} av-{}" title="{}"><span aria-hidden="true">{}</span>{}</span>',
        size, colour, name, initials(name), spoken,
    )  # fmt: skip


@register.simple_tag
def status_badge(code: str, reason: str = "", label: str = "", pill: bool = False) -> SafeString:
    """A status as shape, word and colour. `reason` is the hold reason's code; `label` replaces the word."""
    return _status_html(str(code), str(reason or ""), str(label or ""), bool(pill), get_language())


# The same few badges stand in every row of every list: each is built once per language.
@lru_cache(maxsize=512)
def _status_html(code: str, reason: str, label: str, pill: bool, language: str | None) -> SafeString:
    look = status_look(code, reason)
    return format_html(
        '<span class="st {}{}">{}<span>{}</span></span>',
        look.css, " st-pill" if pill else "", icon_svg(look.icon), label or look.word,
    )  # fmt: skip


def _priority_mark(level: int) -> SafeString:
    if level == 1:
        return format_html(
            '<rect class="{}" width="14" height="14" rx="3"/><path class="pr-bang" d="M7 3.2v4.6M7 10.6v.2"/>',
            "pr-fill",
        )
    if level == 5:
        return format_html(
            '<rect class="{}" x="2.5" y="2.5" width="9" height="9" rx="2"/>',
            "pr-hollow",
        )
    lit = {2: 3, 3: 2}.get(level, 1)
    on, off = "pr-fill", "pr-off"
    return format_html(
        '<rect class="{}" x="0" y="9" width="3.4" height="5" rx="1"/><rect class="{}" x="5.2" y="5" width="3.4" '
        'height="9" rx="1"/><rect class="{}" x="10.4" y="1" width="3.4" height="13" rx="1"/>',
        on, on if lit > 1 else off, on if lit > 2 else off,
    )  # fmt: skip


_PRIORITY_MARKS = {level: _priority_mark(level) for level in PRIORITIES}


@register.simple_tag
def priority_badge(level: int, words: bool = True, label: str = "") -> SafeString:
    """Priority 1 Critical … 5 Planning as a mark with its word; `words=False` keeps the word for screen readers."""
    level = int(level) if str(level).isdigit() else 5
    return _priority_html(level if level in PRIORITIES else 5, bool(words), str(label or ""), get_language())


@lru_cache(maxsize=128)
def _priority_html(level: int, words: bool, label: str, language: str | None) -> SafeString:
    word = label or PRIORITIES[level]
    return format_html(
        '<span class="pr pr-{}"{}><svg class="pr-mark" viewBox="0 0 14 14" aria-hidden="true">{}</svg>'
        '<span class="{}">{}</span></span>',
        level, "" if words else format_html(' title="{}"', word), _PRIORITY_MARKS[level],
        "pr-word" if words else "visually-hidden", word,
    )  # fmt: skip


def _iso(moment: datetime) -> str:
    return moment.astimezone(timezone.get_default_timezone()).isoformat(timespec="seconds")


@register.simple_tag
def sla_badge(
    state: str,
    due_at: datetime | None = None,
    target_s: float | None = None,
    seconds: float | None = None,
    name: str = "",
    now: datetime | None = None,
) -> SafeString:
    """A service level's state and time left; right without JavaScript, counted down by sla.js where it runs.

    `state`: on_track, at_risk, breached, paused, met or missed (empty: no badge). `due_at`: when the target ends.
    `target_s`: the whole target in seconds. `seconds`: what a met target took, or what a paused one has left.
    `name` is said before the time ("Resolution"). An `on_track` state is shown as at risk when little time is left.
    """
    if not state:
        return SafeString("")
    left = (due_at - (now or timezone.now())).total_seconds() if due_at else None
    if state == "on_track" and left is not None and left <= at_risk_below(target_s):
        state = "at_risk"
    look: Look = SLA.get(state, SLA["on_track"])
    if state == "met":
        text = _("Met in %(time)s") % {"time": short_duration(seconds)} if seconds is not None else str(look.word)
    elif state in ("paused", "missed"):
        text = str(look.word)
    elif left is None:
        text = short_duration(seconds) if seconds is not None else str(look.word)
    else:
        text = ("\u2212" if state == "breached" else "") + short_duration(left if state == "breached" else max(left, 0))
    spoken = " ".join(filter(None, [str(name), str(look.word)]))
    hidden = format_html('<span class="visually-hidden" data-sla-word>{}: </span>', spoken)
    if due_at is None or state not in ("on_track", "at_risk", "breached"):
        return format_html(
            '<span class="sla {}">{}{}<span>{}</span></span>',
            look.css,
            icon_svg(look.icon),
            hidden,
            text,
        )
    return format_html(
        '<span class="sla {}" data-sla="{}" data-due-at="{}" data-target-s="{}">{}{}'
        '<time datetime="{}" title="{}" data-sla-time>{}</time></span>',
        look.css, state, _iso(due_at), int(target_s or 0), icon_svg(look.icon), hidden,
        _iso(due_at), _("Due %(when)s") % {"when": _moment(due_at)}, text,
    )  # fmt: skip


def timer_state(timer: Any) -> str:
    """The badge's state of a service-level timer: a running timer that has breached is breached, not running."""
    state = str(timer.state)
    if state == "running":
        return "breached" if timer.breached_at else "on_track"
    return "" if state == "cancelled" else state


@register.simple_tag
def timer_badge(timer: Any = None, name: str = "") -> SafeString:
    """A timer as it stands: reads state, due_at, target_s, breached_at, elapsed_closed_us. None: nothing."""
    if timer is None:
        return SafeString("")
    used = timer.elapsed_closed_us / 1_000_000
    return sla_badge(timer_state(timer), timer.due_at, timer.target_s, used, name)


@register.simple_tag
def sla_bar(fraction: float, state: str = "on_track", label: str = "") -> SafeString:
    """A thin bar filled to `fraction` (0 to 1, cut to that range) of the target used up."""
    share = round(min(max(float(fraction or 0), 0.0), 1.0) * 100, 1)
    return format_html(
        '<svg class="bar {}" role="img" aria-label="{}" preserveAspectRatio="none">'
        '<rect class="bar-ground" width="100%" height="100%" rx="2"/>'
        '<rect class="bar-fill" width="{}%" height="100%" rx="2"/></svg>',
        SLA.get(state, SLA["on_track"]).css,
        label or _("%(share)s %% of the target used") % {"share": f"{share:g}"},
        f"{share:g}",
    )


def _moment(moment: datetime) -> str:
    return format_date(timezone.localtime(moment), "DATETIME_FORMAT")


@register.simple_tag
def timeago(moment: datetime | None, now: datetime | None = None) -> SafeString:
    """`<time>` with "3h ago" and, on hover, the moment in the viewer's zone and as ISO 8601. Nothing for None."""
    if moment is None:
        return SafeString("")
    return format_html(
        '<time class="ago" datetime="{}" title="{} · {}" data-ago>{}</time>',
        _iso(moment), _moment(moment), timezone.localtime(moment).isoformat(timespec="minutes"),
        ago(moment, now or timezone.now()),
    )  # fmt: skip


@register.simple_tag
def moment(value: datetime | None) -> SafeString:
    """`<time>` with date and time in the viewer's zone and ISO 8601 on hover. A dash for None."""
    if value is None:
        return SafeString("–")
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        _iso(value),
        _iso(value),
        _moment(value),
    )


@register.simple_tag
def file_chip(name: str, size: int, url: str, content_type: str = "", deleted: bool = False) -> SafeString:
    """An attachment as a link with icon, name and size in bytes; a deleted one is plain text that says so."""
    icon_name = FILE_ICONS.get(content_type.partition("/")[0], "file")
    if deleted:
        return format_html(
            '<span class="file-chip is-gone">{}<span>{}</span> <span class="file-size">{}</span></span>',
            icon_svg(icon_name), name, _("removed"),
        )  # fmt: skip
    return format_html(
        '<a class="file-chip" href="{}">{}<span class="file-name">{}</span> <span class="file-size">{}</span></a>',
        url, icon_svg(icon_name), name, filesizeformat(size),
    )  # fmt: skip


@register.filter
def message_icon(level_tag: str) -> SafeString:
    """The icon of a Django message by its level tag."""
    return icon_svg(MESSAGE_ICONS.get(level_tag, "info-circle"))


@register.filter
def words(text: str) -> list[str]:
    """The words of a text: `{% for level in "info error"|words %}`."""
    return text.split()


@register.simple_tag
def brand() -> str:
    """The name of the service desk as the rail and the titles show it."""
    return getattr(settings, "ITSM_BRAND", "") or _("Service desk")


@register.simple_tag(takes_context=True)
def theme(context: Context) -> str:
    """light, dark or auto: this browser's choice (cookie `theme`), else the person's, else auto."""
    request = context.get("request")
    if request is None:
        return "auto"
    chosen = request.COOKIES.get("theme", "")
    if chosen not in THEMES:
        chosen = getattr(getattr(request, "user", None), "theme", "")
    return chosen if chosen in THEMES else "auto"


@register.simple_tag
def server_time() -> str:
    """This moment in ISO 8601, so that the browser's countdowns follow the server's clock."""
    return timezone.now().isoformat(timespec="milliseconds")


@register.inclusion_tag("components/rail_nav.html", takes_context=True)
def desk_rail(context: Context) -> dict[str, Any]:
    """The rail's links from `request.desk_nav`: a list of dicts, or nothing when the request has none.

    Each dict: label, url, icon (Tabler name); optional count, current (bool), hotkey, section
    (top, views, practices, bottom; default top), alert (count in a filled badge), key (queue, search, new, home:
    what the phone's bar and the rail's own buttons pick out; `search` and `new` are not listed as links).
    """
    items = desk_items(context)
    sections = [
        {"code": code, "title": _section_title(code), "links": found}
        for code in ("top", "views", "practices", "bottom")
        if (found := [item for item in items if item.get("section", "top") == code])
    ]
    return {"sections": sections}


def _section_title(code: str) -> str:
    return {
        "views": pgettext("rail", "Queues"),
        "practices": pgettext("rail", "Practices"),
    }.get(code, "")


def desk_items(context: Context) -> list[dict[str, Any]]:
    """The links that are listed: everything but the entries the shell draws as buttons."""
    entries = getattr(context.get("request"), "desk_nav", None) or []
    return [item for item in entries if item.get("key") not in ("search", "new")]


@register.simple_tag(takes_context=True)
def desk_link(context: Context, key: str) -> dict[str, Any] | None:
    """The entry of `request.desk_nav` with that key, or None."""
    entries = getattr(context.get("request"), "desk_nav", None) or []
    return next((item for item in entries if item.get("key") == key), None)

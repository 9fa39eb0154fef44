"""`{% load desk %}`: addresses and statuses of tickets of any kind, and the panels of the ticket page."""

from __future__ import annotations

from typing import Any

from django import template
from django.template.context import Context
from django.utils import timezone
from django.utils.safestring import SafeString

from itsm.desk import links, undoing
from itsm.desk.models import StoredDraft
from itsm.desk.panels import ShownPanel
from itsm.tickets.kinds import kind_of
from itsm.ui.templatetags.ui import status_badge
from itsm.ui.words import has_look

register = template.Library()


@register.simple_tag
def ticket_url(ticket: Any, page: str = "detail", *args: Any) -> str:
    """The address of a page of the ticket, whatever its kind: `{% ticket_url ticket "move" "resolve" %}`."""
    return links.ticket_url(ticket, page, *args)


@register.simple_tag
def kind_url(kind: str, page: str, *args: Any) -> str:
    """The address of a page of the kind that names no ticket: `{% kind_url ticket.kind "choices" "person" %}`."""
    return links.kind_url(kind, page, *args)


@register.simple_tag
def take_back_url(held: StoredDraft, ticket: Any) -> str:
    """The address that makes a held reply a draft again."""
    return undoing.take_back_url(held, ticket)


@register.simple_tag
def held_for(held: StoredDraft) -> int:
    """In how many milliseconds a held reply goes out."""
    left = (held.sends_at - timezone.now()).total_seconds() if held.sends_at else 0
    return max(int(left * 1000), 0)


@register.simple_tag
def ticket_status(ticket: Any, pill: bool = False) -> SafeString:
    """The ticket's status as a badge; a status that has no look of its own is named by its kind."""
    label = "" if has_look(ticket.status) else ticket.status_label
    return status_badge(ticket.status, getattr(ticket, "hold_reason", ""), label, pill)


@register.simple_tag
def kind_status(kind: str, status: str, reason: str = "") -> SafeString:
    """The same from a kind's code and a status, where there is no ticket at hand."""
    return status_badge(status, reason, "" if has_look(status) else kind_of(kind).status_label(status))


@register.filter
def kind_icon(kind: str) -> str:
    """The icon of the kind with this code: `{% icon ticket.kind|kind_icon %}`."""
    return kind_of(kind).icon


@register.filter
def kind_label(kind: str) -> str:
    """The kind with this code in words."""
    return str(kind_of(kind).label)


@register.simple_tag(takes_context=True)
def draw_panel(context: Context, panel: ShownPanel) -> SafeString:
    """The inside of a panel, drawn with what its own function gave beside what the page knows."""
    with context.push(panel=panel, **(panel.values or {})):
        found = context.template.engine.get_template(panel.template) if context.template else None
        return found.render(context) if found else SafeString("")

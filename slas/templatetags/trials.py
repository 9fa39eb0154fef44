"""`{% load trials %}`: shares, verdicts and months of trials."""

from __future__ import annotations

from datetime import date

from django import template
from django.utils.formats import date_format, number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from slas.rehearsal.results import verdict_words

register = template.Library()
TONES = {"met": "tag-green", "missed": "tag-red", "breached": "tag-red"}


@register.simple_tag
def share_words(share: float | str | None) -> str:
    """A share as “93.4 %”, cut and not rounded, so that 100 % means all; a dash for none."""
    if share is None or isinstance(share, str):  # a template gives "" for what is not there
        return "–"
    return _("%(share)s %%") % {"share": number_format(int(share * 1000) / 10, 1)}


@register.simple_tag
def verdict_tag(verdict: str) -> SafeString:
    """A verdict as a tag in words."""
    return format_html('<span class="tag {}">{}</span>', TONES.get(verdict, ""), verdict_words(verdict))


@register.filter
def month_words(iso: str) -> str:
    """A month from the ISO date of its first day."""
    return str(date_format(date.fromisoformat(iso), "F Y"))


@register.filter
def percent_width(share: float) -> str:
    """A share from 0 to 1 as the width of a bar."""
    return f"{min(max(share, 0.0), 1.0):.1%}"


@register.filter
def signed(count: int, sign: str) -> str:
    """A count with its sign; nothing has none."""
    return f"{sign}{count}" if count else "0"

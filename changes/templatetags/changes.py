"""Template tags of changes: state, risk, and the address of a change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from changes.risk import risk_schema
from changes.statuses import Risk, type_words
from cmdb.models import Criticality
from itsm.ui.templatetags.ui import status_badge
from itsm.ui.words import STATUSES

register = template.Library()

TONES = {Risk.VERY_HIGH: "tag-red", Risk.HIGH: "tag-amber", Risk.MODERATE: "tag-accent", Risk.LOW: "tag-green"}


@register.simple_tag
def change_url(change: Any) -> str:
    """Return the address of the change's page; empty for none."""
    return reverse("changes:detail", args=[change.number]) if change else ""


@register.simple_tag
def change_status(change: Any) -> SafeString:
    """Return the change's state as shape, word and colour; on hold shows before it."""
    if change.is_on_hold:
        return status_badge("on_hold", "", f"{STATUSES['on_hold'].word} · {change.status_label}")
    return status_badge(change.status, "", change.status_label)


@register.simple_tag
def risk_tag(risk: int | None) -> SafeString:
    """Return the level of risk as a coloured word; a dash where it is not known yet."""
    if risk is None:
        return format_html('<span class="muted">{}</span>', "–")
    return format_html('<span class="tag {}">{}</span>', TONES[Risk(risk)], Risk(risk).label)


@register.simple_tag
def inputs_of(factor: Mapping[str, Any]) -> str:
    """Return what a rule looked at, in words: “number of affected services: 3”."""
    labels = {field.name: str(field.label) for field in risk_schema().fields}
    said = factor.get("inputs", {})
    return ", ".join(f"{labels.get(name, name)}: {_input(name, value)}" for name, value in said.items())


def _input(name: str, value: Any) -> str:
    if value is None:
        return gettext("unknown")
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if name == "type":
        return type_words(value)
    if name == "criticality":
        return str(Criticality(value).label)
    return str(value)


@register.filter
def local_moment(instant: Any) -> str:
    """Return an instant as a datetime-local field holds it, in the viewer's zone; empty for none."""
    return timezone.localtime(instant).strftime("%Y-%m-%dT%H:%M") if instant else ""


@register.filter
def of_key(values: Any, key: str) -> Any:
    """Return the value under the key; None where there is none."""
    return values.get(key) if isinstance(values, Mapping) else None

"""`{% load tickets %}`: what the pages of every kind of ticket share."""

from django import template
from django.utils.safestring import SafeString

from itsm.tickets.markdown import render_markdown

register = template.Library()


@register.filter
def markdown(text: object) -> SafeString:
    """Return what somebody wrote as clean HTML: `{{ comment.body|markdown }}`."""
    return render_markdown(str(text or ""))

"""Whom the events of an incident's family tell, and in which words."""

from django.utils.translation import gettext_lazy as _

from itsm.notifications import audience
from itsm.notifications.registry import Wording, register_rule, register_wording


def register() -> None:
    """Register the words and the rules."""
    register_wording(
        Wording(
            "merged",
            _("Goes on in %(continued)s: %(title)s"),
            _("%(number)s is about the same as %(continued)s, so it goes on there."),
            closing=_(
                "You need not do anything. You can read %(continued)s and reply there; a reply to this goes there too."
            ),
            icon="git-merge",
        )
    )
    register_wording(
        Wording(
            "unmerged",
            _("Goes on by itself: %(title)s"),
            _("%(number)s turned out to be something of its own and goes on by itself."),
            icon="git-branch",
        )
    )
    for code, kind in (("incident.merged", "merged"), ("incident.unmerged", "unmerged")):
        register_rule(code, audience.requester, kind)
        register_rule(code, audience.watchers, kind)

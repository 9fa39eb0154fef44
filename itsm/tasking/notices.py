"""Who is told of what happens to a task, and in which words. Never anybody outside the desk."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext_lazy as _

from itsm.notifications import audience
from itsm.notifications.audience import Recipient
from itsm.notifications.occasion import Occasion
from itsm.notifications.registry import Wording, register_rule, register_wording
from itsm.tasking.statuses import Status


def _description(occasion: Occasion) -> str:
    return str(occasion.ticket.description)


def _notes(occasion: Occasion) -> str:
    return str(occasion.data.get("reason") or occasion.data.get("notes") or "")


def queued(occasion: Occasion) -> Iterator[Recipient]:
    """The team that a new task was opened for, unless the task waits: then they are told when its turn comes."""
    if occasion.data.get("status") == Status.OPEN:
        yield from audience.new_team(occasion)


def ready(occasion: Occasion) -> Iterator[Recipient]:
    """The person whose task can be begun; while it is nobody's, the people of its team."""
    if occasion.ticket.assignee_id is not None:
        yield from audience.assignee(occasion)
    else:
        yield from audience.team(occasion)


def register() -> None:
    """Register the words and the rules."""
    register_wording(
        Wording(
            "task_ready",
            _("Ready: %(title)s"),
            _("%(actor)s opened %(number)s: work on this task can begin."),
            by_system=_("Work on %(number)s can begin: what came before it has ended."),
            quote=_description,
            icon="lock-open",
        )
    )
    register_wording(
        Wording(
            "task_reopened",
            _("Open again: %(title)s"),
            _("%(actor)s reopened %(number)s."),
            by_system=_("%(number)s has been reopened."),
            quote=_notes,
            icon="rotate",
        )
    )
    register_wording(
        Wording(
            "task_called_off",
            _("Called off: %(title)s"),
            _("%(number)s need not be done any more: %(said)s."),
            quote=_notes,
            icon="x",
        )
    )
    register_rule("task.opened", audience.new_assignee, "assigned")
    register_rule("task.opened", queued, "queued")
    register_rule("task.ready", ready, "task_ready")
    register_rule("task.reopened", audience.owner, "task_reopened")
    for code in ("task.skipped", "task.cancelled", "task.closed_incomplete"):
        register_rule(code, audience.assignee_inbox, "task_called_off")

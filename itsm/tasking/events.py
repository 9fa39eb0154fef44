"""The event codes of tasks and their wording: on the task, and (for the desk) on the ticket above."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from itsm.tasking.registry import all_types
from itsm.tasking.statuses import Status
from itsm.tickets.events import Names, describe_changes, register_event

PLANNED = {
    "planned_start": gettext_lazy("planned start"),
    "planned_end": gettext_lazy("planned end"),
    "order": gettext_lazy("order"),
    "task_type": gettext_lazy("type"),
}
Data = Mapping[str, Any]


def _status(value: str) -> str:
    return str(Status(value).label) if value in Status.values else value


def _with_parent(data: Data, plain: str, with_parent: str) -> str:
    if data.get("because") == "parent":
        return with_parent % {"number": data.get("parent_number", "")}
    return plain


def _opened(data: Data, names: Names) -> str:
    words = {"number": data.get("parent_number", ""), "team": (data.get("team") or {}).get("label", "")}
    if not words["team"]:
        return _("opened the task below %(number)s") % words
    if data.get("rule"):
        return _("opened the task below %(number)s; routed to %(team)s by rule “%(rule)s”") % {
            **words,
            "rule": data["rule"],
        }
    return _("opened the task below %(number)s for %(team)s") % words


def _ready(data: Data, names: Names) -> str:
    if data.get("because") == "hand":
        return _("opened the task ahead of its turn")
    return _("opened the task: its turn has come")


def _started(data: Data, names: Names) -> str:
    changes = describe_changes(data, names)
    return _("started work; %(changes)s") % {"changes": changes} if changes else _("started work")


def _planned(data: Data, names: Names) -> str:
    words = []
    for name, (old, new) in data.get("changes", {}).items():
        words.append(f"{PLANNED.get(name, name)}: {_value(name, old)} → {_value(name, new)}")
    return ", ".join(words)


def _value(name: str, value: Any) -> str:
    if value is None:
        return _("none")
    if name == "task_type":
        return str(dict(all_types()).get(value, value))
    if name.startswith("planned_"):
        return str(value)[:16].replace("T", " ") + " UTC"
    return str(value)


def _held(data: Data, names: Names) -> str:
    return _with_parent(data, _("put on hold"), _("put on hold together with %(number)s"))


def _resumed(data: Data, names: Names) -> str:
    return _with_parent(data, _("resumed"), _("resumed together with %(number)s"))


def _below(sentence: str) -> Any:
    def wording(data: Data, names: Names) -> str:
        return _(sentence) % {"number": data.get("number", ""), "title": data.get("title", "")}

    return wording


def _task_ended(data: Data, names: Names) -> str:
    return _("task %(number)s “%(title)s” ended: %(outcome)s") % {
        "number": data.get("number", ""),
        "title": data.get("title", ""),
        "outcome": _status(data.get("outcome", "")),
    }


def _task_moved(data: Data, names: Names) -> str:
    words = {"number": data.get("number", ""), "title": data.get("title", "")}
    if data.get("origin"):
        return _("task %(number)s “%(title)s” came from %(other)s") % {**words, "other": data["origin"]}
    return _("task %(number)s “%(title)s” went to %(other)s") % {**words, "other": data.get("to", "")}


def _ended(plain: str, with_parent: str) -> Any:
    return lambda data, names: _with_parent(data, _(plain), _(with_parent))


register_event("task.opened", _opened, icon="plus")
register_event("task.ready", _ready, icon="lock-open")
register_event("task.put_back", lambda data, names: _("put the task back: others come first"), icon="arrow-back-up")
register_event("task.started", _started, icon="player-play")
register_event(
    "task.completed", _ended("completed the task", "completed the task together with %(number)s"), icon="check"
)
register_event(
    "task.closed_incomplete",
    _ended("closed the task incomplete", "closed the task incomplete, because %(number)s ended"),
    icon="circle-half",
)
register_event(
    "task.skipped",
    _ended("skipped the task", "skipped the task, because %(number)s ended"),
    icon="player-skip-forward",
)
register_event("task.cancelled", _ended("cancelled the task", "cancelled the task, because of %(number)s"), icon="x")
register_event("task.reopened", lambda data, names: _("reopened the task"), icon="rotate")
register_event("task.held", _held, icon="player-pause")
register_event("task.resumed", _resumed, icon="player-play")
register_event("task.planned", _planned, icon="calendar-event")
register_event(
    "task.moved",
    lambda data, names: _("moved from %(from)s to %(to)s") % {"from": data.get("from", ""), "to": data.get("to", "")},
    icon="arrow-right",
)
register_event("ticket.task_opened", _below("opened task %(number)s “%(title)s”"), icon="subtask", internal=True)
register_event("ticket.task_ended", _task_ended, icon="subtask", internal=True)
register_event("ticket.task_reopened", _below("reopened task %(number)s “%(title)s”"), icon="subtask", internal=True)
register_event("ticket.task_moved", _task_moved, icon="subtask", internal=True)

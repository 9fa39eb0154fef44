"""Watching what watches the clocks: heartbeats, the lag, an auditor, alarms (sla.md §6, watchdogs)."""

from slas.watch.alarms import look
from slas.watch.heartbeats import beat, leave
from slas.watch.telling import tell_people

__all__ = ["beat", "leave", "look", "tell_people"]

"""The verbs of changes. Browser, API, approvals and Celery call these and nothing else."""

from changes.actions.editing import edit_change
from changes.actions.lifecycle import perform
from changes.actions.opening import open_change
from changes.actions.risking import reassess
from changes.actions.talking import Reply, reply

__all__ = ["Reply", "edit_change", "open_change", "perform", "reassess", "reply"]

"""How a change of the set-up is recorded, and how two people who change the same thing at once are kept apart.

A verb takes `state_of` the row before and after, hands both to `record_change`, and compares what the caller has seen
with `check_seen` while it holds the row's lock.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import models
from django.utils.translation import gettext as _

from itsm.accounts.models import AdminEvent, User

State = dict[str, Any]
Deed = AdminEvent.Deed
LONGEST_LABEL = 500


class ChangedMeanwhile(Exception):
    """Somebody else changed the thing after the caller read it; nothing was written. `now`: what a caller that has seen
    how it is now would say; blank where nobody told."""

    def __init__(self, now: str = "") -> None:
        self.now = now
        self.message = _(
            "Somebody else changed this while you were working on it. What you typed is kept: compare it with how it "
            "is now, and save again to replace it."
        )
        super().__init__(self.message)


def state_of(row: models.Model, names: Iterable[str]) -> State:
    """Return the fields' values as plain JSON values; another row is named by its words."""
    found: State = {}
    for name in names:
        value = getattr(row, name)
        if isinstance(value, models.Model):
            value = str(value)
        elif isinstance(value, models.Manager):
            value = sorted(str(one) for one in value.all())
        elif isinstance(value, list | tuple):
            value = list(value)
        elif value is not None and not isinstance(value, str | int | float | bool | dict):
            value = str(value)
        found[name] = value
    return found


def fingerprint(state: Mapping[Any, Any]) -> str:
    """Return a short text that is the same as long as the state is: a form carries it to say what its reader saw."""
    text = json.dumps([[str(name), state[name]] for name in state], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def check_seen(state: Mapping[Any, Any], seen: str) -> None:
    """Refuse when the caller has seen another state; an empty `seen` means that the caller does not mind.

    Raises:
        ChangedMeanwhile.
    """
    now = fingerprint(state)
    if seen and seen != now:
        raise ChangedMeanwhile(now)


def record_change(
    by: User | None,
    deed: str,
    row: models.Model,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> AdminEvent | None:
    """Append what was done to the change log, in the caller's transaction; nothing when before and after are alike."""
    old, new = before or {}, after or {}
    changes = {name: [old.get(name), new.get(name)] for name in {**old, **new} if old.get(name) != new.get(name)}
    if not changes and deed in (Deed.CHANGED, Deed.MOVED):
        return None
    return AdminEvent.objects.create(
        actor=by,
        deed=deed,
        model=row._meta.label_lower,
        object_id=str(getattr(row, "public_id", None) or row.pk),
        label=str(row)[:LONGEST_LABEL],
        changes=changes,
    )

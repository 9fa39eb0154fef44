"""The event codes of the schedule and their wording."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from changes.models import CollisionKind
from itsm.tickets.events import Names, register_event, value_label


def _label(code: Any) -> str:
    return str(CollisionKind(code).label) if code in CollisionKind.values else str(code)


def _overridden(data: Mapping[str, Any], names: Names) -> str:
    said = []
    for one in data.get("conflicts", ()):
        person = value_label("user", one["person"], names) if one.get("person") else ""
        what = ", ".join(part for part in (one.get("other"), one.get("window"), one.get("service"), person) if part)
        said.append(f"{_label(one.get('kind'))} ({what})")
    return _("let it go on in spite of: %(conflicts)s. Reason: %(reason)s") % {
        "conflicts": "; ".join(said),
        "reason": data.get("reason", ""),
    }


register_event("change.conflicts_overridden", _overridden, icon="shield-check", internal=True)

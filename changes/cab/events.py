"""The event code of the CAB and its wording."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from changes.cab.models import Decision
from itsm.tickets.events import Names, register_event


def _decided(data: Mapping[str, Any], names: Names) -> str:
    code = data.get("decision", "")
    values = {
        "board": data.get("board", ""),
        "decision": Decision(code).label if code in Decision.values else code,
        "minutes": data.get("minutes", ""),
    }
    if values["minutes"]:
        return _("%(board)s: %(decision)s. %(minutes)s") % values
    return _("%(board)s: %(decision)s") % values


register_event("change.cab_decided", _decided, icon="gavel", internal=True)

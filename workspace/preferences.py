"""How the person's queue looks: what they chose, unless this address asks for something else."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from itsm.accounts.models import User
from itsm.tickets.errors import Invalid
from workspace.lists import ORDERS
from workspace.models import Density, Layout, QueuePreference

COLUMNS: dict[str, str | Promise] = {
    "requester": gettext_lazy("Requester"),
    "priority": gettext_lazy("Priority"),
    "status": gettext_lazy("Status"),
    "level": gettext_lazy("Next target"),
    "owner": gettext_lazy("Assignee"),
    "team": gettext_lazy("Team"),
    "service": gettext_lazy("Service"),
    "category": gettext_lazy("Category"),
    "opened": gettext_lazy("Opened"),
    "updated": gettext_lazy("Changed"),
    "channel": gettext_lazy("Channel"),
}
USUAL_COLUMNS = {"priority", "status", "level", "requester", "team", "owner", "updated"}


@dataclass(frozen=True)
class Look:
    """Layout, density, order and columns of one queue page."""

    layout: str
    density: str
    sort: str
    columns: tuple[str, ...]

    @property
    def is_table(self) -> bool:
        """Whether the rows stand in a table."""
        return self.layout == Layout.TABLE

    @property
    def is_compact(self) -> bool:
        """Whether the rows stand close."""
        return self.density == Density.COMPACT


def look_of(request: HttpRequest, user: User) -> Look:
    """Return the look of the person's queue.

    Raises:
        Invalid: the address names a layout, density or order that there is not.
    """
    stored = QueuePreference.objects.filter(pk=user.pk).first() or QueuePreference(user=user)
    asked = _checked(request.GET)
    chosen = set(stored.columns) & set(COLUMNS) or USUAL_COLUMNS
    sort = asked.get("sort", stored.sort)
    return Look(
        asked.get("layout", stored.layout),
        asked.get("density", stored.density),
        sort if sort in ORDERS else "due",
        tuple(name for name in COLUMNS if name in chosen),
    )


def keep_look(user: User, chosen: QueryDict) -> None:
    """Store what the person chose; what is not named stays as it was.

    Raises:
        Invalid: there is no such layout, density, order or column.
    """
    values: dict[str, object] = dict(_checked(chosen))
    if "columns" in chosen:
        columns = [name for name in chosen.getlist("columns") if name]
        unknown = [name for name in columns if name not in COLUMNS]
        if unknown:
            raise Invalid({"columns": _("There is no column “%(name)s”.") % {"name": unknown[0][:40]}})
        values["columns"] = [name for name in COLUMNS if name in columns]
    if values:
        QueuePreference.objects.update_or_create(user=user, defaults=values)


def _checked(given: QueryDict) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, allowed in (("layout", Layout.values), ("density", Density.values), ("sort", list(ORDERS))):
        value = given.get(name, "")
        if value and value not in allowed:
            raise Invalid(
                {name: _("“%(value)s” is not possible here. Choose one of: %(allowed)s.")
                 % {"value": value[:40], "allowed": ", ".join(allowed)}}
            )  # fmt: skip
        if value:
            found[name] = value
    return found

"""Panels: what other rooms hang on the ticket page.

A room registers a panel on start-up; the page draws it, in the queue's pane too, and each answer of the page brings it
up to date. A panel never knows of the other panels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from django.http import HttpRequest
from django.utils.functional import Promise

Place = Literal["main", "aside"]
Context = Callable[[HttpRequest, Any], Mapping[str, Any] | None]


@dataclass(frozen=True)
class Panel:
    """A part of the ticket page.

    `name`: unique, lower-case with hyphens: the element is `#panel-{name}`. `context(request, ticket)`: what the
    template gets beside `ticket`, `panel` and all that the page knows (`works`, `may_edit`, …); None: not shown now.
    Its number of queries must not depend on how much there is. `kinds`: codes; None: every kind. `place`: `main` above
    the conversation, `aside` in the column of details. Smaller `order` first; in the column, those below zero stand
    above the properties. The frame draws the label as the heading, unless `has_heading` is False; a value `count` in
    the dict stands beside it.
    """

    name: str
    label: str | Promise
    template: str
    context: Context
    kinds: tuple[str, ...] | None = None
    place: Place = "aside"
    order: int = 100
    has_heading: bool = True


@dataclass(frozen=True)
class ShownPanel:
    """A panel as it stands on one ticket for one person; `values` None: it is there, but hidden."""

    name: str
    label: str | Promise
    template: str
    place: Place
    order: int
    has_heading: bool
    values: Mapping[str, Any] | None

    @property
    def shown(self) -> bool:
        """Whether there is something to see."""
        return self.values is not None

    @property
    def count(self) -> int | None:
        """The number beside the heading; None: none."""
        return (self.values or {}).get("count")


_panels: dict[str, Panel] = {}


def register_panel(panel: Panel) -> None:
    """Put the panel on the ticket page. Called once for each by its room's `AppConfig.ready`; again replaces it."""
    _panels[panel.name] = panel


def panels_of(request: HttpRequest, ticket: Any) -> list[ShownPanel]:
    """Return the panels of the ticket's kind in the order in which they stand, as the viewer sees them."""
    found = [panel for panel in _panels.values() if panel.kinds is None or ticket.kind in panel.kinds]
    found.sort(key=lambda panel: (panel.order, panel.name))
    return [
        ShownPanel(
            panel.name,
            panel.label,
            panel.template,
            panel.place,
            panel.order,
            panel.has_heading,
            panel.context(request, ticket),
        )
        for panel in found
    ]

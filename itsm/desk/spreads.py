"""How far the effects that a ticket has on others have come, for the ticket page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from itsm.desk.panels import Panel
from itsm.tickets.models import Spread, SpreadState, SpreadTarget
from itsm.tickets.spreading import effect_label

SHOWN = 3
REASONS_SHOWN = 20


def spreads_of(ticket: Any) -> list[dict[str, Any]]:
    """Return the latest three spreads of the ticket, the newest first, each with its tally, how far it is in per cent,
    and why tickets were left out or failed (up to twenty). Two queries."""
    newest = list(
        Spread.objects.filter(source_id=ticket.pk).with_tally().select_related("actor").order_by("-pk")[:SHOWN]
    )
    reasons: dict[int, list[SpreadTarget]] = {one.pk: [] for one in newest}
    if any(one.skipped or one.failed for one in newest):
        states = (SpreadState.SKIPPED, SpreadState.PARKED)
        found = SpreadTarget.objects.filter(spread__in=newest, state__in=states).select_related("ticket")
        for target in found.order_by("state", "pk")[: SHOWN * REASONS_SHOWN]:
            reasons[target.spread_id].append(target)
    return [
        {
            "spread": one,
            "label": effect_label(one.effect),
            "tally": one.tally,
            "over": one.total - one.tally.waiting,
            "per_cent": round(100 * (one.total - one.tally.waiting) / one.total) if one.total else 100,
            "reasons": reasons[one.pk][:REASONS_SHOWN],
        }
        for one in newest
    ]


def progress(request: HttpRequest, ticket: Any) -> dict[str, Any] | None:
    """Return what the panel shows; None where the ticket has had no effect on others."""
    found = spreads_of(ticket)
    if not found:
        return None
    return {"spreads": found, "is_running": any(not one["spread"].is_finished for one in found)}


def progress_panel(
    kinds: tuple[str, ...], *, when: Callable[[Any], bool] = lambda ticket: True, order: int = 30
) -> Panel:
    """Return the panel that shows how far a ticket's effects on others have come; a room registers it for its kinds.

    `when`: whether there can be any, from the ticket alone, so that most tickets ask nothing.
    """
    return Panel(
        "spreads-" + "-".join(kinds),
        _("Passed on to other tickets"),
        "desk/_spreads.html",
        lambda request, ticket: progress(request, ticket) if when(ticket) else None,
        kinds=kinds,
        place="aside",
        order=order,
    )

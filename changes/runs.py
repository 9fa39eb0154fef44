"""Questions about finished changes: which went well, what they caused, how often that is so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from changes.models import Change, ChangeTemplate
from changes.statuses import ChangeType, CloseCode
from itsm.tickets.models import Link, LinkKind, Ticket


def caused_by(change: Any) -> QuerySet[Ticket]:
    """Return the tickets that the change caused, as their links say (an incident's link leads to its cause)."""
    return Ticket.objects.filter(links_out__kind=LinkKind.CAUSED_BY, links_out__target=change.pk)


def _causes_one() -> Exists:
    return Exists(Link.objects.filter(kind=LinkKind.CAUSED_BY, target=OuterRef("pk")))


def clean_runs(template: ChangeTemplate) -> QuerySet[Change]:
    """Return the changes made from the template that count: closed as successful since it last failed (or its current
    version was approved), and no incident is known to come from them."""
    return Change.objects.ended().filter(
        ~_causes_one(),
        template_version__template=template,
        close_code=CloseCode.SUCCESSFUL,
        closed_at__gt=template.counts_from,
    )


@dataclass(frozen=True)
class Success:
    """How the changes of one group ended. `clean`: successful, and without an incident that they caused."""

    name: str
    ref: str
    closed: int
    successful: int
    with_issues: int
    unsuccessful: int
    clean: int
    emergencies: int
    unauthorised: int

    @property
    def rate(self) -> int | None:
        """Successful of all that were closed, in percent, rounded down; None where none was."""
        return 100 * self.successful // self.closed if self.closed else None

    @property
    def clean_rate(self) -> int | None:
        """Clean of all that were closed, in percent, rounded down; None where none was."""
        return 100 * self.clean // self.closed if self.closed else None


_COUNTS = {
    "closed": Count("pk"),
    "successful": Count("pk", filter=Q(close_code=CloseCode.SUCCESSFUL)),
    "with_issues": Count("pk", filter=Q(close_code=CloseCode.SUCCESSFUL_ISSUES)),
    "unsuccessful": Count("pk", filter=Q(close_code=CloseCode.UNSUCCESSFUL)),
    "clean": Count("pk", filter=Q(close_code=CloseCode.SUCCESSFUL, caused=False)),
    "emergencies": Count("pk", filter=Q(change_type=ChangeType.EMERGENCY)),
    "unauthorised": Count("pk", filter=Q(is_unauthorised=True)),
}


def _closed(start: datetime, end: datetime) -> QuerySet[Any]:
    found: QuerySet[Any] = Change.objects.ended().filter(closed_at__gte=start, closed_at__lt=end)
    return found.annotate(caused=_causes_one())


def success_by_team(start: datetime, end: datetime) -> list[Success]:
    """Return how the changes closed between the instants ended, by the team that has them, the most first."""
    rows = (
        _closed(start, end)
        .values(group=F("team__name"), ref=F("team__public_id"))
        .annotate(**_COUNTS)
        .order_by("-closed", "group")
    )
    return [_success(dict(row)) for row in rows]


def success_by_template(start: datetime, end: datetime) -> list[Success]:
    """Return the same by the template that they were made from; those made without one are left out."""
    rows = (
        _closed(start, end)
        .filter(template_version__isnull=False)
        .values(group=F("template_version__template__name"), ref=F("template_version__template__key"))
        .annotate(**_COUNTS)
        .order_by("-closed", "group")
    )
    return [_success(dict(row)) for row in rows]


def success_overall(start: datetime, end: datetime) -> Success:
    """Return how all changes closed between the instants ended."""
    return _success({"group": "", "ref": "", **_closed(start, end).aggregate(**_COUNTS)})


def _success(row: dict[str, Any]) -> Success:
    counts = {name: row[name] for name in _COUNTS}
    return Success(name=row["group"] or "", ref=row["ref"] or "", **counts)

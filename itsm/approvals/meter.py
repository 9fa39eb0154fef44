"""What approvals cost and bring: how long people wait for each stage, and how often it says no.

Approval from outside slows delivery without better failure rates (DORA, streamlining change approval): a stage that is
waited for long and never rejects is one to leave out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

# Per policy and stage: how many were decided, how many rejected, expired, and the wait without the time on hold.
# Stages that were withdrawn say nothing of either.
STATEMENT = """
SELECT p.id, p.name, s.position, s.name,
       count(*), count(*) FILTER (WHERE s.state = 'rejected'), count(*) FILTER (WHERE s.expired_at IS NOT NULL),
       count(*) FILTER (WHERE s.used_fallback),
       percentile_cont(0.5) WITHIN GROUP (
           ORDER BY extract(epoch FROM s.ended_at - s.asked_at) - s.parked_us / 1000000.0),
       percentile_cont(0.9) WITHIN GROUP (
           ORDER BY extract(epoch FROM s.ended_at - s.asked_at) - s.parked_us / 1000000.0)
  FROM approvals_approvalstage s
  JOIN approvals_approvalround r ON r.id = s.round_id
  JOIN approvals_policyversion v ON v.id = r.version_id
  JOIN approvals_approvalpolicy p ON p.id = v.policy_id
 WHERE s.state IN ('approved', 'rejected') AND s.ended_at >= %s
 GROUP BY p.id, p.name, p.kind, p.purpose, p.order, s.position, s.name
 ORDER BY p.kind, p.purpose, p.order, p.id, s.position
"""
LONG = timedelta(hours=24)
ENOUGH = 10


@dataclass(frozen=True)
class Measured:
    """One stage of one policy over a period. Waits are real time without the time on hold."""

    policy: str
    stage: str
    decided: int
    rejected: int
    expired: int
    by_fallback: int
    median: timedelta
    p90: timedelta

    @property
    def reject_percent(self) -> int:
        """How many of a hundred decisions were rejections."""
        return round(100 * self.rejected / self.decided) if self.decided else 0

    @property
    def is_idle(self) -> bool:
        """Whether people wait for it long, and it has never said no in enough decisions to tell."""
        return self.decided >= ENOUGH and not self.rejected and self.median >= LONG


def measure(since: datetime) -> list[Measured]:
    """Return what the stages that were decided since then have cost and brought, in the order of the policies."""
    with connection.cursor() as cursor:
        cursor.execute(STATEMENT, [since])
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return [
        Measured(
            policy=name,
            stage=stage,
            decided=decided,
            rejected=rejected,
            expired=expired,
            by_fallback=fallback,
            median=timedelta(seconds=max(float(median or 0), 0)),
            p90=timedelta(seconds=max(float(p90 or 0), 0)),
        )
        for _pk, name, _position, stage, decided, rejected, expired, fallback, median, p90 in rows
    ]

"""What became of every row: the tally of one incident, their sum, and the report for people and programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

OUTCOMES = {
    "expressed": "expressed in verbs",
    "unchanged": "without a visible change",
    "partly": "expressed in part, see below",
    "not": "not expressed, see below",
}
LIMITS = {
    "unreadable": "the row cannot be read",
    "unknown_state": "the state has no meaning here; the status stayed as it was",
    "no_road": "no moves lead to this state; the status stayed as it was",
    "closed_then_reopened": "closed, and reopened later: closed is final here, so it stayed resolved until then",
    "changed_after_closing": "changed after it was closed, which is final here",
    "reopened_after_closing": "reopened after it was closed, which is final here",
    "other_story": "this number was replayed before from other rows",
}
ADAPTED = {
    "jump": "one step of the log took several moves",
    "starts_late": "the first row is already past New: opened at its opened_at, then moved",
    "evidence": "“Awaiting Evidence” has no reason of its own: waiting for the requester, who is told it is evidence",
    "hidden_team_change": "the log counts a change of group that no row shows: the count was corrected",
    "hidden_reopening": "the log counts a reopening that no row shows: the count was corrected",
    "time_went_back": "the row's time lies before the event before it: recorded at that event's instant",
    "earlier_resolution": "a resolution that did not last: the log keeps the code and person of the last one only",
    "skipped_saves": "saves that the log leaves out (gaps in sys_mod_count)",
    "repeated_save": "a save number that repeats or goes back",
    "no_caller": "the caller is not disclosed",
    "resolved_at_differs": "incidents whose back-filled resolved_at is not the instant of the last resolving row",
    "resolved_at_missing": "incidents without a resolved_at to compare",
    "closed_at_differs": "incidents whose back-filled closed_at is not the instant of the closing row",
}


@dataclass
class Tally:
    """Counts of what happened. Plain numbers by name, so that it can be stored, added up and printed."""

    counts: dict[str, Counter[str]] = field(
        default_factory=lambda: {
            name: Counter() for name in ("rows", "verbs", "limits", "adapted", "jumps", "checks", "mismatches")
        }
    )
    examples: dict[str, list[str]] = field(default_factory=dict)

    def count(self, group: str, name: str, number: int = 1) -> None:
        """Add to one count."""
        self.counts[group][name] += number

    def note(self, name: str, example: str) -> None:
        """Keep an example of something worth a look; the first three of each kind stay."""
        kept = self.examples.setdefault(name, [])
        if len(kept) < 3:
            kept.append(example)

    def add(self, other: Tally) -> None:
        """Add another tally to this one."""
        for group, counts in other.counts.items():
            self.counts[group].update(counts)
        for name, examples in other.examples.items():
            for example in examples:
                self.note(name, example)

    def as_plain(self) -> dict[str, Any]:
        """Return the tally as plain values that JSON holds; empty groups are left out."""
        plain: dict[str, Any] = {group: dict(counts) for group, counts in self.counts.items() if counts}
        if self.examples:
            plain["examples"] = self.examples
        return plain

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Tally:
        """Return the tally that `as_plain` gave."""
        tally = cls()
        for group in tally.counts:
            tally.counts[group].update(plain.get(group, {}))
        tally.examples = {name: list(examples) for name, examples in plain.get("examples", {}).items()}
        return tally

    @property
    def rows(self) -> int:
        """How many rows are accounted for."""
        return self.counts["rows"].total()


@dataclass
class Report:
    """The whole run: what was read, what of it this run did, and the sum over all runs of the same rows."""

    file: str
    zone: str
    tally: Tally = field(default_factory=Tally)
    rows_read: int = 0
    incidents_read: int = 0
    rows_new: int = 0
    incidents_new: int = 0
    seconds: float = 0.0
    stopped: bool = False
    figures: dict[str, Any] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Rows replayed by this run per second."""
        return self.rows_new / self.seconds if self.seconds else 0.0

    @property
    def unaccounted(self) -> int:
        """Rows read of which nothing is known: zero, or the report is wrong."""
        return self.rows_read - self.tally.rows

    def as_plain(self) -> dict[str, Any]:
        """Return the report as plain values for JSON."""
        return {
            "file": self.file,
            "zone": self.zone,
            "stopped": self.stopped,
            "rows_read": self.rows_read,
            "incidents_read": self.incidents_read,
            "rows_replayed_now": self.rows_new,
            "incidents_replayed_now": self.incidents_new,
            "seconds": round(self.seconds, 1),
            "rows_per_second": round(self.rate, 1),
            "rows_unaccounted": self.unaccounted,
            **{group: dict(sorted(counts.items())) for group, counts in self.tally.counts.items()},
            "examples": self.tally.examples,
            "figures": self.figures,
        }

    def as_text(self) -> str:
        """Return the report for people, in lines."""
        counts = self.tally.counts
        lines = [
            f"Replay of {self.file} (times read as {self.zone}){': stopped before the end' if self.stopped else ''}",
            "",
            *_table(
                {
                    "rows read": self.rows_read,
                    "incidents read": self.incidents_read,
                    "rows replayed by this run": self.rows_new,
                    "incidents replayed by this run": self.incidents_new,
                }
            ),
            f"  {self.seconds:.1f} s, {self.rate:.0f} rows/s",
            "",
            "What became of the rows",
            *_table({label: counts["rows"][name] for name, label in OUTCOMES.items()}),
            *_table({"not accounted for": self.unaccounted}),
            "",
            "Verbs",
            *_table(dict(counts["verbs"].most_common())),
            *_section("Could not be expressed", {LIMITS[name]: n for name, n in counts["limits"].most_common()}),
            *_section("Expressed in another way", {ADAPTED[name]: n for name, n in counts["adapted"].most_common()}),
            *_section("Steps that took several moves", dict(counts["jumps"].most_common())),
            *_section("Compared after each row: equal", dict(sorted(counts["checks"].items()))),
            *_section(
                "Compared after each row: different without a reason",
                dict(counts["mismatches"]),
                empty="none",
            ),
        ]
        for name, examples in sorted(self.tally.examples.items()):
            lines.extend(f"  {name}: {example}" for example in examples)
        if self.figures:
            lines += ["", "Figures of the replayed incidents", *(f"  {k}: {v}" for k, v in self.figures.items())]
        return "\n".join(lines)


def _table(counts: Mapping[str, int]) -> list[str]:
    return [f"  {number:>9,}  {label}" for label, number in counts.items()]


def _section(heading: str, counts: Mapping[str, int], *, empty: str = "") -> list[str]:
    if not counts and not empty:
        return []
    return ["", heading, *(_table(counts) or [f"  {empty}"])]

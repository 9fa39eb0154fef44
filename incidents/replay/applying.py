"""Carrying out the rows of one incident through the verbs, each at its instant; comparing the outcome with the row."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from incidents import actions as verbs
from incidents.models import Incident
from incidents.replay import mapping
from incidents.replay.directory import Directory
from incidents.replay.mapping import STANDINGS, Standing
from incidents.replay.reading import LoggedIncident, Row
from incidents.replay.report import Tally
from incidents.statuses import OPEN, TERMINAL, Status
from itsm.tickets.actions import assign, comment, override_priority, update
from itsm.tickets.actors import Actor, Channel
from itsm.tickets.models import Visibility

COMPARED = (
    "status",
    "hold_reason",
    "priority",
    "impact",
    "urgency",
    "team",
    "assignee",
    "requester",
    "category",
    "service",
    "custom",
    "reassignment_count",
    "reopen_count",
)


class IncidentReplay:
    """One incident's way through its rows. `incident` is the ticket as the last row left it, None before the first."""

    def __init__(self, logged: LoggedIncident, directory: Directory, incident: Incident | None = None) -> None:
        """Begin with the first row, or go on with an incident whose first rows were replayed before."""
        self.logged = logged
        self.directory = directory
        self.incident = incident
        self.tally = Tally()
        self._states = [STANDINGS.get(row.state) if isinstance(row, Row) else None for row in logged.rows]
        self._row_verbs = 0

    def apply(self, start: int, stop: int) -> None:
        """Carry out the rows from `start` up to `stop` (not included), and account for each.

        To be called in a transaction: what it does holds together with the note of how far it came.
        """
        for index in range(start, stop):
            row = self.logged.rows[index]
            if isinstance(row, str):
                self.tally.count("limits", "unreadable")
                self.tally.count("rows", "not")
                self.tally.note("unreadable", f"{self.logged.number}, row {index + 1}: {row}")
            else:
                self._apply(row, index)
        if stop == len(self.logged.rows):
            self._compare_ending()

    def _apply(self, row: Row, index: int) -> None:
        self._row_verbs = 0
        limits: list[str] = []
        self._note_save(row, index)
        if not row.caller:
            self.tally.count("adapted", "no_caller")
        if self.incident is None:
            self._open(row)
        actor = self._actor(row)
        if self._incident.status in TERMINAL:
            limits += self._after_the_end(row)
        else:
            road = self._road(row, index, limits)
            if road[:1] == ["reopen"]:
                self._move(road.pop(0), row, index, actor)
            self._edit(row, actor)
            self._settle(row, index, actor, moves=bool(road))
            for move in road:
                self._move(move, row, index, actor)
        self._compare(row, index, limits)
        for limit in limits:
            self.tally.count("limits", limit)
            self.tally.note(limit, f"{self.logged.number}, row {index + 1} ({row.state})")
        outcome = "partly" if limits and self._row_verbs else "not" if limits else ""
        self.tally.count("rows", outcome or ("expressed" if self._row_verbs else "unchanged"))

    @property
    def _incident(self) -> Incident:
        if self.incident is None:
            raise ValueError("No row opened the incident yet.")
        return self.incident

    def _did(self, verb: str, incident: Incident) -> None:
        self.incident = incident
        self._row_verbs += 1
        self.tally.count("verbs", verb)

    def _actor(self, row: Row) -> Actor:
        """Return the importer at the row's instant, or at the last event's where the log's time goes back."""
        last = self._incident.updated_at
        if row.at < last:
            self.tally.count("adapted", "time_went_back")
        return self._actor_at(max(row.at, last))

    def _actor_at(self, at: datetime) -> Actor:
        return Actor(self.directory.importer, Channel.IMPORT, at)

    def _note_save(self, row: Row, index: int) -> None:
        before = self.logged.rows[index - 1] if index else None
        if isinstance(before, Row):
            if row.save <= before.save:
                self.tally.count("adapted", "repeated_save")
            elif row.save > before.save + 1:
                self.tally.count("adapted", "skipped_saves", row.save - before.save - 1)

    def _open(self, row: Row) -> None:
        logged = self.logged
        incident = verbs.open_incident(
            actor=self._actor_at(logged.opened_at or row.at),
            title=mapping.title_of(row),
            description=mapping.description_of(logged, row),
            requester=self.directory.caller(row.caller),
            opened_by=self.directory.resolver(logged.opened_by) if logged.opened_by else None,
            impact=row.impact,
            urgency=row.urgency,
            category=self.directory.category(row),
            service=self.directory.service(row.service),
            team=self.directory.team(row),
            assignee=self.directory.assignee(row),
            external_id=logged.number,
            custom=row.custom,
        )
        self._did("open_incident", incident)
        standing = STANDINGS.get(row.state)
        if standing is not None and standing.status != Status.NEW:
            self.tally.count("adapted", "starts_late")

    def _road(self, row: Row, index: int, limits: list[str]) -> list[str]:
        wanted = self._standing_after(row, index, limits)
        now = Standing(self._incident.status, self._incident.hold_reason)
        road = mapping.moves_between(now, wanted)
        if road is None:
            limits.append("no_road")
            return []
        if len(road) > 1:
            self.tally.count("adapted", "jump")
            self.tally.count("jumps", f"{now.hold_reason or now.status} → {row.state}: {', '.join(road)}")
        return road

    def _standing_after(self, row: Row, index: int, limits: list[str]) -> Standing:
        wanted = STANDINGS.get(row.state)
        if wanted is None:
            limits.append("unknown_state")
            return Standing(self._incident.status, self._incident.hold_reason)
        if wanted.status in TERMINAL and self._goes_on_after(index):
            limits.append("closed_then_reopened")
            return Standing(Status.RESOLVED)
        return wanted

    def _goes_on_after(self, index: int) -> bool:
        return any(state is not None and state.status not in TERMINAL for state in self._states[index + 1 :])

    def _is_last_resolution(self, index: int) -> bool:
        return not any(state is not None and state.status in OPEN for state in self._states[index + 1 :])

    def _edit(self, row: Row, actor: Actor) -> None:
        incident = self._incident
        wanted: dict[str, Any] = {
            "requester": self.directory.caller(row.caller),
            "category": self.directory.category(row),
            "service": self.directory.service(row.service),
            "impact": row.impact,
            "urgency": row.urgency,
            "custom": dict(row.custom),
        }
        changes = {name: value for name, value in wanted.items() if getattr(incident, name) != value}
        if changes:
            self._did("update", update(incident, changes, actor=actor))
        team, assignee = self.directory.team(row), self.directory.assignee(row)
        if (incident.team, incident.assignee) != (team, assignee):
            self._did("assign", assign(incident, actor=actor, team=team, assignee=assignee))

    def _move(self, move: str, row: Row, index: int, actor: Actor) -> None:
        incident = self._incident
        if move == "hold":
            reason = STANDINGS[row.state].hold_reason
            said = mapping.HOLD_COMMENTS.get(row.state, "")
            self._did("hold", verbs.hold(incident, actor=actor, hold_reason=reason, comment=said))
        elif move == "reopen":
            self._did("reopen", verbs.reopen(incident, actor=actor, comment=mapping.REOPEN_COMMENT))
        elif move == "cancel":
            self._did("cancel", verbs.cancel(incident, actor=actor, reason=mapping.CANCEL_REASON))
        elif move == "resolve":
            self._resolve(index, actor)
        else:
            self._did(move, verbs.perform(incident, move, actor=actor))

    def _resolve(self, index: int, actor: Actor) -> None:
        is_last, ending = self._is_last_resolution(index), self.logged.ending
        if not is_last:
            self.tally.count("adapted", "earlier_resolution")
        known = is_last and bool(ending.resolved_by)
        resolved = verbs.resolve(
            self._incident,
            actor=actor,
            resolution_code=mapping.RESOLUTION_CODE,
            resolution_notes=mapping.resolution_notes_of(ending.code, is_last=is_last),
            resolved_by=self.directory.resolver(ending.resolved_by) if known else None,
        )
        self._did("resolve", resolved)

    def _settle(self, row: Row, index: int, actor: Actor, *, moves: bool) -> None:
        """Say what no move says: evidence awaited, a priority against the matrix, a change that the log hides.

        Before the moves, because the last of them may close the incident.
        """
        if self._newly_awaits_evidence(row, index):
            self.tally.count("adapted", "evidence")
            if not moves:
                comment(self._incident, mapping.EVIDENCE_NOTE, actor=actor, visibility=Visibility.INTERNAL)
                self._did("comment", Incident.objects.with_people().get(pk=self._incident.pk))
        incident = self._incident
        if incident.priority != row.priority:
            reason = mapping.PRIORITY_REASON
            self._did("override_priority", override_priority(incident, row.priority, reason=reason, actor=actor))
        self._correct_counts(row, actor)

    def _correct_counts(self, row: Row, actor: Actor) -> None:
        incident = self._incident
        hidden = incident.reassignment_count != row.reassignment_count
        hidden_reopening = incident.reopen_count != row.reopen_count
        if not hidden and not hidden_reopening:
            return
        if hidden:
            self.tally.count("adapted", "hidden_team_change")
        if hidden_reopening:
            self.tally.count("adapted", "hidden_reopening")
        corrected = verbs.correct_counts(
            incident,
            actor=actor,
            reason=mapping.COUNT_REASON,
            reassignment_count=row.reassignment_count,
            reopen_count=row.reopen_count,
        )
        self._did("correct_counts", corrected)

    def _newly_awaits_evidence(self, row: Row, index: int) -> bool:
        if row.state != mapping.EVIDENCE:
            return False
        before = self.logged.rows[index - 1] if index else None
        return not (isinstance(before, Row) and before.state == mapping.EVIDENCE)

    def _after_the_end(self, row: Row) -> list[str]:
        wanted = STANDINGS.get(row.state)
        if wanted is None:
            return ["unknown_state"]
        if wanted.status != self._incident.status:
            return ["reopened_after_closing"]
        return ["changed_after_closing"] if any(self._differences(row, wanted)) else []

    def _differences(self, row: Row, wanted: Standing) -> Iterator[str]:
        expected = {
            "status": wanted.status,
            "hold_reason": wanted.hold_reason,
            "priority": row.priority,
            "impact": row.impact,
            "urgency": row.urgency,
            "team": self.directory.team(row),
            "assignee": self.directory.assignee(row),
            "requester": self.directory.caller(row.caller),
            "category": self.directory.category(row),
            "service": self.directory.service(row.service),
            "custom": row.custom,
            "reassignment_count": row.reassignment_count,
            "reopen_count": row.reopen_count,
        }
        return (name for name in COMPARED if getattr(self._incident, name) != expected[name])

    def _compare(self, row: Row, index: int, limits: list[str]) -> None:
        """Compare the incident with the row. What a limit explains counts as explained: the status where the row's
        state could not be reached, anything once the incident is closed."""
        wanted = STANDINGS.get(row.state) or Standing(self._incident.status, self._incident.hold_reason)
        explained: set[str] = set()
        if {"changed_after_closing", "reopened_after_closing"} & set(limits):
            explained = set(COMPARED)
        elif limits:
            explained = {"status", "hold_reason"}
        different = set(self._differences(row, wanted))
        for name in COMPARED:
            if name not in different:
                self.tally.count("checks", name)
            elif name not in explained:
                self.tally.count("mismatches", name)
                self.tally.note(f"different {name}", f"{self.logged.number}, row {index + 1}")

    def _compare_ending(self) -> None:
        """Count where the instants that the log fills in afterwards are not those of the resolving and closing rows."""
        if self.incident is None:
            return
        ending = self.logged.ending
        if ending.resolved_at is None:
            self.tally.count("adapted", "resolved_at_missing")
        elif self.incident.resolved_at != ending.resolved_at:
            self.tally.count("adapted", "resolved_at_differs")
        if ending.closed_at is not None and self.incident.closed_at != ending.closed_at:
            self.tally.count("adapted", "closed_at_differs")

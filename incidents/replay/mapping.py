"""What the log's values mean here: states, the moves between them, texts."""

from __future__ import annotations

from dataclasses import dataclass

from incidents.replay.reading import LoggedIncident, Row
from incidents.statuses import OPEN, HoldReason, ResolutionCode, Status


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an incident stands: its status and, on hold, what it waits for."""

    status: str
    hold_reason: str = ""


STANDINGS = {
    "New": Standing(Status.NEW),
    "Active": Standing(Status.IN_PROGRESS),
    "Awaiting User Info": Standing(Status.ON_HOLD, HoldReason.AWAITING_CALLER),
    "Awaiting Evidence": Standing(Status.ON_HOLD, HoldReason.AWAITING_CALLER),
    "Awaiting Vendor": Standing(Status.ON_HOLD, HoldReason.AWAITING_VENDOR),
    "Awaiting Problem": Standing(Status.ON_HOLD, HoldReason.AWAITING_PROBLEM),
    "Resolved": Standing(Status.RESOLVED),
    "Closed": Standing(Status.CLOSED),
    "Cancelled": Standing(Status.CANCELLED),
    "Canceled": Standing(Status.CANCELLED),
}

EVIDENCE = "Awaiting Evidence"

UNDISCLOSED_TEAM = "Group not disclosed"
UNDISCLOSED_CALLER = "Caller not disclosed"

HOLD_COMMENTS = {
    "Awaiting User Info": "The service desk waits for information from you. (The log has the state, not the message.)",
    EVIDENCE: "The service desk waits for evidence from you. (The log has the state, not the message.)",
}
EVIDENCE_NOTE = "State in the source: Awaiting Evidence."
REOPEN_COMMENT = "Reopened. (The log has the reopening, not the reason.)"
CANCEL_REASON = "Cancelled in the source. (The log has the state, not the reason.)"
PRIORITY_REASON = "Priority of the imported log"
COUNT_REASON = "The log counts a change of group that none of its rows shows"

# The log's codes are anonymised (“code 6”), so that none can be told to be a workaround or a duplicate.
RESOLUTION_CODE = ResolutionCode.SOLUTION_PROVIDED


def moves_between(now: Standing, wanted: Standing) -> list[str] | None:
    """Return the moves that lead from one standing to another, in order; None where no road leads."""
    if now == wanted:
        return []
    if now.status in {Status.CLOSED, Status.CANCELLED}:
        return None
    if wanted.status == Status.RESOLVED:
        return ["resolve"]
    if wanted.status == Status.CLOSED:
        return ["close"] if now.status == Status.RESOLVED else ["resolve", "close"]
    if wanted.status == Status.NEW:
        return None
    steps: list[str] = []
    if now.status == Status.RESOLVED:
        steps.append("reopen")
    if wanted.status == Status.CANCELLED:
        return [*steps, "cancel"]
    if wanted.status == Status.IN_PROGRESS:
        if now.status in OPEN:
            steps.append("start" if now.status == Status.NEW else "resume")
        return steps
    if now.status == Status.ON_HOLD:
        steps.append("resume")
    return [*steps, "hold"]


def title_of(row: Row) -> str:
    """Return a title from what the log knows instead of one: symptom and category."""
    about = " / ".join(name for name in (row.category, row.subcategory) if name)
    symptom = str(row.custom.get("u_symptom", ""))
    return f"{symptom} ({about})" if symptom and about else symptom or about or "Symptom not disclosed"


def description_of(incident: LoggedIncident, row: Row) -> str:
    """Return where the incident comes from, in place of the description, which the log does not hold."""
    how, where = str(row.custom.get("contact_type", "")), str(row.custom.get("location", ""))
    reported = f"Reported by {how.lower()}" if how else "Reported"
    place = f" from {where}" if where else ""
    return f"{reported}{place}. Imported from the incident event log, where it is {incident.number}."


def resolution_notes_of(code: str, *, is_last: bool) -> str:
    """Return the notes of a resolution. The log keeps only the last one's code."""
    if not is_last:
        return "Resolved in the source and reopened later; the log keeps only the last resolution."
    return f"Resolved in the source with {code}." if code else "Resolved in the source without a code."

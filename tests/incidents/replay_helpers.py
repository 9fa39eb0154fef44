"""What the tests of the replay share: the sample, hand-written logs, and a run without a progress bar."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Mapping
from datetime import UTC
from pathlib import Path

from incidents.replay.reading import KEPT_AS_CUSTOM, LoggedIncident, read_log
from incidents.replay.report import Report
from incidents.replay.running import Replay

SAMPLE = Path(__file__).parent.parent / "data" / "uci-sample.csv.gz"
LOG_NAME = "incident_event_log.first-half.csv.gz"
SHARED = Path(os.environ.get("ITSM_SHARED", Path(__file__).parents[3] / "shared"))
FULL_LOG = SHARED / "data" / "uci-incidents" / LOG_NAME

PLAIN_ROW = {
    "number": "INC0000001",
    "incident_state": "New",
    "reassignment_count": "0",
    "reopen_count": "0",
    "sys_mod_count": "0",
    "caller_id": "Caller 1",
    "opened_by": "Opened by  2",
    "opened_at": "1/3/2016 08:00",
    "sys_updated_at": "1/3/2016 08:05",
    "category": "Category 5",
    "subcategory": "Subcategory 6",
    "cmdb_ci": "?",
    "impact": "2 - Medium",
    "urgency": "2 - Medium",
    "priority": "3 - Moderate",
    "assignment_group": "Group 7",
    "assigned_to": "?",
    "closed_code": "code 6",
    "resolved_by": "Resolved by 9",
    "resolved_at": "1/3/2016 10:00",
    "closed_at": "6/3/2016 10:00",
    **dict.fromkeys(KEPT_AS_CUSTOM, "?"),
}


def write_log(path: Path, rows: Iterable[Mapping[str, str]]) -> Path:
    """Write a log whose rows are the plain row with these differences, an hour apart unless they say when."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(PLAIN_ROW))
        writer.writeheader()
        for index, row in enumerate(rows):
            later = {"sys_mod_count": str(index), "sys_updated_at": f"1/3/2016 {9 + index:02d}:00"}
            writer.writerow({**PLAIN_ROW, **later, **row})
    return path


def sample() -> dict[str, LoggedIncident]:
    """Return the incidents of the sample by number."""
    return {logged.number: logged for logged in read_log(SAMPLE, UTC)}


def replay(path: Path, limit: int | None = None) -> Report:
    """Replay the file and return the report."""
    return Replay(path, UTC, limit).run(lambda read, new: None)

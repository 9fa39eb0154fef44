"""The guides show what the product does: the table of moves, and conditions that can be typed."""

from __future__ import annotations

import re
from pathlib import Path

from django.conf import settings

from itsm.conditions import check, parse
from itsm.tasking.statuses import ENDED, MOVES, Status
from itsm.tickets.schema import rule_schema


def test_the_guides_table_of_moves_is_the_products() -> None:
    text = (Path(settings.BASE_DIR) / "docs" / "agent.md").read_text(encoding="utf-8")
    part = text.partition("## Tasks\n")[2].partition("## ")[0]
    rows = re.findall(r"^\| (.+?) \| (.+?) \| (.+?) \| .+ \|$", part, re.M)
    labels = {str(Status(code).label): code for code in Status}
    known = {"Closed (complete, incomplete, skipped)": ENDED - {Status.CANCELLED}}
    shown = {
        (move, known.get(source) or frozenset(labels[one] for one in source.split(", ")), target)
        for source, move, target in rows
        if source not in {"from", "---"}
    }
    steps = {(str(move.label), move.sources, str(Status(move.target).label)) for move in MOVES.values() if move.target}
    assert shown == steps


def test_the_guides_conditions_can_be_stored() -> None:
    text = (Path(settings.BASE_DIR) / "docs" / "admin.md").read_text(encoding="utf-8")
    part = text.partition("**Agreements on tasks.**")[2].partition("\n\n")[0]
    conditions = re.findall(r"`([^`]+)`", part)
    assert len(conditions) == 4
    for condition in conditions:
        check(parse(condition, rule_schema()), rule_schema(), predicate=True, personal=False)

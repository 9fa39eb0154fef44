"""The diagrams of the guides are those of the product."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import call_command

from itsm.tickets.diagrams import diagram, states_page
from itsm.tickets.kinds import all_kinds, kind_of


def test_the_page_in_the_docs_is_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("state_diagrams", "--check")
    assert "up to date" in capsys.readouterr().out


def test_a_page_that_differs_is_noticed_and_mended(settings, tmp_path: Path) -> None:
    settings.BASE_DIR = tmp_path
    (tmp_path / "docs").mkdir()
    for wrong in (None, "# States\n"):
        if wrong is not None:
            (tmp_path / "docs" / "states.md").write_text(wrong)
        with pytest.raises(SystemExit):
            call_command("state_diagrams", "--check")
    call_command("state_diagrams")
    call_command("state_diagrams", "--check")


def test_every_kind_status_and_move_is_drawn() -> None:
    page = states_page()
    for kind in all_kinds():
        assert diagram(kind) in page
        for move in kind.moves.values():
            for source in move.sources:
                assert f"    {source} --> {move.target or source}: {move.label}\n" in diagram(kind)
    assert "review --> closed: Close" in diagram(kind_of("change"))
    assert "scheduled --> scheduled: Put on hold" in diagram(kind_of("change"))

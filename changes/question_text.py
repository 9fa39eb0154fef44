"""The questions about risk as a text that a person edits: a question on a line of its own, its answers below it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from itsm.tickets.errors import Invalid

_QUESTION = re.compile(r"([a-z0-9_-]{1,40}):\s*(.+)")
_ANSWER = re.compile(r"[-–•]\s*([a-z0-9_-]{1,40}):\s*(.+?)\s*=\s*([-−+]?\d{1,3})")


def as_text(questions: Iterable[Mapping[str, Any]]) -> str:
    """Return the questions as text."""
    blocks = []
    for one in questions:
        lines = [f"{one['key']}: {one['text']}"]
        lines += [f"- {answer['key']}: {answer['label']} = {answer['points']}" for answer in one["answers"]]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def from_text(text: str) -> list[dict[str, Any]]:
    """Return the questions that the text says.

    Raises:
        Invalid: a line that is neither a question nor an answer, by its number.
    """
    found: list[dict[str, Any]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.strip()
        if not words:
            continue
        if answer := _ANSWER.fullmatch(words):
            if not found:
                raise Invalid(
                    {"questions": _("Line %(line)d: an answer needs its question above it.") % {"line": number}}
                )
            points = int(answer[3].replace("−", "-"))
            found[-1]["answers"].append({"key": answer[1], "label": answer[2], "points": points})
        elif (question := _QUESTION.fullmatch(words)) and not words.startswith(("-", "–", "•")):
            found.append({"key": question[1], "text": question[2], "answers": []})
        else:
            raise Invalid(
                {
                    "questions": _(
                        "Line %(line)d is neither a question (“key: text”) nor an answer (“- key: text = points”)."
                    )
                    % {"line": number}
                }
            )
    return found

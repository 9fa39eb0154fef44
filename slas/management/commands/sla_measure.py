"""`bin/manage sla_measure FILE.jsonl`: answer questions to the calendar engine, one line of JSON each."""

import os
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from django.core.management.base import BaseCommand, CommandError

from slas.calendars.questions import LONGEST_LINE, Answers

BLOCK = 1 << 18
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Command(BaseCommand):
    """Reads questions and prints one answer a line, in order. Needs no database."""

    help = (
        'Answers {"calendar": …, "from": T, "to": T} with {"seconds": N} and {"calendar": …, "from": T, "seconds": N} '
        'with {"due": T}, one line each; what cannot be answered is {"error": "…"} on its line.'
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the file, or `-`."""
        parser.add_argument("file", metavar="FILE", help="questions, one JSON object a line; - for standard input")

    def handle(self, *args: Any, **options: Any) -> None:
        """Answer each line as soon as it has come. A reader who has had enough ends it quietly.

        Raises:
            CommandError: the file cannot be read.
        """
        name: str = options["file"]
        try:
            if name == "-":
                self._answer(sys.stdin.buffer)
            else:
                with Path(name).open("rb") as file:
                    self._answer(file)
        except BrokenPipeError:
            # Python would complain once more when it flushes standard output at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise CommandError(f"{name} cannot be read: {reason}.") from error

    def _answer(self, source: IO[bytes]) -> None:
        answers = Answers()
        for lines in _lines(source):
            sys.stdout.buffer.write("".join(answers.answer(line) + "\n" for line in lines).encode())
            sys.stdout.buffer.flush()


def _lines(source: IO[bytes]) -> Iterator[list[bytes]]:
    """Yield the lines that have come, as many at once as there are. Of a line that is too long only the start is kept,
    so that no file fills the memory."""
    left = b""
    is_first = True
    while block := source.read1(BLOCK):  # type: ignore[attr-defined]
        if is_first:
            block, is_first = block.removeprefix(BYTE_ORDER_MARK), False
        *lines, rest = block.split(b"\n")
        if lines:
            lines[0] = left + lines[0]
            left = rest
            yield lines
        else:
            left = (left + rest)[: LONGEST_LINE + 1]
    if left:
        yield [left]

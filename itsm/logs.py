"""How log records look: one line each, and the same complaint once in a while instead of every second."""

import logging
import re
import threading
import time
from datetime import UTC, datetime

from django.conf import settings

# Django logs the path of a refused request; in these the next part is a key: links in mails, which may say what they do
# first, password reset, and the addresses under which calendars read shifts.
_SECRET_PATH = re.compile(r"(/r/(?:[a-z]+/(?=[^/\s]))?|/accounts/password/reset/key/|/on-call/(?=[^/\s]+\.ics))[^/\s]+")


class LineFormatter(logging.Formatter):
    """`2026-11-23T09:41:07Z web INFO itsm.access: …`, line breaks (tracebacks, forged text) folded into ` | `."""

    def __init__(self) -> None:
        """Name the process in every line: several write to the same output."""
        super().__init__(f"%(asctime)s {settings.PROCESS} %(levelname)s %(name)s: %(message)s")

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802
        """Return the record's time in UTC."""
        return f"{datetime.fromtimestamp(record.created, UTC):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line, without what opens a door to whoever reads it."""
        return _SECRET_PATH.sub(r"\1…", " | ".join(super().format(record).splitlines()))


class QuietRepeats(logging.Filter):
    """Let a warning or error through once per period, whatever its arguments; say then how many were kept back.

    A broker that is away makes beat and workers complain every second, with a traceback each time.
    """

    def __init__(self, seconds: float) -> None:
        """Take the period in seconds."""
        super().__init__()
        self.seconds = seconds
        self._lock = threading.Lock()
        self._seen: dict[tuple[str, int], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether the record is written."""
        if record.levelno < logging.WARNING or not record.name.startswith(("celery", "kombu", "itsm.cache")):
            return True
        place = (record.pathname, record.lineno)
        with self._lock:
            last, held_back = self._seen.get(place, (float("-inf"), 0))
            now = time.monotonic()
            if now - last < self.seconds:
                self._seen[place] = (last, held_back + 1)
                return False
            self._seen[place] = (now, 0)
        if held_back:
            record.msg = f"{record.getMessage()} (and {held_back} times more in the last {self.seconds:.0f} s or so)"
            record.args = ()
        return True

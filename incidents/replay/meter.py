"""The progress bar: redrawn in a terminal, a line every ten seconds elsewhere."""

from __future__ import annotations

import time

from django.core.management.base import OutputWrapper

REDRAW_SECONDS = 0.2
LINE_SECONDS = 10.0
WIDTH = 24


class ProgressBar:
    """Shows rows done of all, rows replayed per second, and the time left at that rate."""

    def __init__(self, total: int, out: OutputWrapper) -> None:
        """Start the clock."""
        self.total = total
        self.out = out
        self.live = out.isatty()
        self.started = self.shown = time.monotonic()

    def update(self, read: int, new: int) -> None:
        """Show the state, unless it was shown just now. Rows replayed by an earlier run do not count for the rate."""
        now = time.monotonic()
        if now - self.shown >= (REDRAW_SECONDS if self.live else LINE_SECONDS):
            self.shown = now
            self._show(read, new, now)

    def finish(self, read: int, new: int) -> None:
        """Show the last state and end the line."""
        self._show(read, new, time.monotonic())
        if self.live:
            self.out.write("", ending="\n")

    def _show(self, read: int, new: int, now: float) -> None:
        rate = new / max(now - self.started, 0.001)
        share = read / self.total
        filled = round(share * WIDTH)
        left = _clock((self.total - read) / rate) if rate else "?"
        line = (
            f"[{'#' * filled}{'.' * (WIDTH - filled)}] {share:6.1%} "
            f"{read:,} of {self.total:,} rows, {rate:.0f} rows/s, {left} left"
        )
        self.out.write(f"\r{line}\x1b[K" if self.live else line, style_func=str, ending="" if self.live else "\n")
        self.out.flush()


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"

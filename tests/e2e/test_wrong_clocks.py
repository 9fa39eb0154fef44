"""The clock of a machine that watches the clocks is wrong by forty minutes: the same steps happen at the same instants,
and nobody is told late. Only the database's clock counts."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clockwork import Clockwork, fill, make_due
from tests.e2e.product import ON_ONE_WORKER
from tests.setup.conftest import until

pytestmark = ON_ONE_WORKER

SOURCE = Path(__file__).parent / "clock" / "shift_clock.c"
FORTY_MINUTES = 40 * 60
STEPS = 50

WRONG = """
SELECT t.id, t.due_at, e.at, e.detected_at, v.at, v.recorded_at, n.id
  FROM slas_timer t
  LEFT JOIN slas_slaevent e ON e.timer_id = t.id AND e.kind = 'breached'
  LEFT JOIN tickets_ticketevent v ON v.ticket_id = t.ticket_id AND v.code = 'sla.breached'
       AND v.data ->> 'metric' = t.metric AND v.at = t.due_at
  LEFT JOIN notifications_notice n ON n.event_id = v.id
 WHERE t.due_at <= now()
   AND (e.at IS DISTINCT FROM t.due_at OR t.breached_at IS DISTINCT FROM t.due_at OR n.id IS NULL
        OR e.detected_at NOT BETWEEN t.due_at AND t.due_at + interval '60 s'
        OR v.recorded_at NOT BETWEEN t.due_at AND t.due_at + interval '60 s')
"""
COUNTS = """
SELECT (SELECT count(*) FROM slas_slaevent), (SELECT count(*) FROM tickets_ticketevent WHERE code LIKE 'sla.%%'),
       (SELECT count(*) FROM notifications_notice n JOIN tickets_ticketevent v ON v.id = n.event_id
         WHERE v.code LIKE 'sla.%%'),
       (SELECT count(*) FROM tickets_outboxentry)
"""


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library that shifts the clock of a process, compiled here."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None or sys.platform != "linux":
        pytest.skip("needs Linux and a C compiler (cc), to build the library that shifts a process's clock")
    library = tmp_path_factory.mktemp("clock") / "shift_clock.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(SOURCE), "-ldl"], check=True)
    return library


@pytest.fixture
def clockwork() -> Iterator[Clockwork]:
    """Servers of their own, and nothing that watches yet."""
    data = Path(tempfile.mkdtemp(prefix="clockwork"))
    data.chmod(0o711)
    try:
        with Clockwork(data) as one:
            yield one
    finally:
        shutil.rmtree(data, ignore_errors=True)


def test_the_machines_clock_does_not_matter(shim: Path, clockwork: Clockwork) -> None:
    fill(clockwork.sql, 5 * STEPS)
    fired = 0
    for seconds in (FORTY_MINUTES, -FORTY_MINUTES):
        shifted = {"LD_PRELOAD": str(shim), "CLOCK_SHIFT_S": str(seconds)}
        code = "import datetime, time; print(time.time(), datetime.datetime.now(datetime.UTC).timestamp())"
        seen = subprocess.run(
            [sys.executable, "-c", code],
            env=clockwork.environment | shifted,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for told in seen.split():
            assert abs(float(told) - time.time() - seconds) < 60  # Python in there believes it
        # The ticker alone, then a worker alone that a rightly set beat rings; each with the wrong clock.
        for watchers in ([("ticker", shifted)], [("worker for timers", shifted), ("beat", {})]):
            names = [clockwork.start(kind, **more) for kind, more in watchers]
            if "ticker" in names:
                until(lambda: clockwork.sql("SELECT 1 FROM slas_heartbeat WHERE role = 'ticker'"), "the ticker beats")
            make_due(clockwork.sql, STEPS, after=1, spread=4)
            fired += STEPS
            expected = fired
            until(
                lambda expected=expected: clockwork.sql("SELECT count(*) FROM slas_slaevent") == [(expected,)],
                f"fired by {names} with a clock that is off by {seconds} s",
            )
            for name in names:
                clockwork.kill(name)
    # Now everybody with the wrong clock hands on what was written with it.
    shifted = {"LD_PRELOAD": str(shim), "CLOCK_SHIFT_S": str(-FORTY_MINUTES)}
    clockwork.start("worker for timers", **shifted)
    clockwork.start("beat")
    until(lambda: clockwork.sql(COUNTS) == [(fired, fired, fired, 0)], "all told")
    assert clockwork.sql(WRONG) == []

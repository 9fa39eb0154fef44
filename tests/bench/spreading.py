"""How fast a parent's resolution reaches its children. Run `bin/bench spreading [--children N]`.

Works in a database of its own that is removed at the end. Each child has the clocks of the product's
default service levels, since stopping them is most of the work. The children are opened through the verb, which takes
longer than what is measured.
"""

from __future__ import annotations

import argparse
import sys
import time

from tests.bench.database import own_database
from tests.bench.sla import heading, load, machine, say

CHILDREN = 1000
FIXED = {"resolution_code": "solution_provided", "resolution_notes": "Replaced the switch."}


def measure(children: int) -> float:
    """Print the figures and return the seconds in which the worker resolved all children."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from incidents.actions import open_incident, resolve, set_parent
    from incidents.models import Incident
    from itsm.tickets.actors import SYSTEM, Actor, Channel
    from itsm.tickets.models import Spread, TicketEvent
    from itsm.tickets.outbox import dispatch
    from itsm.tickets.spreading import work
    from slas.actions import install_defaults
    from tests.cast import make_cast

    install_defaults()
    cast = make_cast()
    anna = Actor(cast.anna, Channel.DESK)

    def family(size: int) -> Incident:
        parent = open_incident(actor=anna, title="No network", requester=cast.rita, service=cast.vpn)
        for number in range(size):
            child = open_incident(actor=anna, title=f"No network in {number}", requester=cast.rosa, service=cast.vpn)
            set_parent(child, parent, actor=SYSTEM)
        return parent

    small, large = family(4), family(children)
    resolve(small, actor=anna, **FIXED)
    with CaptureQueriesContext(connection) as asked:
        work()
    queries = len(asked) / 4
    start = time.perf_counter()
    resolve(large, actor=anna, **FIXED)
    say(f"resolve the parent of {children:,} (somebody waits for it)", f"{1000 * (time.perf_counter() - start):.0f} ms")
    start, cpu = time.perf_counter(), time.process_time()
    while work():
        pass
    took = time.perf_counter() - start
    order = Spread.objects.get(source=large)
    assert (order.done, order.skipped, order.failed) == (children, 0, 0)
    assert TicketEvent.objects.filter(code="incident.resolved").count() == children + 4 + 2
    say(
        f"resolve {children:,} children in one worker",
        f"{took:.1f} s, {time.process_time() - cpu:.1f} s of its CPU",
        "< 10 s for 1,000",
    )
    say("for each child", f"{1000 * took / children:.1f} ms, {queries:.0f} queries")
    start, handed = time.perf_counter(), 0
    while had := dispatch():
        handed += had
    say(f"tell of all {handed:,} events", f"{time.perf_counter() - start:.1f} s")
    return took


def main(arguments: list[str] | None = None) -> int:
    """Measure; 1 when it is slower than the target."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--children", type=int, default=CHILDREN)
    options = parser.parse_args(arguments)
    with own_database():
        heading(f"{machine()}, {load()}")
        took = measure(options.children)
    return 0 if took <= 10 * options.children / CHILDREN else 1


if __name__ == "__main__":
    sys.exit(main())

"""Targets are met or missed at their instant, whatever the processes that watch them are doing."""

from __future__ import annotations

import signal
from datetime import timedelta
from typing import Any

from tests.e2e.product import ON_ONE_WORKER, Product, once, paused
from tests.setup.conftest import until

pytestmark = ON_ONE_WORKER

BREACHES = """
    SELECT e.at, e.detected_at, t.due_at, (SELECT count(*) FROM tickets_ticketevent v
           WHERE v.ticket_id = k.id AND v.code = 'sla.breached')
    FROM slas_slaevent e JOIN slas_timer t ON t.id = e.timer_id JOIN tickets_ticket k ON k.id = t.ticket_id
    WHERE k.number = %s AND e.kind = 'breached'"""


def test_a_breach_is_recorded_within_two_seconds_of_its_instant(product: Product) -> None:
    number = product.caller("requester").open("The vpn is slow, due in 3 seconds")["number"]
    ((at, noticed, due, logged),) = until(lambda: product.sql(BREACHES, number), "breached", 15)
    assert at == due
    assert timedelta(0) <= noticed - due < timedelta(seconds=2)
    assert logged == 1
    (timer,) = [
        one for one in product.caller("agent").get(f"incidents/{number}/timers/")["results"] if one["breached_at"]
    ]
    assert timer["metric"] == "resolution"
    product.calm()
    assert [str(mail["To"]) for mail in product.mails(number) if "lead@" in str(mail["To"])]
    assert once(product.mails(number))


def test_a_due_instant_that_nobody_was_there_for_is_recorded_once_as_due(product: Product) -> None:
    # The supervisor is stopped so that it does not start them again before the instant is over.
    with paused(product.supervisor):
        for process in watchers(product):
            process.send_signal(signal.SIGKILL)
        number = product.caller("requester").open("The vpn is gone, due in 3 seconds")["number"]
        until(lambda: product.sql(f"SELECT 1 FROM slas_stepdue s {OVERDUE}", number), "past its instant", 15)
        assert product.sql(BREACHES, number) == []
    ((at, noticed, due, logged),) = until(lambda: product.sql(BREACHES, number), "breached when they are back")
    assert at == due < noticed
    assert logged == 1

    # Whoever dies while a step is due leaves it to the next one.
    number = product.caller("requester").open("The vpn is back, due in 3 seconds")["number"]
    until(lambda: product.sql(f"SELECT 1 FROM slas_stepdue s {OVERDUE} OR {DONE}", number, number), "due", 15)
    for process in watchers(product):
        process.send_signal(signal.SIGKILL)
    until(lambda: product.sql(BREACHES, number), "breached")
    until(lambda: len(watchers(product)) >= 3, "watchers again")
    product.calm()
    ((at, _noticed, due, logged),) = product.sql(BREACHES, number)
    assert (at, logged) == (due, 1)
    assert once(product.mails(number))


OVERDUE = """JOIN slas_timer t ON t.id = s.timer_id JOIN tickets_ticket k ON k.id = t.ticket_id
    WHERE k.number = %s AND s.step = 100 AND s.fire_at < now()"""
DONE = """EXISTS (SELECT 1 FROM slas_slaevent e JOIN slas_timer u ON u.id = e.timer_id
    JOIN tickets_ticket j ON j.id = u.ticket_id WHERE j.number = %s AND e.step = 100)"""


def watchers(product: Product) -> list[Any]:
    """Return the processes that ring and fire timers: the ticker, beat, and the worker with its children."""
    return [one for word in ("django ticker", "-n timers@", "skip-checks beat") for one in product.processes(word)]

"""Stopped and started again, the product is where it was. Last in this folder: it stops what the others share."""

import time

from tests.e2e.product import ON_ONE_WORKER, Product

pytestmark = ON_ONE_WORKER


def test_it_stops_cleanly_and_goes_on_where_it_was(product: Product) -> None:
    number = product.caller("requester").open("Before the stop")["number"]
    tickets = product.sql("SELECT count(*) FROM tickets_ticket")
    assert product.stop() == 0
    assert product.processes() == []
    started = time.monotonic()
    product.start()
    assert time.monotonic() - started < 20  # the promise is 5 s on an idle machine; tests run beside this one
    assert product.sql("SELECT count(*) FROM tickets_ticket") == tickets
    assert product.caller("requester").get(f"incidents/{number}/")["title"] == "Before the stop"
    product.calm()

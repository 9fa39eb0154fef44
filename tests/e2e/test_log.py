"""The event log says when somebody with every right on the database has changed it."""

from tests.e2e.product import ON_ONE_WORKER, Product

pytestmark = ON_ONE_WORKER


def test_a_row_changed_by_the_superuser_is_named(product: Product) -> None:
    whole = product.manage("verify_events")
    assert whole.returncode == 0, whole.stdout
    assert "is whole" in whole.stdout
    (pk, number, seq), *_ = product.sql(
        "SELECT e.id, t.number, e.seq FROM tickets_ticketevent e JOIN tickets_ticket t ON t.id = e.ticket_id"
        " WHERE e.seq = 2 ORDER BY e.id LIMIT 1"
    )
    change = (
        "BEGIN; SET LOCAL session_replication_role = replica;"
        " UPDATE tickets_ticketevent SET at = at {} interval '1 minute' WHERE id = {}; COMMIT"
    )
    product.sql(change.format("-", pk))
    try:
        broken = product.manage("verify_events")
        assert broken.returncode == 1
        (line,) = broken.stdout.splitlines()
        assert number in line
        assert str(seq) in line
    finally:
        product.sql(change.format("+", pk))
    assert product.manage("verify_events", "--ticket", number).returncode == 0

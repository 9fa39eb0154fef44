"""Who gets what: approvals."""

from tests.security.table.rows import Rows

ROWS: Rows = [
    # Everybody; nothing about the desk is in them.
    ((200, 200, 200, 200, 200, 200, 200), ("approvals:link",)),
    (
        (302, 200, 200, 200, 200, 200, 200),
        (
            "approvals:list",
            "approvals:delegations",
        ),
    ),
    (
        (302, 405, 405, 405, 405, 405, 405),
        (
            "approvals:answer",
            "approvals:again",
            "approvals:end_delegation",
        ),
    ),
    (
        (302, 404, 404, 200, 200, 200, 200),
        (
            "approvals:detail",  # and whoever is asked in it: tests/approvals/test_pages.py
        ),
    ),
]

"""Who gets what: links in mails about being on call."""

from tests.security.table.rows import Rows

ROWS: Rows = [
    # Everybody; nothing about the desk is in them.
    (
        (200, 200, 200, 200, 200, 200, 200),
        (
            "slas:swap",
            "slas:acknowledge",
            "slas:feed",
        ),
    ),
]

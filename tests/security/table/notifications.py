"""Who gets what: notices and mails."""

from tests.security.table.rows import Rows

ROWS: Rows = [
    # Everybody; nothing about the desk is in them.
    (
        (200, 200, 200, 200, 200, 200, 200),
        (
            "notifications:link",  # the link in a mail is itself the right, to this one request
        ),
    ),
    (
        (302, 200, 200, 200, 200, 200, 200),
        (
            "notifications:notices",
            "notifications:contact",
        ),
    ),
    (
        (302, 405, 405, 405, 405, 405, 405),
        (
            "notifications:read_all",
            "notifications:read_one",
        ),
    ),
    (
        (302, 404, 404, 403, 403, 403, 200),
        (
            "notifications:outbox",
            "notifications:mail",
        ),
    ),
    (
        (302, 404, 404, 403, 403, 403, 405),
        (
            "notifications:events_again",
            "notifications:mail_again",
        ),
    ),
]

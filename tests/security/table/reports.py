"""Who gets what: how service levels were kept: leads, managers, auditors."""

from tests.security.table.rows import Rows

ROWS: Rows = [
    (
        (302, 404, 404, 403, 200, 200, 200),
        (
            "reports:overview",
            "reports:clocks",
            "reports:clock",
            "reports:breaches",
            "reports:soon",
            "reports:time",
            "reports:pauses",
            "reports:waits",
            "reports:export",
        ),
    ),
]

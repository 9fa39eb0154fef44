"""Who gets what: drafts, and replies on their way out. A draft is its author's alone."""

from tests.security.table.rows import Rows

ROWS: Rows = [
    ((302, 404, 404, 200, 200, 200, 200), ("desk:sending",)),
    (
        (405, 405, 405, 405, 405, 405, 405),
        (
            "desk:save",
            "desk:files",
            "desk:file_removed",
            "desk:discard",
            "desk:restore",
            "desk:take_back",
            "desk:leave",
        ),
    ),
    ((401, 200, 200, 200, 200, 200, 200), ("desk:session",)),
]

"""Who gets what: tasks, which are the desk's own."""

from tests.security.table.rows import Rows

ROWS: Rows = [
    (
        (302, 404, 404, 404, 404, 404, 404),
        (
            "tasking:clock",  # no agreement of a new desk times tasks
        ),
    ),
    (
        (302, 404, 404, 200, 200, 200, 200),
        (
            "tasking:choices",
            "tasking:detail",
            "tasking:preview",
            "tasking:pulse",
            "tasking:history",
            "tasking:priority",
            "tasking:edit",
            "tasking:spreads",
        ),
    ),
    (
        (302, 404, 404, 200, 200, 403, 200),
        (
            "tasking:add",
            "tasking:move",
        ),
    ),
    (
        (405, 405, 405, 405, 405, 405, 405),
        (
            "tasking:retry_spread",
            "tasking:order",
            "tasking:panel_move",
            "tasking:comment",
            "tasking:acknowledge",
            "tasking:take",
            "tasking:add_link",
            "tasking:remove_link",
            "tasking:add_watcher",
            "tasking:remove_watcher",
        ),
    ),
]

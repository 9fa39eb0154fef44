"""Who gets what: problems."""

from tests.security.table.rows import Rows

ROWS: Rows = [
    (
        (302, 404, 404, 404, 404, 404, 404),
        (
            "problems:clock",  # nothing is promised for this problem
        ),
    ),
    (
        (302, 404, 404, 200, 200, 200, 200),
        (
            "problems:list",
            "problems:known_errors",
            "problems:trends",
            "problems:trends_progress",
            "problems:new",
            "problems:choices",
            "problems:detail",
            "problems:preview",
            "problems:pulse",
            "problems:history",
            "problems:priority",
            "problems:edit",
            "problems:spreads",
        ),
    ),
    ((302, 404, 404, 200, 200, 403, 200), ("problems:move",)),
    (
        (405, 405, 405, 405, 405, 405, 405),
        (
            "problems:trends_start",
            "problems:trends_stop",
            "problems:trends_decide",
            "problems:fit",
            "problems:analysis",
            "problems:whys",
            "problems:workaround",
            "problems:communicate",
            "problems:incidents",
            "problems:known_error",
            "problems:publication",
            "problems:review",
            "problems:timeline_add",
            "problems:timeline_remove",
            "problems:comment",
            "problems:acknowledge",
            "problems:take",
            "problems:add_link",
            "problems:remove_link",
            "problems:add_watcher",
            "problems:remove_watcher",
            "problems:retry_spread",
        ),
    ),
]

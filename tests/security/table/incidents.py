"""Who gets what: incidents and the files of tickets. The desk does not exist for requesters."""

from tests.security.table.rows import Rows

ROWS: Rows = [
    ((302, 200, 404, 200, 200, 200, 200), ("tickets:attachment",)),
    (
        (302, 404, 404, 404, 404, 404, 404),
        ("incidents:major_review",),  # that incident is no major one
    ),
    (
        (302, 404, 404, 200, 200, 200, 200),
        (
            "incidents:choices",
            "incidents:majors",
            "incidents:major",
            "incidents:detail",
            "incidents:preview",
            "incidents:pulse",
            "incidents:history",
            "incidents:clock",
            "incidents:priority",
            "incidents:edit",
            "incidents:spreads",
        ),
    ),
    (
        (302, 404, 404, 200, 200, 403, 200),
        (
            "incidents:move",
            "incidents:split",
            "incidents:outage",
        ),
    ),
    (
        (405, 405, 405, 405, 405, 405, 405),
        (
            "incidents:comment",
            "incidents:acknowledge",
            "incidents:major_act",
            "incidents:set_parent",
            "incidents:leave_parent",
            "incidents:tell_children",
            "incidents:merge",
            "incidents:unmerge",
            "incidents:same",
            "incidents:retry_spread",
            "incidents:take",
            "incidents:add_link",
            "incidents:remove_link",
            "incidents:add_watcher",
            "incidents:remove_watcher",
        ),
    ),
]

"""Who gets what: the agents' pages."""

from tests.security.table.rows import Rows

ROWS: Rows = [
    (
        (302, 404, 404, 200, 200, 200, 200),
        (
            "workspace:home",
            "workspace:on_call",
            "workspace:my_on_call",
            "workspace:rota",
            "workspace:queue",
            "workspace:live",
            "workspace:filters",
            "workspace:suggest",
            "workspace:search",
            "workspace:palette",
            "workspace:new_priority",
            "workspace:new_similar",
            "workspace:people",
            "workspace:teams",
        ),
    ),
    ((302, 404, 404, 200, 200, 403, 200), ("workspace:new",)),
    (
        (405, 405, 405, 405, 405, 405, 405),
        (
            "workspace:time_off",
            "workspace:time_off_remove",
            "workspace:calendar_link",
            "workspace:swap_answer",
            "workspace:override",
            "workspace:override_remove",
            "workspace:swap",
            "workspace:take_next",
            "workspace:look",
            "workspace:bulk",
        ),
    ),
]

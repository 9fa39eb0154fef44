"""Who gets what: the portal, in which everybody sees their own requests, the desk's people too."""

from tests.security.table.rows import Rows

ROWS: Rows = [
    (
        (302, 200, 200, 200, 200, 200, 200),
        (
            "portal:report",
            "portal:similar",
            "portal:outages",
            "portal:requests",
            "portal:known_errors",
        ),
    ),
    (
        (302, 405, 405, 405, 405, 405, 405),
        (
            "portal:reply",
            "portal:join",
        ),
    ),
    ((302, 200, 200, 302, 302, 302, 302), ("portal:home",)),
    (
        (302, 200, 404, 404, 404, 404, 404),
        (
            "portal:request",
            "portal:move",
        ),
    ),
]

"""Who gets what at every address: the status of GET for each kind of person, reviewed by hand. One module per room.

Addresses lead to an incident of `requester` and to what hangs on it; `other` asks for help in another organisation. A
page that somebody must not know of is 404 for them, one that they may know of 403; 405: the address takes POST only.
"""

from tests.security.table import (
    administration,
    api,
    approvals,
    changes,
    desk,
    incidents,
    notifications,
    own,
    portal,
    problems,
    reports,
    slas,
    tasking,
    workspace,
)
from tests.security.table.rows import merged

KINDS = ("anonymous", "requester", "other", "agent", "lead", "auditor", "administrator")
DECIDED = merged(
    {
        "administration": administration.ROWS,
        "api": api.ROWS,
        "approvals": approvals.ROWS,
        "changes": changes.ROWS,
        "desk": desk.ROWS,
        "incidents": incidents.ROWS,
        "notifications": notifications.ROWS,
        "own": own.ROWS,
        "portal": portal.ROWS,
        "problems": problems.ROWS,
        "reports": reports.ROWS,
        "slas": slas.ROWS,
        "tasking": tasking.ROWS,
        "workspace": workspace.ROWS,
    }
)

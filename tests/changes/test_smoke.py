from datetime import timedelta

import pytest

from changes.actions import open_change, perform
from itsm.tickets.actors import SYSTEM
from itsm.tickets.clock import db_now
from itsm.tickets.errors import Invalid
from tests.cast import Cast, as_


def test_way(cast: Cast) -> None:
    c = open_change(actor=as_(cast.anna), title="x", service=cast.vpn)
    assert c.number.startswith("CHG00300")
    with pytest.raises(Invalid) as e:
        perform(c, "request_approval", actor=as_(cast.anna))
    assert set(e.value.fields) == {"justification", "implementation_plan", "backout_plan", "test_plan", "planned_start"}
    now = db_now()
    c = open_change(actor=as_(cast.anna), title="x", service=cast.vpn, plans=dict.fromkeys(e.value.fields - {"planned_start"} if 0 else ["justification", "implementation_plan", "backout_plan", "test_plan"], "x"),
        planned_start=now - timedelta(hours=1), planned_end=now + timedelta(hours=1))
    for move in ("request_approval", "assessed", "authorised", "start", "finish"):
        c = perform(c, move, actor=SYSTEM)
    c = perform(c, "close", actor=as_(cast.anna), fields={"close_code": "successful", "close_notes": "x"})
    assert c.status == "closed"

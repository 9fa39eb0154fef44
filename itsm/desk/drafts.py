"""What stands in the composer of the ticket page when it is sent."""

from __future__ import annotations

from dataclasses import dataclass

from itsm.tickets.models import Visibility

SEND = ""


@dataclass(frozen=True)
class Draft:
    """What stands in the composer. `then`: the way to send. `seen`: the last event its writer saw; None: not checked.
    `force`: send anyway."""

    body: str
    visibility: str = Visibility.PUBLIC
    then: str = SEND
    seen: int | None = None
    force: bool = False
    submission_key: str = ""

"""Notices in words, for their reader."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from itsm.accounts.models import User
from itsm.notifications.addresses import ticket_path
from itsm.notifications.audience import Why
from itsm.notifications.compose import sentence
from itsm.notifications.models import Notice
from itsm.notifications.occasion import Occasion
from itsm.notifications.registry import has_wording, wording_of


@dataclass(frozen=True)
class Line:
    """One notice as the inbox shows it."""

    notice: Notice
    text: str
    icon: str
    why: str
    url: str


def lines(notices: Iterable[Notice], reader: User) -> list[Line]:
    """Return the notices in words; those of a room that is gone say only which ticket they are about."""
    return [_line(notice, reader) for notice in notices]


def _line(notice: Notice, reader: User) -> Line:
    if notice.event is None or notice.ticket is None:
        return Line(notice=notice, text=notice.text, icon="bell", why="", url=notice.path)
    occasion = Occasion(notice.event, notice.ticket)
    known = has_wording(notice.kind)
    return Line(
        notice=notice,
        text=sentence(wording_of(notice.kind), occasion) if known else str(notice.ticket),
        icon=wording_of(notice.kind).icon if known else "bell",
        why=str(Why(notice.why).label) if notice.why in Why.values else "",
        url=ticket_path(notice.ticket, reader),
    )

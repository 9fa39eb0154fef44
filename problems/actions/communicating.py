"""Telling the requesters of a problem's incidents of its workaround or fix, each incident once (feature PR-3)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from itsm.tickets.actions import begin
from itsm.tickets.actors import Actor
from itsm.tickets.clock import instant_of
from itsm.tickets.errors import Invalid, Stale
from itsm.tickets.log import write
from itsm.tickets.spreading import spread
from itsm.tickets.texts import clean_text
from problems.incidents import open_incident_ids
from problems.models import Communication, CommunicationTarget, Problem, Told
from problems.models.problem import NOTES_MAX

EFFECT = "problem.communicate"


@dataclass(frozen=True)
class Sent:
    """What a press of “Communicate” did: to how many incidents it goes, and how many had the same text already."""

    communication: Communication | None
    count: int
    had_it: int

    @property
    def sentence(self) -> str:
        """What it did, for the person who pressed."""
        if not self.count and not self.had_it:
            return _("No open incident is linked to this problem: nobody was told.")
        if not self.count:
            return _("Nobody new to tell: all %(had)d open incidents have this text already.") % {"had": self.had_it}
        if self.had_it:
            return _("Being sent to %(count)d incidents linked since; %(had)d had it already.") % {
                "count": self.count,
                "had": self.had_it,
            }
        return _("Being sent to %(count)d incidents.") % {"count": self.count}


def communicate_workaround(
    problem: Problem, *, actor: Actor, seen: int | None = None, only: Iterable[int] | None = None
) -> Sent:
    """Send the workaround to every open incident of the problem that has not had this text, and stop their paging.

    `seen` is the number of the version that the person had before them; None: not compared. `only`: the ids of the
    incidents to which it is confined.

    Raises:
        Invalid: there is no workaround. Stale: it was changed meanwhile. Refused.
    """
    with transaction.atomic():
        locked: Problem = begin(problem, "ticket.edit", actor=actor)
        if seen is not None and seen != locked.workaround_version:
            raise Stale(seen=seen, current=locked.workaround_version)
        if not locked.workaround:
            raise Invalid({"workaround": _("There is no workaround yet. Write it down first.")})
        return _send(locked, Told.WORKAROUND, locked.workaround, actor=actor, only=only)


def communicate_fix(problem: Problem, text: str, *, actor: Actor) -> Sent:
    """Send what is to be said of the fix to every open incident of the problem that has not had this text, and stop
    their paging.

    Raises:
        Invalid: no text, or one that does not fit. Refused.
    """
    with transaction.atomic():
        locked: Problem = begin(problem, "ticket.edit", actor=actor)
        said = clean_text(text, "text", NOTES_MAX, required=True)
        return _send(locked, Told.FIX, said, actor=actor)


def _send(problem: Problem, what: Told, text: str, *, actor: Actor, only: Iterable[int] | None = None) -> Sent:
    edition = _edition(problem, what, text)
    wanted = open_incident_ids(problem)
    if only is not None:
        chosen = set(only)
        wanted = [pk for pk in wanted if pk in chosen]
    had = set(
        CommunicationTarget.objects.filter(
            problem=problem, what=what, edition=edition, ticket_id__in=wanted
        ).values_list("ticket_id", flat=True)
    )
    fresh = [pk for pk in wanted if pk not in had]
    if not fresh:
        return Sent(None, 0, len(had))
    now = instant_of(actor)
    said = Communication.objects.create(
        problem=problem, what=what, edition=edition, text=text, author=actor.user, created_at=now, count=len(fresh)
    )
    CommunicationTarget.objects.bulk_create(
        CommunicationTarget(communication=said, problem=problem, what=what, edition=edition, ticket_id=pk)
        for pk in fresh
    )
    stamp = "workaround_communicated_at" if what == Told.WORKAROUND else "fix_communicated_at"
    event = write(
        problem,
        "problem.communicated",
        actor=actor,
        changes={stamp: now},
        data={"what": str(what), "edition": edition, "count": len(fresh), "communication": said.public_id},
        log_changes=False,
        bump=False,
        at=now,
    )
    said.spread = spread(problem, EFFECT, fresh, actor=actor, data={"body": text}, event=event)
    said.save(update_fields=["spread"])
    return Sent(said, len(fresh), len(had))


def _edition(problem: Problem, what: Told, text: str) -> int:
    """Return the number of the text: that of the last one sent if it is the same, else the next."""
    last = Communication.objects.filter(problem=problem, what=what).order_by("-edition").first()
    if last is None:
        return 1
    return last.edition if last.text == text else last.edition + 1

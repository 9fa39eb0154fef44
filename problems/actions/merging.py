"""A duplicate's links and tasks go to the problem that goes on (feature PR-6)."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from itsm.tasking.actions import move_tasks
from itsm.tickets.actors import Actor
from itsm.tickets.errors import Invalid
from itsm.tickets.log import write
from itsm.tickets.models import Link, LinkKind
from problems.actions.linking import lock_rows, tell_linked
from problems.models import Problem
from problems.statuses import TERMINAL

REF_MAX = 32
# These say something of the very problem that ended, and stay with it.
STAYS = (LinkKind.DUPLICATE_OF, LinkKind.FOLLOWS)


def lock_both(problem: Problem, ref: Any) -> None:
    """Lock the problem and the one with this number or public id, if there is one, in the order in which everybody
    takes several rows: so that two problems cannot each become the duplicate of the other."""
    text = ref.strip() if isinstance(ref, str) else str(getattr(ref, "number", ""))
    if not text or len(text) > REF_MAX or "\x00" in text:
        return
    found = Problem.objects.by_ref(text).values_list("pk", flat=True).first()
    if found is not None:
        lock_rows({problem.pk, found})


def check_survivor(problem: Problem, other: Problem) -> Problem:
    """Return the other problem as the one that goes on.

    A problem that is a duplicate itself is closed, so that chains and circles cannot come about.

    Raises:
        Invalid: it is the problem itself, or closed.
    """
    if other.pk == problem.pk:
        raise Invalid({"duplicate_of": _("A problem cannot be a duplicate of itself. Give the number of another one.")})
    if other.status in TERMINAL:
        words: dict[str, Any] = {"number": other.number}
        if other.duplicate_of is not None:
            text = _("%(number)s is closed as a duplicate of %(survivor)s. Give that number instead.")
            words["survivor"] = other.duplicate_of.number
        else:
            text = _("%(number)s is closed. Choose a problem that goes on.")
        raise Invalid({"duplicate_of": text % words})
    return other


def hand_over(problem: Problem, survivor: Problem, *, actor: Actor) -> None:
    """Move links and tasks of the locked problem to the locked survivor, and link the one as duplicate of the other.

    A link that the survivor has already is dropped; one that would lead from the survivor to itself too.
    """
    links = list(Link.objects.filter(Q(source=problem) | Q(target=problem)).exclude(kind__in=STAYS).order_by("pk"))
    taken = set(
        Link.objects.filter(Q(source=survivor) | Q(target=survivor)).values_list("source_id", "target_id", "kind")
    )
    moved: list[Link] = []
    dropped: list[int] = []
    for link in links:
        source = survivor.pk if link.source_id == problem.pk else link.source_id
        target = survivor.pk if link.target_id == problem.pk else link.target_id
        key = (source, target, link.kind)
        if source == target or key in taken:
            dropped.append(link.pk)
            continue
        taken.add(key)
        link.source_id, link.target_id = source, target
        moved.append(link)
    Link.objects.filter(pk__in=dropped).delete()
    Link.objects.bulk_update(moved, ["source", "target"])
    incidents = lock_rows(
        link.source_id for link in moved if link.kind == LinkKind.PROBLEM and link.target_id == survivor.pk
    )
    tell_linked(incidents, survivor, actor=actor)
    tasks = len(move_tasks(problem, survivor, actor=actor))
    Link.objects.get_or_create(
        source_id=problem.pk,
        target_id=survivor.pk,
        kind=LinkKind.DUPLICATE_OF,
        defaults={"created_by": actor.user},
    )
    data = {"number": problem.number, "ticket": problem.public_id, "count": len(moved), "tasks": tasks}
    write(survivor, "problem.took_over", actor=actor, data=data, bump=False)

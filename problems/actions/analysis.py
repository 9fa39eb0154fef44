"""What is found out: cause, fix, five whys, the workaround and its versions, the timeline of what happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from itsm.tickets.actions import begin
from itsm.tickets.actions.base import check_not_terminal
from itsm.tickets.actors import Actor
from itsm.tickets.clock import instant_of
from itsm.tickets.errors import Invalid, Stale
from itsm.tickets.log import write
from itsm.tickets.texts import clean_text
from problems.models import Problem, TimelineEntry, WorkaroundVersion
from problems.models.problem import NOTES_MAX, WHY_MAX, WHYS_MAX

ANALYSIS = ("cause_notes", "fix_notes")
TIMELINE_MAX = 500


@transaction.atomic
def save_analysis(problem: Problem, changes: Mapping[str, Any], *, actor: Actor, version: int | None = None) -> Problem:
    """Write down cause (`cause_notes`), fix (`fix_notes`) or the chain of whys (`whys`) and return the problem.

    What is not named stays. A call that changes nothing writes nothing. A text that the problem's state needs cannot be
    emptied.

    Raises:
        Invalid, Refused, Stale; IllegalMove: the problem is closed.
    """
    locked: Problem = begin(problem, "ticket.edit", actor=actor, version=version)
    check_not_terminal(locked)
    values: dict[str, Any] = {}
    problems: dict[str, str] = {}
    for name, value in changes.items():
        try:
            if name == "whys":
                values[name] = clean_whys(value)
            elif name in ANALYSIS:
                values[name] = clean_text(value, name, NOTES_MAX)
            else:
                problems[name] = _("This cannot be changed here.")
        except Invalid as error:
            problems.update(error.fields)
    problems |= _needed_texts(locked, values)
    if problems:
        raise Invalid(problems)
    values = {name: value for name, value in values.items() if getattr(locked, name) != value}
    if values:
        write(locked, "problem.analysed", actor=actor, changes=values)
    return locked


def _needed_texts(problem: Problem, values: Mapping[str, Any]) -> dict[str, str]:
    """Return a sentence for each text that would be emptied although the problem as it stands needs it."""
    needed: set[str] = set()
    if problem.status in {"fix_in_progress", "resolved"}:
        needed |= {"cause_notes"} if problem.resolution_code == "risk_accepted" else set(ANALYSIS)
    if problem.is_known_error:
        needed.add("cause_notes")
    text = _("This cannot be emptied as the problem stands: %(status)s.") % {"status": problem.status_label}
    return {name: text for name in needed if name in values and not values[name] and getattr(problem, name)}


def clean_whys(value: Any) -> list[dict[str, str]]:
    """Return the chain of whys without empty lines.

    Raises:
        Invalid: not a list of question and answer, too many, or an answer without its question.
    """
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise Invalid({"whys": _("Give a list of questions, each with its answer.")})
    found: list[dict[str, str]] = []
    for one in value:
        if not isinstance(one, Mapping) or set(one) - {"why", "answer"}:
            raise Invalid({"whys": _("Each line has a “why” and an “answer”.")})
        why = clean_text(one.get("why"), "whys", WHY_MAX, one_line=True)
        answer = clean_text(one.get("answer"), "whys", WHY_MAX)
        if answer and not why:
            raise Invalid({"whys": _("Say what the answer is about: fill in the question before it.")})
        if why:
            found.append({"why": why, "answer": answer})
    if len(found) > WHYS_MAX:
        raise Invalid({"whys": _("At most %(max)d questions fit. Join some.") % {"max": WHYS_MAX}})
    return found


@transaction.atomic
def save_workaround(problem: Problem, text: str, *, actor: Actor, seen: int | None = None) -> Problem:
    """Write the workaround as a new version and return the problem; the former versions stay. The same text again
    writes nothing.

    `seen` is the number of the version that the person had before them (0: none); None: not compared.

    Raises:
        Stale: somebody wrote another version meanwhile. Invalid: too long, or a known error or what is published would
            be left without one. Refused. IllegalMove: the problem is closed.
    """
    locked: Problem = begin(problem, "ticket.edit", actor=actor)
    check_not_terminal(locked)
    said = clean_text(text, "workaround", NOTES_MAX)
    if said == locked.workaround:
        return locked
    if seen is not None and seen != locked.workaround_version:
        raise Stale(seen=seen, current=locked.workaround_version)
    if not said and locked.is_known_error:
        from problems.actions.known_errors import needs_workaround

        if needs_workaround():
            raise Invalid({"workaround": _("A known error needs its workaround. Withdraw the known error first.")})
    now = instant_of(actor)
    number = locked.workaround_version + 1
    WorkaroundVersion.objects.create(problem=locked, number=number, text=said, author=actor.user, created_at=now)
    changes = {"workaround": said, "workaround_version": number}
    data = {"version": number, "is_empty": not said}
    write(locked, "problem.workaround_written", actor=actor, changes=changes, data=data, log_changes=False, at=now)
    return locked


@transaction.atomic
def add_timeline_entry(problem: Problem, at: datetime | None, text: str, *, actor: Actor) -> TimelineEntry:
    """Add to the timeline what happened at an instant (aware) and return the entry. The same entry twice is one.

    Raises:
        Invalid: no text, no instant, one that lies ahead, or too many entries. Refused. IllegalMove: it is closed.
    """
    locked: Problem = begin(problem, "ticket.edit", actor=actor)
    check_not_terminal(locked)
    said = clean_text(text, "text", 1000, required=True, one_line=True)
    if not isinstance(at, datetime) or at.tzinfo is None:
        raise Invalid({"at": _("Say when it happened.")})
    now = instant_of(actor)
    if at > now:
        raise Invalid({"at": _("That lies ahead. The timeline says what has happened.")})
    same = locked.timeline_entries.filter(at=at, text=said).first()
    if same is not None:
        return same
    if locked.timeline_entries.count() >= TIMELINE_MAX:
        raise Invalid({"text": _("At most %(max)d entries fit. Join some.") % {"max": TIMELINE_MAX}})
    entry = TimelineEntry.objects.create(problem=locked, at=at, text=said, author=actor.user, created_at=now)
    write(locked, "problem.timeline_changed", actor=actor, data={"text": said[:200]}, bump=False)
    return entry


@transaction.atomic
def remove_timeline_entry(entry: TimelineEntry, *, actor: Actor) -> None:
    """Take the entry out of the timeline; the log keeps that it was there. Removing it twice is no error.

    Raises:
        Refused. IllegalMove: the problem is closed.
    """
    locked: Problem = begin(entry.problem, "ticket.edit", actor=actor)
    check_not_terminal(locked)
    deleted, _details = TimelineEntry.objects.filter(pk=entry.pk).delete()
    if deleted:
        data = {"text": entry.text[:200], "gone": True}
        write(locked, "problem.timeline_changed", actor=actor, data=data, bump=False)

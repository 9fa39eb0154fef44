"""The timeline as it is to be read, the decision log, and the review."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from incidents.major.actions.base import begin_running
from incidents.major.models import ENTRY_MAX, REVIEW_MAX, MajorEntry, MajorReview
from incidents.major.timeline import original_words
from incidents.models import Incident
from itsm.tickets.actors import Actor
from itsm.tickets.clock import instant_of
from itsm.tickets.errors import IllegalMove, Invalid, Stale
from itsm.tickets.log import write
from itsm.tickets.models import TicketEvent
from itsm.tickets.texts import clean_text

REVIEW = ("overview", "findings", "went_well", "went_badly", "resolution")
NEEDED = ("overview", "findings", "resolution")
MOST_ENTRIES = 500


@transaction.atomic
def add_entry(
    incident: Incident, *, actor: Actor, text: str = "", at: datetime | None = None, is_decision: bool = False
) -> MajorEntry:
    """Add a line to the timeline (and, as a decision, to the decision log) and return it. `at`: when it was; now.

    The same words at the same instant again are the same line: a double click adds one.

    Raises:
        Invalid: no text, in the future, or too many lines. IllegalMove, Refused.
    """
    locked, _major = begin_running(incident, actor=actor, is_open=False)
    _check_not_published(locked)
    words = clean_text(text, "text", ENTRY_MAX, required=True)
    now = instant_of(actor)
    when = at or now
    if when > now:
        raise Invalid({"at": _("This lies in the future. Say when it happened.")})
    same = MajorEntry.objects.filter(incident=locked, event=None, text=words, is_decision=is_decision)
    found = same.filter(at=at).first() if at else same.filter(by=actor.user).order_by("-at").first()
    if found is not None and (at or (now - found.at).total_seconds() < 60):
        return found
    if MajorEntry.objects.filter(incident=locked).count() >= MOST_ENTRIES:
        raise Invalid({"text": _("There are %(max)d lines already. Change or hide one.") % {"max": MOST_ENTRIES}})
    entry = MajorEntry.objects.create(
        incident=locked, at=when, text=words, is_decision=is_decision, by=actor.user, changed_at=now
    )
    code = "incident.major_decision" if is_decision else "incident.major_timeline_added"
    write(locked, code, actor=actor, data={"text": words, "entry": entry.public_id}, at=now, bump=False)
    return entry


@transaction.atomic
def edit_line(
    incident: Incident, ref: str, *, actor: Actor, text: str = "", is_hidden: bool = False, seen: str | None = None
) -> None:
    """Say a line of the timeline otherwise, or hide it. `ref`: the entry's id, or `event-<seq>` for an event's line.

    The event stays as it is; empty words, or its own, take the edit back. `seen` is what the line said to the editor:
    where it says something else by now, nothing is changed.

    Raises:
        Invalid: no such line, or a line of one's own without words. IllegalMove, Refused, Stale.
    """
    locked, _major = begin_running(incident, actor=actor, is_open=False)
    _check_not_published(locked)
    words = clean_text(text, "text", ENTRY_MAX)
    entry, event = _line(locked, ref)
    original = original_words(event) if event is not None else ""
    current = (entry.text if entry is not None else "") or original
    if seen is not None and _flat(seen) != _flat(current):
        raise IllegalMove(_("Somebody changed this line in the meantime. It says now: %(text)s") % {"text": current})
    if event is None and not words:
        raise Invalid({"text": _("Say what happened, or hide the line.")})
    if event is not None and _flat(words) == _flat(original):
        words = ""
    now = instant_of(actor)
    before = {"text": current, "hidden": entry.is_hidden if entry is not None else False}
    if entry is None:
        entry = MajorEntry(incident=locked, event=event, at=event.at if event is not None else now)
    if (entry.text, entry.is_hidden) == (words, is_hidden):
        return
    entry.text, entry.is_hidden, entry.by, entry.changed_at = words, is_hidden, actor.user, now
    entry.save()
    data = {"line": ref, "before": before, "text": words or original, "hidden": is_hidden}
    write(locked, "incident.major_timeline_edited", actor=actor, data=data, at=now, bump=False)


def _flat(text: str) -> str:
    return " ".join(text.split())


def _line(locked: Incident, ref: str) -> tuple[MajorEntry | None, TicketEvent | None]:
    if ref.startswith("event-"):
        seq = ref.removeprefix("event-")
        if seq.isascii() and seq.isdecimal() and len(seq) < 10:
            event = TicketEvent.objects.filter(ticket_id=locked.pk, seq=int(seq)).select_related("actor").first()
            if event is not None:
                return MajorEntry.objects.filter(incident=locked, event=event).first(), event
    elif "\x00" not in ref:
        entry = MajorEntry.objects.filter(incident=locked, public_id=ref[:32], event=None).first()
        if entry is not None:
            return entry, None
    raise Invalid({"line": _("There is no such line. Load the page again.")})


def _check_not_published(locked: Incident) -> None:
    if MajorReview.objects.filter(incident=locked, done_at__isnull=False).exists():
        raise IllegalMove(_("The review is done. Take it up again before you change the record."))


@transaction.atomic
def save_review(
    incident: Incident, values: Mapping[str, Any], *, actor: Actor, edition: int | None = None
) -> MajorReview:
    """Write any of the review's texts and return it; `edition` is the one that the writer saw.

    Raises:
        Invalid; Stale: somebody wrote in the meantime. IllegalMove: it is done, or this is no major incident. Refused.
    """
    locked, _major = begin_running(incident, actor=actor, is_open=False)
    _check_not_published(locked)
    review = MajorReview.objects.filter(incident=locked).first() or MajorReview(incident=locked)
    if edition is not None and edition != review.edition:
        raise Stale(seen=edition, current=review.edition)
    problems = {name: _("This cannot be changed here.") for name in values if name not in REVIEW}
    changed: list[str] = []
    for name in REVIEW:
        if name not in values:
            continue
        try:
            text = clean_text(values[name], name, REVIEW_MAX)
        except Invalid as error:
            problems.update(error.fields)
            continue
        if text != getattr(review, name):
            setattr(review, name, text)
            changed.append(name)
    if problems:
        raise Invalid(problems)
    if changed or review.edition == 0:
        review.edition += 1
        review.save()
        write(locked, "incident.major_review_saved", actor=actor, data={"parts": changed}, bump=False)
    return review


@transaction.atomic
def finish_review(incident: Incident, *, actor: Actor, edition: int | None = None) -> MajorReview:
    """Declare the review done, after which the incident can be closed; return it. Twice is no error.

    Raises:
        Invalid: overview, findings or resolution is missing. IllegalMove: the incident is still open. Refused, Stale.
    """
    locked, _major = begin_running(incident, actor=actor, is_open=False)
    if locked.is_open:
        raise IllegalMove(
            _("%(number)s is still open. Resolve it, then finish the review.") % {"number": locked.number}
        )
    review = MajorReview.objects.filter(incident=locked).first() or MajorReview(incident=locked)
    if review.done_at is not None:
        return review
    if edition is not None and edition != review.edition:
        raise Stale(seen=edition, current=review.edition)
    missing = [name for name in NEEDED if not getattr(review, name)]
    if missing:
        raise Invalid(dict.fromkeys(missing, _("Write this before the review is done.")))
    review.done_at, review.done_by = instant_of(actor), actor.user
    review.save()
    write(locked, "incident.major_review_done", actor=actor, at=review.done_at)
    return review


@transaction.atomic
def take_up_review(incident: Incident, *, actor: Actor) -> MajorReview:
    """Make a review that is done a draft again and return it; the incident must not be closed.

    Raises:
        IllegalMove, Refused.
    """
    locked, _major = begin_running(incident, actor=actor, is_open=False)
    if locked.closed_at is not None:
        raise IllegalMove(_("%(number)s is closed: its review stays as it is.") % {"number": locked.number})
    review = MajorReview.objects.filter(incident=locked).first()
    if review is None:
        raise IllegalMove(_("There is no review yet."))
    if review.done_at is not None:
        review.done_at, review.done_by = None, None
        review.save()
        write(locked, "incident.major_review_reopened", actor=actor)
    return review

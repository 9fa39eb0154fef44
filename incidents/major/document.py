"""The post-incident review as a document to keep: what the page shows of it, with the timeline as it is published."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from incidents.major.models import MajorDuty, MajorIncident, MajorReview
from incidents.major.states import MajorRole
from incidents.major.timeline import timeline_of
from itsm.accounts.models import User
from itsm.pdf.paper import Paper
from itsm.tasking.models import Task
from itsm.tickets.clock import db_now
from itsm.ui.templatetags.lengths import real_time

PARTS = ("overview", "findings", "went_well", "went_badly", "resolution")
NEEDED = frozenset({"overview", "findings", "resolution"})


def review_document(incident: Any, viewer: User) -> bytes:
    """Return the review of a major incident as PDF, with all times in the viewer's zone.

    Hidden lines of the timeline are left out, and edited ones say what the editor made of them and nothing else.
    """
    with timezone.override(viewer.zone):
        return _document(incident, viewer)


def _document(incident: Any, viewer: User) -> bytes:
    major = MajorIncident.objects.get(incident=incident)
    review = MajorReview.objects.filter(incident=incident).select_related("done_by").first()
    made = _("Made %(when)s by %(who)s. Times in %(zone)s.") % {
        "when": _moment(db_now()),
        "who": viewer,
        "zone": viewer.zone.key,
    }
    paper = Paper(
        title=f"{incident.number} {incident.title}",
        head=_("%(number)s · Post-incident review") % {"number": incident.number},
        mark=_("Internal: for the service desk only"),
        foot=made,
    )
    paper.title(_("Post-incident review"), incident.title, _standing(review))
    paper.rows(_facts(incident, major))
    paper.heading(_("Business impact"))
    paper.paragraph(major.impact)
    for name in PARTS:
        text = getattr(review, name, "")
        if not text and name not in NEEDED:
            continue
        paper.heading(capfirst(str(MajorReview._meta.get_field(name).verbose_name)))  # type: ignore[union-attr]
        paper.paragraph(text or _("Not written yet."), soft=not text)
    paper.heading(_("Timeline"))
    paper.rows(_timeline(incident))
    paper.heading(_("Actions"))
    actions = list(_actions(incident))
    if actions:
        paper.rows(actions)
    else:
        paper.paragraph(_("No tasks were made."), soft=True)
    return paper.content()


def _standing(review: MajorReview | None) -> str:
    if review is None or review.done_at is None:
        return _("Draft: the review is not done yet.")
    return _("Done %(when)s by %(who)s.") % {"when": _moment(review.done_at), "who": review.done_by or "–"}


def _facts(incident: Any, major: MajorIncident) -> Iterator[tuple[str, str, str]]:
    yield _("Number"), incident.number, ""
    yield _("Status"), str(incident.status_label), ""
    yield _("Priority"), f"P{incident.priority}", ""
    if incident.service is not None:
        yield _("Service"), str(incident.service), ""
    if incident.child_count:
        count = incident.child_count
        yield _("Part of it"), ngettext("%(n)d incident", "%(n)d incidents", count) % {"n": count}, ""
    began = major.accepted_at or incident.opened_at
    for label, at, below in (
        (_("Opened"), incident.opened_at, ""),
        (_("Proposed"), major.proposed_at, ""),
        (_("Major incident from"), major.accepted_at, ""),
        (_("Resolved"), incident.resolved_at, _lasted(began, incident.resolved_at)),
        (_("Closed"), incident.closed_at, ""),
    ):
        if at is not None:
            yield label, _moment(at), below
    yield from _roles(incident)


def _lasted(began: datetime, ended: datetime | None) -> str:
    if ended is None:
        return ""
    return _("%(length)s after it became a major incident") % {"length": real_time((ended - began).total_seconds())}


def _roles(incident: Any) -> Iterator[tuple[str, str, str]]:
    duties = list(MajorDuty.objects.filter(incident=incident).select_related("person"))
    for role, label in MajorRole.choices:
        held = [duty for duty in duties if duty.role == role]
        if len(held) == 1:
            yield str(label), str(held[0].person), ""
        elif held:
            lines = [f"{duty.person} ({_moment(duty.since)} – {_until(duty.until)})" for duty in held]
            yield str(label), "\n".join(lines), ""


def _until(at: datetime | None) -> str:
    return _moment(at) if at is not None else _("the end")


def _timeline(incident: Any) -> Iterator[tuple[str, str, str]]:
    for line in timeline_of(incident):
        if not line.is_hidden:
            words = _("Decision: %(text)s") % {"text": line.text} if line.is_decision else line.said
            yield _moment(line.at), words, line.who


def _actions(incident: Any) -> Iterator[tuple[str, str, str]]:
    for task in Task.objects.below(incident).select_related("assignee", "team").in_order():
        owner = str(task.assignee or task.team or _("nobody yet"))
        facts = [_("Owner: %(who)s") % {"who": owner}, str(task.status_label)]
        if task.planned_end is not None:
            facts.append(_("planned until %(when)s") % {"when": _moment(task.planned_end)})
        yield task.number, task.title, " · ".join(facts)


def _moment(value: datetime) -> str:
    return date_format(timezone.localtime(value), "DATETIME_FORMAT")

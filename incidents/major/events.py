"""The event codes of major incidents and their wording. All of them are the desk's alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from incidents.major.states import MajorRole
from itsm.tickets.events import Names, Wording, register_event, value_label

AUDIENCES = {
    "to_portal": gettext_lazy("portal"),
    "to_requesters": gettext_lazy("requesters"),
    "to_stakeholders": gettext_lazy("stakeholders"),
}


def _said(text: str, *fields: str) -> Wording:
    return lambda data, names: _(text) % {name: data.get(name, "") for name in fields}


def _accepted(data: Mapping[str, Any], names: Names) -> str:
    words = {"impact": data.get("impact", "")}
    rule = data.get("rule")
    if not rule:
        return _("major incident accepted. Business impact: %(impact)s") % words
    words |= {"rule": rule["name"], "why": rule["why"]}
    return _("major incident accepted by the rule “%(rule)s”: %(why)s. Business impact: %(impact)s") % words


def _role(data: Mapping[str, Any], names: Names) -> str:
    role = data.get("role", "")
    words = {
        "role": MajorRole(role).label if role in MajorRole.values else role,
        "person": value_label("user", data.get("person"), names),
        "before": value_label("user", data.get("before"), names),
    }
    if data.get("before"):
        return _("%(role)s: %(before)s handed over to %(person)s") % words
    return _("%(role)s: %(person)s") % words


def _audiences(data: Mapping[str, Any]) -> str:
    return ", ".join(str(AUDIENCES.get(name, name)) for name in data.get("audiences", ()))


def _sent(data: Mapping[str, Any], names: Names) -> str:
    return _("sent an update to %(who)s: “%(headline)s”") % {
        "who": _audiences(data),
        "headline": data.get("headline", ""),
    }


def _plan(data: Mapping[str, Any], names: Names) -> str:
    if not data.get("cadence"):
        return _("communication plan: no cadence")
    return _("communication plan: every %(minutes)d minutes to %(who)s") % {
        "minutes": data["cadence"],
        "who": _audiences(data) or "–",
    }


def _overdue(data: Mapping[str, Any], names: Names) -> str:
    due = parse_datetime(str(data.get("due", "")))
    at = date_format(timezone.localtime(due), "H:i") if due is not None else ""
    return _("the update that was due at %(at)s is overdue") % {"at": at}


def _edited(data: Mapping[str, Any], names: Names) -> str:
    return _("hid a line of the timeline") if data.get("hidden") else _("edited a line of the timeline")


def _stakeholder(text: str) -> Wording:
    return lambda data, names: _(text) % {"who": value_label("user", data.get("who"), names)}


_WORDS: tuple[tuple[str, Wording, str], ...] = (
    ("proposed", _said(gettext_noop("proposed as a major incident: %(reason)s"), "reason"), "flag"),
    ("accepted", _accepted, "urgent"),
    ("rejected", _said(gettext_noop("rejected as a major incident: %(reason)s"), "reason"), "x"),
    ("demoted", _said(gettext_noop("no major incident any more: %(reason)s"), "reason"), "arrow-down"),
    ("role_given", _role, "user-check"),
    ("stakeholder_added", _stakeholder(gettext_noop("stakeholder: %(who)s")), "user-plus"),
    ("stakeholder_removed", _stakeholder(gettext_noop("no stakeholder any more: %(who)s")), "user-minus"),
    (
        "paged",
        lambda data, names: (
            _("called %(person)s, on call of %(rota)s")
            % {"person": value_label("user", data.get("person"), names), "rota": data.get("rota", "")}
        ),
        "phone",
    ),
    ("plan_saved", _plan, "message"),
    ("update_sent", _sent, "send"),
    ("update_overdue", _overdue, "alert-triangle"),
    ("timeline_added", _said(gettext_noop("added to the timeline: %(text)s"), "text"), "pencil"),
    ("timeline_edited", _edited, "pencil"),
    ("decision", _said(gettext_noop("decided: %(text)s"), "text"), "gavel"),
    ("review_saved", lambda data, names: _("wrote the review"), "clipboard-check"),
    ("review_done", lambda data, names: _("the review is done"), "circle-check"),
    ("review_reopened", lambda data, names: _("took the review up again"), "rotate"),
)
for _name, _wording, _icon in _WORDS:
    register_event(f"incident.major_{_name}", _wording, icon=_icon, internal=True)

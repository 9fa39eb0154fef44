"""The event codes of problems and their wording."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from itsm.tickets.events import FIELD_LABELS, Names, describe_changes, describe_opening, register_event
from problems.models.communication import Told

LISTED = 20
# Long texts are named as changed, not quoted: the event keeps what stood there.
TEXTS = (
    "cause_notes",
    "fix_notes",
    "close_notes",
    "review_went_well",
    "review_went_wrong",
    "review_prevention",
    "whys",
)


def _labels() -> dict[str, str]:
    return {
        "cause_notes": _("cause"),
        "fix_notes": _("fix"),
        "close_notes": _("closing notes"),
        "whys": _("five whys"),
        "review_went_well": _("what went well"),
        "review_went_wrong": _("what went wrong"),
        "review_prevention": _("how it will not happen again"),
    }


def written(data: Mapping[str, Any]) -> str:
    """Return the names of the texts that an event wrote: “cause, fix”."""
    labels = _labels()
    return ", ".join(labels[name] for name in TEXTS if name in data.get("changes", {}))


def _others(data: Mapping[str, Any], names: Names) -> str:
    rest = {name: pair for name, pair in data.get("changes", {}).items() if name in FIELD_LABELS}
    return describe_changes({"changes": rest}, names)


def _assessed(data: Mapping[str, Any], names: Names) -> str:
    changes = _others(data, names)
    return _("began to assess; %(changes)s") % {"changes": changes} if changes else _("began to assess")


def _with_texts(sentence: Any) -> Any:
    def wording(data: Mapping[str, Any], names: Names) -> str:
        texts = written(data)
        return f"{sentence()} ({texts})" if texts else str(sentence())

    return wording


def _closed(data: Mapping[str, Any], names: Names) -> str:
    return _("closed, because the risk is accepted") if data.get("because") == "risk" else _("closed")


def _incidents(data: Mapping[str, Any]) -> str:
    shown = ", ".join(data.get("numbers", [])[:LISTED])
    more = data.get("count", 0) - min(len(data.get("numbers", [])), LISTED)
    return _("%(shown)s and %(more)d more") % {"shown": shown, "more": more} if more > 0 else shown


def _linked(data: Mapping[str, Any], names: Names) -> str:
    count = data.get("count", 0)
    return ngettext("linked an incident: %(which)s", "linked %(count)d incidents: %(which)s", count) % {
        "count": count,
        "which": _incidents(data),
    }


def _took_over(data: Mapping[str, Any], names: Names) -> str:
    return _("took over %(count)d links and %(tasks)d tasks of its duplicate %(number)s") % {
        "count": data.get("count", 0),
        "tasks": data.get("tasks", 0),
        "number": data.get("number", ""),
    }


def _duplicated(data: Mapping[str, Any], names: Names) -> str:
    return _("closed as duplicate of %(number)s") % {"number": data.get("number", "")}


def _communicated(data: Mapping[str, Any], names: Names) -> str:
    count = data.get("count", 0)
    if data.get("what") == Told.FIX:
        words = ngettext("told %(count)d incident of the fix", "told %(count)d incidents of the fix", count)
    else:
        words = ngettext(
            "told %(count)d incident of the workaround", "told %(count)d incidents of the workaround", count
        )
    return words % {"count": count}


def _workaround(data: Mapping[str, Any], names: Names) -> str:
    number = data.get("version", 0)
    if data.get("is_empty"):
        return _("withdrew the workaround (version %(number)d)") % {"number": number}
    return _("wrote the workaround (version %(number)d)") % {"number": number}


def _timeline(data: Mapping[str, Any], names: Names) -> str:
    words = {"text": data.get("text", "")}
    return _("removed from the timeline: %(text)s") % words if data.get("gone") else _("timeline: %(text)s") % words


def _ended(data: Mapping[str, Any], names: Names) -> str:
    return _("all changes that fix this have ended: %(numbers)s") % {"numbers": ", ".join(data.get("numbers", []))}


def _reason(sentence: Any) -> Any:
    def wording(data: Mapping[str, Any], names: Names) -> str:
        return str(sentence()) % {"reason": data.get("reason", "")}

    return wording


def _plain(sentence: Any) -> Any:
    return lambda data, names: str(sentence())


register_event("problem.opened", describe_opening, icon="plus")
register_event("problem.assessed", _assessed, icon="player-play")
register_event("problem.confirmed", _plain(lambda: _("confirmed the problem; its cause is looked for")), icon="search")
register_event("problem.fix_started", _with_texts(lambda: _("began the fix")), icon="tool")
register_event("problem.resolved", _with_texts(lambda: _("resolved: fix applied")), icon="check")
register_event("problem.risk_accepted", _with_texts(lambda: _("accepted the risk")), icon="shield-half")
register_event("problem.closed", _closed, icon="circle-check")
register_event("problem.cancelled", _reason(lambda: _("cancelled: %(reason)s")), icon="x")
register_event("problem.duplicated", _duplicated, icon="copy")
register_event("problem.reanalysed", _reason(lambda: _("took up the analysis again: %(reason)s")), icon="rotate")
register_event("problem.analysed", _with_texts(lambda: _("wrote down the analysis")), icon="pencil")
register_event("problem.workaround_written", _workaround, icon="pencil")
register_event("problem.known_error_declared", _plain(lambda: _("declared it a known error")), icon="bookmark")
register_event("problem.known_error_withdrawn", _plain(lambda: _("no longer a known error")), icon="bookmark-off")
register_event("problem.published", _plain(lambda: _("published the known error in the portal")), icon="world")
register_event("problem.unpublished", _plain(lambda: _("took the known error out of the portal")), icon="world-off")
register_event("problem.communicated", _communicated, icon="speakerphone")
register_event("problem.incidents_linked", _linked, icon="link")
register_event("problem.took_over", _took_over, icon="arrow-merge")
register_event("problem.major_set", _plain(lambda: _("made it a major problem")), icon="flag")
register_event("problem.major_cleared", _plain(lambda: _("no longer a major problem")), icon="flag-off")
register_event("problem.reviewed", _with_texts(lambda: _("wrote the review")), icon="clipboard-check")
register_event("problem.timeline_changed", _timeline, icon="timeline")
register_event("problem.fixes_ended", _ended, icon="circle-check")

"""The event codes of approvals and their wording. All are internal: who approved what is the desk's business.

One event for each verb: a decision that ends a stage or the round, or begins the next stage, says so itself.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from itsm.approvals.models import Problem
from itsm.tickets.events import Names, register_event


def _people(asked: Sequence[Mapping[str, Any]], names: Names) -> str:
    return ", ".join(names.get(one.get("user", 0), _("somebody")) for one in asked) or _("nobody")


def _stage(data: Mapping[str, Any], names: Names) -> str:
    """Return whom a stage asks: “Technical review: Anna, Ben (the fallback role, because nobody else was found)”."""
    words = _people(data.get("asked", ()), names)
    if data.get("name"):
        words = f"{data['name']}: {words}"
    return words + (f" ({_('the fallback role too, because too few were found')})" if data.get("fallback") else "")


def _requested(data: Mapping[str, Any], names: Names) -> str:
    said = _("asked for approval; %(stage)s") % {"stage": _stage(data.get("stage", {}), names)}
    return said + _problem(data)


def _problem(data: Mapping[str, Any]) -> str:
    code = data.get("problem")
    if code not in Problem.values:
        return ""
    name = data.get("problem_policy")
    return f" ({Problem(code).label}{f': {name}' if name else ''})"


def _restarted(data: Mapping[str, Any], names: Names) -> str:
    said = _("the plan has changed, so everybody is asked anew; %(stage)s")
    return said % {"stage": _stage(data.get("stage", {}), names)} + _problem(data)


def _decided(data: Mapping[str, Any], names: Names) -> str:
    approved = data.get("decision") == "approve"
    giver = data.get("for")
    if giver:
        values = {"person": names.get(giver.get("user", 0), _("somebody"))}
        said = (_("approved for %(person)s") if approved else _("rejected for %(person)s")) % values
    else:
        said = _("approved") if approved else _("rejected")
    if data.get("stage", {}).get("name"):
        said = f"{said} ({data['stage']['name']})"
    if data.get("comment"):
        said = f"{said}: “{data['comment']}”"
    if data.get("outcome") == "approved":
        return said + "; " + _("the approval is complete")
    if data.get("outcome") == "rejected":
        return said + "; " + _("the approval is refused")
    if data.get("next"):
        return said + "; " + _("now asked: %(stage)s") % {"stage": _stage(data["next"], names)}
    return said


def _withdrawn(data: Mapping[str, Any], names: Names) -> str:
    if data.get("reason"):
        return _("withdrew the request for approval: %(reason)s") % {"reason": data["reason"]}
    return _("withdrew the request for approval")


def _expired(data: Mapping[str, Any], names: Names) -> str:
    name = data.get("stage", {}).get("name", "")
    where = f" ({name})" if name else ""
    if data.get("then") == "reject":
        return _("the time to approve is over%(where)s: rejected") % {"where": where}
    if data.get("then") == "escalate":
        values = {"where": where, "people": _people(data.get("escalated", ()), names)}
        return _("the time to approve is over%(where)s: %(people)s can decide now") % values
    values = {"where": where, "people": _people(data.get("asked", ()), names)}
    return _("the time to approve is over%(where)s: reminded %(people)s") % values


def _reminded(data: Mapping[str, Any], names: Names) -> str:
    return _("reminded of the approval: %(people)s") % {"people": _people(data.get("asked", ()), names)}


def _refused(data: Mapping[str, Any], names: Names) -> str:
    from itsm.approvals.actions.refusals import refusal_words  # the verbs write these events

    values = {"why": refusal_words(str(data.get("why", "")))}
    if data.get("decision") == "approve":
        return _("tried to approve, which does not count: %(why)s") % values
    return _("tried to reject, which does not count: %(why)s") % values


register_event("approval.requested", _requested, icon="user-question", internal=True)
register_event("approval.restarted", _restarted, icon="refresh", internal=True)
register_event("approval.decided", _decided, icon="thumb-up", internal=True)
register_event("approval.withdrawn", _withdrawn, icon="arrow-back-up", internal=True)
register_event(
    "approval.parked",
    lambda data, names: _("the request for approval rests while the ticket is on hold"),
    icon="player-pause",
    internal=True,
)
register_event("approval.resumed", lambda data, names: _("asks for approval again"), icon="player-play", internal=True)
register_event("approval.expired", _expired, icon="clock", internal=True)
register_event("approval.reminded", _reminded, icon="bell", internal=True)
register_event("approval.refused", _refused, icon="ban", internal=True)

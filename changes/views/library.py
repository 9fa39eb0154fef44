"""The pages of the library of templates."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from changes.actions import library as verbs
from changes.forms import ReasonForm, TaskRows, TemplateForm
from changes.models import Change, ChangeSettings, ChangeTemplate, Questionnaire, TemplateVersion, Track, VersionState
from changes.runs import clean_runs
from changes.views.common import actor_of, door, page, submit, viewer_of
from itsm.accounts.roles import Permission
from itsm.tickets.errors import Refused, VerbError

CONTENT = (
    "title",
    "description",
    "justification",
    "implementation_plan",
    "backout_plan",
    "test_plan",
    "duration_minutes",
    "affected_other",
)
MOST_RUNS = 20


@require_safe
@door
def templates(request: HttpRequest) -> HttpResponse:
    """All templates: what waits for a decision first, then what is in use, then what is retired."""
    rows = ChangeTemplate.objects.select_related("current__team")
    waiting = TemplateVersion.objects.filter(state=VersionState.PROPOSED).select_related("template", "proposed_by")
    context = {
        "usable": rows.usable(),
        "retired": rows.filter(retired_at__isnull=False),
        "waiting": waiting.order_by("proposed_at"),
        "offered": rows.usable().filter(offered_at__isnull=False, track=Track.NORMAL),
        "may_propose": viewer_of(request).may(Permission.WORK_TICKETS),
    }
    return page(request, "templates", context)


@require_safe
@door
def template(request: HttpRequest, key: str) -> HttpResponse:
    """One template: what it says, how its runs went, what waits for a decision, and its versions."""
    found = get_object_or_404(ChangeTemplate.objects.select_related("current__team", "demoted_by"), key=key)
    return page(request, "template", _context(request, found))


def _context(request: HttpRequest, found: ChangeTemplate) -> dict[str, Any]:
    versions = list(found.versions.select_related("team", "proposed_by", "decided_by").prefetch_related("services"))
    viewer = viewer_of(request)
    proposal = next((one for one in versions if one.state == VersionState.PROPOSED), None)
    shown = proposal or found.current or (versions[0] if versions else None)
    return {
        "template": found,
        "versions": versions,
        "proposal": proposal,
        "shown": shown,
        "tasks": list(shown.tasks.select_related("team")) if shown else [],
        "answers": _answers(shown),
        "clean": clean_runs(found).count(),
        "wanted": ChangeSettings.current().clean_runs,
        "runs": _runs(found),
        "may_decide": viewer.may(Permission.MANAGE_CHANGES),
        "is_own": proposal is not None and proposal.proposed_by_id == viewer.pk,
        "may_propose": viewer.may(Permission.WORK_TICKETS),
        "tracks": Track.choices,
    }


def _runs(found: ChangeTemplate) -> list[Any]:
    made = Change.objects.filter(template_version__template=found).select_related("team", "template_version")
    return list(made.order_by("-opened_at")[:MOST_RUNS])


def _answers(version: TemplateVersion | None) -> list[tuple[str, str]]:
    questionnaire = Questionnaire.current()
    if version is None or questionnaire is None:
        return []
    found = []
    for question in questionnaire.questions:
        chosen = version.risk_answers.get(question["key"])
        labels = [answer["label"] for answer in question["answers"] if answer["key"] == chosen]
        found.append((question["text"], labels[0] if labels else ""))
    return found


@require_http_methods(["GET", "HEAD", "POST"])
@door
def propose(request: HttpRequest, key: str = "") -> HttpResponse:
    """The form that proposes a template, or the next version of one."""
    if not viewer_of(request).may(Permission.WORK_TICKETS):
        raise Refused(_("You may look at templates, but not propose them."))
    found = get_object_or_404(ChangeTemplate.objects.select_related("current"), key=key) if key else None
    if request.method != "POST":
        last = (found.current or found.versions.first()) if found else None
        start, rows = _values_of(found, last)
        return _form_page(request, found, TemplateForm(initial=start, template=found), TaskRows(initial=rows), start)
    form = TemplateForm(request.POST, template=found)
    rows_form = TaskRows(request.POST)
    sent = {name.removeprefix("risk_"): value for name, value in request.POST.items() if name.startswith("risk_")}
    answers = {key: str(value) for key, value in sent.items() if value}
    status = 422
    if rows_form.is_valid():
        tasks = [row for row in rows_form.cleaned_data if row.get("title")]
        made, status = submit(form, lambda values: _propose(request, found, values, tasks, answers))
        if made is not None:
            messages.success(request, _("Proposed. A change manager decides on it."))
            return redirect("changes:template", made.template.key)
    return _form_page(request, found, form, rows_form, {"risk_answers": answers}, status)


def _propose(
    request: HttpRequest,
    found: ChangeTemplate | None,
    values: dict[str, Any],
    tasks: list[Any],
    answers: dict[str, str],
) -> TemplateVersion:
    content = {name: values[name] for name in CONTENT}
    content |= {"team": values["team"], "services": values["services"], "risk_answers": answers}
    more: dict[str, Any] = {"content": content, "tasks": tasks, "wanted_track": values["wanted_track"]}
    if found is not None:
        return verbs.propose_version(found, actor=actor_of(request), **more)
    return verbs.propose_template(actor=actor_of(request), name=values["name"], key=values["key"], **more)


def _values_of(
    found: ChangeTemplate | None, last: TemplateVersion | None
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    if found is None or last is None:
        return {"risk_answers": {}}, []
    values = {name: getattr(last, name) for name in CONTENT}
    values |= {
        "wanted_track": found.track,
        "team": last.team.public_id if last.team else "",
        "services": [service.public_id for service in last.services.all()],
        "risk_answers": last.risk_answers,
    }
    rows = [
        {
            "title": task.title,
            "task_type": task.task_type,
            "team": task.team.public_id if task.team else "",
            "starts_after": task.starts_after,
            "takes": task.takes,
        }
        for task in last.tasks.select_related("team")
    ]
    return values, rows


def _form_page(
    request: HttpRequest, found: ChangeTemplate | None, form: TemplateForm, rows: Any, values: Any, status: int = 200
) -> HttpResponse:
    questionnaire = Questionnaire.current()
    context = {
        "template": found,
        "form": form,
        "rows": rows,
        "questions": questionnaire.questions if questionnaire else [],
        "answers": values["risk_answers"],
    }
    return page(request, "propose", context, status)


@require_POST
@door
def decide(request: HttpRequest, key: str, number: int, deed: str) -> HttpResponse:
    """Approve or reject a proposed version, or take one's own back."""
    version = get_object_or_404(TemplateVersion.objects.select_related("template"), template__key=key, number=number)
    form = ReasonForm(request.POST)
    note = form.cleaned_data["note"] if form.is_valid() else ""
    if deed == "approve":
        track = form.cleaned_data.get("track", "") if form.is_valid() else ""
        return _answer(
            request,
            version.template,
            lambda: verbs.approve_version(version, actor=actor_of(request), track=track, note=note),
            _("Approved: changes can be made from it."),
        )
    if deed == "reject":
        return _answer(
            request,
            version.template,
            lambda: verbs.reject_version(version, actor=actor_of(request), note=note),
            _("Rejected."),
        )
    raise Http404


@require_POST
@door
def retire(request: HttpRequest, key: str) -> HttpResponse:
    """Take a template out of use."""
    found = get_object_or_404(ChangeTemplate, key=key)
    reason = request.POST.get("note", "")
    deed = lambda: verbs.retire_template(found, actor=actor_of(request), reason=reason)  # noqa: E731
    return _answer(request, found, deed, _("Retired: nothing is made from it any more."))


@require_POST
@door
def offer(request: HttpRequest, key: str, deed: str) -> HttpResponse:
    """Accept or decline that a template becomes standard."""
    if deed not in {"accept", "decline"}:
        raise Http404
    found = get_object_or_404(ChangeTemplate, key=key)
    accept = deed == "accept"
    said = _("It makes standard changes from now on.") if accept else _("Declined: it has to earn it anew.")
    return _answer(request, found, lambda: verbs.answer_offer(found, actor=actor_of(request), accept=accept), said)


def _answer(request: HttpRequest, found: ChangeTemplate, deed: Any, said: str) -> HttpResponse:
    try:
        deed()
    except Refused:
        raise
    except VerbError as error:
        fresh = ChangeTemplate.objects.select_related("current__team", "demoted_by").get(pk=found.pk)
        status = 422 if error.code == "invalid" else 409
        return page(request, "template", {**_context(request, fresh), "problem": error.message}, status)
    messages.success(request, said)
    return redirect("changes:template", found.key)

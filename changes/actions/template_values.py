"""What a template may say, checked before it is proposed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from changes.actions.editing import check_answers
from changes.actions.values import check_others, check_services
from changes.gates import PLANS
from changes.models.change import PLAN_MAX
from changes.models.library import TaskType
from cmdb.models import Service
from itsm.tickets.errors import Invalid
from itsm.tickets.models.ticket import TEXT_MAX, TITLE_MAX
from itsm.tickets.texts import clean_text

TASKS_MAX = 50
LONGEST_MINUTES = 60 * 24 * 30
Content = Mapping[str, Any]


def checked_content(content: Content) -> tuple[dict[str, Any], list[Service]]:
    """Return the fields of a version and the services that it affects.

    Raises:
        Invalid: a sentence for each value that does not fit.
    """
    problems: dict[str, str] = {}
    values: dict[str, Any] = {}
    texts = {
        "title": (TITLE_MAX, True),
        "description": (TEXT_MAX, False),
        **{name: (PLAN_MAX, name != "justification") for name in PLANS},
    }
    for name, (longest, needed) in texts.items():
        try:
            values[name] = clean_text(content.get(name), name, longest, required=needed, one_line=name == "title")
        except Invalid as error:
            problems |= error.fields
    minutes = content.get("duration_minutes", 60)
    if isinstance(minutes, bool) or not isinstance(minutes, int) or not 1 <= minutes <= LONGEST_MINUTES:
        problems["duration_minutes"] = _("Give whole minutes, from 1 to %(max)d.") % {"max": LONGEST_MINUTES}
    values["duration_minutes"] = minutes
    team = content.get("team")
    if team is not None and not team.is_active:
        problems["team"] = _("Choose a team that is active.")
    values["team"] = team
    services: list[Service] = []
    for name, check in (
        ("affected_other", lambda: check_others(content.get("affected_other") or ())),
        ("risk_answers", lambda: check_answers(content.get("risk_answers") or {})),
        ("services", lambda: check_services(content.get("services") or ())),
    ):
        try:
            found = check()
        except Invalid as error:
            problems |= error.fields
            continue
        if name == "services":
            services = found  # type: ignore[assignment]
        else:
            values[name] = found
    if problems:
        raise Invalid(problems)
    return values, services


def checked_tasks(tasks: Iterable[Content], duration: int) -> list[dict[str, Any]]:
    """Return the tasks of a version in order; their windows lie within the minutes that the change takes.

    Raises:
        Invalid: a sentence about the first one that does not fit.
    """
    rows = [_checked_task(given, duration) for given in tasks]
    if len(rows) > TASKS_MAX:
        raise Invalid({"tasks": _("At most %(max)d tasks fit here.") % {"max": TASKS_MAX}})
    return rows


def _checked_task(given: Content, duration: int) -> dict[str, Any]:
    title = clean_text(given.get("title"), "tasks", TITLE_MAX, required=True, one_line=True)
    kind = given.get("task_type") or TaskType.IMPLEMENTATION
    starts, takes = given.get("starts_after"), given.get("takes")
    said = {"title": title, "types": ", ".join(TaskType.values), "minutes": duration}
    if kind not in TaskType.values:
        raise Invalid({"tasks": _("“%(title)s”: choose one of: %(types)s.") % said})
    if (starts is None) != (takes is None):
        raise Invalid({"tasks": _("“%(title)s”: say when it starts and how long it takes, or neither.") % said})
    if starts is not None and takes is not None and (starts < 0 or takes < 1 or starts + takes > duration):
        raise Invalid({"tasks": _("“%(title)s” does not lie within the %(minutes)d minutes of the change.") % said})
    return {"title": title, "task_type": kind, "team": given.get("team"), "starts_after": starts, "takes": takes}

"""“What would change” beside the save button: the hook that the editors of calendars, policies and escalations call.

An editor hands over its form and what it would save; nothing is saved. With few open clocks the answer stands in the
page at once, with many a job works it out and the page shows how far it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.db.models import Case, IntegerField, Q, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from itsm.tickets.clock import db_now
from reports.csvs import Table, csv_answer
from slas.actions.trials import prepare_trial, try_on_open_tickets
from slas.models import Purpose, Timer, Trial, TrialRow
from slas.plans import Levels, current_levels
from slas.rehearsal.running import row_of
from slas.whatif.drafts import try_out
from slas.whatif.effects import Effect, effects_on_open
from slas.whatif.results import counted
from slas.whatif.stepping import steps_moved
from workspace.administration.access import actor_of, submit

BUTTON = "trial"
CHECK, CSV, REHEARSE = "check", "csv", "rehearse"
AT_ONCE = 3000
SHOWN = 50
Render = Callable[[dict[str, Any], int], HttpResponse]
Save = Callable[[dict[str, Any]], Any]
GAINED = Q(breached_at__isnull=False, real_breached_at__isnull=True) & ~Q(change=Effect.KEEPS)
LOST = Q(breached_at__isnull=True, real_breached_at__isnull=False) & ~Q(change=Effect.KEEPS)


@dataclass(frozen=True)
class Edit:
    """What is edited, for titles: its name, and for a rehearsal the kind and metric of the policy."""

    name: str
    kind: str = ""
    metric: str = ""


def is_asked(request: HttpRequest) -> bool:
    """Return whether the form was sent to try it, not to save it."""
    return request.POST.get(BUTTON, "") in (CHECK, CSV, REHEARSE)


def answer(request: HttpRequest, form: forms.Form, save: Save, edit: Edit, render: Render) -> Any:
    """Answer what would change if `save` were called with the form's values; `render(context, status)` shows the editor
    again, with the answer in it. A refusal stands on the form as it would after saving.
    """
    levels, status = submit(form, lambda values: try_out(lambda: save(values)))
    if levels is None:
        return render({}, status)
    actor, asked = actor_of(request), request.POST[BUTTON]
    if asked == REHEARSE and edit.metric:
        trial = prepare_trial(edit.name, levels, kind=edit.kind, metric=edit.metric, actor=actor)
        return redirect("administration:rehearsal", trial.public_id)
    if Timer.objects.active().count() > AT_ONCE:
        return render({"whatif": panel_of(try_on_open_tickets(edit.name, levels, actor=actor))}, 200)
    rows, counts = worked_out(levels)
    if asked == CSV:
        return csv_of(Trial(purpose=Purpose.OPEN, name=edit.name), rows)
    steps = list(steps_moved(levels, current_levels(), db_now()))
    shown = {"counts": counts, "rows": rows[:SHOWN], "more": max(len(rows) - SHOWN, 0)}
    return render({"whatif": {**shown, "steps": steps[:SHOWN], "steps_count": len(steps)}}, 200)


def worked_out(levels: Levels) -> tuple[list[TrialRow], dict[str, int]]:
    """Return what the draft would change on the open tickets as rows that are not stored, the weightiest first, and
    counted."""
    trial = Trial(purpose=Purpose.OPEN, as_of=db_now())
    found = list(effects_on_open(levels, current_levels(), trial.as_of or db_now()))
    rows = []
    for one in sorted(found, key=lambda one: (not one.gains_breach, not one.loses_breach, one.effect == Effect.KEEPS)):
        row = row_of(trial, one)
        row.ticket = one.ticket
        rows.append(row)
    return rows, counted(found)


def panel_of(trial: Trial) -> dict[str, Any]:
    """Return what the panel shows of an answer that a job works out."""
    rows = by_weight(trial.rows.select_related("ticket")) if trial.result else trial.rows.none()
    return {
        "trial": trial,
        "counts": trial.result,
        "rows": list(rows[:SHOWN]),
        "more": max(rows.count() - SHOWN, 0),
        "steps_count": 0,
    }


def by_weight(rows: QuerySet[TrialRow]) -> QuerySet[TrialRow]:
    """Return the rows: breaches gained first, then those lost, then what moves, at the end what keeps its target."""
    rank = Case(
        When(GAINED, then=Value(0)),
        When(LOST, then=Value(1)),
        When(change=Effect.KEEPS, then=Value(3)),
        default=Value(2),
        output_field=IntegerField(),
    )
    return rows.annotate(rank=rank).order_by("rank", "ticket_id", "metric", "cycle_no")


def csv_of(trial: Trial, rows: Iterable[TrialRow]) -> StreamingHttpResponse:
    """Return all rows as a file to keep; the ticket of each is read already."""
    heads = [
        _("ticket"), _("title"), _("metric"), _("kind"), _("cycle"), _("effect"),
        _("goal before"), _("goal with the draft"), _("state before"), _("state with the draft"),
        _("target before, s"), _("target with the draft, s"), _("used before, s"), _("used with the draft, s"),
        _("due before"), _("due with the draft"), _("breached before"), _("breached with the draft"),
    ]  # fmt: skip
    name = "what-would-change" if trial.purpose == Purpose.OPEN else "rehearsal"
    today = (trial.as_of or db_now()).date()
    first = trial.opened_from.date() if trial.opened_from else today
    last = trial.opened_until.date() if trial.opened_until else today
    return csv_answer(Table(name, heads, _cells(rows)), first=first, last=last, bom=True)


def _cells(rows: Iterable[TrialRow]) -> Iterator[Sequence[Any]]:
    for row in rows:
        yield (
            row.ticket.number, row.ticket.title, row.metric, row.kind, row.cycle_no, row.change,
            row.real_goal, row.goal, row.real_verdict, row.verdict,
            _seconds(row.real_target_us), _seconds(row.target_us), _seconds(row.real_elapsed_us),
            _seconds(row.elapsed_us), row.real_due_at, row.due_at, row.real_breached_at, row.breached_at,
        )  # fmt: skip


def _seconds(us: int | None) -> float | None:
    return None if us is None else us / 1_000_000

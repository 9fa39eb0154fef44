"""The tables that can be taken away as CSV. Each says its columns in the language of the person; codes stay codes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.utils.translation import gettext as _

from itsm.accounts.models import User
from itsm.tickets.errors import Invalid
from reports import holds, lists
from reports.asking import HOURS, MINUTES, Asked
from reports.clocks import DECIDED, clocks_of
from reports.compliance import Line, compliance_of
from reports.csvs import Table
from reports.filters import Choices
from reports.stays import shares_of, summed
from reports.tables import names
from reports.waits import Waits, WaitTables, waits_of
from slas.clocks import clock_of

FETCHED = 500


def which_of(asked: Asked) -> str:
    """Return which holds the address asks for.

    Raises:
        Invalid: there is no such list.
    """
    which = asked.given.get("which") or holds.Which.ALL.value
    if which not in holds.Which.values:
        raise Invalid({"which": _("There is no such list. Choose one from the page.")})
    return which


def wait_sections(found: WaitTables, choices: Choices) -> list[tuple[str, list[tuple[str, Waits]]]]:
    """Return the waits by policy, team and priority with their words, the longest real median first."""
    heads = {"policy": _("By policy"), "priority": _("By priority"), "team": _("By team")}
    return [
        (
            heads[name],
            sorted(
                ((names(choices, name).get(key, ""), waits) for key, waits in found.by[name].items()),
                key=lambda line: -line[1].real_median,
            ),
        )
        for name in heads
    ]


def _compliance(name: str, pick: Callable[[Any], list[Line]]) -> Callable[[Asked], Table]:
    def build(asked: Asked) -> Table:
        lines = pick(compliance_of(asked.user, asked.filters, asked.now))
        heads = [
            *(_("name"), _("compliance %"), _("met"), _("missed"), _("late and open"), _("running"), _("cancelled")),
            _("cancelled after the breach"),
        ]
        rows = (
            (line.label, c.per_cent, c.met, c.missed, c.late_open, c.running, c.cancelled, c.cancelled_late)
            for line in lines
            for c in [line.counts]
        )
        return Table(name, heads, rows)

    return build


def _clocks(name: str, verdict: str) -> Callable[[Asked], Table]:
    def build(asked: Asked) -> Table:
        wanted = lists.verdicts_of(verdict or asked.given.get("verdict") or "decided")
        found = lists.listed(asked.user, asked.filters, asked.now, wanted)
        teams = names(asked.choices, "team")
        heads = [
            *(_("ticket"), _("title"), _("priority"), _("policy"), _("kind"), _("metric"), _("cycle"), _("verdict")),
            *(_("started"), _("due"), _("breached"), _("stopped"), _("target s"), _("elapsed s"), _("overrun s")),
            *(_("paused s"), _("real wait s"), _("team then"), _("assignee then"), _("reason"), _("remark")),
            *(_("reason given by"), _("reason given at")),
        ]
        rows = lists.rows_of(found.iterator(chunk_size=FETCHED), asked.now)
        return Table(name, heads, (_clock_cells(row, teams) for row in rows))

    return build


def _clock_cells(row: lists.Row, teams: dict[int | None, str]) -> tuple[Any, ...]:
    timer, ticket, why = row.timer, row.timer.ticket, row.reason
    told = (why.reason, why.remark, why.given_by, why.given_at) if why is not None else (None,) * 4
    return (
        *(ticket.number, ticket.title, ticket.priority, timer.policy.name, timer.kind, timer.metric, timer.cycle_no),
        *(row.verdict, timer.started_at, timer.due_at, row.clock.breached_at, timer.stopped_at, timer.target_s),
        *(row.clock.elapsed_s, row.overrun_s, row.paused, row.real),
        *(teams.get(row.held_by, ""), row.assignee, *told),
    )


def _soon(asked: Asked) -> Table:
    found = lists.soon(asked.user, asked.filters, asked.now, asked.number("hours", HOURS, 4))
    heads = [_("ticket"), _("title"), _("priority"), _("policy"), _("metric"), _("due"), _("left s"), _("state")]
    rows = (
        (
            *(timer.ticket.number, timer.ticket.title, timer.ticket.priority, timer.policy.name, timer.metric),
            *(timer.due_at, clock.remaining_s, clock.state, timer.ticket.team, timer.ticket.assignee),
        )
        for timer in found
        for clock in [clock_of(timer, asked.now)]
    )
    return Table("due-soon", [*heads, _("team"), _("assignee")], rows)


def _time(asked: Asked) -> Table:
    asked = asked.of_one_promise()
    teams = names(asked.choices, "team")
    clocks = clocks_of(asked.user, asked.filters, asked.now).filter(verdict__in=DECIDED)
    held = summed(shares_of(clocks, asked.now))
    heads = [_("team"), _("open time s"), _("clocks"), _("handed on")]
    rows = ((teams.get(team, ""), one.us / lists.US, one.clocks, one.handed_on) for team, one in held.items())
    return Table("time-by-team", heads, rows)


def _time_of_clocks(asked: Asked) -> Table:
    asked = asked.of_one_promise()
    teams = names(asked.choices, "team")
    clocks = clocks_of(asked.user, asked.filters, asked.now).filter(verdict__in=DECIDED)
    shares = list(shares_of(clocks, asked.now))
    numbers = dict(clocks.order_by().values_list("pk", "ticket__number"))
    heads = [_("ticket"), _("metric"), _("cycle"), _("team"), _("open time s"), _("handed on")]
    rows = (
        (numbers[share.timer.pk], share.timer.metric, share.timer.cycle_no, teams.get(team, ""), us / lists.US, handed)
        for share in shares
        for team, us in share.by_team.items()
        for handed in [share.handed_on.get(team, 0)]
    )
    return Table("time-by-team-and-ticket", heads, rows)


def _holds(asked: Asked) -> Table:
    minutes, which = asked.number("minutes", MINUTES, 15), which_of(asked)
    teams, services = names(asked.choices, "team"), names(asked.choices, "service")
    heads = [
        *(_("ticket"), _("title"), _("held"), _("until"), _("still on hold"), _("seconds"), _("waiting for")),
        *(_("set by"), _("team then"), _("service"), _("without a message"), _("left before breach s")),
    ]
    rows = (
        (
            *(hold.number, hold.title, hold.at, hold.ended_at, hold.is_on, hold.lasted, hold.reason),
            *(hold.actor_name, teams.get(hold.team, ""), services.get(hold.service, ""), hold.silent, hold.left_s),
        )
        for hold in holds.list_holds(asked.user, asked.filters, asked.now, minutes, which, limit=None)
    )
    return Table("holds", heads, rows)


def _hold_sums(name: str) -> Callable[[Asked], Table]:
    def build(asked: Asked) -> Table:
        audit = holds.audit_of(asked.user, asked.filters, asked.now, asked.number("minutes", MINUTES, 15))
        lines = audit.people if name == "people" else audit.teams
        called: dict[Any, str] = names(asked.choices, "team")
        if name == "people":
            people = User.objects.filter(pk__in=[one.key for one in lines])
            called = {None: _("The system"), **dict(people.values_list("pk", "display_name"))}
        heads = [_("name"), _("holds"), _("without a message"), _("just before a breach"), _("paused s"), _("share %")]
        rows = (
            (called.get(one.key, ""), one.holds, one.silent, one.near, one.paused, 100 * one.share) for one in lines
        )
        return Table(f"holds-by-{name}", heads, rows)

    return build


def _waits(asked: Asked) -> Table:
    found = waits_of(asked.user, asked.filters, asked.now)
    heads = [
        *(_("by"), _("name"), _("tickets"), _("official median s"), _("official p90 s")),
        *(_("real median s"), _("real p90 s"), _("official below half")),
    ]

    def rows() -> Iterator[tuple[Any, ...]]:
        for head, lines in wait_sections(found, asked.choices):
            for label, one in lines:
                figures = (one.official_median, one.official_p90, one.real_median, one.real_p90, one.half)
                yield (head, label, one.count, *figures)

    return Table("waits", heads, rows())


TABLES: dict[str, Callable[[Asked], Table]] = {
    "policies": _compliance("compliance-by-policy", lambda found: found.policies),
    "teams": _compliance("compliance-by-team", lambda found: found.teams),
    "services": _compliance("compliance-by-service", lambda found: found.services),
    "months": _compliance("compliance-by-month", lambda found: found.months),
    "clocks": _clocks("clocks", ""),
    "breaches": _clocks("breaches", "breached"),
    "soon": _soon,
    "time": _time,
    "time-tickets": _time_of_clocks,
    "holds": _holds,
    "holds-people": _hold_sums("people"),
    "holds-teams": _hold_sums("teams"),
    "waits": _waits,
}

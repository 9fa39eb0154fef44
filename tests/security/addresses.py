"""Every address of the product, and where it leads on the desk that `world.py` makes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.urls.resolvers import RoutePattern

from changes.models import RiskRule
from incidents.models import MajorRule
from itsm.tickets.models import RoutingRule
from slas.models import BusinessCalendar, EscalationChain, HolidaySet, ServiceLevelPolicy, Trial
from tests.security.world import World

Find = Callable[[World], Any]


def once(*parts: dict[str, dict[str, Find]]) -> dict[str, dict[str, Find]]:
    """Return one table of all parts. Raises ValueError when an address stands in two of them."""
    found: dict[str, dict[str, Find]] = {}
    for part in parts:
        if twice := found.keys() & part.keys():
            raise ValueError(f"These addresses are led somewhere twice: {sorted(twice)}")
        found |= part
    return found


def routes() -> Iterator[tuple[str, URLPattern]]:
    """Yield every address of the product with its name; one without a name is called by its pattern."""

    def walk(resolver: URLResolver, path: str, space: str) -> Iterator[tuple[str, URLPattern]]:
        for one in resolver.url_patterns:
            if isinstance(one, URLResolver):
                inner = f"{space}{one.namespace}:" if one.namespace else space
                yield from walk(one, path + str(one.pattern), inner)
            else:
                yield f"{space}{one.name}" if one.name else f"/{path}{one.pattern}", one

    yield from walk(get_resolver(), "", "")


def address_of(name: str, route: URLPattern, world: World) -> str:
    """Return the address of a route, led to Rita's incident and what hangs on it."""
    if name.startswith("/"):
        return "/" + name.strip("/^") + "nowhere/"
    asked = (
        list(route.pattern.converters)
        if isinstance(route.pattern, RoutePattern)
        else list(route.pattern.regex.groupindex)
    )
    special = SPECIAL.get(name, {})
    values = {part: str((special.get(part) or USUAL[part])(world)) for part in asked}
    return reverse(name, kwargs=values)


def trial_of(world: World, purpose: str) -> str:
    """Return the id of the trial of service levels that the world has for this purpose."""
    return Trial.objects.get(purpose=purpose).public_id


USUAL: dict[str, Find] = {
    "ref": lambda world: world.incident.number,
    "number": lambda world: world.incident.number,
    "public_id": lambda world: world.file.public_id,
    "name": lambda world: "log.txt",
    "pk": lambda world: world.token.pk,
    "token": lambda world: world.mail_link,
    "what": lambda world: "team",
    "page": lambda world: "queue",
    "move": lambda world: "cancel",
    "deed": lambda world: "up",
    "kind": lambda world: "organisation",
    "uidb36": lambda world: "1",
    "key": lambda world: "no-such-key",
    "timer": lambda world: "sla-resolution-1",
    "role": lambda world: "scribe",
    "line": lambda world: "event-1",
}
_problem: Find = lambda world: world.problem.number  # noqa: E731
_problem_link: Find = lambda world: world.problem.links_in.get().public_id  # noqa: E731
PROBLEMS: dict[str, dict[str, Find]] = {
    "detail": {},
    "preview": {},
    "pulse": {},
    "history": {},
    "clock": {},
    "spreads": {},
    "retry_spread": {"public_id": _problem_link},
    "acknowledge": {},
    "comment": {},
    "move": {"name": lambda world: "cancel"},
    "priority": {},
    "edit": {"name": lambda world: "title"},
    "take": {},
    "add_link": {},
    "remove_link": {"public_id": _problem_link},
    "add_watcher": {},
    "remove_watcher": {"public_id": lambda world: world.cast.ben.public_id},
    "analysis": {},
    "whys": {},
    "workaround": {},
    "communicate": {"what": lambda world: "workaround"},
    "incidents": {},
    "known_error": {"deed": lambda world: "withdraw"},
    "publication": {"deed": lambda world: "unpublish"},
    "review": {},
    "timeline_add": {},
    "timeline_remove": {"entry": lambda world: world.happened.public_id},
}
CHANGES: dict[str, dict[str, Find]] = {
    **{name: PROBLEMS[name] for name in ("detail", "preview", "pulse", "history", "clock", "acknowledge", "comment")},
    **{name: PROBLEMS[name] for name in ("move", "priority", "edit", "take", "add_link", "add_watcher")},
    "remove_link": {"public_id": lambda world: world.change.links_in.get().public_id},
    "remove_watcher": PROBLEMS["remove_watcher"],
    "retry_spread": {"public_id": lambda world: world.change.links_in.get().public_id},
    **{name: {} for name in ("spreads", "plan", "scope", "window", "times", "answers", "reassess", "review", "caused")},
}
API_CHILDREN = (
    "",
    "-next",
    "-moves",
    "-move",
    "-comments",
    "-attachments",
    "-events",
    "-timers",
    "-timers-acknowledge",
    "-timer-explanation",
    "-links",
    "-watchers",
)
API_OF_PROBLEMS = (
    *API_CHILDREN,
    "-communicate",
    "-communications",
    "-incidents",
    "-workarounds",
)
_renewal: dict[str, Find] = {"key": lambda world: "renewal"}
SPECIAL = once(
    {f"changes:{name}": {"ref": lambda world: world.change.number, **more} for name, more in CHANGES.items()},
    {f"changes:{name}": _renewal for name in ("template", "propose_version", "retire")},
    {f"api:change{name}": {"ref": lambda world: world.change.number} for name in API_CHILDREN},
    {f"api:problem{name}": {"ref": _problem} for name in API_OF_PROBLEMS},
    {f"problems:{name}": {"ref": _problem, **more} for name, more in PROBLEMS.items()},
    {
        f"cab:{name}": {"ref": lambda world: world.agenda_item.meeting.board.public_id}
        for name in ("board", "edit_board")
    },
    {
        f"cab:{name}": {"ref": lambda world: world.agenda_item.meeting.public_id}
        for name in ("meeting", "present", "start", "end", "cancel", "invite", "pin")
    },
    {f"cab:{name}": {"ref": lambda world: world.agenda_item.public_id} for name in ("unpin", "decide")},
    {f"desk:{name}": {"public_id": lambda world: world.draft.public_id} for name in ("restore", "take_back")},
    {
        "api:problem-link": {"ref": _problem, "public_id": _problem_link},
        "api:problem-watcher": {"ref": _problem, "public_id": lambda world: world.cast.ben.public_id},
        "api:change-link": {"ref": lambda world: world.change.number, **CHANGES["remove_link"]},
        "api:change-watcher": {"ref": lambda world: world.change.number, **CHANGES["remove_watcher"]},
        "changes:new_from_template": {"key": lambda world: "restart"},
        "changes:offer": {**_renewal, "deed": lambda world: "accept"},
        "changes:decide": {**_renewal, "number": lambda world: 1, "deed": lambda world: "approve"},
        "changes:rule": {"ref": lambda world: RiskRule.objects.all()[0].public_id},
        "changes:rule_remove": {"ref": lambda world: RiskRule.objects.all()[0].public_id},
        "change_schedule:window": {"ref": lambda world: world.window.public_id},
        "change_schedule:feed": {"token": lambda world: world.change_feed_link},
        "change_schedule:revoke_link": {"ref": lambda world: world.change_feed.public_id},
        "change_schedule:take_slot": {"ref": lambda world: world.agenda_item.change.number},
        "change_schedule:override": {"ref": lambda world: world.agenda_item.change.number},
        "api:change-conflicts": {"ref": lambda world: world.agenda_item.change.number},
        "api:change-free-slots": {"ref": lambda world: world.agenda_item.change.number},
        "problems:trends_progress": {"ref": lambda world: world.run.public_id},
        "problems:trends_stop": {"ref": lambda world: world.run.public_id},
        "problems:trends_decide": {"ref": lambda world: world.candidate.public_id, "deed": lambda world: "open"},
        "notifications:mail": {"public_id": lambda world: world.mail.public_id},
        "notifications:mail_again": {"public_id": lambda world: world.mail.public_id},
        "notifications:read_one": {"public_id": lambda world: world.notice.public_id},
        "incidents:same": {"other": lambda world: world.foreign.number},
        "incidents:retry_spread": {"public_id": lambda world: world.link_id},
        "portal:join": {"ref": lambda world: world.link_id},
        "incidents:major_act": {"deed": lambda world: "propose"},
        "incidents:move": {"name": lambda world: "hold"},
        "incidents:edit": {"name": lambda world: "title"},
        "incidents:remove_link": {"public_id": lambda world: world.link_id},
        "incidents:remove_watcher": {"public_id": lambda world: world.cast.ben.public_id},
        "api:incident-link": {"public_id": lambda world: world.link_id},
        "api:incident-watcher": {"public_id": lambda world: world.cast.ben.public_id},
        "administration:category": {"ref": lambda world: world.cast.hardware.public_id},
        "administration:rule": {"pk": lambda world: RoutingRule.objects.get().pk},
        "administration:rule_change": {"pk": lambda world: RoutingRule.objects.get().pk},
        "administration:major_rule": {"ref": lambda world: MajorRule.objects.get().public_id},
        "administration:major_rule_change": {"ref": lambda world: MajorRule.objects.get().public_id},
        "administration:service": {"ref": lambda world: world.cast.vpn.public_id},
        "administration:person": {"ref": lambda world: world.cast.rita.public_id},
        "administration:person_change": {"ref": lambda world: world.cast.rita.public_id},
        "administration:team": {"ref": lambda world: world.cast.network.public_id},
        "administration:place": {"pk": lambda world: world.cast.rita.organisation_id},
        "administration:calendar": {"ref": lambda world: BusinessCalendar.objects.all()[0].public_id},
        "administration:holiday_set": {"ref": lambda world: HolidaySet.objects.get().public_id},
        "administration:approval_policy": {"ref": lambda world: world.approval.version.policy.public_id},
        "administration:policy": {"ref": lambda world: ServiceLevelPolicy.objects.all()[0].public_id},
        "administration:escalation": {"ref": lambda world: EscalationChain.objects.all()[0].public_id},
        "administration:rota": {"ref": lambda world: world.rota.public_id},
        "administration:webhook": {"ref": lambda world: world.endpoint.public_id},
        "administration:webhook_change": {
            "ref": lambda world: world.endpoint.public_id,
            "deed": lambda world: "secret",
        },
        "workspace:rota": {"ref": lambda world: world.rota.public_id},
        "workspace:override": {"ref": lambda world: world.rota.public_id},
        "workspace:swap": {"ref": lambda world: world.rota.public_id},
        "workspace:override_remove": {"ref": lambda world: world.override.public_id},
        "workspace:time_off_remove": {"ref": lambda world: world.time_off.public_id},
        "workspace:swap_answer": {"ref": lambda world: world.swap.public_id, "deed": lambda world: "accept"},
        "approvals:detail": {"ref": lambda world: world.approval.public_id},
        "approvals:answer": {"ref": lambda world: world.approval.public_id},
        "approvals:again": {"ref": lambda world: world.approval.public_id},
        "approvals:end_delegation": {"ref": lambda world: world.delegation.public_id},
        "approvals:link": {"token": lambda world: world.approval_link},
        "api:approval": {"ref": lambda world: world.approval.public_id},
        "api:approval-decide": {"ref": lambda world: world.approval.public_id},
        "slas:swap": {"token": lambda world: world.swap_link},
        "slas:acknowledge": {"token": lambda world: world.ack_link},
        "slas:feed": {"token": lambda world: world.feed_link},
        "api:rota": {"ref": lambda world: world.rota.public_id},
        "administration:rehearsal": {"ref": lambda world: trial_of(world, "past")},
        "administration:whatif": {"ref": lambda world: trial_of(world, "open")},
        "administration:trial_progress": {"ref": lambda world: trial_of(world, "open")},
        "administration:trial_rows": {"ref": lambda world: trial_of(world, "past")},
        "administration:trial_change": {"ref": lambda world: trial_of(world, "past")},
        "reports:clock": {"pk": lambda world: world.incident.timers.all()[0].pk},
        "reports:export": {"name": lambda world: "breaches"},
        "api:user": {"ref": lambda world: world.cast.rita.public_id},
        "api:team": {"ref": lambda world: world.cast.network.public_id},
        "api:category": {"ref": lambda world: world.cast.hardware.public_id},
        "api:service": {"ref": lambda world: world.cast.vpn.public_id},
    },
    # Rita's incident has a task, of which she must not know.
    {
        name: {"ref": lambda world: world.task.number}
        for name in (
            "tasking:detail",
            "tasking:preview",
            "tasking:pulse",
            "tasking:history",
            "tasking:clock",
            "tasking:spreads",
            "tasking:acknowledge",
            "tasking:comment",
            "tasking:priority",
            "tasking:take",
            "tasking:add_link",
            "tasking:add_watcher",
            "tasking:order",
        )
    },
    {f"api:task{tail}": {"ref": lambda world: world.task.number} for tail in API_CHILDREN if tail != "-next"},
    {
        "api:ticket-tasks": {"plural": lambda world: "incidents"},
        "api:task-link": {"ref": lambda world: world.task.number, "public_id": lambda world: world.task_link_id},
        "api:task-watcher": {
            "ref": lambda world: world.task.number,
            "public_id": lambda world: world.cast.ben.public_id,
        },
        "tasking:retry_spread": {"ref": lambda world: world.task.number},
        "tasking:add": {"kind": lambda world: "incident"},
        "tasking:move": {"ref": lambda world: world.task.number, "name": lambda world: "hold"},
        "tasking:edit": {"ref": lambda world: world.task.number, "name": lambda world: "title"},
        "tasking:panel_move": {"ref": lambda world: world.task.number, "name": lambda world: "start"},
        "tasking:remove_link": {"ref": lambda world: world.task.number, "public_id": lambda world: world.task_link_id},
        "tasking:remove_watcher": {
            "ref": lambda world: world.task.number,
            "public_id": lambda world: world.cast.ben.public_id,
        },
    },
)

"""Opening a ticket of any kind: number, priority, route, first event."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext as _

from cmdb.models import Service
from itsm.accounts.models import Team, User
from itsm.accounts.roles import Permission
from itsm.tickets.actors import Actor
from itsm.tickets.errors import Invalid, Refused
from itsm.tickets.kinds import Kind
from itsm.tickets.log import plain_value, write
from itsm.tickets.models import Category, Level, PriorityCell, Watcher
from itsm.tickets.models.ticket import TEXT_MAX, TITLE_MAX
from itsm.tickets.routing import route
from itsm.tickets.texts import clean_text

LOWEST_PRIORITY_BY_RULE = 4


def matrix_priority(impact: int, urgency: int) -> int:
    """Return the priority (1–5) that the editable matrix gives; the product's default where a cell is missing.

    The default is the real desks' one: min(4, impact + urgency - 1).
    """
    cell = PriorityCell.objects.filter(impact=impact, urgency=urgency).values_list("priority", flat=True).first()
    return cell if cell is not None else _default_priority(impact, urgency)


def _default_priority(impact: int, urgency: int) -> int:
    return min(LOWEST_PRIORITY_BY_RULE, impact + urgency - 1)


def check_level(value: Any, field: str) -> int:
    """Return impact or urgency as 1, 2 or 3.

    Raises:
        Invalid: it is something else.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value not in Level.values:
        raise Invalid({field: _("Choose 1 (high), 2 (medium) or 3 (low).")})
    return value


def _drawn(prefix: str, impact: int, urgency: int) -> tuple[str, datetime, int]:
    """Return the next number of the kind (such as INC0010001; gaps are possible), the database's clock, and the
    priority that the matrix gives: three answers for one question, which opening a ticket asks every time."""
    cell = PriorityCell._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT nextval(%s), clock_timestamp(), (SELECT priority FROM {cell} WHERE impact = %s AND urgency = %s)",  # noqa: S608  a table's name
            [f"ticket_number_{prefix.lower()}", impact, urgency],
        )
        number, now, priority = cursor.fetchone()
    return f"{prefix}{number:07d}", now, priority or _default_priority(impact, urgency)


def open_ticket(
    kind: Kind,
    *,
    actor: Actor,
    title: str,
    description: str = "",
    requester: User | None = None,
    impact: int = Level.LOW,
    urgency: int = Level.LOW,
    category: Category | None = None,
    service: Service | None = None,
    team: Team | None = None,
    assignee: User | None = None,
    watchers: tuple[User, ...] = (),
    external_id: str = "",
    submission_key: str | None = None,
    custom: Mapping[str, Any] | None = None,
    opened_by: User | None = None,
    child: Mapping[str, Any] | None = None,
    status: str = "",
    said: Mapping[str, Any] | None = None,
) -> Any:
    """Open a ticket and return it. The same `submission_key` from the same person gives the ticket opened before.

    An import names who opened the ticket then (`opened_by`); else it is the actor. `status`: where it begins, when that
    is not its kind's first status. `said`: what the opening's event says beside the fields of every ticket.

    Raises:
        Invalid: a sentence for each value that does not fit.
        Refused: the actor may not open for somebody else, or may not choose the team.
    """
    if opened_by is not None and actor.at is None:
        raise Refused(_("Only importers may say who opened a ticket."))
    user = opened_by or actor.user or requester
    if user is None:
        raise Invalid({"requester": _("Say for whom the ticket is opened.")})
    if submission_key:
        submission_key = clean_text(submission_key, "submission_key", 100)
        before = _opened_before(kind, user, submission_key)
        if before is not None:
            return before
    values = _checked(title, description, impact, urgency, external_id)
    _check_rights(actor, requester, team, assignee)
    try:
        # Only a key can collide; without one there is nothing to go back to, and a savepoint costs two round trips.
        with transaction.atomic(savepoint=bool(submission_key)):
            return _insert(
                kind,
                actor,
                values,
                opened_by=user,
                requester=requester or user,
                category=category,
                service=service,
                team=team,
                assignee=assignee,
                watchers=watchers,
                submission_key=submission_key or None,
                child={"custom": dict(custom or {}), **(child or {})},
                status=status or kind.initial_status,
                said=said or {},
            )
    except IntegrityError:
        before = _opened_before(kind, user, submission_key) if submission_key else None
        if before is not None:
            return before
        raise


def _opened_before(kind: Kind, user: User, key: str) -> Any:
    """Return what the person opened with this key, or None.

    Raises:
        Refused: it has become somebody else's since.
    """
    found = kind.model.objects.filter(opened_by=user, submission_key=key)
    before = found.first()
    if before is not None and not found.visible_to(user).exists():
        raise Refused(_("This form was sent before. Open a new one."))
    return before


def _checked(title: str, description: str, impact: Any, urgency: Any, external_id: str) -> dict[str, Any]:
    problems: dict[str, str] = {}
    values: dict[str, Any] = {}
    checks = (
        ("title", lambda: clean_text(title, "title", TITLE_MAX, required=True, one_line=True)),
        ("description", lambda: clean_text(description, "description", TEXT_MAX)),
        ("impact", lambda: check_level(impact, "impact")),
        ("urgency", lambda: check_level(urgency, "urgency")),
        ("external_id", lambda: clean_text(external_id, "external_id", 100, one_line=True)),
    )
    for name, check in checks:
        try:
            values[name] = check()
        except Invalid as error:
            problems.update(error.fields)
    if problems:
        raise Invalid(problems)
    return values


def _check_rights(actor: Actor, requester: User | None, team: Team | None, assignee: User | None) -> None:
    if requester is not None and requester != actor.user and not actor.may(Permission.OPEN_FOR_OTHERS):
        raise Refused(_("You can only open tickets for yourself."))
    if (team is not None or assignee is not None) and not actor.may(Permission.WORK_TICKETS):
        raise Refused(_("Only the service desk chooses who works on a ticket."))
    if actor.at is None and assignee is not None and not assignee.may(Permission.WORK_TICKETS):
        raise Invalid({"assignee": _("%(name)s does not work on tickets.") % {"name": assignee}})
    if actor.at is None and team is not None and not team.is_active:
        raise Invalid({"team": _("The team %(name)s is no longer active.") % {"name": team}})
    if requester is not None and not requester.is_active and actor.at is None:
        raise Invalid({"requester": _("This account is deactivated. Choose somebody else.")})


def _insert(
    kind: Kind,
    actor: Actor,
    values: dict[str, Any],
    *,
    opened_by: User,
    requester: User,
    category: Category | None,
    service: Service | None,
    team: Team | None,
    assignee: User | None,
    watchers: tuple[User, ...],
    submission_key: str | None,
    child: Mapping[str, Any],
    status: str,
    said: Mapping[str, Any],
) -> Any:
    number, clock, priority = _drawn(kind.prefix, values["impact"], values["urgency"])
    now = actor.at or clock
    ticket = kind.model(
        kind=kind.code,
        number=number,
        status=status,
        requester=requester,
        opened_by=opened_by,
        category=category,
        service=service,
        team=team,
        assignee=assignee,
        priority=priority,
        channel=actor.channel,
        opened_at=now,
        updated_at=now,
        submission_key=submission_key,
        **values,
        **child,
    )
    routed = None
    if ticket.team is None:
        routed = route(ticket, actor=actor)
        ticket.team = routed.team if routed else None
    if watchers:  # they must be there when the listeners of the first event ask for them
        ticket.save(force_insert=True)
        Watcher.objects.bulk_create([Watcher(ticket_id=ticket.pk, user=person) for person in set(watchers)])
    data: dict[str, Any] = {
        name: plain_value(getattr(ticket, name))
        for name in ("requester", "impact", "urgency", "priority", "category", "service", "team", "assignee")
    }
    data["title"] = ticket.title
    data |= said
    if routed and routed.rule:
        data["rule"] = routed.rule
    write(ticket, f"{kind.code}.opened", actor=actor, data=data, at=now)
    return ticket

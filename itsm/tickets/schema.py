"""What conditions may name on a ticket: search bar, views, routing, service levels and the API read this table."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from cmdb.models import Service
from itsm.accounts.models import Team, User
from itsm.conditions import AllOf, Context, Field, Leaf, Not, Schema, Type, Word
from itsm.tickets.actors import Channel
from itsm.tickets.kinds import all_kinds
from itsm.tickets.models import NO_TARGET, Category, Level, Priority
from itsm.tickets.models.settings import PATH_SEPARATOR
from itsm.tickets.querysets import text_q

MAX_SUGGESTIONS = 8
Found = Mapping[str, Collection[Any]]


def _statuses() -> list[tuple[Any, Any]]:
    found: dict[Any, Any] = {}
    for kind in all_kinds():
        found.update(kind.statuses)
    return list(found.items())


def _kinds() -> list[tuple[Any, Any]]:
    return [(kind.code, kind.label) for kind in all_kinds()]


def _people(words: Sequence[str], context: Context) -> Found:
    wanted = {word.strip().lower(): word for word in words}
    rows = User.objects.filter(Q(email__in=wanted) | Q(public_id__in=wanted)).values_list("pk", "email", "public_id")
    return {wanted[key]: [pk] for pk, email, ref in rows for key in (email, ref) if key in wanted}


def _teams(words: Sequence[str], context: Context) -> Found:
    wanted = {word.strip().lower(): word for word in words}
    found: dict[str, list[Any]] = {}
    for pk, key, name, ref in Team.objects.values_list("pk", "key", "name", "public_id"):
        for spelling in {key, name.lower(), ref} & wanted.keys():
            found.setdefault(wanted[spelling], []).append(pk)
    return found


def _services(words: Sequence[str], context: Context) -> Found:
    wanted = {word.strip().lower(): word for word in words}
    found: dict[str, list[Any]] = {}
    for pk, key, name, ref in Service.objects.values_list("pk", "key", "name", "public_id"):
        for spelling in {key, name.lower(), ref} & wanted.keys():
            found.setdefault(wanted[spelling], []).append(pk)
    return found


def _categories(words: Sequence[str], context: Context) -> Found:
    """A category stands for itself and everything below it; it is named by its path, its own name or its public id."""
    rows = list(Category.objects.values_list("pk", "path", "name", "public_id"))
    found: dict[str, set[Any]] = {}
    for word in words:
        wanted = word.strip().lower()
        roots = [path for _pk, path, name, ref in rows if wanted in {path.lower(), name.lower(), ref}]
        ids = {
            pk
            for pk, path, _n, _r in rows
            if any(path == root or path.startswith(root + PATH_SEPARATOR) for root in roots)
        }
        if ids:
            found[word] = ids
    return found


def _me(context: Context) -> Collection[Any] | None:
    return [context.user.pk] if context.user is not None and context.user.is_authenticated else None


def _my_teams(context: Context) -> Collection[Any] | None:
    if context.user is None or not context.user.is_authenticated:
        return None
    return list(Team.objects.of(context.user).values_list("pk", flat=True))


def _complete_people(prefix: str, context: Context) -> Iterable[tuple[str, str]]:
    if context.user is None:
        return []
    people = User.objects.visible_to(context.user).active().search(prefix)[:MAX_SUGGESTIONS]
    return [(person.email, person.display_name) for person in people]


def _complete_teams(prefix: str, context: Context) -> Iterable[tuple[str, str]]:
    return list(Team.objects.active().filter(name__icontains=prefix).values_list("key", "name")[:MAX_SUGGESTIONS])


def _complete_services(prefix: str, context: Context) -> Iterable[tuple[str, str]]:
    return list(Service.objects.active().filter(name__icontains=prefix).values_list("key", "name")[:MAX_SUGGESTIONS])


def _complete_categories(prefix: str, context: Context) -> Iterable[tuple[str, str]]:
    rows = Category.objects.active().filter(path__icontains=prefix).values_list("path", flat=True)
    return [(path, path) for path in rows[:MAX_SUGGESTIONS]]


def _watchers(ticket: Any) -> list[Any]:
    if ticket.pk is None:
        return []
    return [row.user_id for row in ticket.watcher_rows.all()]


def _text(text: str, context: Context) -> Q:
    return text_q(text)


OPEN = AllOf((Leaf("resolved", "is_empty"), Leaf("closed", "is_empty")))


@cache
def ticket_schema() -> Schema:
    """Return the fields and `is:` words that conditions on tickets of any kind may use."""
    return Schema(
        model="tickets.Ticket",
        search="text",
        fields=(
            Field(name="kind", type=Type.CHOICE, label=_("kind"), choices=_kinds),
            Field(
                name="number",
                type=Type.TEXT,
                label=_("number"),
                case_sensitive=True,
                prepare=str.upper,
                default_op="eq",
                sortable=True,
            ),
            Field(name="title", type=Type.TEXT, label=_("title")),
            Field(name="description", type=Type.TEXT, label=_("description")),
            Field(name="status", type=Type.CHOICE, label=_("status"), choices=_statuses),
            Field(name="priority", type=Type.INTEGER, label=_("priority"), choices=Priority.choices, sortable=True),
            Field(name="impact", type=Type.INTEGER, label=_("impact"), choices=Level.choices),
            Field(name="urgency", type=Type.INTEGER, label=_("urgency"), choices=Level.choices),
            Field(
                name="team",
                type=Type.REFERENCE,
                label=_("team"),
                resolver=_teams,
                words={"mine": _my_teams},
                complete=_complete_teams,
            ),
            Field(
                name="assignee",
                type=Type.REFERENCE,
                label=_("assignee"),
                resolver=_people,
                words={"me": _me},
                complete=_complete_people,
            ),
            Field(
                name="requester",
                type=Type.REFERENCE,
                label=_("requester"),
                resolver=_people,
                words={"me": _me},
                complete=_complete_people,
            ),
            Field(
                name="watcher",
                type=Type.REFERENCE,
                label=_("watcher"),
                lookup="watchers",
                many=True,
                getter=_watchers,
                resolver=_people,
                words={"me": _me},
                complete=_complete_people,
            ),
            Field(
                name="category",
                type=Type.REFERENCE,
                label=_("category"),
                resolver=_categories,
                complete=_complete_categories,
            ),
            Field(
                name="service",
                type=Type.REFERENCE,
                label=_("service"),
                resolver=_services,
                complete=_complete_services,
            ),
            Field(name="vip", type=Type.BOOLEAN, label=_("VIP"), lookup="requester__is_vip"),
            Field(name="channel", type=Type.CHOICE, label=_("channel"), choices=Channel.choices),
            Field(name="opened", type=Type.DATETIME, label=_("opened"), lookup="opened_at", sortable=True),
            Field(name="updated", type=Type.DATETIME, label=_("updated"), lookup="updated_at", sortable=True),
            Field(name="resolved", type=Type.DATETIME, label=_("resolved"), lookup="resolved_at"),
            Field(name="closed", type=Type.DATETIME, label=_("closed"), lookup="closed_at"),
            Field(
                name="due",
                type=Type.DATETIME,
                label=_("next target"),
                lookup="queue_due_at",
                future=True,
                absent=NO_TARGET,
                sortable=True,
            ),
            Field(name="external_id", type=Type.TEXT, label=_("external id"), case_sensitive=True, default_op="eq"),
            Field(name="text", type=Type.SEARCH, label=_("text"), search=_text, hidden=True),
        ),
        words={
            "open": Word(_("open"), OPEN),
            "closed": Word(_("closed"), Not(OPEN)),
            "resolved": Word(_("resolved"), Leaf("status", "eq", "resolved")),
            "unassigned": Word(_("unassigned"), Leaf("assignee", "is_empty")),
            "mine": Word(_("mine"), Leaf("assignee", "eq", "me")),
            "overdue": Word(_("overdue"), AllOf((OPEN, Leaf("due", "lt", "0m")))),
            "vip": Word(_("VIP"), Leaf("vip", "eq", True)),
        },
    )


@cache
def rule_schema() -> Schema:
    """Return what stored rules may name: the fields of every ticket, and those that kinds add to theirs."""
    base = ticket_schema()
    return replace(base, fields=(*base.fields, *(field for kind in all_kinds() for field in kind.fields)))

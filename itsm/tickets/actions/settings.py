"""The verbs that set up the desk: priority matrix, categories, routing rules. Each appends to the change log."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from itsm.accounts.changelog import Deed, check_seen, record_change, state_of
from itsm.accounts.models import Team
from itsm.accounts.roles import Permission
from itsm.conditions import Condition, ConditionError, Context, check, to_predicate
from itsm.tickets.actors import Actor
from itsm.tickets.clock import db_now
from itsm.tickets.errors import Invalid, Refused
from itsm.tickets.kinds import all_kinds
from itsm.tickets.models import Category, Level, Priority, PriorityCell, RoutingRule
from itsm.tickets.models.settings import PATH_SEPARATOR
from itsm.tickets.schema import rule_schema
from itsm.tickets.texts import clean_text

NAME_MAX = 100
RULE_NAME_MAX = 200
PATH_MAX = 500
STEP = 10
CATEGORY_FIELDS = ("name", "parent", "team", "is_active")
RULE_FIELDS = ("name", "kind", "condition", "team", "is_active")
Matrix = Mapping[tuple[int, int], int]


def matrix_state() -> dict[str, int]:
    """Return the matrix as it is stored: `impact×urgency` to priority."""
    return {f"{cell.impact}×{cell.urgency}": cell.priority for cell in PriorityCell.objects.all()}


@transaction.atomic
def save_matrix(matrix: Matrix, *, actor: Actor, seen: str = "") -> int:
    """Store the priority of each (impact, urgency), and return how many cells changed.

    It counts for tickets from now on: those that exist keep the priority they have.

    Raises:
        Refused: the actor may not set up the desk.
        Invalid: a cell is missing or has no such priority.
        ChangedMeanwhile.
    """
    _require(actor)
    cells = {(cell.impact, cell.urgency): cell for cell in PriorityCell.objects.select_for_update()}
    before = matrix_state()
    check_seen(before, seen)
    wanted = {(int(impact), int(urgency)) for impact in Level.values for urgency in Level.values}
    if set(matrix) != wanted or not set(matrix.values()) <= set(Priority.values):
        raise Invalid({"matrix": _("Choose a priority from 1 to 5 for each of the nine cells.")})
    changed = [at for at in sorted(wanted) if at not in cells or cells[at].priority != matrix[at]]
    for impact, urgency in changed:
        cell, _is_new = PriorityCell.objects.update_or_create(
            impact=impact, urgency=urgency, defaults={"priority": matrix[impact, urgency]}
        )
    if changed:
        record_change(actor.user, Deed.CHANGED, cell, before, matrix_state())
    return len(changed)


@transaction.atomic
def save_category(
    category: Category | None,
    *,
    name: str,
    actor: Actor,
    parent: Category | None = None,
    team: Team | None = None,
    is_active: bool = True,
    seen: str = "",
) -> Category:
    """Create the category (None) or rename, move or switch it, and return it. The paths below it follow.

    Switching a category off takes everything below it out of the choices too; tickets keep theirs.

    Raises:
        Refused: the actor may not set up the desk.
        Invalid: a name that does not fit or is taken, a place inside itself, a parent that is switched off.
        ChangedMeanwhile.
    """
    _require(actor)
    title = clean_text(name, "name", NAME_MAX, required=True, one_line=True)
    if PATH_SEPARATOR in title or title.startswith("/") or title.endswith("/"):
        raise Invalid({"name": _("A name cannot begin or end with “/”, or hold “ / ”: that stands between levels.")})
    # The whole tree is locked in one order: two moves at once could otherwise put each category inside the other.
    tree = {row.pk: row for row in Category.objects.select_for_update(of=("self",)).order_by("pk")}
    row = tree[category.pk] if category else Category()
    above = tree.get(parent.pk) if parent else None
    before = state_of(row, CATEGORY_FIELDS) if category else {}
    check_seen(before, seen)
    below = [one for one in tree.values() if one.path.startswith(row.path + PATH_SEPARATOR)] if category else []
    _check_place(row, above, title, below, tree.values())
    if is_active and above is not None and not above.is_active:
        raise Invalid({"is_active": _("“%(name)s” is switched off: switch that on first.") % {"name": above.path}})
    if team is not None and not team.is_active and row.team_id != team.pk:
        raise Invalid({"team": _("Choose a team that is active.")})
    was = row.path
    row.name, row.parent, row.team, row.is_active = title, above, team, is_active
    row.path = above.path + PATH_SEPARATOR + title if above else title
    _check_length([row.path, *(row.path + one.path[len(was) :] for one in below)])
    row.save()
    for one in below:
        one.path = row.path + one.path[len(was) :]
        one.is_active = one.is_active and is_active
    Category.objects.bulk_update(below, ["path", "is_active"])
    deed = Deed.CHANGED if category else Deed.CREATED
    record_change(actor.user, deed, row, before, state_of(row, CATEGORY_FIELDS))
    return row


def _check_place(row: Category, above: Category | None, title: str, below: list[Category], rows: Any) -> None:
    if above is not None and row.pk is not None and (above.pk == row.pk or above in below):
        raise Invalid({"parent": _("A category cannot be part of itself, or of something inside it.")})
    for other in rows:
        is_sibling = other.pk != row.pk and other.parent_id == (above.pk if above else None)
        if is_sibling and other.name.lower() == title.lower():
            raise Invalid({"name": _("“%(path)s” exists already. Choose another name.") % {"path": other.path}})


def _check_length(paths: list[str]) -> None:
    longest = max(paths, key=len)
    if len(longest) > PATH_MAX:
        raise Invalid(
            {
                "parent": _("“%(path)s…” would be longer than %(max)d characters. Shorten a name or move it up.")
                % {"path": longest[:60], "max": PATH_MAX}
            }
        )


def check_rule(condition: Condition) -> None:
    """Refuse a condition that no rule can use: an unknown field, value or name, or one that depends on who looks.

    Raises:
        ConditionError: with the position in the text, where the condition came from text.
    """
    check(condition, rule_schema(), predicate=True, personal=False)
    to_predicate(condition, rule_schema(), Context(user=None, now=db_now(), zone=UTC))


def _gone() -> str:
    return _("Somebody has removed this rule. Look at the list again.")


@transaction.atomic
def save_routing_rule(
    rule: RoutingRule | None,
    *,
    name: str,
    condition: Mapping[str, Any],
    team: Team | None,
    actor: Actor,
    kind: str = "incident",
    is_active: bool = True,
    seen: str = "",
) -> RoutingRule:
    """Create the rule (None: it comes last) or change it, and return it. It counts for tickets of the kind that come
    from now on.

    Raises:
        Refused: the actor may not set up the desk.
        Invalid: name, kind, condition or team do not fit.
        ChangedMeanwhile.
    """
    _require(actor)
    title = clean_text(name, "name", RULE_NAME_MAX, required=True, one_line=True)
    rules = list(RoutingRule.objects.select_for_update(of=("self",)).order_by("order", "pk"))
    row = next((one for one in rules if one.pk == rule.pk), None) if rule else RoutingRule()
    if row is None:
        raise Invalid({"name": _gone()})
    before = state_of(row, RULE_FIELDS) if rule else {}
    check_seen(before, seen)
    if any(one.name.lower() == title.lower() and one.pk != row.pk for one in rules):
        raise Invalid({"name": _("There is a rule “%(name)s” already. Choose another name.") % {"name": title}})
    if kind not in {one.code for one in all_kinds()}:
        raise Invalid({"kind": _("Choose a kind from the list.")})
    if team is None or (not team.is_active and row.team_id != team.pk):
        raise Invalid({"team": _("Choose the team that gets the ticket.")})
    try:
        parsed = Condition.from_json(dict(condition))
        if not list(parsed.leaves()):
            raise Invalid({"condition": _("Say which tickets are meant. An empty condition would take them all.")})
        check_rule(parsed)
    except ConditionError as error:
        raise Invalid({"condition": error.message}) from error
    row.kind = kind
    row.name, row.condition, row.team, row.is_active = title, parsed.to_json(), team, is_active
    if not rule:
        row.order = max((one.order for one in rules), default=0) + STEP
    row.save()
    deed = Deed.CHANGED if rule else Deed.CREATED
    record_change(actor.user, deed, row, before, state_of(row, RULE_FIELDS))
    return row


@transaction.atomic
def move_routing_rule(rule: RoutingRule, *, by: int, actor: Actor) -> list[RoutingRule]:
    """Move the rule that many places down (negative: up), at most to the end, and return all rules in order.

    Raises:
        Refused: the actor may not set up the desk.
    """
    _require(actor)
    rules = list(RoutingRule.objects.select_for_update(of=("self",)).order_by("order", "pk"))
    return move_in_order(rules, rule, by=by, actor=actor)


def move_in_order(rules: list[Any], rule: Any, *, by: int, actor: Actor) -> list[Any]:
    """Move one of the locked rules, which are all there are and in order, that many places down, at most to an end;
    number them anew by their `order`, and return them. One that is gone moves nothing."""
    at = next((at for at, one in enumerate(rules) if one.pk == rule.pk), None)
    if at is None:
        return rules
    to = min(max(at + by, 0), len(rules) - 1)
    moved = rules.pop(at)
    rules.insert(to, moved)
    for place, one in enumerate(rules, start=1):
        one.order = place * STEP
    type(rule)._default_manager.bulk_update(rules, ["order"])
    record_change(actor.user, Deed.MOVED, moved, {"place": at + 1}, {"place": to + 1})
    return rules


@transaction.atomic
def switch_routing_rule(rule: RoutingRule, is_active: bool, *, actor: Actor) -> RoutingRule:
    """Switch the rule on or off and return it; a rule that can no longer be read can be switched off, not on.

    Raises:
        Refused: the actor may not set up the desk.
        Invalid: it is to be switched on and cannot be read.
    """
    _require(actor)
    row = RoutingRule.objects.select_for_update(of=("self",)).filter(pk=rule.pk).first()
    if row is None:
        raise Invalid({"name": _gone()})
    if row.is_active == is_active:
        return row
    if is_active:
        try:
            check_rule(Condition.from_json(row.condition))
        except ConditionError as error:
            raise Invalid({"condition": error.message}) from error
    row.is_active = is_active
    row.save(update_fields=["is_active"])
    record_change(actor.user, Deed.ACTIVATED if is_active else Deed.DEACTIVATED, row)
    return row


@transaction.atomic
def delete_routing_rule(rule: RoutingRule, *, actor: Actor) -> None:
    """Remove the rule; the change log keeps what it said. A second call changes nothing.

    Raises:
        Refused: the actor may not set up the desk.
    """
    _require(actor)
    row = RoutingRule.objects.select_for_update(of=("self",)).filter(pk=rule.pk).first()
    if row is not None:
        record_change(actor.user, Deed.REMOVED, row, state_of(row, RULE_FIELDS), {})
        row.delete()


def _require(actor: Actor) -> None:
    if not actor.may(Permission.MANAGE_DESK):
        raise Refused(_("Only an administrator may set up the desk."))

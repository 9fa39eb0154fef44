"""The condition language: one small tree for saved views, the search bar, routing, SLA policies and webhooks.

A condition is made of `AllOf`, `AnyOf`, `Not` and `Leaf(field, op, value)`. It is stored as JSON, typed as text,
told in words, and compiled two ways that always agree: to a `Q` for the database and to a predicate for one object.

    condition = Condition.from_json({"all": [{"field": "priority", "op": "lte", "value": 2}]})
    condition = parse('priority:<=2 is:open team:network "disk full"', TICKETS)     # raises ConditionError
    condition.to_json()                                                             # for a JSONField
    Ticket.objects.visible_to(user).filter(to_q(condition, TICKETS, Context(user=user, now=now, zone=zone)))
    to_predicate(condition, TICKETS, context)(ticket)                               # True or False
    to_text(condition, TICKETS), describe(condition, TICKETS), chips(condition, TICKETS)
    suggest(text, cursor, TICKETS, context)                                         # completions for the search bar
    check(condition, TICKETS, predicate=True, personal=False)                       # before a rule is stored

A room declares what may be asked, and nothing else reaches the ORM (see `Field` for every setting):

    def teams(words, context):                  # all words of a condition in one query, in lower case
        return {team.key: [team.pk] for team in Team.objects.filter(key__in=words)}     # unknown ones are left out

    TICKETS = Schema(
        model="tickets.Ticket",
        search="text",                          # where free words and phrases go
        fields=(
            Field(name="number", type=Type.TEXT, label=_("Number"), case_sensitive=True, prepare=str.upper,
                  default_op="eq", sortable=True),
            Field(name="title", type=Type.TEXT, label=_("Title")),
            Field(name="status", type=Type.CHOICE, label=_("Status"), choices=Status.choices),
            Field(name="priority", type=Type.INTEGER, label=_("Priority"), choices=Priority.choices, sortable=True),
            Field(name="team", type=Type.REFERENCE, label=_("Team"), resolver=teams),
            Field(name="assignee", type=Type.REFERENCE, label=_("Assignee"), resolver=people,
                  words={"me": lambda context: [context.user.pk] if context.user else None}),
            Field(name="watcher", type=Type.REFERENCE, label=_("Watcher"), lookup="watchers", many=True,
                  resolver=people),
            Field(name="vip", type=Type.BOOLEAN, label=_("VIP"), lookup="requester__is_vip"),
            Field(name="opened", type=Type.DATETIME, label=_("Opened"), lookup="opened_at", sortable=True),
            Field(name="due", type=Type.DATETIME, label=_("Due"), lookup="next_target_at", future=True),
            Field(name="text", type=Type.SEARCH, label=_("Text"), search=full_text),    # (text, context) -> Q
        ),
        words={"open": Word(_("open"), Leaf("status", "in", ("new", "in_progress", "on_hold")))},
    )
    TICKETS.without("watcher")                  # what a requester may ask
    TICKETS.ordering("-opened")                 # ("-opened_at", "-pk"), for order_by

A resolver or a word may answer with several ids (a category with its descendants), or with none, which matches nothing.

Meaning, the same in both compilations:

- Logic has two values. A missing value (NULL; for texts also "") satisfies no positive question; `ne`, `not_in` and
  `not` are the exact opposite of theirs, so `priority:!=1` includes tickets without a priority.
- Text ignores case by the simple lower-case mapping of Unicode (`fold`); this needs PostgreSQL 17 or later.
- Ages count back from `context.now`, for `future` fields forward; days begin in `context.zone`.
- An empty condition matches everything. A caller that means "nothing" by it must ask before compiling.
- SEARCH fields filter only: `to_predicate` and `check(predicate=True)` refuse them.

A stored condition may stop making sense (a team is renamed): the compilers then raise ConditionError, never guess.
"""

from .bind import check
from .compile import Predicate, to_predicate, to_q
from .describe import Chip, chips, describe
from .errors import ConditionError
from .fold import fold, folded
from .lexer import MAX_QUERY
from .parser import parse
from .printer import to_text
from .schema import Context, Field, Resolver, Schema, Type, Word
from .suggest import Suggestion, suggest
from .tree import EVERYTHING, NOTHING, AllOf, AnyOf, Condition, Leaf, Not, normalise

__all__ = [
    "EVERYTHING",
    "MAX_QUERY",
    "NOTHING",
    "AllOf",
    "AnyOf",
    "Chip",
    "Condition",
    "ConditionError",
    "Context",
    "Field",
    "Leaf",
    "Not",
    "Predicate",
    "Resolver",
    "Schema",
    "Suggestion",
    "Type",
    "Word",
    "check",
    "chips",
    "describe",
    "fold",
    "folded",
    "normalise",
    "parse",
    "suggest",
    "to_predicate",
    "to_q",
    "to_text",
]

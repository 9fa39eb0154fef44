"""The search bar's language, read into a condition.

    priority:1 is:open team:network "disk full"     all of these
    status:new,in_progress      one of these            priority:<=2  priority:1..2   compared, between (both included)
    -team:network   not is:open         not this        (is:open or priority:1)       either, in parentheses
    assignee:none   assignee:any        empty, not empty   assignee:me                the person who asks
    opened:2026-11-01  opened:>2026-11-01  opened:2026-11-01..2026-11-23  opened:today    on, after the end of, from/to
    updated:<2h     changed less than two hours ago; m, h, d, w are minutes, hours, days, weeks
    updated:>3d     changed more than three days ago; for a time that lies ahead `due:<2h` is "in less than two hours"
    title:disk      contains    title:=disk   is exactly    title:^disk or title:disk*   begins with

Terms side by side must all hold; `and` may be said. `or` binds weaker than that. A value with spaces stands in quotes,
inside which `\\"` and `\\\\` are a quote and a backslash; a quoted value is never a keyword. `not` in small letters
before a plain word is an ordinary word ("printer not working"); `NOT` always negates. A number by id is `team:#12`.
"""

import re
from collections.abc import Callable

from django.utils.translation import gettext as _

from . import dates
from .bind import check
from .checks import check_leaf, not_a_number, plain, unknown_choice
from .errors import ConditionError, shorten
from .lexer import MAX_QUERY, Piece, Token, tokens
from .schema import Context, Field, Schema, Type
from .tree import (
    EVERYTHING,
    MAX_DEPTH,
    MAX_LEAVES,
    MAX_LIST,
    AllOf,
    AnyOf,
    Condition,
    Leaf,
    Not,
    Scalar,
    check_size,
    check_text,
    normalise,
    unique,
)

COMPARISONS = {
    "=": "eq", "!=": "ne", "<>": "ne", "<": "lt", "<=": "lte", ">": "gt", ">=": "gte", "~": "contains",
    "^": "starts_with",
}  # fmt: skip
WHOLE = re.compile(r"[+-]?[0-9]{1,19}")
ID = re.compile(r"#[0-9]{1,18}")
YES, NO = {"yes", "true", "1"}, {"no", "false", "0"}


def parse(text: str, schema: Schema, context: Context | None = None) -> Condition:
    """The normalised condition that `text` says; an empty text matches everything.

    With `context`, names are looked up too, so that an unknown one is an error now. Takes time linear in the length of
    the text. Raises ConditionError, with the position in `text`, and nothing else.
    """
    if len(text) > MAX_QUERY:
        raise ConditionError(
            _("This search is longer than %(most)d characters. Shorten it.") % {"most": MAX_QUERY}, position=MAX_QUERY
        )
    condition = normalise(_Parser(text, schema).everything())
    check_size(condition)
    if context is not None:
        check(condition, schema, context=context)
    return condition


class _Parser:
    """Recursive descent over the tokens; recursion only at parentheses, which are counted."""

    def __init__(self, text: str, schema: Schema) -> None:
        self.schema = schema
        self.tokens = list(tokens(text, frozenset(schema.by_name)))
        self.at = 0
        self.open = 0
        self.leaves = 0

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    def everything(self) -> Condition:
        if self.token.kind == "end":
            return EVERYTHING
        condition = self.either()
        if self.token.kind == ")":
            raise ConditionError(
                _("This closing parenthesis has no opening one. Remove it."), position=self.token.position
            )
        return condition

    def either(self) -> Condition:
        parts = [self.together()]
        while self.keyword() == "or":
            self.at += 1
            parts.append(self.together())
        return AnyOf(tuple(parts)) if len(parts) > 1 else parts[0]

    def together(self) -> Condition:
        parts = [self.single()]
        while self.token.kind not in ("end", ")") and self.keyword() != "or":
            if self.keyword() == "and":
                self.at += 1
            parts.append(self.single())
        return AllOf(tuple(parts)) if len(parts) > 1 else parts[0]

    def single(self) -> Condition:
        negated = False
        while self.token.kind == "-" or self.keyword() == "not":
            negated = not negated
            self.at += 1
        token = self.token
        if token.kind == "(":
            found = self.group()
        elif token.kind in ("word", "term") and self.keyword() not in ("or", "and"):
            self.at += 1
            found = self.word(token) if token.kind == "word" else _Term(token, self.schema).condition()
            self.leaves += 1
            if self.leaves > MAX_LEAVES:
                raise ConditionError(
                    _("This search has more than %(most)d terms. Leave some out.") % {"most": MAX_LEAVES},
                    position=token.position,
                )
        else:
            raise ConditionError(
                _("Something to search for is missing here. Put “and”, “or” and “not” before or between terms, or in "
                  "quotation marks to search for the word."),
                position=token.position,
            )  # fmt: skip
        return Not(found) if negated else found

    def group(self) -> Condition:
        start = self.token.position
        self.at += 1
        self.open += 1
        if self.open > MAX_DEPTH:
            raise ConditionError(_("Too many parentheses inside each other. Write it flatter."), position=start)
        found = EVERYTHING if self.token.kind == ")" else self.either()
        if self.token.kind != ")":
            raise ConditionError(_("Close the parenthesis that opens here."), position=start)
        self.at += 1
        self.open -= 1
        return found

    def keyword(self) -> str:
        """`and`, `or` or `not` when the token is that keyword, else ""."""
        token = self.token
        if token.kind != "word" or token.pieces[0].quoted:
            return ""
        word = token.pieces[0].text
        if word in ("and", "or", "AND", "OR", "NOT"):
            return word.lower()
        # "printer not working" is prose; "not is:open" and "not (…)" are logic.
        return "not" if word == "not" and self.tokens[self.at + 1].kind in ("term", "(", "-") else ""

    def word(self, token: Token) -> Leaf:
        if not self.schema.search:
            raise ConditionError(
                _("Plain words cannot be searched for here. Name a field, such as %(example)s:value.")
                % {"example": self.schema.fields[0].name},
                position=token.position,
            )
        check_text(token.pieces[0].text, token.position)
        return Leaf(self.schema.search, "matches", token.pieces[0].text, token.position)


class _Term:
    """One `field:value`."""

    def __init__(self, token: Token, schema: Schema) -> None:
        self.token, self.schema = token, schema
        self.field = self._field()
        self.op = COMPARISONS[token.comparison] if token.comparison else self.field.usual_op

    def _field(self) -> Field:
        try:
            return self.schema.field(self.token.name, self.token.position)
        except ConditionError as error:
            advice = _("To search for the text itself, put it in quotation marks.")
            raise ConditionError(f"{error} {advice}", position=error.position, word=error.word) from None

    def condition(self) -> Condition:
        pieces = self.token.pieces
        if len(pieces) > MAX_LIST:
            raise ConditionError(
                _("A list may hold at most %(most)d values.") % {"most": MAX_LIST}, position=pieces[MAX_LIST].position
            )
        if self.op == "ne":
            self.op = "eq"
            return Not(self.positive(pieces))
        return self.positive(pieces)

    def positive(self, pieces: tuple[Piece, ...]) -> Condition:
        emptiness = [leaf for piece in pieces if (leaf := self.emptiness(piece))]
        values = tuple(piece for piece in pieces if not self.emptiness(piece))
        parts: list[Condition] = [*emptiness]
        if values:
            parts.append(self.compared(values))
        return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))

    def emptiness(self, piece: Piece) -> Leaf | None:
        ops = {"none": "is_empty", "any": "is_not_empty", "*": "is_not_empty"}
        op = None if piece.quoted or self.op not in ("eq", "contains") else ops.get(piece.text.lower())
        return self.leaf(op, None, piece) if op and op in self.field.operators else None

    def compared(self, pieces: tuple[Piece, ...]) -> Condition:
        first = pieces[0]
        if len(pieces) > 1:
            if self.op == "eq" and "in" in self.field.operators:
                return self.leaf("in", unique(tuple(self.value(piece) for piece in pieces)), first)
            if self.op in ("contains", "starts_with", "eq"):
                return AnyOf(tuple(self.compared((piece,)) for piece in pieces))
            raise ConditionError(_("A comparison takes one value, not a list."), position=pieces[1].position)
        if self.op == "eq" and "within" in self.field.operators and not first.quoted and ".." in first.text:
            return self.range(first)
        # `=` asks for the text as it stands, star included.
        starred = first.text.endswith("*") and not first.quoted and self.token.comparison != "="
        if starred and "starts_with" in self.field.operators:
            return self.leaf("starts_with", self.value(Piece(first.text[:-1], False, first.position)), first)
        return self.leaf(self.op, self.value(first), first)

    def range(self, piece: Piece) -> Condition:
        low, _dots, high = piece.text.partition("..")
        first = Piece(low, False, piece.position)
        last = Piece(high, False, piece.position + len(low) + 2)
        if low and high:
            return self.leaf("within", (self.value(first), self.value(last)), piece)
        if not low and not high:
            raise ConditionError(_("A range has two ends: 1..3."), position=piece.position)
        return self.leaf("gte", self.value(first), first) if low else self.leaf("lte", self.value(last), last)

    def leaf(self, op: str, value: Scalar | tuple[Scalar, ...] | None, piece: Piece) -> Leaf:
        leaf = Leaf(self.field.name, op, value, piece.position)
        check_leaf(leaf, self.schema)
        return leaf

    def value(self, piece: Piece) -> Scalar:
        check_text(piece.text, piece.position)
        readers: dict[Type, Callable[[Piece], Scalar]] = {
            Type.CHOICE: self.choice,
            Type.WORD: self.choice,
            Type.INTEGER: self.integer,
            Type.BOOLEAN: self.boolean,
            Type.DATETIME: lambda one: _moment(one.text),
            Type.REFERENCE: self.reference,
        }
        try:
            return readers.get(self.field.type, lambda one: one.text)(piece)
        except ConditionError as error:
            error.position = piece.position
            raise

    def choice(self, piece: Piece) -> Scalar:
        found = self.schema.choice_word(self.field, piece.text)
        if found is None:
            raise unknown_choice(piece.text, self.field)
        return plain(found)

    def integer(self, piece: Piece) -> Scalar:
        if WHOLE.fullmatch(piece.text):
            return int(piece.text)
        named = self.schema.choice_word(self.field, piece.text)
        if named is None:
            raise not_a_number(piece.text, self.field)
        return plain(named)

    def boolean(self, piece: Piece) -> Scalar:
        word = piece.text.lower()
        if word not in YES | NO:
            raise ConditionError(
                _("“%(field)s” takes yes or no, not “%(word)s”.")
                % {"field": self.field.name, "word": shorten(piece.text)},
                word=piece.text,
            )
        return word in YES

    def reference(self, piece: Piece) -> Scalar:
        return int(piece.text[1:]) if not piece.quoted and ID.fullmatch(piece.text) else piece.text


def _moment(text: str) -> str:
    """The date or age in the one form that conditions store: no spaces, small letters but for T and Z."""
    moment = re.sub(r"\s+", "T", text.strip()).upper()
    if dates.MOMENT.fullmatch(moment):
        return moment
    return text.strip().lower()

"""The properties that the ticket page changes one at a time: how each is read from a form, shown, and written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cmdb.models import Service
from itsm.accounts.models import Team, User
from itsm.desk.pages import page_of_kind
from itsm.tickets.actions import assign, update
from itsm.tickets.actors import Actor
from itsm.tickets.errors import Invalid, Stale, VerbError
from itsm.tickets.models import Category, Level
from itsm.tickets.rules import Predicate

TRIES = 5
REF_MAX = 32
Pair = tuple[str, str]
Parse = Callable[[str], Any]
Write = Callable[..., Any]
Input = Literal["select", "line", "text", "datetime", "date", "number"]


class Overtaken(VerbError):
    """Somebody set the same property since the page was loaded (HTTP 409)."""

    code = "overtaken"

    def __init__(self, label: str, theirs: str) -> None:
        super().__init__(
            _("%(field)s was changed meanwhile to “%(theirs)s”. Save again to replace it.")
            % {"field": label, "theirs": theirs}
        )


@dataclass(frozen=True)
class Property:
    """One property of a ticket.

    `read` gives the form's value of a ticket, `show` its words, `parse` the thing that a form's value names (raises
    Invalid under the property's name), `write(ticket, value, *, actor, version)` is the verb that sets it.
    `input`: `select` is chosen from `options(ticket)` in its place (`search`: or from what `choices` finds under that
    name); `datetime`, `date` and `number` are typed in their place; `line` and `text` on a page of their own.
    `rule`: who is offered it at all (the verb asks again). `is_listed`: whether it stands among the properties.
    """

    name: str
    label: str | Promise
    read: Callable[[Any], str]
    show: Callable[[Any], str]
    parse: Parse
    write: Write
    input: Input = "select"
    options: Callable[[Any], list[Pair]] | None = None
    search: str = ""
    hotkey: str = ""
    rule: Predicate | None = None
    is_listed: bool = True

    @property
    def has_page(self) -> bool:
        """Whether it is edited on a page of its own."""
        return self.input in ("line", "text")


def related(model: Any, name: str, sentence: str | Promise) -> Parse:
    """Return a `parse` for an active row of the model by its public id; empty: None."""

    def parse(value: str) -> Any:
        if not value:
            return None
        found = model.objects.filter(public_id=value, is_active=True).first() if len(value) <= REF_MAX else None
        if found is None:
            raise Invalid({name: str(sentence)})
        return found

    return parse


def reference(name: str) -> Callable[[Any], str]:
    """Return a `read` for a related row: its public id, or nothing."""

    def read(ticket: Any) -> str:
        thing = getattr(ticket, name)
        return thing.public_id if thing is not None else ""

    return read


def words(name: str) -> Callable[[Any], str]:
    """Return a `show` for a value that says itself in words."""
    return lambda ticket: str(getattr(ticket, name) or _("none"))


def _level(name: str) -> Parse:
    def parse(value: str) -> int:
        if value not in {str(level) for level in Level.values}:
            raise Invalid({name: _("Choose high, medium or low.")})
        return int(value)

    return parse


def _updates(name: str) -> Write:
    def write(ticket: Any, value: Any, *, actor: Actor, version: int | None) -> Any:
        return update(ticket, {name: value}, actor=actor, version=version)

    return write


def _assigns(name: str) -> Write:
    def write(ticket: Any, value: Any, *, actor: Actor, version: int | None) -> Any:
        given: dict[str, Any] = {name: value}
        return assign(ticket, actor=actor, version=version, **given)

    return write


def _text_property(name: str, label: str | Promise, kind: Input) -> Property:
    def read(ticket: Any) -> str:
        return str(getattr(ticket, name))

    return Property(name, label, read, read, str, _updates(name), input=kind, is_listed=False)


def _level_property(name: str, label: str | Promise, hotkey: str = "") -> Property:
    return Property(
        name,
        label,
        lambda ticket: str(getattr(ticket, name)),
        lambda ticket: str(Level(getattr(ticket, name)).label),
        _level(name),
        _updates(name),
        options=lambda ticket: [(str(value), str(label)) for value, label in Level.choices],
        hotkey=hotkey,
    )


def _reference_property(
    model: Any, name: str, label: str | Promise, sentence: str | Promise, write: Write, hotkey: str = ""
) -> Property:
    parse = related(model, name, sentence)
    return Property(name, label, reference(name), words(name), parse, write, search=name, hotkey=hotkey)


COMMON: dict[str, Property] = {
    one.name: one
    for one in (
        _text_property("title", gettext_lazy("Title"), "line"),
        _text_property("description", gettext_lazy("Description"), "text"),
        _level_property("impact", gettext_lazy("Impact"), "Y"),
        _level_property("urgency", gettext_lazy("Urgency")),
        _reference_property(
            User,
            "assignee",
            gettext_lazy("Assignee"),
            gettext_lazy("Choose a person from the list."),
            _assigns("assignee"),
            "O",
        ),
        _reference_property(
            Team, "team", gettext_lazy("Team"), gettext_lazy("Choose a team from the list."), _assigns("team"), "T"
        ),
        _reference_property(
            Service,
            "service",
            gettext_lazy("Service"),
            gettext_lazy("Choose a service from the list."),
            _updates("service"),
        ),
        _reference_property(
            Category,
            "category",
            gettext_lazy("Category"),
            gettext_lazy("Choose a category from the list."),
            _updates("category"),
        ),
    )
}
_own: dict[str, dict[str, Property]] = {}


def register_property(prop: Property, *, kinds: tuple[str, ...]) -> None:
    """Let tickets of these kinds have the property, after those of every ticket. Called by a room's `ready`."""
    for kind in kinds:
        _own.setdefault(kind, {})[prop.name] = prop


def find_property(kind: str, name: str) -> Property | None:
    """Return the property of that name that tickets of the kind have; None: they have none."""
    return _own.get(kind, {}).get(name) or COMMON.get(name)


def listed_properties(kind: str) -> list[Property]:
    """Return what stands among the properties of a ticket of the kind, in order."""
    shown = [COMMON[name] for name in page_of_kind(kind).properties]
    return [*shown, *(prop for prop in _own.get(kind, {}).values() if prop.is_listed)]


def set_property(ticket: Any, prop: Property, value: str, *, was: str | None, actor: Actor) -> str:
    """Set the property to what the form's value names and return the value it had before, as a form's value.

    `was` is the value that the person saw; None: not compared. Changes of other things are no obstacle.

    Raises:
        Overtaken: it is no longer what the person saw. Invalid, Refused, IllegalMove, Stale.
    """
    wanted = prop.parse(value)
    for attempt in range(TRIES):
        before = prop.read(ticket)
        if before == value:
            return before
        if was is not None and _plain(before) != _plain(was):
            raise Overtaken(str(prop.label), prop.show(ticket))
        try:
            prop.write(ticket, wanted, actor=actor, version=ticket.version)
        except Stale:
            if attempt == TRIES - 1:
                raise
            ticket = ticket.kind_info.model.objects.with_people().get(pk=ticket.pk)
        else:
            return before
    return value


def _plain(text: str) -> str:
    # Browsers send line ends as CRLF whatever the page held.
    return text.replace("\r\n", "\n").strip()

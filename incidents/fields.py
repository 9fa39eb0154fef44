"""The properties that the ticket page changes one at a time: how each is read from a form, shown, and written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cmdb.models import Service
from incidents.models import Incident
from itsm.accounts.models import Team, User
from itsm.tickets.actions import assign, update
from itsm.tickets.actors import Actor
from itsm.tickets.errors import Invalid, Stale, VerbError
from itsm.tickets.models import Category, Level

TRIES = 5
Parse = Callable[[str], Any]
Write = Callable[..., Any]


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
    """One property: `read` gives the form's value of an incident, `parse` the thing that a form's value names."""

    name: str
    label: str | Promise
    read: Callable[[Incident], str]
    show: Callable[[Incident], str]
    parse: Parse
    write: Write


def _related(model: Any, name: str, sentence: str | Promise) -> Parse:
    def parse(value: str) -> Any:
        if not value:
            return None
        found = model.objects.filter(public_id=value, is_active=True).first() if len(value) <= 32 else None
        if found is None:
            raise Invalid({name: str(sentence)})
        return found

    return parse


def _level(name: str) -> Parse:
    def parse(value: str) -> int:
        if value not in {str(level) for level in Level.values}:
            raise Invalid({name: _("Choose high, medium or low.")})
        return int(value)

    return parse


def _reference(name: str) -> Callable[[Incident], str]:
    def read(incident: Incident) -> str:
        thing = getattr(incident, name)
        return thing.public_id if thing is not None else ""

    return read


def _words(name: str) -> Callable[[Incident], str]:
    return lambda incident: str(getattr(incident, name) or _("none"))


def _updates(name: str) -> Write:
    def write(incident: Incident, value: Any, *, actor: Actor, version: int | None) -> Any:
        return update(incident, {name: value}, actor=actor, version=version)

    return write


def _assigns(name: str) -> Write:
    def write(incident: Incident, value: Any, *, actor: Actor, version: int | None) -> Any:
        given: dict[str, Any] = {name: value}
        return assign(incident, actor=actor, version=version, **given)

    return write


def _text_property(name: str, label: str | Promise) -> Property:
    def read(incident: Incident) -> str:
        return str(getattr(incident, name))

    return Property(name, label, read, read, str, _updates(name))


def _level_property(name: str, label: str | Promise) -> Property:
    return Property(
        name,
        label,
        lambda incident: str(getattr(incident, name)),
        lambda incident: str(Level(getattr(incident, name)).label),
        _level(name),
        _updates(name),
    )


def _reference_property(name: str, label: str | Promise, parse: Parse, write: Write) -> Property:
    return Property(name, label, _reference(name), _words(name), parse, write)


PROPERTIES: dict[str, Property] = {
    one.name: one
    for one in (
        _text_property("title", gettext_lazy("Title")),
        _text_property("description", gettext_lazy("Description")),
        _level_property("impact", gettext_lazy("Impact")),
        _level_property("urgency", gettext_lazy("Urgency")),
        _reference_property(
            "assignee",
            gettext_lazy("Assignee"),
            _related(User, "assignee", gettext_lazy("Choose a person from the list.")),
            _assigns("assignee"),
        ),
        _reference_property(
            "team",
            gettext_lazy("Team"),
            _related(Team, "team", gettext_lazy("Choose a team from the list.")),
            _assigns("team"),
        ),
        _reference_property(
            "service",
            gettext_lazy("Service"),
            _related(Service, "service", gettext_lazy("Choose a service from the list.")),
            _updates("service"),
        ),
        _reference_property(
            "category",
            gettext_lazy("Category"),
            _related(Category, "category", gettext_lazy("Choose a category from the list.")),
            _updates("category"),
        ),
    )
}


def set_property(incident: Incident, name: str, value: str, *, was: str | None, actor: Actor) -> str:
    """Set the property to what the form's value names and return the value it had before, as a form's value.

    `was` is the value that the person saw; None: not compared. Changes of other things are no obstacle.

    Raises:
        Overtaken: it is no longer what the person saw. Invalid, Refused, IllegalMove, Stale.
    """
    prop = PROPERTIES[name]
    wanted = prop.parse(value)
    for attempt in range(TRIES):
        before = prop.read(incident)
        if before == value:
            return before
        if was is not None and _plain(before) != _plain(was):
            raise Overtaken(str(prop.label), prop.show(incident))
        try:
            prop.write(incident, wanted, actor=actor, version=incident.version)
        except Stale:
            if attempt == TRIES - 1:
                raise
            incident = Incident.objects.select_related("assignee", "team", "service", "category").get(pk=incident.pk)
        else:
            return before
    return value


def _plain(text: str) -> str:
    # Browsers send line ends as CRLF whatever the page held.
    return text.replace("\r\n", "\n").strip()

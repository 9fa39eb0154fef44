"""Which event tells whom, in which words. Filled by `apps.py` of this room and of any process room above it.

A rule joins an event's code to an audience and a wording. Where several rules of one event reach the same person, the
first registered one speaks: nobody hears of one event twice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.functional import Promise

from itsm.accounts.models import User
from itsm.notifications.audience import Audience
from itsm.notifications.occasion import Occasion
from itsm.tickets import hooks

Text = str | Promise


def no_quote(occasion: Occasion) -> str:
    """Quote nothing."""
    return ""


@dataclass(frozen=True)
class Wording:
    """The words of one kind of message.

    `subject`, `lead` and `closing` may name `%(number)s`, `%(title)s`, `%(actor)s`, `%(continued)s` (see
    `Occasion.values`) and `%(said)s`, the event as the timeline words it. `by_system` replaces the lead where no person
    stands behind the event. `quote` returns what somebody wrote that the reader may read. `asks_to_confirm` adds the
    links by which the requester closes or reopens. `is_urgent`: it breaks through the hours that somebody keeps, unless
    they chose otherwise.
    """

    kind: str
    subject: Text
    lead: Text
    by_system: Text = ""
    closing: Text = ""
    quote: Callable[[Occasion], str] = no_quote
    asks_to_confirm: bool = False
    is_urgent: bool = False
    icon: str = "bell"


@dataclass(frozen=True)
class Rule:
    """Who is told of an event, and how. `also_actor`: even the one who did it."""

    audience: Audience
    kind: str
    also_actor: bool = False


Links = Callable[[Occasion, User], list[tuple[Text, str]]]
_wordings: dict[str, Wording] = {}
_links: dict[str, Links] = {}
_rules: dict[str, list[Rule]] = {}
_consumer: list[hooks.Consumer] = []


def register_wording(wording: Wording) -> None:
    """Make a kind of message known; one registered again replaces the former."""
    _wordings[wording.kind] = wording


def register_links(kind: str, links: Links) -> None:
    """Put links that act for the reader into mails of the kind: label and whole address of each."""
    _links[kind] = links


def links_of(kind: str, occasion: Occasion, user: User) -> list[tuple[Text, str]]:
    """Return the links that act for the reader in mails of the kind."""
    return _links[kind](occasion, user) if kind in _links else []


def register_rule(code: str, audience: Audience, kind: str, *, also_actor: bool = False) -> None:
    """Let the event with this code tell the audience in the words of the kind. The same rule twice counts once.

    Raises:
        KeyError: the kind has no wording yet.
    """
    rule = Rule(audience, _wordings[kind].kind, also_actor)
    known = _rules.setdefault(code, [])
    if rule not in known:
        known.append(rule)
    _subscribe()


def use_consumer(consumer: hooks.Consumer) -> None:
    """Let the kernel hand the events that have rules to this consumer."""
    _consumer[:] = [consumer]
    _subscribe()


def rules_for(code: str) -> list[Rule]:
    """Return the rules of the event, in the order of registration."""
    return _rules.get(code, [])


def wording_of(kind: str) -> Wording:
    """Return the words of the kind.

    Raises:
        KeyError: no room registered it.
    """
    return _wordings[kind]


def has_wording(kind: str) -> bool:
    """Return whether the kind's words are known; a notice outlives the room that made it."""
    return kind in _wordings


def _subscribe() -> None:
    for consumer in _consumer:
        hooks.consume("notifications", consumer, codes=frozenset(_rules))

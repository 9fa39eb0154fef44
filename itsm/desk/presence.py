"""Who of the desk has a ticket open, and what they do there. In Valkey alone, with a time to live: nobody is shown for
longer than their browser says so, and without the server nobody is shown at all and nothing else changes."""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from redis import Redis
from redis.exceptions import RedisError

from itsm.accounts.models import User

logger = logging.getLogger(__name__)

VIEW, NOTE, REPLY, IDLE, SEND = "view", "note", "reply", "idle", "send"
SAID = frozenset({VIEW, NOTE, REPLY, IDLE})
FORGOTTEN_AFTER_S = 45
IDLE_FORGOTTEN_AFTER_S = 130  # an idle page asks once a minute
PAUSE_SECONDS = 5.0  # as the cache does it: a dead line costs one time-out, not one a request
PREFIX = "itsm:presence:"

# One text for each ticket, changed in one step, so that two browsers never lose each other's; by the server's own
# clock. A person without a state leaves.
_BEAT = """
local now = tonumber(redis.call('TIME')[1])
local people = cjson.decode(redis.call('GET', KEYS[1]) or '{}')
for ref, one in pairs(people) do if one[2] < now then people[ref] = nil end end
if ARGV[2] == '' then people[ARGV[1]] = nil else people[ARGV[1]] = {ARGV[2], now + tonumber(ARGV[3]), ARGV[4]} end
if next(people) == nil then redis.call('DEL', KEYS[1]) return '{}' end
local text = cjson.encode(people)
redis.call('SET', KEYS[1], text, 'EX', tonumber(ARGV[5]))
return text
"""


@dataclass(frozen=True, order=True)
class Person:
    """Somebody else who is there."""

    rank: int
    name: str
    doing: str

    @property
    def is_writing(self) -> bool:
        """Whether they write, or have just sent what they wrote."""
        return self.doing not in (VIEW, IDLE)

    @property
    def words(self) -> str:
        """What they do, as a sentence."""
        return _SENTENCES[self.doing]() % {"name": self.name}


_RANKS = {SEND: 0, REPLY: 1, NOTE: 2, VIEW: 3, IDLE: 4}
_SENTENCES: Mapping[str, Callable[[], str]] = {
    SEND: lambda: _("%(name)s is sending a reply…"),
    REPLY: lambda: _("%(name)s is writing a reply"),
    NOTE: lambda: _("%(name)s is writing a note"),
    VIEW: lambda: _("%(name)s is viewing this"),
    IDLE: lambda: _("%(name)s has this open, away"),
}

_asked_again_at = 0.0


@lru_cache(maxsize=4)
def _client(url: str) -> Redis:
    options: dict[str, Any] = {"socket_timeout": 0.3, "decode_responses": True}
    if not url.startswith("unix://"):
        options["socket_connect_timeout"] = 0.3
    return Redis.from_url(url, **options)


def _ask[T](call: Callable[[Redis], T], otherwise: T) -> T:
    global _asked_again_at
    if time.monotonic() < _asked_again_at:
        return otherwise
    try:
        return call(_client(settings.REDIS_URL))
    except (RedisError, OSError, ValueError) as error:
        _asked_again_at = time.monotonic() + PAUSE_SECONDS
        logger.warning("Presence is not known, the server does not answer: %s", error)
        return otherwise


def beat(ticket: Any, user: User, doing: str) -> list[Person]:
    """Say what the person does on the ticket, and return who else is there, those who write first."""
    state = doing if doing in SAID else VIEW
    life = IDLE_FORGOTTEN_AFTER_S if state == IDLE else FORGOTTEN_AFTER_S
    given = (user.public_id, state, life, user.display_name, IDLE_FORGOTTEN_AFTER_S)
    nobody: dict[str, Any] = {}
    return _others(_ask(lambda server: _run(server, ticket.public_id, *given), nobody), user)


def leave(ref: str, user: User) -> None:
    """Say that the person has left the ticket with this public id."""
    nobody: dict[str, Any] = {}
    _ask(lambda server: _run(server, ref, user.public_id, "", 0, "", IDLE_FORGOTTEN_AFTER_S), nobody)


def others(ticket: Any, user: User) -> list[Person]:
    """Return who else is there, without saying anything of oneself."""
    return _others(_read([ticket.public_id]).get(ticket.public_id, {}), user)


def opened_by(refs: Iterable[str], user: User) -> dict[str, str]:
    """Return for each ticket, by public id, that somebody else has open their names; one question for all of them."""
    found = {ref: _others(people, user) for ref, people in _read(list(refs)).items()}
    return {ref: ", ".join(person.name for person in people) for ref, people in found.items() if people}


def token_of(people: list[Person]) -> str:
    """Return a short text that changes when what is shown of the people does."""
    return hashlib.sha256(repr(people).encode()).hexdigest()[:12] if people else ""


def _run(server: Redis, ref: str, *given: Any) -> dict[str, Any]:
    return _people(server.eval(_BEAT, 1, PREFIX + ref, *given))


def _read(refs: list[str]) -> dict[str, dict[str, Any]]:
    if not refs:
        return {}

    def ask(server: Redis) -> dict[str, dict[str, Any]]:
        with server.pipeline(transaction=False) as asked:
            asked.time()
            asked.mget([PREFIX + ref for ref in refs])
            (now, _micro), texts = asked.execute()
        people = {ref: _people(text) for ref, text in zip(refs, texts, strict=True)}
        return {
            ref: {one: state for one, state in found.items() if state[1] >= int(now)} for ref, found in people.items()
        }

    return _ask(ask, {})


def _people(text: Any) -> dict[str, Any]:
    found = json.loads(text or "{}")
    return found if isinstance(found, dict) else {}


def _others(people: Mapping[str, Any], user: User) -> list[Person]:
    return sorted(
        Person(_RANKS[doing], name, doing)
        for ref, (doing, _until, name) in people.items()
        if ref != user.public_id and doing in _RANKS
    )


def with_senders(people: list[Person], senders: Iterable[str]) -> list[Person]:
    """Return the people with those, by name, whose reply is on its way out; that is all that is said of these."""
    names = set(senders)
    sending = [Person(_RANKS[SEND], name, SEND) for name in names]
    return sorted([*sending, *(person for person in people if person.name not in names)])

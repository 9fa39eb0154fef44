"""How often a caller may call: fixed windows of a minute, counted atomically in the cache.

The cache is Valkey while it answers and the process's own memory while it does not (`itsm.cache.SteadyCache`), so that
neither the API nor its limits depend on the broker.
"""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from django.core.cache import cache
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

WINDOW_SECONDS = 60


def count(key: str) -> tuple[int, float]:
    """Count one more under the key; return how many there are in this minute, and how many seconds it still lasts."""
    now = time.time()
    window = int(now // WINDOW_SECONDS)
    full_key = f"api:{key}:{window}"
    left = (window + 1) * WINDOW_SECONDS - now
    try:
        return cache.incr(full_key), left
    except ValueError:
        if cache.add(full_key, 1, timeout=2 * WINDOW_SECONDS):
            return 1, left
        return cache.incr(full_key), left


def note_bad_token(request: Request) -> None:
    """Count a bad token against the address it came from.

    Raises:
        Throttled: the address has shown too many in this minute. A good token from there still opens the door.
    """
    number, left = count(f"bad:{BaseThrottle().get_ident(request)}")
    if number > settings.API_BAD_TOKENS_PER_MINUTE:
        raise Throttled(wait=left)


class CallerThrottle(BaseThrottle):
    """Limits the calls of one token, or of one signed-in person, in a minute."""

    def __init__(self) -> None:
        self._left = 0.0

    def allow_request(self, request: Request, view: Any) -> bool:
        """Return whether this call is still within the limit."""
        who = f"token:{request.auth.pk}" if request.auth is not None else f"user:{request.user.pk}"
        number, self._left = count(who)
        return number <= settings.API_CALLS_PER_MINUTE

    def wait(self) -> float:
        """Return in how many seconds the caller may call again."""
        return self._left

"""How often a caller may call: fixed windows of a minute, counted atomically in the cache.

The cache is Valkey while it answers and the process's own memory while it does not (`itsm.cache.SteadyCache`), so that
neither the API nor its limits depend on the broker.
"""

from __future__ import annotations

import threading
import time
from typing import Any

from django.conf import settings
from django.core.cache import cache
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

WINDOW_SECONDS = 60
SHARES = 200


class Shares:
    """This process's unspent share of each caller's calls in the running minute.

    A process takes calls from the shared counter by the handful and spends them by itself: one question to the cache
    for many calls, and all processes together never let more through than the limit.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._window = 0
        self._left: dict[str, int] = {}

    def spend(self, key: str, limit: int) -> float | None:
        """Spend one call of the key's `limit` calls a minute; return None, or in how many seconds there are more."""
        now = time.time()
        window = int(now // WINDOW_SECONDS)
        with self._lock:
            if window != self._window:
                self._window, self._left = window, {}
            left = self._left.get(key, 0)
            if left > 0:
                self._left[key] = left - 1
                return None
        size = max(1, limit // SHARES)
        taken = _taken(f"api:{key}:{window}", size)
        granted = min(size, limit - taken + size)
        if granted <= 0:
            return (window + 1) * WINDOW_SECONDS - now
        with self._lock:
            if window == self._window:
                self._left[key] = self._left.get(key, 0) + granted - 1
        return None


def _taken(key: str, size: int) -> int:
    """Take so many from the shared counter; return how many have been taken in all."""
    try:
        return cache.incr(key, size)
    except ValueError:
        if cache.add(key, size, timeout=2 * WINDOW_SECONDS):
            return size
        return cache.incr(key, size)


_shares = Shares()


def note_bad_token(request: Request) -> None:
    """Count a bad token against the address it came from.

    Raises:
        Throttled: the address has shown too many in this minute. A good token from there still opens the door.
    """
    wait = _shares.spend(f"bad:{BaseThrottle().get_ident(request)}", settings.API_BAD_TOKENS_PER_MINUTE)
    if wait is not None:
        raise Throttled(wait=wait)


class CallerThrottle(BaseThrottle):
    """Limits the calls of one token, or of one signed-in person, in a minute."""

    def __init__(self) -> None:
        self._wait: float | None = None

    def allow_request(self, request: Request, view: Any) -> bool:
        """Return whether this call is still within the limit."""
        who = f"token:{request.auth.pk}" if request.auth is not None else f"user:{request.user.pk}"
        self._wait = _shares.spend(who, settings.API_CALLS_PER_MINUTE)
        return self._wait is None

    def wait(self) -> float | None:
        """Return in how many seconds the caller may call again."""
        return self._wait

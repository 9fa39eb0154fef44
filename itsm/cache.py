"""A cache that survives the loss of its server."""

import logging
import time
from collections.abc import Callable
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

# How long the server is not asked again after it failed, so that a dead line costs one time-out and not one a request.
PAUSE_SECONDS = 5.0


class SteadyCache(BaseCache):
    """Redis while it answers, this process's memory while it does not.

    Rate limits therefore go on counting (each process for itself) and nobody is locked out, nor let in without limit,
    because the broker is away. Entries written on one side are not seen on the other.
    """

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        """Take Django's CACHES entry; LOCATION is the address of Redis."""
        super().__init__(params)
        options = {"socket_connect_timeout": 0.5, "socket_timeout": 1.0, **params.get("OPTIONS", {})}
        if server.startswith("unix://"):
            del options["socket_connect_timeout"]
        self._shared = RedisCache(server, {**params, "OPTIONS": options})
        self._own = LocMemCache("steady-cache", params)
        self._asked_again_at = 0.0

    def _ask(self, call: Callable[[BaseCache], Any]) -> Any:
        if time.monotonic() >= self._asked_again_at:
            try:
                return call(self._shared)
            except (RedisError, OSError) as error:
                self._asked_again_at = time.monotonic() + PAUSE_SECONDS
                logger.warning("The cache server does not answer, this process remembers alone: %s", error)
        return call(self._own)

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        """Return the value, or the default."""
        return self._ask(lambda cache: cache.get(key, default, version))

    def set(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        """Store a value."""
        self._ask(lambda cache: cache.set(key, value, timeout, version))

    def add(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        """Store a value unless the key is taken; tells whether it was stored."""
        return bool(self._ask(lambda cache: cache.add(key, value, timeout, version)))

    def touch(self, key: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        """Give a key a new time to live; tells whether it was there."""
        return bool(self._ask(lambda cache: cache.touch(key, timeout, version)))

    def delete(self, key: Any, version: int | None = None) -> bool:
        """Forget a key; tells whether it was there."""
        return bool(self._ask(lambda cache: cache.delete(key, version)))

    def incr(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        """Add to a number and return it. Raises ValueError when the key is not there."""
        return int(self._ask(lambda cache: cache.incr(key, delta, version)))

    def has_key(self, key: Any, version: int | None = None) -> bool:
        """Tell whether a key is there."""
        return bool(self._ask(lambda cache: cache.has_key(key, version)))

    def clear(self) -> None:
        """Forget everything, on both sides."""
        self._own.clear()
        self._ask(lambda cache: cache.clear())

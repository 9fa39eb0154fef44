"""Is the process alive, and can it serve: for supervisors and load balancers."""

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from redis import Redis
from redis.exceptions import RedisError

_migrated = False


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """Answer as long as the process can answer at all; asks nobody else."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """Answer 200 when requests can be served, else 503, with what was found.

    Without the broker tickets are still taken and worked, only notices wait: `degraded`, and still 200.
    """
    checks = {"database": _database(), "migrations": "unknown", "broker": _broker()}
    if checks["database"] == "ok":
        checks["migrations"] = _migrations()
    ready = checks["database"] == checks["migrations"] == "ok"
    status = "not ready" if not ready else "ready" if checks["broker"] == "ok" else "degraded"
    return JsonResponse({"status": status, "checks": checks}, status=200 if ready else 503)


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return "unreachable"
    return "ok"


def _migrations() -> str:
    """Return whether the tables are as this code wants them; asked until the answer is yes, which then stays."""
    global _migrated
    if not _migrated:
        executor = MigrationExecutor(connection)
        _migrated = not executor.migration_plan(executor.loader.graph.leaf_nodes())
    return "ok" if _migrated else "not applied: run bin/manage migrate"


def _broker() -> str:
    try:
        with Redis.from_url(settings.REDIS_URL, socket_timeout=0.5) as broker:
            broker.ping()
    except (RedisError, OSError):
        return "unreachable"
    return "ok"

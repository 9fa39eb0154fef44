"""The clocks' figures for monitoring, in Prometheus' text format (version 0.0.4)."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Iterable, Iterator

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from itsm.tickets import spreading
from itsm.tickets.outbox import waiting_and_parked
from slas.models import AlarmKind
from slas.watch.figures import Figures, figures

TYPE = "text/plain; version=0.0.4; charset=utf-8"
FORWARDED = (
    "HTTP_FORWARDED",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_PROTO",  # the one that a proxy in front must set
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_REAL_IP",
    "HTTP_VIA",
)

Sample = tuple[dict[str, str], float]


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Return the figures to whoever has the token of METRICS_TOKEN, or comes straight from a network of METRICS_FROM;
    for everybody else there is no such page."""
    if not (_has_token(request) or _is_near(request)):
        raise Http404
    return HttpResponse("".join(lines(figures())), content_type=TYPE)


def _has_token(request: HttpRequest) -> bool:
    given = request.headers.get("Authorization", "")
    wanted = settings.METRICS_TOKEN
    return bool(wanted) and hmac.compare_digest(given.encode(), f"Bearer {wanted}".encode())


def _is_near(request: HttpRequest) -> bool:
    """Tell whether the request comes straight from a network that may read. One that came through a proxy does not:
    its address would be the proxy's."""
    if not settings.METRICS_FROM or any(name in request.META for name in FORWARDED):
        return False
    try:
        address = ipaddress.ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return False
    return any(address in network for network in settings.METRICS_FROM)


def lines(found: Figures) -> Iterator[str]:
    """Yield the figures as lines of the text format."""
    waiting, parked = waiting_and_parked()
    standing = {alarm.kind for alarm in found.alarms}
    roles = {process.role for process in found.processes}
    beats = [
        ({"role": role}, min(process.age_s for process in found.processes if process.role == role))
        for role in sorted(roles)
    ]
    alarms: list[Sample] = [({"kind": str(kind)}, float(kind in standing)) for kind in AlarmKind]
    audit = found.audit
    yield from _metric("itsm_sla_lag_seconds", "Age of the oldest step that is due and has not fired.", found.lag_s)
    yield from _metric("itsm_sla_timers_running", "Running timers (estimated above 10000).", found.running.value)
    yield from _metric("itsm_sla_steps_waiting", "Steps that wait (estimated above 10000).", found.waiting.value)
    yield from _metric("itsm_sla_steps_due", "Steps that are due, counted up to 10000.", found.due.value)
    yield from _metric("itsm_sla_steps_parked", "Steps whose effects failed five times.", found.parked)
    yield from _metric("itsm_sla_timers_to_follow", "Timers that have still to follow an edit.", found.to_follow.value)
    yield from _metric(
        "itsm_sla_audit_differences", "Differences at the last audit.", len(audit.findings) if audit else 0
    )
    yield from _metric(
        "itsm_sla_audit_sampled", "Timers computed anew at the last audit.", audit.sampled if audit else 0
    )
    yield from _metric(
        "itsm_sla_audit_timestamp_seconds", "When the last audit was.", audit.at.timestamp() if audit else 0
    )
    yield from _series("itsm_sla_heartbeat_age_seconds", "Since somebody of the role was last heard of.", beats)
    yield from _series("itsm_sla_alarm", "1 while the alarm stands.", alarms)
    yield from _metric("itsm_outbox_waiting", "Events that wait to be handed to their consumers.", waiting)
    yield from _metric("itsm_outbox_parked", "Events that could not be handed over.", parked)
    spread_waiting, spread_parked = spreading.waiting_and_parked()
    yield from _metric("itsm_spreads_waiting", "Tickets that still wait for an effect of another one.", spread_waiting)
    yield from _metric("itsm_spreads_parked", "Tickets on which an effect of another one failed.", spread_parked)
    yield from _series("itsm_tz_data_info", "Time-zone data in use.", [({"version": found.tz_data}, 1)])


def _metric(name: str, text: str, value: float) -> Iterator[str]:
    yield from _series(name, text, [({}, value)])


def _series(name: str, text: str, samples: Iterable[Sample]) -> Iterator[str]:
    yield f"# HELP {name} {text}\n# TYPE {name} gauge\n"
    for labels, value in samples:
        named = ",".join(f'{label}="{_escaped(word)}"' for label, word in labels.items())
        yield f"{name}{f'{{{named}}}' if named else ''} {value:.15g}\n"


def _escaped(word: str) -> str:
    return word.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")

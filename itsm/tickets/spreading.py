"""Letting one verb have its effect on many tickets: in a worker, each target exactly once, whatever fails in between.

A verb calls `spread` in its own transaction; that stores the order and a row for each target and rings the bell when
the transaction is committed. Workers claim a handful of targets with SKIP LOCKED: the verbs and the rows of the targets
are one transaction, so a worker that is killed has either done both or neither. A ticket that somebody has in hand is
left for later, so nobody waits for the other with something locked. Which effects there are, the rooms say at start-up.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Now
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from itsm.tickets.actors import Actor
from itsm.tickets.clock import db_now
from itsm.tickets.errors import VerbError
from itsm.tickets.models import Spread, SpreadState, SpreadTarget, TicketEvent
from itsm.tickets.rules import require

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 5
LONGEST_WAIT = timedelta(minutes=10)
AT_ONCE = 20

# How long what one transaction has had in hand may be kept from others, in seconds.
LONGEST_HOLD = 1.0

END = """
UPDATE tickets_spreadtarget t SET state = u.state, reason = u.reason, ended_at = clock_timestamp()
  FROM unnest(%s::bigint[], %s::text[], %s::text[]) AS u (id, state, reason) WHERE t.id = u.id
"""

Deed = Callable[..., Any]
Bell = Callable[[], object]


class NotNeeded(Exception):
    """An effect is of no use on this ticket any more; the message says why, in a sentence for the desk."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Effect:
    """What can happen to many tickets: the function that does it to one, and how the desk calls it."""

    name: str
    deed: Deed
    label: str | Promise = ""


_effects: dict[str, Effect] = {}
_bell: list[Bell] = []


def register_effect(name: str, deed: Deed, *, label: str | Promise = "") -> None:
    """Make an effect known: `deed(ticket, *, actor, data)` calls the verb for one ticket.

    It runs in a transaction of its own. A `VerbError` or `NotNeeded` leaves the ticket out with that reason; any other
    error is tried again. `ticket` is what the kernel knows of it and may be out of date: the verb locks and looks.
    A name registered again replaces the former.
    """
    _effects[name] = Effect(name, deed, label)


def effect_label(name: str) -> str:
    """Return how the desk calls the effect; its name when its room is gone."""
    known = _effects.get(name)
    return str(known.label or name) if known else name


def use_bell(bell: Bell) -> None:
    """Call this when there is something to spread (`apps.py` lets it ring the worker)."""
    _bell[:] = [bell]


def spread(
    source: Any,
    effect: str,
    ticket_ids: Iterable[int],
    *,
    actor: Actor,
    data: Mapping[str, Any],
    event: TicketEvent | None = None,
) -> Spread:
    """Order the effect on the tickets and return the order. Call it in the transaction of the verb that causes it.

    For the same event and effect there is one order: called again, it gains the targets that it did not have. The
    source itself is left out.

    Raises:
        KeyError: nobody registered the effect.
        ValueError: an import of the past spreads nothing.
    """
    if effect not in _effects:
        raise KeyError(effect)
    if actor.at is not None:
        raise ValueError("What an import tells of the past has no effect on other tickets.")
    with transaction.atomic():
        order = _order(source, effect, actor, data, event)
        now = db_now()
        wanted = sorted(set(ticket_ids) - {source.pk})
        rows = [SpreadTarget(spread=order, ticket_id=pk, next_attempt_at=now) for pk in wanted]
        SpreadTarget.objects.bulk_create(rows, ignore_conflicts=True, batch_size=1000)
        if rows:
            transaction.on_commit(ring, robust=True)
    return order


def _order(source: Any, effect: str, actor: Actor, data: Mapping[str, Any], event: TicketEvent | None) -> Spread:
    said = {
        "source_id": source.pk,
        "effect": effect,
        "data": dict(data),
        "actor": actor.user,
        "channel": actor.channel,
        "created_at": db_now(),
    }
    if event is None:
        return Spread.objects.create(**said)
    before = Spread.objects.filter(event=event, effect=effect)
    if found := before.first():
        return found
    try:
        with transaction.atomic():
            return Spread.objects.create(event=event, **said)
    except IntegrityError:
        return before.get()


def ring() -> None:
    """Ring the worker. A bell that cannot be rung is no harm: the sweep looks every second."""
    for bell in _bell:
        try:
            bell()
        except Exception:  # whatever the broker's client raises, the verb is committed and its answer must go out
            logger.warning("The worker could not be rung; the sweep will find what waits", exc_info=True)


def work(seconds: float = 20.0, limit: int | None = None) -> int:
    """Go on with what waits for so long, or until nothing is due or `limit` targets were had; return how many.

    Several workers may do this at once: they share the targets.
    """
    until = time.monotonic() + seconds
    had = 0
    while time.monotonic() < until and (limit is None or had < limit):
        done = _do_some(AT_ONCE if limit is None else min(AT_ONCE, limit - had), until)
        if not done:
            break
        had += done
    return had


def _due() -> QuerySet[SpreadTarget]:
    waiting = SpreadTarget.objects.filter(state=SpreadState.WAITING)
    older = waiting.filter(ticket=OuterRef("ticket"), pk__lt=OuterRef("pk"))
    return waiting.filter(~Exists(older), next_attempt_at__lte=Now())


def is_due() -> bool:
    """Return whether there is something to do now."""
    return _due().exists()


def _claim(count: int) -> list[SpreadTarget]:
    """Lock and return the oldest targets that are due, with their tickets, leaving out what somebody has in hand.

    An older order for the same ticket goes first: what waits to be tried again must not be overtaken by a later one.
    """
    free = _due().select_for_update(skip_locked=True, of=("self", "ticket"))
    return list(free.select_related("spread__actor", "ticket").order_by("next_attempt_at", "pk")[:count])


@transaction.atomic
def _do_some(count: int, until: float) -> int:
    """Claim so many targets, do them, and return how many were done; those for which the time ran out wait on."""
    ended: list[tuple[int, str, str]] = []
    had = 0
    with connection.cursor() as cursor:
        # Nothing waits for the disk: if the database falls over, the rows wait again and nothing of it was done.
        cursor.execute("SET LOCAL synchronous_commit TO off")
        targets = _claim(count)
        until = min(until, time.monotonic() + LONGEST_HOLD)
        for target in targets:
            if had and time.monotonic() >= until:
                break
            had += 1
            try:
                with transaction.atomic():
                    _call(target)
            except NotNeeded as error:
                ended.append((target.pk, SpreadState.SKIPPED.value, error.reason[:500]))
            except VerbError as error:
                ended.append((target.pk, SpreadState.SKIPPED.value, error.message[:500]))
            except Exception as error:
                logger.exception("%s failed on %s", target.spread.effect, target.ticket.number)
                _put_back(target, error)
            else:
                ended.append((target.pk, SpreadState.DONE.value, ""))
        if ended:
            cursor.execute(END, [list(column) for column in zip(*ended, strict=True)])
    return had


def _call(target: SpreadTarget) -> None:
    order = target.spread
    effect = _effects.get(order.effect)
    if effect is None:
        raise NotNeeded(_("This installation no longer knows the effect “%(name)s”.") % {"name": order.effect})
    effect.deed(target.ticket, actor=order.acting, data=order.data)


def _put_back(target: SpreadTarget, error: Exception) -> None:
    """Let it be tried again after 2, 4, 8, 16 seconds; after five times it is parked with its error."""
    target.attempts += 1
    now = db_now()
    target.next_attempt_at = now + min(timedelta(seconds=2**target.attempts), LONGEST_WAIT)
    target.reason = f"{type(error).__name__}: {error}"[:500].replace("\x00", "")
    if target.attempts >= MAX_ATTEMPTS:
        target.state, target.ended_at = SpreadState.PARKED, now
    target.save(update_fields=["attempts", "next_attempt_at", "reason", "state", "ended_at"])


@transaction.atomic
def retry_parked(order: Spread, *, actor: Actor) -> int:
    """Let the targets on which the effect failed be tried again from the start; return how many.

    Raises:
        Refused: only the desk does this.
    """
    require("ticket.link", actor, order.source)
    parked = order.targets.filter(state=SpreadState.PARKED)
    count = parked.update(state=SpreadState.WAITING, attempts=0, next_attempt_at=Now(), ended_at=None, reason="")
    if count:
        transaction.on_commit(ring, robust=True)
    return count


def waiting_and_parked() -> tuple[int, int]:
    """Return how many targets wait, and how many were parked."""
    rows = SpreadTarget.objects.filter(state__in=(SpreadState.WAITING, SpreadState.PARKED))
    parked = rows.filter(state=SpreadState.PARKED).count()
    return rows.count() - parked, parked

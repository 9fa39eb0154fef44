"""Typed values that come from outside as text: instants, days, tickets, people. Each is found, or refused."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _

from itsm.accounts.models import User
from itsm.tickets.errors import Invalid
from itsm.tickets.kinds import kind_of
from itsm.tickets.models import Ticket
from itsm.tickets.texts import clean_text

FIRST_YEAR, LAST_YEAR = 1970, 2200
REF_MAX = 200
YES = frozenset({"1", "on", "true", "yes"})
NO = frozenset({"", "0", "off", "false", "no"})


def clean_instant(value: Any, field: str) -> datetime | None:
    """Return the instant (UTC) that a text names; None: none. One without an offset is read in the active time zone.

    A local time that occurs twice, when the clocks go back, is the first of the two.

    Raises:
        Invalid: it is no date and time, one that the clocks jump over, or one too far away.
    """
    if value is None or value == "":
        return None
    found = value
    if not isinstance(value, datetime):
        text = clean_text(value, field, 60)
        try:
            found = parse_datetime(text)
        except ValueError:
            found = None
        if not text:
            return None
    if found is None:
        raise Invalid({field: _("Write a date and a time, for example 2026-03-31T14:30.")})
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise Invalid({field: _("Choose a date between 1970 and 2200.")})
    if timezone.is_naive(found):
        local = found.replace(tzinfo=timezone.get_current_timezone())
        there = local.astimezone(UTC)
        if there.astimezone(local.tzinfo).replace(tzinfo=None) != found:
            raise Invalid({field: _("The clocks jump over this time on that day. Choose another one.")})
        return there
    return found.astimezone(UTC)


def clean_day(value: Any, field: str) -> date | None:
    """Return the day that a text names; None: none.

    Raises:
        Invalid: it is no date, or one too far away.
    """
    if value is None or value == "":
        return None
    found = value
    if isinstance(value, datetime) or not isinstance(value, date):
        text = clean_text(value, field, 60)
        try:
            found = parse_date(text)
        except ValueError:
            found = None
    if found is None:
        raise Invalid({field: _("Write a date, for example 2026-03-31.")})
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise Invalid({field: _("Choose a date between 1970 and 2200.")})
    return found


def clean_flag(value: Any, field: str) -> bool:
    """Return yes or no; nothing means no.

    Raises:
        Invalid: it is neither.
    """
    if value is None or isinstance(value, bool):
        return bool(value)
    text = clean_text(value, field, 20).lower()
    if text in YES:
        return True
    if text in NO:
        return False
    raise Invalid({field: _("Choose yes or no.")})


def clean_ticket(value: Any, field: str, viewer: User | None, kinds: tuple[str, ...] = ()) -> Any:
    """Return the ticket, as its kind, with this number or public id; None: none. `viewer` None: the system, sees all.

    Raises:
        Invalid: there is none, it is not theirs to see (the two are not told apart), or it is of another kind.
    """
    if value is None or value == "":
        return None
    if isinstance(value, Ticket):
        found: Any = value
    else:
        ref = clean_text(value, field, REF_MAX, one_line=True)
        if not ref:
            return None
        rows = Ticket.objects.all() if viewer is None else Ticket.objects.visible_to(viewer)
        found = rows.by_ref(ref).first() if len(ref) <= 32 else None
        if found is None:
            raise Invalid({field: _("There is no ticket with that number.")})
    if kinds and found.kind not in kinds:
        words = ", ".join(str(kind_of(kind).label) for kind in kinds)
        raise Invalid(
            {field: _("%(number)s is of another kind. Needed: %(kinds)s.") % {"number": found.number, "kinds": words}}
        )
    model = kind_of(found.kind).model
    return found if isinstance(found, model) else model.objects.get(pk=found.pk)


def clean_person(value: Any, field: str, viewer: User | None, *, workers_only: bool = False) -> User | None:
    """Return the active person with this public id or e-mail address; None: none. `viewer` None: the system, sees all.

    Raises:
        Invalid: there is none, or none who works on tickets.
    """
    if value is None or value == "":
        return None
    people = User.objects.all() if viewer is None else User.objects.visible_to(viewer)
    people = people.workers() if workers_only else people.active()
    if isinstance(value, User):
        found = people.filter(pk=value.pk).first()
    else:
        ref = clean_text(value, field, REF_MAX, one_line=True)
        if not ref:
            return None
        found = people.filter(email__iexact=ref).first() if "@" in ref else people.filter(public_id=ref).first()
    if found is None:
        raise Invalid({field: _("Choose a person from the list.")})
    return found


def local_text(value: Any) -> str:
    """Return a stored value as an input of a form takes it: an instant in the active zone to the minute, a thing by its
    public id (a ticket by its number)."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return timezone.localtime(value).strftime("%Y-%m-%dT%H:%M")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bool):
        return "1" if value else ""
    if isinstance(value, Ticket):
        return value.number
    return str(getattr(value, "public_id", value))

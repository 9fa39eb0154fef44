"""How one message reaches one person: by which provider and at which instant, as the person chose.

Everything but the deed itself is decided when the message is written, so that it can be looked at: a row that waits
says until when.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from itsm.accounts.models import User
from itsm.notifications.hours import Hours
from itsm.notifications.models import ContactPreference
from itsm.notifications.providers import INBOX, MAIL, WEBHOOK


@dataclass(frozen=True)
class Way:
    """One provider, and when it may be used. `unless_read`: not if the person has read the notice by then."""

    provider: str
    at: datetime
    unless_read: bool = False


@dataclass(frozen=True)
class Manner:
    """One person's choice; `preference` None is somebody who chose nothing."""

    user: User
    preference: ContactPreference

    @property
    def hours(self) -> Hours:
        """The hours in which the person wants to be told."""
        chosen = self.preference
        return Hours(self.user.zone, chosen.hours_from, chosen.hours_to, frozenset(chosen.days))

    def is_held_back(self, *, urgent: bool = False, in_hours: bool = False) -> bool:
        """Return whether such a message waits for the person's hours."""
        chosen = self.preference
        return in_hours or (chosen.holds_back and not (urgent and chosen.urgent_breaks_through))

    def ways(self, now: datetime, *, urgent: bool = False, in_hours: bool = False) -> dict[str, Way]:
        """Return by which providers a message of this instant goes out and when, by the provider's code.

        The notice in the application is always among them. `in_hours`: the sender wants it told in the recipient's
        hours; `urgent`: it may break through hours that the person keeps.
        """
        held = self.is_held_back(urgent=urgent, in_hours=in_hours)
        wait = timedelta(minutes=self.preference.wait_minutes)
        order = [code for code in self.preference.order if code != WEBHOOK or self.preference.webhook_url]
        found: dict[str, Way] = {}
        at = now
        for number, code in enumerate(order):
            at = at + wait if number else at
            at = self.hours.first(at) if held else at
            found[code] = Way(code, at, unless_read=bool(number and wait))
        if INBOX not in found:
            found[INBOX] = Way(INBOX, self.hours.first(now) if held else now)
        return found


def manners_of(people: Iterable[User]) -> Mapping[int, Manner]:
    """Return each person's manner by id, in one query; who chose nothing has the usual one."""
    wanted = {person.pk: person for person in people}
    chosen = {one.user_id: one for one in ContactPreference.objects.filter(user__in=wanted)} if wanted else {}
    return {pk: Manner(person, chosen.get(pk) or ContactPreference(user=person)) for pk, person in wanted.items()}


def manner_of(person: User) -> Manner:
    """Return one person's manner."""
    return manners_of([person])[person.pk]


__all__ = ["INBOX", "MAIL", "WEBHOOK", "Manner", "Way", "manner_of", "manners_of"]

"""Who is told of a collision that somebody else's edit made: the people who are to make the change."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from changes.models import Change, ChangeWindow, Conflict
from changes.schedule.words import conflict_words, stretch
from itsm.accounts.models import User
from itsm.notifications.actions import Words, tell_person
from itsm.notifications.addresses import ticket_path

NOTICE = "change.conflict"
MOST_NAMED = 8


def tell_of_pairs(change: Change, made: Iterable[Conflict], *, by: User | None) -> None:
    """Tell the people of other changes that this one now collides with theirs."""
    rows = Conflict.objects.with_words().select_related("change__assignee").filter(pk__in=[one.pk for one in made])
    for row in rows if made else ():
        person = row.change.assignee
        if person is None or (by is not None and person.pk == by.pk):
            continue

        path = ticket_path(row.change, person)

        def words(row: Conflict = row, path: str = path) -> Words:
            said = {"number": row.change.number, "title": row.change.title}
            return Words(
                subject=_("%(number)s collides with another change") % said,
                lead=f"{row.change.number}: {conflict_words(row)}",
                facts=[(_("When"), stretch(row.starts_at, row.ends_at)), (_("Your change"), row.change.title)],
                links=[(_("Look at the change"), path)],
                why=_("You are told because the change is assigned to you."),
            )

        tell_person(person, f"{NOTICE}:{row.public_id}", NOTICE, words, path=path)


def tell_of_window(window: ChangeWindow, made: Iterable[Conflict], *, by: User | None) -> None:
    """Tell each person once which of their changes a window that was saved now hits."""
    ids = [one.pk for one in made]
    rows = Conflict.objects.select_related("change__assignee").filter(pk__in=ids, change__assignee__isnull=False)
    by_person = groupby(
        sorted(rows, key=lambda row: (row.change.assignee_id, row.starts_at)), lambda row: row.change.assignee
    )
    for person, own in by_person if ids else ():
        if by is not None and person.pk == by.pk:
            continue
        mine = list(own)

        def words(mine: list[Conflict] = mine) -> Words:
            values = {"window": window.name, "count": len(mine)}
            lead = ngettext(
                "“%(window)s” now stands against %(count)d of your changes.",
                "“%(window)s” now stands against %(count)d of your changes.",
                len(mine),
            )
            return Words(
                subject=_("“%(window)s” stands against your changes") % values,
                lead=lead % values,
                facts=[(row.change.number, row.change.title) for row in mine[:MOST_NAMED]],
                links=[(_("Look at the calendar"), reverse("change_schedule:calendar"))],
                why=_("You are told because the changes are assigned to you."),
            )

        key = f"{NOTICE}:{window.public_id}:{mine[0].public_id}"
        tell_person(person, key, NOTICE, words, path=ticket_path(mine[0].change, person))

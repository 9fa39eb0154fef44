"""Reminding people of shifts: each once, as long before as they chose."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction

from itsm.accounts.models import User
from itsm.notifications.actions.contact import LONGEST_REMINDER
from itsm.notifications.manners import manners_of
from itsm.tickets.clock import db_now
from slas.models import Rota, ShiftReminder
from slas.oncall import Shift
from slas.rotas import schedules_of
from slas.swap_mail import tell_reminder


def remind() -> int:
    """Tell everybody whose shift begins within the time they chose; return how many were told.

    Two shifts of one person that follow each other without a break are one. Run any number of times: a row for each
    reminder keeps it from going out twice.
    """
    now = db_now()
    end = now + timedelta(minutes=LONGEST_REMINDER)
    rotas = {rota.pk: rota for rota in Rota.objects.filter(is_active=True)}
    coming = [
        (rotas[pk], shift)
        for pk, schedule in schedules_of(rotas.values(), now - timedelta(microseconds=1), end).items()
        for level in schedule.levels
        for former, shift in _with_former(schedule.shifts(now - timedelta(microseconds=1), end, level))
        if shift.start > now and not (former and former.end == shift.start and former.person == shift.person)
    ]
    people = {one.pk: one for one in User.objects.active().filter(pk__in={shift.person for _rota, shift in coming})}
    manners = manners_of(people.values())
    told = 0
    for rota, shift in coming:
        manner = manners.get(shift.person)
        before = manner.preference.remind_minutes if manner else None
        if manner is None or before is None or shift.start - now > timedelta(minutes=before):
            continue
        told += _remind_once(manner.user, rota, shift)
    return told


@transaction.atomic
def _remind_once(person: User, rota: Rota, shift: Shift) -> int:
    row = ShiftReminder(rota=rota, person=person, level=shift.level, starts_at=shift.start, created_at=db_now())
    same = ShiftReminder.objects.filter(rota=rota, person=person, level=shift.level, starts_at=shift.start)
    if same.exists():
        return 0
    ShiftReminder.objects.bulk_create([row], ignore_conflicts=True)
    return int(tell_reminder(person, rota, shift))


def _with_former(shifts: list[Shift]) -> list[tuple[Shift | None, Shift]]:
    return list(zip([None, *shifts], shifts, strict=False))

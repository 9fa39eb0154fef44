"""Who runs it: roles with their handovers, stakeholders, and who is called from on-call."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from incidents.major.actions.base import begin_running, check_worker, tell
from incidents.major.models import MajorDuty, MajorStakeholder
from incidents.major.states import MajorRole
from incidents.models import Incident
from itsm.accounts.models import Team, User
from itsm.tickets.actors import Actor
from itsm.tickets.clock import db_now, instant_of
from itsm.tickets.errors import Invalid
from itsm.tickets.log import write
from itsm.tickets.models import TicketEvent
from slas.models import Rota
from slas.rotas import person_on_call

MOST_STAKEHOLDERS = 100
CALLED_JUST_NOW = timedelta(minutes=1)


@transaction.atomic
def give_role(
    incident: Incident, role: str, person: User | None, *, actor: Actor, version: int | None = None
) -> Incident:
    """Give the role to the person, who is told of it; whoever had it until now hands it over. Returns the incident.

    Raises:
        Invalid: no such role, or the person does not work on tickets. IllegalMove, Refused, Stale.
    """
    locked, _major = begin_running(incident, actor=actor, version=version)
    if role not in MajorRole.values:
        raise Invalid({"role": _("Choose one of: %(roles)s.") % {"roles": ", ".join(MajorRole.values)}})
    give_role_locked(locked, role, check_worker(person, "person"), actor=actor)
    return locked


def give_role_locked(locked: Incident, role: str, person: User, *, actor: Actor) -> None:
    """Give the role on a locked incident; nothing happens where the person has it already."""
    had = MajorDuty.objects.filter(incident=locked, role=role, until=None).select_related("person").first()
    if had is not None and had.person_id == person.pk:
        return
    now = instant_of(actor)
    if had is not None:
        had.until = now
        had.save(update_fields=["until"])
    MajorDuty.objects.create(incident=locked, role=role, person=person, since=now)
    before = {"user": had.person_id} if had is not None else None
    write(
        locked,
        "incident.major_role_given",
        actor=actor,
        data={"role": role, "person": {"user": person.pk}, "before": before, **tell(person)},
        at=now,
        bump=False,
    )


@transaction.atomic
def add_stakeholder(
    incident: Incident, *, actor: Actor, person: User | None = None, team: Team | None = None
) -> MajorStakeholder:
    """Let the person, or the team, be told of each update, and return the row; one who is in already stays.

    Raises:
        Invalid: neither or both were named, or there are too many. IllegalMove, Refused.
    """
    locked, _major = begin_running(incident, actor=actor)
    if (person is None) == (team is None):
        raise Invalid({"stakeholder": _("Choose a person or a team.")})
    found = MajorStakeholder.objects.filter(incident=locked, person=person, team=team).first()
    if found is not None:
        return found
    if MajorStakeholder.objects.filter(incident=locked).count() >= MOST_STAKEHOLDERS:
        raise Invalid({"stakeholder": _("At most %(max)d. Add a team instead.") % {"max": MOST_STAKEHOLDERS}})
    row = MajorStakeholder.objects.create(incident=locked, person=person, team=team)
    who = {"user": person.pk} if person is not None else {"label": str(team)}
    write(locked, "incident.major_stakeholder_added", actor=actor, data={"who": who}, bump=False)
    return row


@transaction.atomic
def remove_stakeholder(incident: Incident, ref: str, *, actor: Actor) -> None:
    """Tell the person or team with this id of the row no more; it is no error when it is gone.

    Raises:
        IllegalMove, Refused.
    """
    locked, _major = begin_running(incident, actor=actor)
    row = MajorStakeholder.objects.filter(incident=locked, public_id=ref).select_related("person", "team").first()
    if row is None:
        return
    who = {"user": row.person_id} if row.person_id is not None else {"label": str(row.team)}
    row.delete()
    write(locked, "incident.major_stakeholder_removed", actor=actor, data={"who": who}, bump=False)


@transaction.atomic
def page_on_call(incident: Incident, rota: Rota | None, *, actor: Actor) -> User:
    """Call whoever is on call of the rota now, on all urgent ways that they chose, and return them. Who was called a
    moment ago (a double click) is not called twice.

    Raises:
        Invalid: no rota, or nobody is on call. IllegalMove, Refused.
    """
    locked, _major = begin_running(incident, actor=actor)
    if rota is None:
        raise Invalid({"rota": _("Choose a rota.")})
    person = person_on_call(rota.pk, 1, db_now())
    if person is None:
        raise Invalid({"rota": _("Nobody is on call of %(rota)s now. Choose another rota.") % {"rota": rota}})
    data = {"rota": str(rota), "person": {"user": person.pk}, **tell(person)}
    called = TicketEvent.objects.filter(ticket_id=locked.pk, code="incident.major_paged", data=data)
    if called.filter(at__gt=instant_of(actor) - CALLED_JUST_NOW).exists():
        return person
    write(locked, "incident.major_paged", actor=actor, data=data, bump=False)
    return person

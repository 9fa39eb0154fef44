"""Taking the next ticket: the right one, begun, and never the same for two people."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from incidents.actions import hold, open_incident, resolve
from incidents.models import Incident
from itsm.tickets.actions import assign
from itsm.tickets.errors import Refused
from itsm.tickets.models import Ticket
from tests.cast import Cast, as_
from workspace.actions import take_next


def test_the_ticket_that_is_due_first_is_taken_and_begun(cast: Cast) -> None:
    late = open_incident(actor=as_(cast.rita), title="VPN slow", impact=3, urgency=3)
    soon = open_incident(actor=as_(cast.rita), title="VPN gone", impact=1, urgency=1)
    taken = take_next(cast.anna)
    assert taken is not None
    assert taken.pk == soon.pk
    soon.refresh_from_db()
    assert (soon.status, soon.assignee) == ("in_progress", cast.anna)
    assert [event.code for event in soon.events.order_by("seq")] == ["incident.opened", "incident.started"]
    late.refresh_from_db()
    assert late.assignee is None


def test_what_is_held_ended_owned_or_another_teams_is_not_taken(cast: Cast) -> None:
    def one(title: str) -> Incident:
        return open_incident(actor=as_(cast.rita), title=title)

    hold(one("VPN held"), actor=as_(cast.lena), hold_reason="awaiting_vendor")
    resolve(one("VPN done"), actor=as_(cast.lena), resolution_code="solution_provided", resolution_notes="Done")
    assign(one("VPN owned"), actor=as_(cast.lena), assignee=cast.ben)
    one("Printer jams")
    assign(one("Mouse"), actor=as_(cast.lena), team=cast.desktop)
    assert take_next(cast.anna) is None
    assert take_next(cast.sven) is None


def test_who_may_only_look_is_refused(cast: Cast) -> None:
    open_incident(actor=as_(cast.rita), title="VPN gone")
    with pytest.raises(Refused):
        take_next(cast.olaf)
    assert not Ticket.objects.filter(assignee=cast.olaf).exists()


@pytest.mark.django_db(transaction=True)
def test_two_people_at_the_same_instant_get_two_tickets(cast: Cast) -> None:
    for n in range(3):
        open_incident(actor=as_(cast.rita), title=f"VPN {n}", impact=1, urgency=1)
    start, taken = threading.Barrier(3), []

    def take(user: Any) -> None:
        try:
            start.wait(10)
            taken.append(take_next(user))
        finally:
            connection.close()

    threads = [threading.Thread(target=take, args=(user,)) for user in (cast.anna, cast.ben, cast.lena)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len({ticket.pk for ticket in taken if ticket}) == 3
    assert set(Ticket.objects.values_list("assignee_id", flat=True)) == {cast.anna.pk, cast.ben.pk, cast.lena.pk}


def test_the_button_opens_what_it_took_and_says_when_nothing_is_left(cast: Cast, signed_in: Any) -> None:
    one = open_incident(actor=as_(cast.rita), title="VPN gone")
    client = signed_in(cast.anna)
    assert client.get("/desk/take-next/").status_code == 405
    assert client.post("/desk/take-next/")["Location"] == f"/desk/incidents/{one.number}/"
    answer = client.post("/desk/take-next/", follow=True)
    assert "Your teams have no ticket without an owner" in answer.text
    assert signed_in(cast.olaf).post("/desk/take-next/").status_code == 403
    assert signed_in(cast.rita).post("/desk/take-next/").status_code == 404


def test_home_shows_what_is_mine_late_free_and_new(cast: Cast, signed_in: Any) -> None:
    mine = open_incident(actor=as_(cast.rita), title="VPN mine")
    assign(mine, actor=as_(cast.anna), assignee=cast.anna)
    late = open_incident(actor=as_(cast.rita), title="Mail late")
    Ticket.objects.filter(pk=late.pk).update(queue_due_at=timezone.now() - timedelta(minutes=5))
    free = open_incident(actor=as_(cast.rita), title="VPN free")
    parts = {part.key: [row.title for row in part.rows] for part in signed_in(cast.anna).get("/desk/").context["parts"]}
    assert parts["mine"] == [mine.title]
    assert parts["breaching"] == [late.title]
    assert parts["unassigned"] == [free.title]
    assert parts["all"] == [free.title, late.title, mine.title]

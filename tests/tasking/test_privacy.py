"""Nobody outside the desk learns of a task: not by pages, links, events, notices, watching or a call of a verb."""

from __future__ import annotations

import pytest
from django.http import Http404

from incidents.models import Incident
from itsm.notifications.models import Mail, Notice
from itsm.tasking.actions import complete, open_task, reply
from itsm.tasking.models import Task
from itsm.tickets.actions import attach, comment, link, watch
from itsm.tickets.actors import Channel
from itsm.tickets.errors import Invalid, Refused
from itsm.tickets.models import Comment, Link, Ticket, TicketEvent, Visibility
from itsm.tickets.outbox import dispatch
from itsm.tickets.querysets import get_visible
from itsm.tickets.timeline import timeline
from tests.cast import Cast, as_


def test_the_requester_of_the_parent_is_the_tasks_and_does_not_see_it(cast: Cast, incident: Incident) -> None:
    task = open_task(incident, actor=as_(cast.anna), title="SECRET work")
    assert task.requester == cast.rita
    for model in (Task, Ticket):
        assert not model.objects.visible_to(cast.rita).filter(pk=task.pk).exists()
        assert model.objects.visible_to(cast.anna).filter(pk=task.pk).exists()
        assert model.objects.visible_to(cast.olaf).filter(pk=task.pk).exists()
        with pytest.raises(Http404):
            get_visible(model.objects.all(), cast.rita, task.number)
    assert Ticket.objects.visible_to(cast.rita).filter(pk=incident.pk).exists()


def test_the_parents_timeline_shows_tasks_to_the_desk_alone(cast: Cast, incident: Incident) -> None:
    complete(open_task(incident, actor=as_(cast.anna), title="SECRET work"), actor=as_(cast.anna), notes="Done")
    for person, is_told in ((cast.rita, False), (cast.anna, True)):
        words = " ".join(entry.text for entry in timeline(incident, person))
        assert ("SECRET" in words) == is_told
        assert ("ended: Closed complete" in words) == is_told
    assert not TicketEvent.objects.visible_to(cast.rita).exclude(code="incident.opened").exists()


def test_nobody_outside_is_told(cast: Cast, incident: Incident) -> None:
    task = open_task(incident, actor=as_(cast.anna), title="SECRET work", assignee=cast.ben)
    comment(task, "Public by mistake", actor=as_(cast.anna))
    complete(task, actor=as_(cast.anna), notes="SECRET notes")
    while dispatch():
        pass
    for row in (*Mail.objects.filter(user=cast.rita), *Notice.objects.filter(user=cast.rita)):
        assert row.ticket_id == incident.pk
        assert "SECRET" not in getattr(row, "text", "")
    told = set(Notice.objects.filter(ticket_id=task.pk).values_list("user__email", "kind"))
    assert ("ben@example.com", "assigned") in told
    assert not {email for email, _kind in told} & {cast.rita.email, cast.rosa.email, cast.rolf.email}


def test_comments_and_files_of_a_task_stay_at_the_desk(cast: Cast, incident: Incident) -> None:
    task = open_task(incident, actor=as_(cast.anna), title="Work")
    comment(task, "Public by mistake", actor=as_(cast.anna))
    assert not Comment.objects.visible_to(cast.rita).exists()
    assert timeline(task, cast.rita) == []
    with pytest.raises(Invalid, match="Only the service desk sees a task"):
        reply(task, "Hello", actor=as_(cast.anna), visibility=Visibility.PUBLIC)
    note = reply(task, "Hello", actor=as_(cast.anna), visibility=Visibility.INTERNAL)
    assert (note.task, note.comment.visibility) == (task, "internal")


def test_the_requester_cannot_write_on_it_even_knowing_it(cast: Cast, incident: Incident) -> None:
    task = open_task(incident, actor=as_(cast.anna), title="Work")
    rita = as_(cast.rita, Channel.PORTAL)
    for verb in (
        lambda: comment(task, "Hi", actor=rita),
        lambda: watch(task, cast.rita, actor=rita),
        lambda: attach(task, (object(),), actor=rita),  # type: ignore[arg-type]
    ):
        with pytest.raises(Refused):
            verb()


def test_only_the_desk_watches_a_task(cast: Cast, incident: Incident) -> None:
    task = open_task(incident, actor=as_(cast.anna), title="Work")
    with pytest.raises(Invalid, match="service desk"):
        watch(task, cast.rosa, actor=as_(cast.anna))
    watch(task, cast.carl, actor=as_(cast.anna))
    assert [row.user for row in task.watcher_rows.all()] == [cast.carl]


def test_a_link_to_a_task_does_not_show_it(cast: Cast, incident: Incident) -> None:
    task = open_task(incident, actor=as_(cast.anna), title="Work")
    link(incident, task, "related", actor=as_(cast.anna))
    seen = Link.objects.filter(source=incident.pk, target__in=Ticket.objects.visible_to(cast.rita))
    assert not seen.exists()

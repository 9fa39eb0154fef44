"""Making the demo desk, through the same verbs as everything else, each at its own past instant."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from incidents.actions import open_incident, perform, reply
from itsm.accounts.models import User
from itsm.accounts.roles import Role
from itsm.demo.calendar import make_board, make_library, make_windows, pin_for_next_meeting
from itsm.demo.causes import make_problems
from itsm.demo.changing import DAY, Clock
from itsm.demo.families import BADGES, make_families, make_major, make_major_rules
from itsm.demo.levels import make_levels
from itsm.demo.month import PINNED, make_month
from itsm.demo.people import DOMAIN, Desk, make_desk, make_rota
from itsm.demo.stories import STORIES, Story
from itsm.tickets.actions import assign
from itsm.tickets.actors import Actor, Channel
from itsm.tickets.clock import db_now
from itsm.tickets.models import Visibility

PASSWORD_BYTES = 9
MAJOR = "Finance VPN drops every few minutes since this morning"


def is_seeded() -> bool:
    """Return whether the demo desk is there."""
    return User.objects.filter(email=f"requester@{DOMAIN}").exists()


@transaction.atomic
def seed_demo() -> str | None:
    """Make the demo desk and return the password of its logins; None when it is there already."""
    if is_seeded():
        return None
    password = f"demo-{secrets.token_urlsafe(PASSWORD_BYTES)}"
    desk = make_desk(password)
    now = db_now()
    make_rota(desk, now)
    make_levels(desk)
    for person in desk.people.values():
        person.roles = [*person.roles, Role.IMPORTER]
        person.__dict__.pop("permissions", None)
    incidents = {story.title: _tell(story, desk, now) for story in sorted(STORIES, key=lambda one: -one.minutes_ago)}
    make_families(desk, incidents, now)
    _make_changes(desk, incidents, Clock(now))
    make_major(desk, incidents[MAJOR], now)
    make_major_rules(desk, incidents[BADGES])
    return password


def _make_changes(desk: Desk, incidents: dict[str, Any], clock: Clock) -> None:
    """Make the library, the board, the month of changes and the problems behind them; then close the windows."""
    templates = make_library(desk, clock.now - 40 * DAY)
    board = make_board(desk, clock.today)
    changes = make_month(desk, templates, clock)
    make_windows(desk, clock.today)
    make_problems(desk, incidents, changes, clock)
    pin_for_next_meeting(board, changes[PINNED], desk)


def _tell(story: Story, desk: Desk, now: datetime) -> Any:
    """Open the story's incident, carry out its steps and return it. The people act as importers here, in memory only:
    their stored roles do not let them set a past instant."""
    at = now - timedelta(minutes=story.minutes_ago)
    incident: Any = open_incident(
        actor=Actor(desk.people[story.requester], Channel.PORTAL, at=at),
        title=story.title,
        description=story.description,
        service=desk.services[story.service],
        category=desk.categories[story.category],
        impact=story.impact,
        urgency=story.urgency,
    )
    for minutes, who, verb, values in story.steps:
        at += timedelta(minutes=minutes)
        person = desk.people[who]
        actor = Actor(person, Channel.PORTAL if person == incident.requester else Channel.DESK, at=min(at, now))
        if verb in {"reply", "note"}:
            visibility = Visibility.PUBLIC if verb == "reply" else Visibility.INTERNAL
            incident = reply(incident, values["body"], actor=actor, visibility=visibility).incident
        else:
            incident = perform(incident, verb, actor=actor, fields=values)
            if verb == "start":
                incident = assign(incident, actor=actor, assignee=person)
    return incident

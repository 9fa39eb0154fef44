"""What the pages of problems share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from itsm.accounts.models import User
from itsm.desk.access import find_ticket, viewer_of
from itsm.desk.answers import done, problems_of, refused
from itsm.tickets.errors import Invalid, VerbError
from itsm.tickets.models import Ticket
from problems.forms import ProblemForm
from problems.models import Problem

MOST_NUMBERS = 200
NUMBER_MAX = 20
Deed = Callable[[Problem], str]


def page(request: HttpRequest, name: str, context: Mapping[str, Any], status: int = 200) -> HttpResponse:
    """Return a page of the room in its frame, with its tabs."""
    tabs = [
        (reverse(f"problems:{one}"), label, one == name)
        for one, label in (("list", _("Problems")), ("known_errors", _("Known errors")), ("trends", _("Trends")))
    ]
    return render(request, f"problems/{name}.html", {"tabs": tabs, **context}, status=status)


def act(
    request: HttpRequest, ref: str, panel: str, deed: Deed, form: type[ProblemForm] | None = None, **more: Any
) -> HttpResponse:
    """Do something to the problem and answer with its page brought up to date, and with what the deed says of it.

    What was refused comes back in its panel with everything that was typed and what is wrong with it.
    """
    problem = find_ticket(request, "problem", ref)
    try:
        text = deed(problem)
    except VerbError as error:
        problems = problems_of(error)
        known = set(form.names()) if form is not None else set()
        rest = " ".join(sentence for name, sentence in problems.items() if name not in known)
        return refused(
            request,
            problem,
            error,
            refused_panel=panel,
            refused_form=form.sent(request.POST, problems) if form is not None else None,
            refused_text=(rest if problems else error.message),
            notice="" if problems else error.message,
            **more,
        )
    return done(request, problem, text)


def incidents_named(request: HttpRequest, text: str, field: str) -> list[Ticket]:
    """Return the incidents with these numbers, which spaces or commas part.

    Raises:
        Invalid: see `find_incidents`.
    """
    return find_incidents(viewer_of(request), text.replace(",", " ").replace(";", " ").split(), field)


def find_incidents(viewer: User, numbers: Sequence[str], field: str) -> list[Ticket]:
    """Return the incidents with these numbers.

    Raises:
        Invalid: none was named, too many, or one that does not exist (for this person), named in the sentence.
    """
    wanted = list(dict.fromkeys(number.upper() for number in numbers))
    if not wanted:
        raise Invalid({field: _("Give the number of an incident, for example INC0010001.")})
    if len(wanted) > MOST_NUMBERS:
        raise Invalid({field: _("At most %(max)d at once. Link the rest afterwards.") % {"max": MOST_NUMBERS}})
    readable = [number for number in wanted if "\x00" not in number and len(number) <= NUMBER_MAX]
    rows = Ticket.objects.visible_to(viewer).filter(number__in=readable, kind="incident")
    found = {ticket.number: ticket for ticket in rows}
    missing = [number[:40].replace("\x00", "") for number in wanted if number not in found]
    if missing:
        text = _("There is no incident with the number %(numbers)s. Check it, for example INC0010001.")
        raise Invalid({field: text % {"numbers": ", ".join(missing[:5])}})
    return [found[number] for number in wanted]

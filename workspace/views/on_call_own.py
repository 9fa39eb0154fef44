"""One's own on-call: shifts, swaps, time off, and the link for one's calendar."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_POST, require_safe

from itsm.notifications.addresses import absolute
from itsm.tickets.clock import db_now
from slas.actions import (
    accept_swap,
    add_time_off,
    ask_swap,
    decline_swap,
    make_feed,
    remove_time_off,
    revoke_feed,
    takes_part,
    withdraw_swap,
)
from slas.models import Rota, RotaFeed, SwapRequest, SwapState, TimeOff
from slas.rotas import shifts_of
from workspace.access import desk, person
from workspace.administration.access import submit
from workspace.on_call_forms import SwapForm, TimeOffForm, takers
from workspace.views.on_call import actor_of, find_rota

AHEAD = timedelta(days=90)
MOST_SHIFTS = 30
DEEDS = {"accept": accept_swap, "decline": decline_swap, "withdraw": withdraw_swap}


@require_safe
@desk
def mine(request: HttpRequest) -> HttpResponse:
    """When I am on call, what I am asked, and when I am away."""
    return _page(request)


def _page(request: HttpRequest, status: int = 200, **more: Any) -> HttpResponse:
    user, now = person(request), db_now()
    shifts = shifts_of(user, now, now + AHEAD)[:MOST_SHIFTS]
    colleagues = {
        one.rota.pk: [other for other in takers(one.rota) if other.pk != user.pk]
        for one in {one.rota.pk: one for one in shifts}.values()
    }
    forms = [
        SwapForm(
            initial={"starts_at": one.shift.start, "ends_at": one.shift.end, "level": one.shift.level},
            people=colleagues[one.rota.pk],
        )
        for one in shifts
    ]
    my_rotas = [rota for rota in Rota.objects.filter(is_active=True).select_related("team") if takes_part(user, rota)]
    open_swaps = SwapRequest.objects.filter(state=SwapState.OPEN, starts_at__gt=now).select_related(
        "rota", "asker", "asked"
    )
    feeds = RotaFeed.objects.filter(owner=user, revoked_at=None).select_related("rota")
    context: dict[str, Any] = {
        "shifts": [(one, form, one.shift.start <= now) for one, form in zip(shifts, forms, strict=True)],
        "asked": open_swaps.filter(Q(asked=user) | Q(asked=None, rota__in=my_rotas)).exclude(asker=user),
        "asking": open_swaps.filter(asker=user),
        "time_off": TimeOff.objects.filter(person=user, ends_at__gt=now),
        "time_off_form": TimeOffForm(),
        "feeds": {feed.rota_id: feed for feed in feeds},
        "own_feed": next((feed for feed in feeds if feed.rota_id is None), None),
        "rota_feeds": [(rota, next((feed for feed in feeds if feed.rota_id == rota.pk), None)) for rota in my_rotas],
        **more,
    }
    return render(request, "workspace/oncall/mine.html", context, status=status)


@require_POST
@desk
def swap(request: HttpRequest, ref: str) -> HttpResponse:
    """Ask for a swap of one of my shifts."""
    rota, user = find_rota(ref), person(request)
    form = SwapForm(request.POST, people=[other for other in takers(rota) if other.pk != user.pk])

    def ask(values: dict[str, Any]) -> SwapRequest:
        in_return = None
        if values["return_starts_at"]:
            in_return = (values["return_starts_at"], values["return_ends_at"])
        return ask_swap(
            rota,
            starts_at=values["starts_at"],
            ends_at=values["ends_at"],
            level=values["level"],
            asked=values["asked"],
            in_return=in_return,
            note=values["note"],
            actor=actor_of(request),
        )

    saved, status = submit(form, ask)
    if saved is None:
        return _page(request, status, swap_form=form, swap_rota=rota)
    messages.success(request, _("You asked for the swap. You are told as soon as somebody answers."))
    return redirect("workspace:my_on_call")


@require_POST
@desk
def swap_answer(request: HttpRequest, ref: str, deed: str) -> HttpResponse:
    """Accept, decline or withdraw a request."""
    if deed not in DEEDS:
        raise Http404
    found = get_object_or_404(SwapRequest, public_id=ref)
    answered = DEEDS[deed](found, actor=actor_of(request))
    words = {
        SwapState.ACCEPTED: _("The shift is yours now."),
        SwapState.DECLINED: _("You said no. Who asked is told."),
        SwapState.WITHDRAWN: _("The request is withdrawn. The shift stays yours."),
        SwapState.OPEN: _("You said no. The others can still take it."),
    }
    messages.success(request, words[SwapState(answered.state)])
    return redirect("workspace:my_on_call")


@require_POST
@desk
def time_off(request: HttpRequest) -> HttpResponse:
    """Note when I am away."""
    form = TimeOffForm(request.POST)
    user = person(request)
    saved, status = submit(form, lambda values: add_time_off(user, actor=actor_of(request), **values))
    if saved is None:
        return _page(request, status, time_off_form=form)
    messages.success(request, _("Noted. The rotas pass you over then; look whether somebody covers your shifts."))
    return redirect("workspace:my_on_call")


@require_POST
@desk
def time_off_remove(request: HttpRequest, ref: str) -> HttpResponse:
    """Take my time off back."""
    found = TimeOff.objects.filter(public_id=ref).first()
    if found is not None:
        remove_time_off(found, actor=actor_of(request))
    messages.success(request, _("The time off is taken back."))
    return redirect("workspace:my_on_call")


@require_POST
@desk
@sensitive_variables("token", "link")
def calendar_link(request: HttpRequest) -> HttpResponse:
    """Make, replace or revoke the address for a calendar; a new one is shown once."""
    user, ref = person(request), request.POST.get("rota", "")
    rota = find_rota(ref) if ref else None
    if request.POST.get("deed") == "revoke":
        revoke_feed(user, rota)
        messages.success(request, _("The calendar link is revoked: it opens nothing any more."))
        return redirect("workspace:my_on_call")
    _feed, token = make_feed(user, rota)
    link = absolute(reverse("slas:feed", args=[token]))
    return _page(request, new_link=link, new_link_rota=rota)

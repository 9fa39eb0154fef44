"""Who decides for whom while somebody is away."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from itsm.accounts.models import User
from itsm.accounts.roles import Permission
from itsm.approvals.actions import delegate, end_delegation
from itsm.approvals.forms import DelegationForm
from itsm.approvals.models import Delegation
from itsm.approvals.subjects import subjects
from itsm.approvals.views.deciding import actor_of, shell_of, viewer_of
from itsm.tickets.clock import db_now
from itsm.tickets.errors import Invalid
from itsm.tickets.kinds import kind_of

MOST_SHOWN = 200
MOST_PAST = 20


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def delegations(request: HttpRequest) -> HttpResponse:
    """Show one's own delegations, for people of the desk everybody's, and make a new one."""
    viewer = viewer_of(request)
    for_others = viewer.may(Permission.MANAGE_CHANGES)
    form = DelegationForm(request.POST or None, for_others=for_others)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid() and (made := _made(request, form)) is not None:
            values = {"receiver": made.receiver.display_name, "giver": made.giver.display_name}
            messages.success(request, _("%(receiver)s decides for %(giver)s then.") % values)
            return redirect("approvals:delegations")
    return render(request, "approvals/delegations.html", _context(viewer, form), status=status)


def _made(request: HttpRequest, form: DelegationForm) -> Delegation | None:
    values = form.cleaned_data
    try:
        return delegate(
            values.get("giver") or viewer_of(request),
            values["receiver"],
            actor=actor_of(request),
            starts_at=values["starts_at"],
            ends_at=values["ends_at"],
            kinds=values.get("kinds") or (),
            note=values["note"],
        )
    except Invalid as error:
        for name, text in error.fields.items():
            form.add_error(name if name in form.fields else None, text)
    return None


def _context(viewer: User, form: DelegationForm) -> dict[str, Any]:
    now = db_now()
    rows = Delegation.objects.select_related("giver", "receiver", "created_by")
    own = rows.filter(Q(giver=viewer) | Q(receiver=viewer))
    standing = own.standing().filter(ends_at__gt=now)
    others: list[Delegation] = []
    if viewer.is_staff:
        everybody = rows.standing().filter(ends_at__gt=now).exclude(Q(giver=viewer) | Q(receiver=viewer))
        others = list(everybody[:MOST_SHOWN])
    return {
        "form": form,
        "standing": [_line(row, viewer, now) for row in standing[:MOST_SHOWN]],
        "others": [_line(row, viewer, now) for row in others],
        "past": [
            _line(row, viewer, now) for row in own.exclude(pk__in=standing.values("pk")).order_by("-pk")[:MOST_PAST]
        ],
        "shell": shell_of(viewer),
    }


def _line(row: Delegation, viewer: User, now: Any) -> dict[str, Any]:
    known = subjects()
    may_end = viewer.pk in (row.giver_id, row.receiver_id) or viewer.may(Permission.MANAGE_CHANGES)
    return {
        "row": row,
        "kinds": ", ".join(str(kind_of(code).label) for code in row.kinds if code in known),
        "is_now": row.ended_at is None and row.starts_at <= now < row.ends_at,
        "can_end": may_end and row.ended_at is None and row.ends_at > now,
    }


@login_required
@require_POST
def end(request: HttpRequest, ref: str) -> HttpResponse:
    """End a delegation, or take it back before it begins."""
    viewer = viewer_of(request)
    rows = Delegation.objects.select_related("giver", "receiver").filter(public_id=ref[:32].replace("\x00", ""))
    if not viewer.may(Permission.MANAGE_CHANGES):
        rows = rows.filter(Q(giver=viewer) | Q(receiver=viewer))
    found = rows.first()
    if found is None:
        raise Http404(_("There is no such delegation."))
    end_delegation(found, actor=actor_of(request))
    messages.success(request, _("The delegation has ended."))
    return redirect("approvals:delegations")

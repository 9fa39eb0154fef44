"""The outbox: which mails went out, which wait, which need somebody."""

from __future__ import annotations

import re
from collections.abc import Callable

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from itsm.accounts.roles import Permission
from itsm.notifications import actions
from itsm.notifications.addresses import ticket_path
from itsm.notifications.models import UNSENT, Mail, MailStatus
from itsm.tickets.errors import Invalid
from itsm.tickets.models import OutboxEntry
from itsm.tickets.outbox import unpark
from itsm.tickets.paging import page_of

PAGE = 50
NEWEST_FIRST = ("-created_at", "-id")
# A link that acts for its reader is theirs alone, also in front of an administrator.
_SECRET = re.compile(r"/r/\S+/")

View = Callable[..., HttpResponse]


def for_administrators(view: View) -> View:
    """Let in who may read the outbox; other staff are told so, for everybody else there is no such page."""

    @login_required
    def guarded(request: HttpRequest, *args: str, **kwargs: str) -> HttpResponse:
        user = request.user
        if user.is_authenticated and user.may(Permission.VIEW_OUTBOX):
            return view(request, *args, **kwargs)
        if user.is_authenticated and user.is_staff:
            raise PermissionDenied(_("Only administrators may read the outbox."))
        raise Http404

    return guarded


@for_administrators
@require_safe
def outbox(request: HttpRequest) -> HttpResponse:
    """List the mails, newest first, with what waits and what is parked."""
    status = request.GET.get("status", "")
    mails = Mail.objects.visible_to(request.user).with_ticket()
    if status in MailStatus.values:
        mails = mails.filter(status=status)
    else:
        status = ""
    try:
        page = page_of(mails, NEWEST_FIRST, limit=PAGE, cursor=request.GET.get("cursor"))
    except Invalid as error:
        messages.warning(request, error.message)
        return redirect("notifications:outbox")
    context = {
        "mails": page.rows,
        "status": status,
        "statuses": MailStatus.choices,
        "waiting": Mail.objects.filter(UNSENT).count(),
        "parked": Mail.objects.filter(status=MailStatus.PARKED).count(),
        "stuck_events": OutboxEntry.objects.filter(parked_at__isnull=False).count(),
        "waiting_events": OutboxEntry.objects.filter(parked_at__isnull=True).count(),
        "next_url": _page_url(status, page.next_cursor),
        "previous_url": _page_url(status, page.previous_cursor),
    }
    return render(request, "notifications/outbox.html", context)


@for_administrators
@require_safe
def mail(request: HttpRequest, public_id: str) -> HttpResponse:
    """Show one mail: its headers and its text."""
    found = _mail(request, public_id)
    envelope = {"From": settings.DEFAULT_FROM_EMAIL, "Reply-To": settings.DESK_REPLY_TO, "To": found.address}
    headers = {**envelope, "Subject": found.subject, **actions.headers_of(found)}
    context = {
        "mail": found,
        "headers": [(name, value) for name, value in headers.items() if value],
        "text": _SECRET.sub("/r/…/", found.text),
        "ticket_url": ticket_path(found.ticket, None) if found.ticket else "",
        "is_parked": found.status == MailStatus.PARKED,
    }
    return render(request, "notifications/mail.html", context)


@for_administrators
@require_POST
def mail_again(request: HttpRequest, public_id: str) -> HttpResponse:
    """Give a parked mail another chance."""
    found = _mail(request, public_id)
    if actions.retry(found):
        messages.success(request, _("The mail will be sent again at once."))
    else:
        messages.info(request, _("This mail is not parked, so there is nothing to try again."))
    return redirect("notifications:mail", public_id=found.public_id)


@for_administrators
@require_POST
def events_again(request: HttpRequest) -> HttpResponse:
    """Let all parked events be handed over again."""
    count = unpark()
    words = ngettext("%(count)d event will be tried again.", "%(count)d events will be tried again.", count)
    messages.success(request, words % {"count": count})
    return redirect("notifications:outbox")


def _mail(request: HttpRequest, public_id: str) -> Mail:
    return get_object_or_404(
        Mail.objects.visible_to(request.user).select_related("ticket", "user"), public_id=public_id
    )


def _page_url(status: str, cursor: str | None) -> str:
    if not cursor:
        return ""
    query = {"status": status, "cursor": cursor} if status else {"cursor": cursor}
    return f"{reverse('notifications:outbox')}?{urlencode(query)}"

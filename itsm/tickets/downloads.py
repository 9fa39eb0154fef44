"""Handing out attachments: only through the visibility door, never to be run or shown inside a page."""

from __future__ import annotations

import logging

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AnonymousUser
from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from itsm.accounts.models import User
from itsm.tickets.actions.files import TEXT_TYPE, UNKNOWN_TYPE
from itsm.tickets.models import Attachment

logger = logging.getLogger(__name__)

# Types that a browser cannot be made to run; everything else goes out as bytes of no known type.
HARMLESS_TYPES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf", TEXT_TYPE})
SANDBOX = "default-src 'none'; sandbox"


@require_safe
@login_required
def attachment(request: HttpRequest, public_id: str, name: str = "") -> FileResponse:
    """Answer with the file; `name` is for people's eyes only."""
    return attachment_response(request.user, public_id)


def attachment_response(viewer: User | AnonymousUser, public_id: str) -> FileResponse:
    """Return the file as a download that no browser renders and no cache keeps.

    Raises:
        Http404: there is no such file, or it is not the viewer's to see.
    """
    found = Attachment.objects.visible_to(viewer).filter(public_id=public_id).first()
    if found is None:
        raise Http404(_("There is no such file."))
    try:
        content = default_storage.open(found.storage_key)
    except FileNotFoundError:
        logger.error("The bytes of attachment %s are missing from the storage", found.public_id)
        raise Http404(_("There is no such file.")) from None
    harmless = found.content_type in HARMLESS_TYPES
    response = FileResponse(
        content,
        as_attachment=True,
        filename=found.name,
        content_type=found.content_type if harmless else UNKNOWN_TYPE,
    )
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = SANDBOX
    response["Cache-Control"] = "no-store"
    return response

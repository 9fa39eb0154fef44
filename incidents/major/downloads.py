"""The review as a file, for the page and for the API."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _

from incidents.major.states import MajorState
from itsm.accounts.models import User


def review_answer(incident: Any, viewer: User) -> HttpResponse:
    """Return the review as a PDF to keep, which no cache keeps. Raises Http404: it is no major incident."""
    if incident.major_state != MajorState.ACCEPTED:
        raise Http404(_("This is no major incident, so it has no review."))
    from incidents.major.document import review_document  # loading the library of PDF takes half a second

    answer = HttpResponse(review_document(incident, viewer), content_type="application/pdf")
    answer["Content-Disposition"] = f'attachment; filename="{incident.number}-review.pdf"'
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Cache-Control"] = "no-store"
    return answer

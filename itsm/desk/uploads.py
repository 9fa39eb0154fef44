"""Files of a form on their way to a verb."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.http import HttpRequest
from django.utils.translation import gettext as _

from itsm.desk.models import StoredDraft
from itsm.tickets.actions import StoredFile, discard, store_upload
from itsm.tickets.actions.files import MAX_FILES
from itsm.tickets.errors import Invalid
from itsm.tickets.models import Attachment


@contextmanager
def uploaded_files(request: HttpRequest, name: str = "files") -> Iterator[tuple[StoredFile, ...]]:
    """Store the form's files and give them to a verb; what no ticket and no draft has kept afterwards is removed again.

    Raises:
        Invalid: more than ten, or an empty one. TooLarge.
    """
    sent = request.FILES.getlist(name)
    if len(sent) > MAX_FILES:
        raise Invalid({"files": _("At most %(max)d files at once.") % {"max": MAX_FILES}})
    stored: list[StoredFile] = []
    try:
        for upload in sent:
            stored.append(store_upload(upload))  # noqa: PERF401  what is stored must be known when a later one fails
        yield tuple(stored)
    finally:
        if stored:
            keys = [file.storage_key for file in stored]
            kept = set(Attachment.objects.filter(storage_key__in=keys).values_list("storage_key", flat=True))
            drafts = StoredDraft.objects.of(request.user).exclude(files=[]).values_list("files", flat=True)
            kept |= {file["storage_key"] for files in drafts for file in files}
            discard(tuple(file for file in stored if file.storage_key not in kept))

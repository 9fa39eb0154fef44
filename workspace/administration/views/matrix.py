"""The priority matrix."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from itsm.accounts.changelog import fingerprint
from itsm.tickets.actions.settings import matrix_state, save_matrix
from itsm.tickets.models import Level, PriorityCell
from workspace.administration.access import actor_of, page, settings_page, submit
from workspace.administration.forms.tickets import MatrixForm


@require_http_methods(["GET", "HEAD", "POST"])
@settings_page("matrix")
def matrix(request: HttpRequest) -> HttpResponse:
    """Show and save which priority each impact and urgency makes."""
    if request.method != "POST":
        values = {MatrixForm.name(cell.impact, cell.urgency): cell.priority for cell in PriorityCell.objects.all()}
        form = MatrixForm(initial={**values, "seen": fingerprint(matrix_state())})
        return page(request, "matrix", "matrix", {"form": form, "levels": Level.labels})
    form = MatrixForm(request.POST)
    changed, status = submit(
        form,
        lambda values: save_matrix(form.matrix, actor=actor_of(request), seen=values["seen"]),
        state=matrix_state,
    )
    if changed is None:
        return page(request, "matrix", "matrix", {"form": form, "levels": Level.labels}, status)
    if changed:
        text = ngettext(
            "Saved: %(count)d cell changed. It counts for tickets from now on; those that exist keep their priority.",
            "Saved: %(count)d cells changed. They count for tickets from now on; those that exist keep theirs.",
            changed,
        )
        messages.success(request, text % {"count": changed})
    else:
        messages.info(request, _("Nothing was different, so nothing changed."))
    return redirect("administration:matrix")

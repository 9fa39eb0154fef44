"""Lists: `{"results": […], "next": URL or null}`, by keyset, at most 200 rows at once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from itsm.api.problems import BadRequest
from itsm.tickets.errors import Invalid
from itsm.tickets.paging import page_of

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
MAX_PARAMETER = 2000
PAGING = ("limit", "cursor")


def parameters_of(request: Request, known: Collection[str]) -> dict[str, str]:
    """Return the query parameters, each once.

    Raises:
        BadRequest: one is unknown, given twice or overlong.
    """
    found: dict[str, str] = {}
    problems: dict[str, list[str]] = {}
    for name, values in request.query_params.lists():
        if name not in known:
            sentence = _("There is no such parameter. Known are: %(names)s.") % {"names": ", ".join(sorted(known))}
            problems[name[:60]] = [sentence]
        elif len(values) > 1:
            problems[name] = [_("Give this once; several values go into one, with commas.")]
        elif len(values[0]) > MAX_PARAMETER:
            problems[name] = [_("This is longer than %(max)d characters.") % {"max": MAX_PARAMETER}]
        else:
            found[name] = values[0]
    if problems:
        raise BadRequest(_("Some parameters of the address do not fit."), problems)
    return found


def page_answer(
    request: Request,
    queryset: QuerySet[Any],
    order: Sequence[str],
    show: Callable[[list[Any]], list[Any]],
    parameters: dict[str, str],
) -> Response:
    """Return one page of the queryset, its rows turned into plain values by `show`.

    Raises:
        BadRequest: `limit` or `cursor` does not fit.
    """
    limit = _limit(parameters.get("limit"))
    cursor = parameters.get("cursor") or None
    try:
        page = page_of(queryset, order, limit=limit, cursor=cursor)
    except Invalid as error:
        raise BadRequest(error.message, {name: [text] for name, text in error.fields.items()}) from None
    following = None
    if page.next_cursor:
        query = urlencode({**parameters, "cursor": page.next_cursor})
        following = request.build_absolute_uri(f"{request.path}?{query}")
    return Response({"results": show(page.rows), "next": following})


def whole_answer(rows: list[Any]) -> Response:
    """Return a list that is short by nature, in the same shape as a page."""
    return Response({"results": rows, "next": None})


def _limit(text: str | None) -> int:
    if text is None:
        return DEFAULT_LIMIT
    if text.isascii() and text.isdigit() and len(text) <= 3 and 1 <= int(text) <= MAX_LIMIT:
        return int(text)
    sentence = _("Give a number from 1 to %(max)d.") % {"max": MAX_LIMIT}
    raise BadRequest(sentence, {"limit": [sentence]})

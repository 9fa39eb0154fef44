"""The yardstick: a Django view with one query and a template of 50 rows, without login, rail or badges."""

import django
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.template import engines

django.setup(set_prefix=False)

from itsm.tickets.models import Ticket  # noqa: E402  models need the set-up

TEMPLATE = engines["django"].from_string(
    "<ul>{% for t in tickets %}<li>{{ t.number }} {{ t.title }} {{ t.priority }} {{ t.status }} "
    "{{ t.requester.display_name }} {{ t.opened_at }}</li>{% endfor %}</ul>"
)


def rows(request: HttpRequest) -> HttpResponse:
    """Fifty tickets as plain text."""
    tickets = Ticket.objects.open().select_related("requester").defer("description").order_by("queue_due_at", "id")[:50]
    return HttpResponse(TEMPLATE.render({"tickets": tickets}))


class PlainHandler(WSGIHandler):
    """Django without middleware, and with these addresses only."""

    def load_middleware(self, is_async: bool = False) -> None:
        """Load none."""
        self._middleware_chain = self._plain
        self._view_middleware = self._template_response_middleware = self._exception_middleware = []  # type: ignore[assignment]

    def _plain(self, request: HttpRequest) -> HttpResponse:
        return rows(request)


application = PlainHandler()

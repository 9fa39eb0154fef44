"""What happens to every request: what cannot be stored is refused, answers are kept private, access is logged."""

import logging
import time
from collections.abc import Callable
from urllib.parse import unquote_to_bytes

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

Handler = Callable[[HttpRequest], HttpResponse]

access = logging.getLogger("itsm.access")
PERMISSIONS_POLICY = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"


def access_log(get_response: Handler) -> Handler:
    """Log each request with the route's pattern, never its address: addresses carry tokens and names."""

    def handle(request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        response = get_response(request)
        match = request.resolver_match
        milliseconds = (time.perf_counter() - started) * 1000
        if match is not None and match.route not in {"healthz", "readyz"}:
            access.info("%s /%s %d %.0f ms", request.method, match.route, response.status_code, milliseconds)
        return response

    return handle


def refuse_unreadable(get_response: Handler) -> Handler:
    """Answer 400 to a NUL byte or invalid UTF-8 in the address or a form, and 413 to a body beyond the limit.

    PostgreSQL can store neither, and what cannot be stored should not get as far as a view.
    """

    def handle(request: HttpRequest) -> HttpResponse:
        if _length(request) > settings.REQUEST_MAX_BYTES:
            size = settings.REQUEST_MAX_BYTES // (1024 * 1024)
            reason = _("One request may carry %(size)d MB at most. Send fewer or smaller files.") % {"size": size}
            return _refuse(request, 413, reason)
        # Django has already put %FF in the place of broken bytes in a path, which then names no page.
        query = unquote_to_bytes(request.META.get("QUERY_STRING", ""))
        if "\0" in request.path_info or not _is_text(query):
            return _refuse(request, 400, _("The address contains characters that are not text."))
        try:
            storable = request.method != "POST" or _has_text_only(request)
        except RequestDataTooBig:
            size = settings.DATA_UPLOAD_MAX_MEMORY_SIZE // (1024 * 1024)
            reason = _("The texts of one form may hold %(size)d MB at most. Shorten them, or attach a file instead.")
            return _refuse(request, 413, reason % {"size": size})
        except (TooManyFieldsSent, TooManyFilesSent):
            return _refuse(request, 413, _("One form may hold 1000 fields and 100 files at most. Send it in parts."))
        if not storable:
            return _refuse(
                request,
                400,
                _("The form contains characters that cannot be stored (a NUL byte or broken UTF-8). Remove them."),
            )
        return get_response(request)

    return handle


def keep_private(get_response: Handler) -> Handler:
    """Forbid caches to store what is sent to a session or a token, and browsers to offer pages what they never need."""

    def handle(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        signed_in = settings.SESSION_COOKIE_NAME in request.COOKIES or "HTTP_AUTHORIZATION" in request.META
        if signed_in and not response.has_header("Cache-Control"):
            response.headers["Cache-Control"] = "no-store"
        return response

    return handle


def _length(request: HttpRequest) -> int:
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0


def _is_text(data: bytes) -> bool:
    """Tell whether bytes are UTF-8 without a NUL."""
    try:
        return "\0" not in data.decode()
    except UnicodeDecodeError:
        return False


def _has_text_only(request: HttpRequest) -> bool:
    """Tell whether the form that was sent, if any, is text; bodies of other kinds are left unread.

    In a multipart form Django has already put U+FFFD in the place of broken bytes: that can be stored.
    """
    if request.content_type == "application/x-www-form-urlencoded" and not _is_text(unquote_to_bytes(request.body)):
        return False
    texts = [*request.POST, *request.FILES]
    texts += [value for values in request.POST.lists() for value in values[1]]
    return not any("\0" in text for text in texts)


def _refuse(request: HttpRequest, status: int, reason: str) -> HttpResponse:
    """Answer with the reason: as problem details below /api/, else as a page."""
    if request.path_info.startswith("/api/"):
        problem = {"type": "about:blank", "title": reason, "status": status, "detail": reason}
        return JsonResponse(problem, status=status, content_type="application/problem+json")
    return render(request, f"{status}.html", {"reason": reason}, status=status)

"""Puts the rail on every request, so that pages of all rooms draw it without knowing this one."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from itsm.accounts.models import User
from itsm.accounts.roles import Permission
from workspace.nav import desk_nav


def desk_rail(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Set `request.desk_nav`, which asks the database nothing until a page of the desk draws it."""

    def handle(request: HttpRequest) -> HttpResponse:
        def entries() -> list[dict[str, object]]:
            user = request.user
            return desk_nav(request) if isinstance(user, User) and user.may(Permission.USE_DESK) else []

        request.desk_nav = SimpleLazyObject(entries)  # type: ignore[attr-defined]
        return get_response(request)

    return handle

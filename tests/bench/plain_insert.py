"""The product's web application with one view more: the plainest that writes, to measure the API against."""

from __future__ import annotations

import json

from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from itsm.wsgi import application

PATH = "/bench/insert"

__all__ = ["application"]


@csrf_exempt
def insert(request: HttpRequest) -> JsonResponse:
    """Insert one row with what was sent, behind the same middleware as every other view."""
    from cmdb.models import Service  # the applications are set up by the import of `application`

    sent = json.loads(request.body)
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('cmdb_service_id_seq')")
        number = cursor.fetchone()[0]
    name = f"{sent['title']} {number}"
    made = Service.objects.create(name=name, key=f"bench-{number}", description=sent["description"])
    return JsonResponse({"id": made.public_id}, status=201)


def add_view() -> None:
    """Put the view before all others."""
    from itsm import urls  # the applications are set up by the import of `application`

    urls.urlpatterns.insert(0, path(PATH.lstrip("/"), insert))


add_view()

"""Changes in the API."""

from django.urls import path

from changes.actions import edit_change
from changes.api.serializers import ChangeIn, ChangeOut, ChangePatch
from changes.api.views import NextViews, missing, open_by_api
from changes.statuses import Status
from itsm.desk.api.kinds import TicketApi
from itsm.desk.api.urls import ticket_api_urls

urlpatterns = [
    path("<str:ref>/next/", NextViews.as_view({"get": "retrieve"}), name="change-next"),
    *ticket_api_urls(
        TicketApi(
            kind="change",
            a="a change",
            plural="changes",
            statuses=Status.choices,
            out=ChangeOut,
            body=ChangeIn,
            patch=ChangePatch,
            opener=open_by_api,
            edit=edit_change,
            lacks=missing,
            related=("template_version__template",),
        )
    ),
]

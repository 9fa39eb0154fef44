"""Problems in the API."""

from django.urls import path

from itsm.desk.api.kinds import TicketApi
from itsm.desk.api.urls import ticket_api_urls
from problems.actions import open_problem
from problems.api.serializers import ProblemIn, ProblemOut, ProblemPatch
from problems.api.views import ProblemViews, edit
from problems.statuses import Status

urlpatterns = [
    *ticket_api_urls(
        TicketApi(
            kind="problem",
            a="a problem",
            plural="problems",
            statuses=Status.choices,
            out=ProblemOut,
            body=ProblemIn,
            patch=ProblemPatch,
            opener=open_problem,
            edit=edit,
            related=("duplicate_of", "confirmed_by"),
        )
    ),
    path("<str:ref>/workarounds/", ProblemViews.as_view({"get": "workarounds"}), name="problem-workarounds"),
    path("<str:ref>/communications/", ProblemViews.as_view({"get": "communications"}), name="problem-communications"),
    path("<str:ref>/communicate/", ProblemViews.as_view({"post": "communicate"}), name="problem-communicate"),
    path("<str:ref>/incidents/", ProblemViews.as_view({"get": "incidents", "post": "link"}), name="problem-incidents"),
]

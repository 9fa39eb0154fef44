"""The ticket page of the desk, the same for every kind, and what its rooms hang on it."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DeskConfig(AppConfig):
    name = "itsm.desk"
    label = "desk"
    verbose_name = _("Ticket page")

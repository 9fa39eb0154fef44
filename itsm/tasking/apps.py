"""Tasks: pieces of work below a ticket."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TaskingConfig(AppConfig):
    name = "itsm.tasking"
    label = "tasking"
    verbose_name = _("Tasks")

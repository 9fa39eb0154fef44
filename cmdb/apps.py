"""The room of services: what the organisation's people depend on, and who looks after it."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CmdbConfig(AppConfig):
    name = "cmdb"
    verbose_name = _("Services")

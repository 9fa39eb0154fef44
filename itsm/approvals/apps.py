"""Approvals: who has to agree before a ticket goes on."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ApprovalsConfig(AppConfig):
    name = "itsm.approvals"
    label = "approvals"
    verbose_name = _("Approvals")

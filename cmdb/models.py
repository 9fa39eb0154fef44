"""Services: the things that people use and that tickets are about."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from itsm.accounts.models import Team, User, public_id


class ServiceQuerySet(models.QuerySet["Service"]):
    """Questions about services."""

    def active(self) -> "ServiceQuerySet":
        """Return services that can be chosen on a ticket."""
        return self.filter(is_active=True)


class Service(models.Model):
    """A means of enabling value that users know by name (ITIL 4: service), such as E-mail or Payroll."""

    public_id = models.CharField(max_length=32, unique=True, default=public_id, editable=False)
    name = models.CharField(_("name"), max_length=200, unique=True)
    key = models.SlugField(_("key"), max_length=60, unique=True)
    description = models.TextField(_("description"), blank=True)
    support_team = models.ForeignKey(
        Team, models.SET_NULL, null=True, blank=True, related_name="services", verbose_name=_("support team")
    )
    owner = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="owned_services", verbose_name=_("owner")
    )
    is_active = models.BooleanField(_("active"), default=True)

    objects = ServiceQuerySet.as_manager()

    class Meta:
        ordering = ("name",)
        verbose_name = _("service")

    def __str__(self) -> str:
        return self.name

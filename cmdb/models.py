"""Services: the things that people use and that tickets are about."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from itsm.accounts.models import Team, User, public_id


class ServiceIcon(models.TextChoices):
    """Pictures that a service can have in the portal, by their name in the icon set."""

    LIFEBUOY = "lifebuoy", _("Lifebuoy")
    LAPTOP = "device-laptop", _("Laptop")
    PHONE = "phone", _("Phone")
    MAIL = "mail", _("Envelope")
    PRINTER = "printer", _("Printer")
    WIFI = "wifi", _("Wireless network")
    LOCK = "shield-lock", _("Shield with lock")
    KEY = "key", _("Key")
    FOLDER = "folder", _("Folder")
    RECEIPT = "receipt", _("Receipt")
    DOOR = "door", _("Door")
    SERVER = "server", _("Server")
    DATABASE = "database", _("Database")
    CLOUD = "cloud", _("Cloud")
    PEOPLE = "users", _("People")
    CART = "shopping-cart", _("Shopping cart")
    HEART = "heartbeat", _("Heartbeat")
    BANK = "building-bank", _("Bank")


class Criticality(models.IntegerChoices):
    """How much hangs on a service: what its loss would do to the business."""

    CRITICAL = 1, _("Critical")
    HIGH = 2, _("High")
    MEDIUM = 3, _("Medium")
    LOW = 4, _("Low")


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
    icon = models.CharField(_("picture"), max_length=30, choices=ServiceIcon, default=ServiceIcon.LIFEBUOY)
    support_team = models.ForeignKey(
        Team, models.SET_NULL, null=True, blank=True, related_name="services", verbose_name=_("support team")
    )
    owner = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="owned_services", verbose_name=_("owner")
    )
    criticality = models.PositiveSmallIntegerField(_("criticality"), choices=Criticality, default=Criticality.MEDIUM)
    part_of = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="parts", verbose_name=_("part of")
    )
    is_active = models.BooleanField(_("active"), default=True)

    objects = ServiceQuerySet.as_manager()

    class Meta:
        ordering = ("name",)
        verbose_name = _("service")

    def __str__(self) -> str:
        return self.name

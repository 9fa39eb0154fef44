"""How each agent likes their queue to look."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _


class Layout(models.TextChoices):
    """The two shapes of a queue."""

    LIST = "list", _("List with preview")
    TABLE = "table", _("Table")


class Density(models.TextChoices):
    """How close the rows stand."""

    COMFORTABLE = "comfortable", _("Comfortable rows")
    COMPACT = "compact", _("Compact rows")


class QueuePreference(models.Model):
    """One person's queue: layout, density, order, columns. In the database, so that it follows them between devices."""

    user: Any = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="queue_preference"
    )
    layout = models.CharField(max_length=10, choices=Layout, default=Layout.LIST)
    density = models.CharField(max_length=12, choices=Density, default=Density.COMFORTABLE)
    sort = models.CharField(max_length=20, default="due")
    columns = ArrayField(models.CharField(max_length=20), default=list, blank=True)

    class Meta:
        verbose_name = _("queue preference")

    def __str__(self) -> str:
        return f"{self.user_id} {self.layout} {self.sort}"

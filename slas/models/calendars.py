"""Business calendars. A calendar is a name; what it says is an immutable version."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from itsm.accounts.models import User, public_id
from slas.calendars import CalendarSpec, CompiledCalendar
from slas.calendars import compile as compile_calendar

KEPT = 256
_compiled: dict[str, CompiledCalendar] = {}


class BusinessCalendar(models.Model):
    """The hours in which a team or a service is at work, under one name through all its versions."""

    public_id = models.CharField(max_length=32, unique=True, default=public_id, editable=False)
    name = models.CharField(_("name"), max_length=200, unique=True)
    current = models.ForeignKey(
        "CalendarVersion", models.PROTECT, null=True, blank=True, related_name="+", editable=False
    )

    class Meta:
        ordering = ("name",)
        verbose_name = _("business calendar")

    def __str__(self) -> str:
        return self.name


class CalendarVersion(models.Model):
    """What a calendar says from `valid_from` on. Never changed (a trigger refuses it): an edit makes the next version.

    `digest` covers the content as typed and normalised, so that an edit without a difference is recognised.
    """

    calendar = models.ForeignKey(BusinessCalendar, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    spec = models.JSONField()
    digest = models.CharField(max_length=64)
    valid_from = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ("calendar_id", "number")
        verbose_name = _("calendar version")
        constraints = (models.UniqueConstraint(fields=("calendar", "number"), name="calendar_version_once"),)

    def __str__(self) -> str:
        return f"{self.calendar_id} v{self.number}"

    @property
    def hours(self) -> CompiledCalendar:
        """The calendar ready to measure; kept by digest, so that the spec is read once in each process."""
        found = _compiled.get(self.digest)
        if found is None:
            if len(_compiled) >= KEPT:
                _compiled.clear()
            found = _compiled[self.digest] = compile_calendar(CalendarSpec.from_json(self.spec))
        return found

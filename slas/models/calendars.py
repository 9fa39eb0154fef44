"""Business calendars. A calendar is a name; what it says is an immutable version."""

from __future__ import annotations

from dataclasses import replace

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from itsm.accounts.models import Team, User, public_id
from slas.calendars import CalendarSpec, CompiledCalendar
from slas.calendars import compile as compile_calendar

KEPT = 256
_compiled: dict[tuple[str, str], CompiledCalendar] = {}


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
        return self.hours_in("")

    def hours_in(self, time_zone: str) -> CompiledCalendar:
        """The same hours read by the clocks of another IANA zone; blank for the calendar's own."""
        key = (self.digest, time_zone)
        found = _compiled.get(key)
        if found is None:
            if len(_compiled) >= KEPT:
                _compiled.clear()
            spec = CalendarSpec.from_json(self.spec)
            found = _compiled[key] = compile_calendar(replace(spec, time_zone=time_zone) if time_zone else spec)
        return found


class TeamCalendar(models.Model):
    """The hours in which a team is at work, for goals that go by the team's own (OLA per team stay, sla.md §4)."""

    team = models.OneToOneField(Team, models.CASCADE, related_name="business_calendar")
    calendar = models.ForeignKey(BusinessCalendar, models.PROTECT, related_name="team_calendars")

    def __str__(self) -> str:
        return f"{self.team_id}: {self.calendar_id}"

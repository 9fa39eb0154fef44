"""Business calendars. A calendar is a name; what it says is an immutable version."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from itsm.accounts.models import Team, User, public_id
from slas.calendars import CalendarSpec, CompiledCalendar
from slas.calendars import compile as compile_calendar

KEPT = 256
_compiled: dict[tuple[str, str], CompiledCalendar] = {}


class HolidaySet(models.Model):
    """Public holidays of a country or region, shared by calendars: each copies the days when it makes a version.

    `days` maps ISO dates to names: what the `holidays` library says for the years covered, with `added` (dates to
    names) and without `removed` (dates), both by hand. Years ahead are topped up by a task.
    """

    public_id = models.CharField(max_length=32, unique=True, default=public_id, editable=False)
    name = models.CharField(_("name"), max_length=200, unique=True)
    country = models.CharField(_("country"), max_length=2)
    region = models.CharField(_("region"), max_length=20, blank=True)
    first_year = models.PositiveSmallIntegerField()
    last_year = models.PositiveSmallIntegerField()
    added = models.JSONField(default=dict, blank=True)
    removed = models.JSONField(default=list, blank=True)
    days = models.JSONField(default=dict, blank=True)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("name",)
        verbose_name = _("holiday set")

    def __str__(self) -> str:
        return self.name


class BusinessCalendar(models.Model):
    """The hours in which a team or a service is at work, under one name through all its versions."""

    public_id = models.CharField(max_length=32, unique=True, default=public_id, editable=False)
    name = models.CharField(_("name"), max_length=200, unique=True)
    holiday_sets = models.ManyToManyField(HolidaySet, blank=True, related_name="calendars")
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
    `names`: what closed dates and dates with their own hours are called, by ISO date. `holidays`: the closed dates that
    were copied from holiday sets, by ISO date, with their names; `sources` names the sets. `declared_day_minutes`: how
    long a business day is for targets in days, where that was said.
    """

    calendar = models.ForeignKey(BusinessCalendar, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    spec = models.JSONField()
    digest = models.CharField(max_length=64)
    valid_from = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    names = models.JSONField(default=dict, blank=True)
    holidays = models.JSONField(default=dict, blank=True)
    sources = models.JSONField(default=list, blank=True)
    declared_day_minutes = models.PositiveSmallIntegerField(null=True, blank=True)

    class Meta:
        ordering = ("calendar_id", "number")
        verbose_name = _("calendar version")
        constraints = (models.UniqueConstraint(fields=("calendar", "number"), name="calendar_version_once"),)

    def __str__(self) -> str:
        return f"{self.calendar_id} v{self.number}"

    @property
    def day_minutes(self) -> int:
        """How long a business day is, in minutes: as declared, else the most common length of an open weekday."""
        return self.declared_day_minutes or CalendarSpec.from_json(self.spec).usual_day_minutes

    @property
    def by_hand(self) -> list[str]:
        """The closed dates that were typed or imported, not copied from a holiday set, as ISO dates in order."""
        return [day for day in self.spec["closed_dates"] if day in self.names or day not in self.holidays]

    def name_of(self, day: date) -> str:
        """What a date is called, if it has a name."""
        iso = day.isoformat()
        return str(self.names.get(iso) or self.holidays.get(iso) or "")

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


class ZoneRelease(models.Model):
    """The clock changes of the zones in use as they were when this product last looked: new zone data move due times.

    `release` names the zone data for people; `fingerprints` stands for the changes themselves, by zone. `moved_zones`
    are those whose changes differ from the row before; `timers_moved` running timers got another due time by it, the
    one that moved most by `largest_s` seconds. The first row has nothing to compare with. A row is
    written when something differs; the newest is what holds.
    """

    release = models.CharField(max_length=100)
    fingerprints = models.JSONField(default=dict)
    moved_zones = models.JSONField(default=list)
    timers_checked = models.PositiveIntegerField(default=0)
    timers_moved = models.PositiveIntegerField(default=0)
    largest_s = models.PositiveIntegerField(default=0)
    noticed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("-noticed_at", "-pk")
        verbose_name = _("release of zone data")

    def __str__(self) -> str:
        return f"{self.release} {self.noticed_at:%Y-%m-%d}"

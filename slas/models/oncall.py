"""Rotas as they are stored, what changes them for a while, and the links by which calendars elsewhere read them."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from itsm.accounts.models import Team, User, check_time_zone, public_id
from slas.oncall import RotaSpec


class RotaLevel(models.IntegerChoices):
    """Whom an escalation reaches first, and whom next."""

    FIRST = 1, pgettext_lazy("on call", "First level")
    SECOND = 2, pgettext_lazy("on call", "Second level")
    THIRD = 3, pgettext_lazy("on call", "Third level")


class Rota(models.Model):
    """Who is on call when. `layers` is the stored form of `slas.oncall.RotaSpec`; the change log keeps what it was."""

    public_id = models.CharField(max_length=32, unique=True, default=public_id, editable=False)
    name = models.CharField(_("name"), max_length=200, unique=True)
    team = models.ForeignKey(Team, models.PROTECT, null=True, blank=True, related_name="rotas", verbose_name=_("team"))
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC", validators=[check_time_zone])
    layers = models.JSONField(_("layers"), default=list)
    is_active = models.BooleanField(_("active"), default=True)
    updated_at = models.DateTimeField(default=timezone.now)
    updated_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ("name",)
        verbose_name = _("rota")

    def __str__(self) -> str:
        return self.name

    @property
    def spec(self) -> RotaSpec:
        """The rota ready for `slas.oncall`."""
        return RotaSpec.from_json(self.time_zone, self.layers)


class SwapState(models.TextChoices):
    """Where a request for a swap stands. An open one whose shift has begun counts as expired, without being written."""

    OPEN = "open", pgettext_lazy("swap", "Open")
    ACCEPTED = "accepted", pgettext_lazy("swap", "Accepted")
    DECLINED = "declined", pgettext_lazy("swap", "Declined")
    WITHDRAWN = "withdrawn", pgettext_lazy("swap", "Withdrawn")


class SwapRequest(models.Model):
    """Somebody asks that a colleague takes a shift. `asked` null: anybody of the rota may; `return_*`: the asker takes
    that shift of the colleague's instead."""

    public_id = models.CharField(max_length=32, unique=True, default=public_id, editable=False)
    rota = models.ForeignKey(Rota, models.CASCADE, related_name="swaps")
    level = models.PositiveSmallIntegerField(choices=RotaLevel, default=RotaLevel.FIRST)
    asker = models.ForeignKey(User, models.PROTECT, related_name="swaps_asked")
    asked = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="swaps_offered")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    return_starts_at = models.DateTimeField(null=True, blank=True)
    return_ends_at = models.DateTimeField(null=True, blank=True)
    note = models.CharField(max_length=300, blank=True)
    state = models.CharField(max_length=10, choices=SwapState, default=SwapState.OPEN)
    answered_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    answered_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("-created_at", "-pk")
        verbose_name = _("swap request")
        constraints = (
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="swap_forward"),
            models.CheckConstraint(
                condition=Q(return_starts_at__isnull=True, return_ends_at__isnull=True)
                | Q(asked__isnull=False, return_ends_at__gt=F("return_starts_at")),
                name="swap_return_forward",
            ),
            models.UniqueConstraint(
                fields=("rota", "level", "asker", "starts_at"), condition=Q(state=SwapState.OPEN), name="swap_open_once"
            ),
        )
        indexes = (models.Index("starts_at", condition=Q(state=SwapState.OPEN), name="swap_open"),)

    def __str__(self) -> str:
        return f"{self.rota_id} {self.asker_id} {self.starts_at:%Y-%m-%d %H:%M} {self.state}"


class RotaOverride(models.Model):
    """One person has one level for a while, whatever the layers say. Taken back, it stays on record."""

    public_id = models.CharField(max_length=32, unique=True, default=public_id, editable=False)
    rota = models.ForeignKey(Rota, models.CASCADE, related_name="overrides")
    level = models.PositiveSmallIntegerField(choices=RotaLevel, default=RotaLevel.FIRST)
    person = models.ForeignKey(User, models.PROTECT, related_name="rota_overrides")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    reason = models.CharField(max_length=300, blank=True)
    swap = models.ForeignKey(SwapRequest, models.PROTECT, null=True, blank=True, related_name="overrides")
    created_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("starts_at", "pk")
        verbose_name = _("override")
        constraints = (models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="override_forward"),)
        indexes = (models.Index("rota", "ends_at", condition=Q(removed_at__isnull=True), name="override_stands"),)

    def __str__(self) -> str:
        return f"{self.rota_id} {self.person_id} {self.starts_at:%Y-%m-%d %H:%M}"


class TimeOff(models.Model):
    """Somebody is away: no rota counts on them, and warnings say who has their shifts, or that nobody has."""

    public_id = models.CharField(max_length=32, unique=True, default=public_id, editable=False)
    person = models.ForeignKey(User, models.CASCADE, related_name="time_off")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    note = models.CharField(max_length=300, blank=True)
    created_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("starts_at", "pk")
        verbose_name = _("time off")
        constraints = (models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="time_off_forward"),)
        indexes = (models.Index("person", "ends_at", name="time_off_of_person"),)

    def __str__(self) -> str:
        return f"{self.person_id} {self.starts_at:%Y-%m-%d}–{self.ends_at:%Y-%m-%d}"


class RotaFeed(models.Model):
    """A secret address under which a calendar reads shifts: one rota's, or (rota null) the owner's own of all rotas.

    Only the digest of the secret is stored. A new address ends the old one; there is one at most for each thing.
    """

    owner = models.ForeignKey(User, models.CASCADE, related_name="rota_feeds")
    rota = models.ForeignKey(Rota, models.CASCADE, null=True, blank=True, related_name="feeds")
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("pk",)
        verbose_name = _("calendar link")
        constraints = (
            models.UniqueConstraint(
                fields=("owner", "rota"),
                condition=Q(revoked_at__isnull=True),
                nulls_distinct=False,
                name="rota_feed_once",
            ),
        )

    def __str__(self) -> str:
        return f"{self.owner_id} {self.rota_id or '*'}"


class ShiftReminder(models.Model):
    """A reminder that went out, so that no shift is reminded of twice."""

    rota = models.ForeignKey(Rota, models.CASCADE, related_name="+")
    person = models.ForeignKey(User, models.CASCADE, related_name="+")
    level = models.PositiveSmallIntegerField()
    starts_at = models.DateTimeField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("rota", "person", "level", "starts_at"), name="shift_reminded_once"),
        )

    def __str__(self) -> str:
        return f"{self.rota_id} {self.person_id} {self.starts_at:%Y-%m-%d %H:%M}"

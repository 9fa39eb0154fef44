"""Windows in which changes may or may not be made, the collisions found, and the links by which calendars read them."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from changes.schedule.recurrence import Recurrence
from changes.statuses import ChangeType, Risk, Status
from cmdb.models import Service
from itsm.accounts.models import Team, User, public_id


class WindowKind(models.TextChoices):
    """What a window means for changes."""

    FREEZE = "freeze", _("Freeze: no changes")
    MAINTENANCE = "maintenance", _("Maintenance: changes only here")


class Weight(models.TextChoices):
    """What a collision does: it is only noted, it warns, or it keeps a change from being approved and scheduled."""

    NOTE = "note", pgettext_lazy("collision", "Only noted")
    WARN = "warn", pgettext_lazy("collision", "Warns")
    BLOCK = "block", pgettext_lazy("collision", "Blocks")


ORDER = {Weight.NOTE: 0, Weight.WARN: 1, Weight.BLOCK: 2}


class CollisionKind(models.TextChoices):
    """In what a change collides."""

    SAME_SERVICE = "same_service", _("Same service at the same time")
    RELATED_SERVICE = "related_service", _("A service and one that it is part of, at the same time")
    DOUBLE_BOOKED = "double_booked", _("Somebody is booked twice")
    FREEZE = "freeze", _("In a freeze")
    OUTSIDE = "outside", _("Outside the maintenance windows")


PAIRS = frozenset({CollisionKind.SAME_SERVICE, CollisionKind.RELATED_SERVICE, CollisionKind.DOUBLE_BOOKED})
HAS_SLOT = frozenset({Status.SCHEDULED, Status.IMPLEMENT})


class ChangeWindow(models.Model):
    """A freeze or a maintenance window, once or again and again. The change log keeps what it said before.

    `rule` is the stored form of `changes.schedule.recurrence.Recurrence`. It concerns changes to its `services` (none
    named: to any), of its `change_types` (none: of all), and of its `risks` (none: of any); a change whose risk is not
    known yet counts as of every risk. `weight`: what it does to a change that is in a freeze, or outside maintenance.
    """

    public_id = models.CharField(max_length=32, unique=True, default=public_id, editable=False)
    name = models.CharField(_("name"), max_length=200, unique=True)
    description = models.TextField(_("why"), max_length=2000, blank=True)
    kind = models.CharField(_("what it is"), max_length=12, choices=WindowKind, default=WindowKind.FREEZE)
    rule = models.JSONField(_("times"))
    services = models.ManyToManyField(Service, blank=True, related_name="change_windows", verbose_name=_("services"))
    change_types = ArrayField(
        models.CharField(max_length=10, choices=ChangeType), verbose_name=_("types of change"), default=list, blank=True
    )
    risks = ArrayField(
        models.PositiveSmallIntegerField(choices=Risk), verbose_name=_("risks"), default=list, blank=True
    )
    weight = models.CharField(_("what it does"), max_length=5, choices=Weight, default=Weight.BLOCK)
    is_active = models.BooleanField(_("active"), default=True)
    updated_at = models.DateTimeField(default=timezone.now)
    updated_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ("name",)
        verbose_name = _("change window")

    def __str__(self) -> str:
        return self.name

    @property
    def recurrence(self) -> Recurrence:
        """When it is."""
        return Recurrence.from_json(self.rule)


class CollisionSettings(models.Model):
    """The one row that says what collisions between two changes do; a window says for itself what it does."""

    same_service = models.CharField(_("two changes on one service"), max_length=5, choices=Weight, default=Weight.WARN)
    related_service = models.CharField(
        _("a service and one that it is part of"), max_length=5, choices=Weight, default=Weight.WARN
    )
    double_booked = models.CharField(
        _("a person who is booked twice"), max_length=5, choices=Weight, default=Weight.WARN
    )

    class Meta:
        constraints = (models.CheckConstraint(condition=Q(pk=1), name="collision_settings_one_row"),)

    def __str__(self) -> str:
        return str(_("Collision settings"))

    @classmethod
    def current(cls) -> CollisionSettings:
        """Return the settings, or the product's defaults when nobody has saved any."""
        return cls.objects.filter(pk=1).first() or cls(pk=1)

    def weight_of(self, kind: str) -> str:
        """Return what a collision of two changes of this kind does."""
        found: str = getattr(self, kind)
        return found


class ConflictQuerySet(models.QuerySet["Conflict"]):
    """Questions about collisions that were found."""

    def current(self) -> ConflictQuerySet:
        """Return those that stand."""
        return self.filter(gone_at__isnull=True)

    def with_words(self) -> ConflictQuerySet:
        """Return them with everything that a sentence about one names, in one query."""
        return self.select_related("other", "window", "service", "person", "overridden_by")


class Conflict(models.Model):
    """A collision as it stands in store: found at `first_seen_at`, over at `gone_at`.

    Two changes that collide have a row each. `key` says what it is, so that the same one is known again when dates
    move. `shared`: how many services a pair has in common; `service` is the first of them. An override says that the
    change may go on all the same, and holds as long as the overlap does not grow.
    """

    public_id = models.CharField(max_length=32, unique=True, default=public_id, editable=False)
    change = models.ForeignKey("changes.Change", models.CASCADE, related_name="conflicts")
    key = models.CharField(max_length=100)
    kind = models.CharField(max_length=15, choices=CollisionKind)
    other = models.ForeignKey(
        "changes.Change", models.CASCADE, null=True, blank=True, related_name="conflicts_as_other"
    )
    window = models.ForeignKey(ChangeWindow, models.CASCADE, null=True, blank=True, related_name="conflicts")
    service = models.ForeignKey(Service, models.PROTECT, null=True, blank=True, related_name="+")
    shared = models.PositiveSmallIntegerField(default=0)
    person = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    first_seen_at = models.DateTimeField(default=timezone.now)
    gone_at = models.DateTimeField(null=True, blank=True)
    overridden_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    overridden_at = models.DateTimeField(null=True, blank=True)
    override_reason = models.CharField(max_length=1000, blank=True)

    objects = ConflictQuerySet.as_manager()

    class Meta:
        ordering = ("starts_at", "pk")
        verbose_name = _("conflict")
        constraints = (
            models.UniqueConstraint(
                fields=("change", "key"), condition=Q(gone_at__isnull=True), name="conflict_stands_once"
            ),
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="conflict_forward"),
            models.CheckConstraint(
                condition=Q(overridden_at__isnull=True) | ~Q(override_reason=""), name="conflict_override_has_reason"
            ),
        )
        indexes = (
            models.Index("other", condition=Q(gone_at__isnull=True), name="conflict_other"),
            models.Index("window", condition=Q(gone_at__isnull=True), name="conflict_window"),
        )

    def __str__(self) -> str:
        return f"{self.change_id} {self.key}"

    @property
    def kind_label(self) -> str | Promise:
        """The kind in words."""
        return CollisionKind(self.kind).label

    def weight(self, settings: CollisionSettings) -> str:
        """Return what it does now. Of two changes the one that was scheduled first has the slot: only against it the
        other is blocked. Reads `window` and `other`."""
        if self.kind not in PAIRS:
            return self.window.weight if self.window is not None else Weight.WARN
        said = settings.weight_of(self.kind)
        if said == Weight.BLOCK and (self.other is None or self.other.status not in HAS_SLOT):
            return Weight.WARN
        return said


class CalendarFeed(models.Model):
    """A secret address under which a calendar program reads the change calendar, narrowed as the owner said.

    Only the digest of the secret is stored. A new address for the same choice ends the former one.
    """

    public_id = models.CharField(max_length=32, unique=True, default=public_id, editable=False)
    owner = models.ForeignKey(User, models.CASCADE, related_name="change_feeds")
    team = models.ForeignKey(Team, models.CASCADE, null=True, blank=True, related_name="+")
    service = models.ForeignKey(Service, models.CASCADE, null=True, blank=True, related_name="+")
    is_mine = models.BooleanField(_("only my own changes"), default=False)
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("pk",)
        verbose_name = _("calendar link")
        constraints = (
            models.UniqueConstraint(
                fields=("owner", "team", "service", "is_mine"),
                condition=Q(revoked_at__isnull=True),
                nulls_distinct=False,
                name="change_feed_once",
            ),
        )

    def __str__(self) -> str:
        return f"{self.owner_id} {self.team_id or '*'} {self.service_id or '*'}"

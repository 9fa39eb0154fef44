"""People: organisations, departments, locations, users, teams, and the tokens that programs sign in with."""

from __future__ import annotations

import zoneinfo
from datetime import datetime
from functools import cached_property
from typing import Any, ClassVar
from uuid import uuid4

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from itsm.accounts.querysets import TeamQuerySet, UserManager
from itsm.accounts.roles import Permission, Role, permissions_of


def public_id() -> str:
    """Return a new public id: 32 hexadecimal digits, 122 random bits."""
    return uuid4().hex


def check_time_zone(name: str) -> None:
    """Refuse a time zone that the IANA database does not know.

    Raises:
        ValidationError: with a sentence that shows what a zone looks like.
    """
    # `localtime` is another zone on each machine.
    if name not in zoneinfo.available_timezones() or name == "localtime":
        raise ValidationError(_("Choose a time zone from the list, such as Europe/Berlin."), code="time_zone")


class Organisation(models.Model):
    """A company or body whose people ask for help."""

    name = models.CharField(_("name"), max_length=200, unique=True)

    class Meta:
        ordering = ("name",)
        verbose_name = _("organisation")

    def __str__(self) -> str:
        return self.name


class Department(models.Model):
    """A part of an organisation."""

    name = models.CharField(_("name"), max_length=200, unique=True)

    class Meta:
        ordering = ("name",)
        verbose_name = _("department")

    def __str__(self) -> str:
        return self.name


class Location(models.Model):
    """A place where people work. `time_zone`: the IANA zone of its clocks; blank where nobody has said it."""

    name = models.CharField(_("name"), max_length=200, unique=True)
    time_zone = models.CharField(_("time zone"), max_length=64, blank=True, validators=[check_time_zone])

    class Meta:
        ordering = ("name",)
        verbose_name = _("location")

    def __str__(self) -> str:
        return self.name


class Theme(models.TextChoices):
    """How the pages look."""

    AUTO = "auto", _("As the device")
    LIGHT = "light", _("Light")
    DARK = "dark", _("Dark")


class User(AbstractBaseUser):
    """A person, or a program acting under its own account. Signs in with the e-mail address."""

    public_id = models.CharField(max_length=32, unique=True, default=public_id, editable=False)
    email = models.EmailField(_("e-mail address"), max_length=254, unique=True)
    display_name = models.CharField(_("name"), max_length=150)
    roles = ArrayField(models.CharField(max_length=40, choices=Role), default=list, verbose_name=_("roles"))
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC", validators=[check_time_zone])
    language = models.CharField(_("language"), max_length=10, default="en")
    theme = models.CharField(_("theme"), max_length=5, choices=Theme, default=Theme.AUTO)
    single_keys = models.BooleanField(_("single-letter keys"), default=True)
    phone = models.CharField(_("phone"), max_length=40, blank=True)
    organisation = models.ForeignKey(
        Organisation, models.PROTECT, null=True, blank=True, related_name="people", verbose_name=_("organisation")
    )
    department = models.ForeignKey(
        Department, models.SET_NULL, null=True, blank=True, related_name="people", verbose_name=_("department")
    )
    location = models.ForeignKey(
        Location, models.SET_NULL, null=True, blank=True, related_name="people", verbose_name=_("location")
    )
    manager = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="reports", verbose_name=_("manager")
    )
    is_vip = models.BooleanField(_("VIP"), default=False)
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["display_name"]

    class Meta:
        ordering = ("display_name", "pk")
        verbose_name = _("person")
        constraints = (models.CheckConstraint(condition=Q(email=Lower("email")), name="user_email_lower_case"),)
        indexes = (
            GinIndex(fields=["roles"], name="user_roles"),
            models.Index(fields=["display_name", "id"], name="user_by_name"),
        )

    def __str__(self) -> str:
        return self.display_name

    def clean(self) -> None:
        """Store the address in one spelling."""
        super().clean()
        self.email = User.objects.normalise(self.email)

    @cached_property
    def permissions(self) -> frozenset[Permission]:
        """All permissions of the person's roles; none for a deactivated account."""
        return permissions_of(self.roles) if self.is_active else frozenset()

    def may(self, permission: str) -> bool:
        """Return whether the person has the permission."""
        return permission in self.permissions

    def has_perm(self, perm: str, obj: object | None = None) -> bool:
        """Return whether the person has the permission (the name that Django's tools call)."""
        return self.may(perm)

    def has_module_perms(self, app_label: str) -> bool:
        """Return whether the person has any permission whose code starts with the label."""
        return any(code.startswith(f"{app_label}.") for code in self.permissions)

    @property
    def is_staff(self) -> bool:
        """Whether the person works at the desk rather than only asking it."""
        return self.may(Permission.USE_DESK)

    @property
    def is_superuser(self) -> bool:
        """Whether the person is an administrator."""
        return self.is_active and Role.ADMINISTRATOR in self.roles

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        """The person's time zone; UTC where the stored name is no longer known."""
        try:
            return zoneinfo.ZoneInfo(self.time_zone)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError):
            return zoneinfo.ZoneInfo("UTC")

    @property
    def initials(self) -> str:
        """One or two letters for the avatar."""
        words = [word for word in self.display_name.split() if word]
        letters = words[0][:1] + (words[-1][:1] if len(words) > 1 else "") if words else "?"
        return letters.upper()

    def get_full_name(self) -> str:
        """Return the name (called by Django and allauth)."""
        return self.display_name

    def get_short_name(self) -> str:
        """Return the first word of the name."""
        return self.display_name.split(" ")[0]


class Team(models.Model):
    """A group of agents that tickets are routed to."""

    public_id = models.CharField(max_length=32, unique=True, default=public_id, editable=False)
    name = models.CharField(_("name"), max_length=200, unique=True)
    key = models.SlugField(_("key"), max_length=60, unique=True)
    description = models.TextField(_("description"), blank=True)
    email = models.EmailField(_("e-mail address"), blank=True)
    lead = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="led_teams", verbose_name=_("lead")
    )
    members = models.ManyToManyField(
        User, through="TeamMembership", related_name="teams", blank=True, verbose_name=_("members")
    )
    is_active = models.BooleanField(_("active"), default=True)

    objects = TeamQuerySet.as_manager()

    class Meta:
        ordering = ("name",)
        verbose_name = _("team")

    def __str__(self) -> str:
        return self.name


class TeamMembership(models.Model):
    """One person's place in one team."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("team", "user"), name="team_member_once"),)

    def __str__(self) -> str:
        return f"{self.user} · {self.team}"


class TokenScope(models.TextChoices):
    """How far a token reaches; each scope includes those before it. It never exceeds its user's own rights."""

    READ = "read", _("Read")
    WRITE = "write", _("Read and write")
    ADMIN = "admin", _("Administration")


class ApiToken(models.Model):
    """A bearer token of the REST API. Only a digest is stored: a lost token is replaced, never read back."""

    user = models.ForeignKey(User, models.CASCADE, related_name="api_tokens")
    name = models.CharField(_("name"), max_length=100, blank=True)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    hint = models.CharField(max_length=8, editable=False)
    scope = models.CharField(_("scope"), max_length=5, choices=TokenScope, default=TokenScope.WRITE)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(_("expires"))
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True, editable=False)

    class Meta:
        ordering = ("-created_at",)
        verbose_name = _("API token")

    def __str__(self) -> str:
        return f"{self.name or self.hint}…"

    def is_valid_at(self, now: datetime) -> bool:
        """Return whether the token opens the door at this instant (aware, UTC)."""
        return self.revoked_at is None and now < self.expires_at and self.user.is_active

    def allows(self, scope: str) -> bool:
        """Return whether the token's scope includes the asked one."""
        order: list[Any] = list(TokenScope.values)
        return order.index(self.scope) >= order.index(scope)


class AdminEvent(models.Model):
    """One change of how the desk is set up: by whom, when, of what. Append-only: a trigger refuses anything else.

    `changes` maps a field to its old and new value, in words. The deed is worded when it is shown.
    """

    class Deed(models.TextChoices):
        """What was done."""

        CREATED = "created", _("created")
        CHANGED = "changed", _("changed")
        ACTIVATED = "activated", _("activated")
        DEACTIVATED = "deactivated", _("deactivated")
        MOVED = "moved", _("moved")
        REMOVED = "removed", _("removed")
        INVITED = "invited", _("sent a password link")

    at = models.DateTimeField(default=timezone.now, editable=False)
    actor = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", editable=False)
    deed = models.CharField(max_length=20, choices=Deed, editable=False)
    model = models.CharField(max_length=100, editable=False)
    object_id = models.CharField(max_length=40, editable=False)
    label = models.CharField(max_length=500, editable=False)
    changes = models.JSONField(default=dict, editable=False)

    class Meta:
        ordering = ("-pk",)
        verbose_name = _("change of the set-up")

    def __str__(self) -> str:
        return f"{self.model} {self.label}: {self.deed}"

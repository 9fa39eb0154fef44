"""Who acts, and by which road."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from itsm.accounts.models import User
from itsm.accounts.roles import Permission
from itsm.tickets.errors import Refused


class Channel(models.TextChoices):
    """The road by which something came in."""

    PORTAL = "portal", gettext_lazy("Portal")
    DESK = "desk", gettext_lazy("Service desk")
    PHONE = "phone", gettext_lazy("Phone")
    WALK_UP = "walk_up", gettext_lazy("Walk-up")
    MAIL = "mail", gettext_lazy("E-mail")
    API = "api", gettext_lazy("API")
    MONITORING = "monitoring", gettext_lazy("Monitoring")
    IMPORT = "import", gettext_lazy("Import")
    SYSTEM = "system", gettext_lazy("System")


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts (None: the system itself), by which channel, and for imports at which past instant (aware, UTC)."""

    user: User | None
    channel: Channel
    at: datetime | None = None

    def __post_init__(self) -> None:
        if self.at is None:
            return
        if self.user is None or not self.user.may(Permission.SET_PAST_INSTANT):
            raise Refused(_("Only importers may say when something happened."))
        if self.at.tzinfo is None:
            raise ValueError("The instant of an import must carry a time zone.")

    @property
    def is_system(self) -> bool:
        """Whether no person stands behind the act: everything is allowed, the rules of state still hold."""
        return self.user is None

    def may(self, permission: Permission) -> bool:
        """Return whether the actor has the permission."""
        return self.user is None or self.user.may(permission)


SYSTEM = Actor(user=None, channel=Channel.SYSTEM)

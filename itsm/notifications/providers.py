"""The ways on which a message reaches a person. The application's inbox and mail are the desk's own; others register.

A provider makes one attempt at one delivery and says what came of it. Rows, retries and the log of every attempt are
the same for all (`itsm/notifications/actions/deliveries.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from itsm.notifications.models import Delivery

INBOX, MAIL, WEBHOOK = "inbox", "mail", "webhook"


@dataclass(frozen=True)
class Outcome:
    """What came of one attempt: `ok`; the answer's status where there was one; an error in words.

    `for_good`: another attempt would fail in the same way.
    """

    ok: bool
    status_code: int | None = None
    error: str = ""
    for_good: bool = False


Deliver = Callable[["Delivery"], Outcome]


@dataclass(frozen=True)
class Provider:
    """A way to reach somebody. `deliver` is None for the two that have tables of their own."""

    code: str
    label: Promise
    deliver: Deliver | None = None


_providers: dict[str, Provider] = {
    INBOX: Provider(INBOX, _("In the application")),
    MAIL: Provider(MAIL, _("By mail")),
}


def register_provider(provider: Provider) -> None:
    """Make a way known; one registered again replaces the former."""
    _providers[provider.code] = provider


def provider_named(code: str) -> Provider | None:
    """Return the provider, or None when nobody registered it."""
    return _providers.get(code)


def providers() -> list[Provider]:
    """Return all providers in the order of registration."""
    return list(_providers.values())

"""Verbs on services."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from cmdb.models import Service
from itsm.accounts.changelog import Deed, check_seen, record_change, state_of
from itsm.accounts.directory import check_free, line
from itsm.accounts.models import Team, User
from itsm.accounts.roles import Permission

SERVICE_FIELDS = ("name", "key", "description", "support_team", "owner", "part_of", "is_active")


@transaction.atomic
def save_service(
    service: Service | None,
    *,
    name: str,
    key: str,
    by: User | None,
    description: str = "",
    support_team: Team | None = None,
    owner: User | None = None,
    part_of: Service | None = None,
    is_active: bool = True,
    seen: str = "",
) -> Service:
    """Create the service (None) or change it, record that, and return it.

    Raises:
        PermissionDenied: the person may not set up the desk.
        ValidationError: a sentence for each value that does not fit.
        ChangedMeanwhile.
    """
    if by is not None and not by.may(Permission.MANAGE_DESK):
        raise PermissionDenied(_("Only an administrator may set up services."))
    fresh = Service.objects.select_for_update().get(pk=service.pk) if service else Service()
    before = state_of(fresh, SERVICE_FIELDS) if service else {}
    check_seen(before, seen)
    fresh.name, fresh.key = line(name, "name", 200), line(key, "key", 60).lower()
    check_free(Service.objects.all(), "name", fresh.name, fresh)
    check_free(Service.objects.all(), "key", fresh.key, fresh)
    line(description, "description", 5000, required=False)
    fresh.description = description.replace("\r\n", "\n").strip()
    if support_team is not None and not support_team.is_active and before.get("support_team") != str(support_team):
        raise ValidationError({"support_team": _("Choose a team that is active.")})
    if part_of is not None:
        _check_no_circle(fresh, part_of)
    fresh.support_team, fresh.owner, fresh.part_of, fresh.is_active = support_team, owner, part_of, is_active
    fresh.full_clean()
    fresh.save()
    record_change(by, Deed.CHANGED if service else Deed.CREATED, fresh, before, state_of(fresh, SERVICE_FIELDS))
    return fresh


def _check_no_circle(service: Service, whole: Service) -> None:
    """Refuse that a service becomes a part of itself, be it over others. The rows are locked by their writers one at a
    time, so the whole set is: two edits at once could close a circle that neither sees.

    Raises:
        ValidationError.
    """
    above = dict(Service.objects.select_for_update(no_key=True).order_by("pk").values_list("pk", "part_of"))
    at: int | None = whole.pk
    while at is not None:
        if at == service.pk:
            raise ValidationError({"part_of": _("A service cannot be a part of itself. Choose another one.")})
        at = above.get(at)

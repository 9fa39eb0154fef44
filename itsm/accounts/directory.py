"""Checks on what an administrator sets about people and teams. The verbs that use them are in `actions`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models
from django.utils.text import slugify
from django.utils.translation import gettext as _

from itsm.accounts.models import Team, User
from itsm.accounts.roles import Permission, Role, permissions_of

MOST_LEVELS = 50


def require(by: User | None, permission: Permission) -> None:
    """Let somebody with the permission pass, and the system itself (None).

    Raises:
        PermissionDenied: with the reason.
    """
    if by is not None and not by.may(permission):
        raise PermissionDenied(_("Only an administrator may change people, teams and organisations."))


def line(value: Any, field: str, longest: int, *, required: bool = True) -> str:
    """Return one line of text without surrounding space.

    Raises:
        ValidationError: empty, too long, or with characters that cannot be stored.
    """
    try:
        text = " ".join(str(forms.CharField(max_length=longest, required=required).clean(value)).split())
        text.encode()
    except UnicodeEncodeError:
        raise ValidationError({field: _("This text holds broken characters. Paste it again.")}) from None
    except ValidationError as error:
        raise ValidationError({field: error.messages}) from error
    return text


def free_key(model: type[models.Model], name: str, fallback: str) -> str:
    """Return a key made from the name that no row of the model has."""
    base = slugify(name)[:50].strip("-") or fallback
    key, number = base, 1
    while model._default_manager.filter(key=key).exists():
        number += 1
        key = f"{base}-{number}"
    return key


def check_free(rows: models.QuerySet[Any], field: str, value: str, besides: models.Model | None) -> None:
    """Refuse a value that another row has, whatever its capitals.

    Raises:
        ValidationError.
    """
    others = rows.filter(**{f"{field}__iexact": value})
    if besides is not None and besides.pk:
        others = others.exclude(pk=besides.pk)
    if others.exists():
        raise ValidationError({field: _("“%(value)s” exists already. Choose another.") % {"value": value}})


def checked_roles(roles: Iterable[str], *, before: Iterable[str], by: User | None) -> list[str]:
    """Return the roles in the order of the table.

    Raises:
        ValidationError: none, or an unknown one.
        PermissionDenied: they carry a right that the giver does not have.
    """
    asked = set(roles)
    unknown = asked - set(Role.values)
    if unknown or not asked:
        raise ValidationError({"roles": _("Choose at least one role from the list.")})
    gained = permissions_of(list(asked)) - permissions_of(list(before))
    if by is not None and not gained <= by.permissions:
        raise PermissionDenied(_("You can only give rights that you have yourself."))
    return [role for role in Role.values if role in asked]


def lock_person(person: User) -> tuple[User, bool]:
    """Return the person read anew, and whether they are the only active administrator.

    All administrators are locked with them, in one order, so that two of them cannot strike each other out at once.
    """
    admins = models.Q(is_active=True, roles__contains=[Role.ADMINISTRATOR])
    rows = list(User.objects.select_for_update().filter(admins | models.Q(pk=person.pk)).order_by("pk"))
    fresh = next(row for row in rows if row.pk == person.pk)
    return fresh, fresh.is_superuser and sum(row.is_superuser for row in rows) == 1


def check_manager(person: User, manager: User | None) -> None:
    """Refuse a manager who is the person, or who reports to them.

    Raises:
        ValidationError.
    """
    above, levels = manager, 0
    while above is not None and levels < MOST_LEVELS:
        if person.pk is not None and above.pk == person.pk:
            raise ValidationError({"manager": _("A person cannot report to themselves, also not through others.")})
        above, levels = above.manager, levels + 1


def check_workers(team: Team | None, lead: User | None, members: Iterable[User]) -> None:
    """Refuse people who do not work on tickets, unless they are in the team already.

    Raises:
        ValidationError.
    """
    known = set(team.members.values_list("pk", flat=True)) if team else set()
    workers = set(User.objects.workers().values_list("pk", flat=True))
    strangers = [one for one in members if one.pk not in known | workers]
    if strangers:
        names = ", ".join(str(one) for one in strangers[:3])
        refusal = _("%(names)s: these people do not work on tickets. Give them a role first.") % {"names": names}
        raise ValidationError({"members": refusal})
    if lead is not None and lead.pk not in workers and not (team and team.lead_id == lead.pk):
        raise ValidationError({"lead": _("The lead must be somebody who works on tickets.")})

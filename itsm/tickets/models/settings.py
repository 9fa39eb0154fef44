"""What an administrator sets for all tickets: categories, the priority matrix, routing rules."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from itsm.accounts.models import Team, public_id

PATH_SEPARATOR = " / "


class CategoryQuerySet(models.QuerySet["Category"]):
    """Questions about categories."""

    def active(self) -> CategoryQuerySet:
        """Return categories that can be chosen."""
        return self.filter(is_active=True)

    def within(self, category: Category) -> CategoryQuerySet:
        """Return the category and everything below it."""
        return self.filter(Q(pk=category.pk) | Q(path__startswith=category.path + PATH_SEPARATOR))


class Category(models.Model):
    """A place in the tree of what tickets are about. `path` holds the names from the root, for one-query trees."""

    public_id = models.CharField(max_length=32, unique=True, default=public_id, editable=False)
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children", verbose_name=_("part of")
    )
    name = models.CharField(_("name"), max_length=100)
    path = models.CharField(_("path"), max_length=500, unique=True, editable=False)
    team = models.ForeignKey(
        Team, models.SET_NULL, null=True, blank=True, related_name="categories", verbose_name=_("team")
    )
    is_active = models.BooleanField(_("active"), default=True)

    objects = CategoryQuerySet.as_manager()

    class Meta:
        ordering = ("path",)
        verbose_name = _("category")
        verbose_name_plural = _("categories")
        constraints = (
            models.UniqueConstraint(fields=("parent", "name"), nulls_distinct=False, name="category_name_once"),
        )

    def __str__(self) -> str:
        return self.path


class PriorityCell(models.Model):
    """One cell of the priority matrix. A change never rewrites tickets that exist (domain rule 2.3)."""

    impact = models.PositiveSmallIntegerField(_("impact"))
    urgency = models.PositiveSmallIntegerField(_("urgency"))
    priority = models.PositiveSmallIntegerField(_("priority"))

    class Meta:
        ordering = ("impact", "urgency")
        constraints = (
            models.UniqueConstraint(fields=("impact", "urgency"), name="priority_cell_once"),
            models.CheckConstraint(
                condition=Q(impact__range=(1, 3), urgency__range=(1, 3), priority__range=(1, 5)),
                name="priority_cell_values",
            ),
        )

    def __str__(self) -> str:
        return f"{self.impact}×{self.urgency} → {self.priority}"


class RoutingRule(models.Model):
    """If a new ticket meets the condition, it goes to the team. The first active rule in order that matches wins."""

    order = models.PositiveIntegerField(_("order"), default=100)
    name = models.CharField(_("name"), max_length=200, unique=True)
    kind = models.CharField(_("kind"), max_length=20, default="incident")
    condition = models.JSONField(_("condition"), default=dict)
    team = models.ForeignKey(Team, models.PROTECT, related_name="routing_rules", verbose_name=_("team"))
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        ordering = ("order", "pk")
        verbose_name = _("routing rule")

    def __str__(self) -> str:
        return self.name

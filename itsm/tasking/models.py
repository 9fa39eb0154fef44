"""Tasks: pieces of work below a ticket."""

from __future__ import annotations

from typing import Any

from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from itsm.tasking.querysets import TaskQuerySet
from itsm.tasking.registry import GENERAL, has_tasks, rules_of
from itsm.tickets.models import Ticket

ORDER_MAX = 999


class Task(Ticket):
    """A piece of work below a ticket, with an owner, a state and a window of its own. Only the desk sees it.

    `order`: tasks of one order are done side by side; those of a higher one wait until all of the lower ones ended.
    `is_generated`: a process made it, not a person. `held_by_parent`: it is held only as long as its parent is.
    `notes`: how it ended. The requester is who opened the parent.
    """

    parent = models.ForeignKey(Ticket, models.PROTECT, related_name="tasks", verbose_name=_("part of"))
    task_type = models.CharField(_("type"), max_length=30, default=GENERAL)
    order = models.PositiveSmallIntegerField(_("order"), default=0, validators=[MaxValueValidator(ORDER_MAX)])
    planned_start = models.DateTimeField(_("planned start"), null=True, blank=True)
    planned_end = models.DateTimeField(_("planned end"), null=True, blank=True)
    is_generated = models.BooleanField(_("made by the process"), default=False, editable=False)
    is_held = models.BooleanField(_("on hold"), default=False, editable=False)
    held_by_parent = models.BooleanField(default=False, editable=False)
    hold_reason = models.TextField(_("what it waits for"), blank=True)
    notes = models.TextField(_("how it ended"), blank=True)

    objects = TaskQuerySet.as_manager()  # type: ignore[misc]  # a child has a manager of its own

    class Meta:
        verbose_name = _("task")
        constraints = (
            models.CheckConstraint(
                condition=Q(planned_start__isnull=True)
                | Q(planned_end__isnull=True)
                | Q(planned_end__gt=F("planned_start")),
                name="task_window",
            ),
            models.CheckConstraint(condition=Q(held_by_parent=False) | Q(is_held=True), name="task_held_by_parent"),
            models.CheckConstraint(condition=Q(order__lte=ORDER_MAX), name="task_order"),
        )
        indexes = (
            models.Index("parent", "order", name="task_parent"),
            models.Index("planned_start", condition=Q(planned_start__isnull=False), name="task_planned"),
        )

    @property
    def parent_kind(self) -> str:
        """The code of the kind of ticket that the task is part of."""
        return self.parent.kind

    @cached_property
    def parent_record(self) -> Any:
        """The ticket that the task is part of, as its kind."""
        parent = self.parent
        model = parent.kind_info.model
        return parent if isinstance(parent, model) else model.objects.get(pk=parent.pk)

    @property
    def type_label(self) -> str:
        """The type in words."""
        return rules_of(self.parent_kind).type_label(self.task_type) if has_tasks(self.parent_kind) else self.task_type

"""Questions about major incidents."""

from __future__ import annotations

from typing import Any, Self

from django.db import models
from django.db.models import F, Q


class MajorIncidentQuerySet(models.QuerySet[Any]):
    """Questions about major incidents."""

    def exclude_alarmed(self) -> Self:
        """Return those for whose due instant nobody has been alarmed yet."""
        return self.filter(Q(alarmed_for=None) | ~Q(alarmed_for=F("next_update_at")))

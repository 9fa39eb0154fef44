"""Changes, what they touch, the library they come from, and what their risk is made of."""

from changes.cab.models import AgendaItem, CabBoard, CabInvitation, CabMeeting
from changes.models.change import AffectedService, Change
from changes.models.library import ChangeTemplate, TemplateTask, TemplateVersion, Track, VersionState
from changes.models.risk import Questionnaire, RiskRule
from changes.models.settings import ChangeSettings
from changes.schedule.models import (
    CalendarFeed,
    ChangeWindow,
    CollisionKind,
    CollisionSettings,
    Conflict,
    Weight,
    WindowKind,
)

__all__ = [
    "AffectedService",
    "AgendaItem",
    "CabBoard",
    "CabInvitation",
    "CabMeeting",
    "CalendarFeed",
    "Change",
    "ChangeSettings",
    "ChangeTemplate",
    "ChangeWindow",
    "CollisionKind",
    "CollisionSettings",
    "Conflict",
    "Questionnaire",
    "RiskRule",
    "TemplateTask",
    "TemplateVersion",
    "Track",
    "VersionState",
    "Weight",
    "WindowKind",
]

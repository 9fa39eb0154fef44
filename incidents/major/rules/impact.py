"""The template of the business impact: names in braces stand for what is so when the rule acts."""

from __future__ import annotations

import re

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from incidents.major.models import IMPACT_MAX
from incidents.major.rules.judging import Reach
from incidents.models import Incident

PLACE = re.compile(r"\{([^{}\s]+)\}")
PLACES = {
    "number": gettext_lazy("its number"),
    "title": gettext_lazy("its title"),
    "priority": gettext_lazy("its priority in a word"),
    "service": gettext_lazy("the service"),
    "children": gettext_lazy("how many incidents are part of it"),
    "people": gettext_lazy("how many people are affected"),
}


def unknown_places(template: str) -> list[str]:
    """Return the names in braces that stand for nothing, each once, as they are written."""
    return list(dict.fromkeys(name for name in PLACE.findall(template) if name not in PLACES))


def filled(template: str, incident: Incident, reach: Reach) -> str:
    """Return the text for this incident, cut where it would be too long to store. An unknown name stays as it is."""
    values = {
        "number": incident.number,
        "title": incident.title,
        "priority": str(incident.get_priority_display()),
        "service": str(incident.service) if incident.service is not None else _("a service that is not named"),
        "children": str(reach.children),
        "people": str(reach.people),
    }
    text = PLACE.sub(lambda found: values.get(found[1], found[0]), template)
    return text if len(text) <= IMPACT_MAX else text[: IMPACT_MAX - 1] + "…"

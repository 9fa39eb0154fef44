"""The event code of reports and its wording. Internal: why a target was missed is the desk's business."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from itsm.tickets.events import Names, register_event
from reports.models import Reason
from slas.models import Metric

EXPLAINED = "sla.breach_explained"


def _explained(data: Mapping[str, Any], names: Names) -> str:
    metric, reason = data.get("metric", ""), data.get("reason", "")
    words = {
        "metric": str(Metric(metric).label).lower() if metric in Metric.values else metric,
        "reason": Reason(reason).label if reason in Reason.values else reason,
        "remark": data.get("remark", ""),
    }
    if words["remark"]:
        return _("said why the %(metric)s target was missed: %(reason)s. %(remark)s") % words
    return _("said why the %(metric)s target was missed: %(reason)s") % words


register_event(EXPLAINED, _explained, icon="message-question", internal=True)

"""What the CAB adds to the room of changes on start-up."""

from __future__ import annotations


def ready() -> None:
    """Make the event known, and let approval policies name the CAB."""
    from django.utils.translation import gettext_lazy as _

    from changes.cab import events  # noqa: F401  registry is filled on import
    from changes.cab.agenda import approvers
    from itsm.approvals.subjects import register_approver_group

    register_approver_group("cab", _("CAB"), approvers)

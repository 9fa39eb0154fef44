"""What the commands that read a log share: its zone, and the file that the report goes to."""

from __future__ import annotations

import json
import zoneinfo
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.utils.translation import gettext as _


def zone_named(name: str) -> zoneinfo.ZoneInfo:
    """Return the time zone of this name.

    Raises:
        CommandError: there is none.
    """
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise CommandError(_("“%(name)s” is no time zone. Give one such as Europe/Berlin.") % {"name": name}) from None


def check_report(target: Path | None) -> None:
    """Refuse a report, where one is asked for, that has no folder to go to: before the work, not after it.

    Raises:
        CommandError.
    """
    if target is not None and not target.absolute().parent.is_dir():
        folder = target.absolute().parent
        raise CommandError(_("There is no folder %(folder)s to write the report to.") % {"folder": folder})


def write_report(target: Path | None, report: Mapping[str, Any]) -> None:
    """Write the report as JSON, where one is asked for.

    Raises:
        CommandError: the file cannot be written.
    """
    if target is None:
        return
    try:
        target.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise CommandError(
            _("The report cannot be written to %(file)s: %(reason)s.") % {"file": target, "reason": error.strerror}
        ) from error

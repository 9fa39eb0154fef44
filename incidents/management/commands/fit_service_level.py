"""`bin/manage fit_service_level FILE`: find the calendar and targets behind a desk's own verdicts on its targets."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import ProgrammingError
from django.utils.translation import gettext as _

from incidents.management.arguments import check_report, write_report, zone_named
from incidents.replay.fitted import STOPS, FittedReport, fitted_policy, reading_of
from incidents.replay.reading import LogFileError
from incidents.replay.verdicts import NO_HOLD, read_verdicts
from itsm.tickets.actors import SYSTEM
from itsm.tickets.errors import VerbError
from slas.actions import GoalSpec, save_calendar, save_policy
from slas.calendars import CalendarError
from slas.fitting import Rule, search
from slas.models import BusinessCalendar, Metric, ServiceLevelPolicy

SHOWN_EVERY = 100


class Command(BaseCommand):
    help = (
        "Find from an incident event log (UCI dataset 498, .csv or .csv.gz) by which hours and targets its made_sla "
        "was judged. Nothing is stored unless --save is given."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the file, the share held out, the zone of its times, where the report goes, and a name to save under."""
        parser.add_argument("file", type=Path, metavar="FILE", help="the log, packed (.gz) or plain")
        parser.add_argument(
            "--holdout",
            type=float,
            default=0.3,
            metavar="SHARE",
            help="the share kept for checking only (default: 0.3)",
        )
        parser.add_argument("--report", type=Path, metavar="FILE", help="also write the report as JSON to this file")
        parser.add_argument("--zone", default="UTC", help="the time zone of the log's times (default: UTC)")
        parser.add_argument("--save", metavar="NAME", help="store the calendar, and a policy that is switched off")

    def handle(self, *args: Any, **options: Any) -> None:
        """Search, print the report, and save what was found where that is asked for."""
        if not 0 <= options["holdout"] < 1:
            raise CommandError(_("--holdout must be a share from 0 to below 1, such as 0.3."))
        zone = zone_named(options["zone"])
        check_report(options["report"])
        if options["save"] is not None:
            _check_name(options["save"])
        began = time.monotonic()
        try:
            verdicts = read_verdicts(options["file"], zone)
        except LogFileError as error:
            raise CommandError(str(error)) from None
        sides = verdicts.split(options["holdout"])
        if not sides[0]:
            raise CommandError(_("Nothing is left to fit on. Give a smaller --holdout or a larger log."))
        try:
            found = search(
                verdicts.as_log(), sides[0], zone=options["zone"], span=verdicts.span, progress=self._show_progress
            )
        except CalendarError as error:
            reason = _(error.template) % error.params
            raise CommandError(_("The log's times do not fit a calendar: %(reason)s") % {"reason": reason}) from error
        seconds = time.monotonic() - began
        report = FittedReport.of(str(options["file"]), options["zone"], verdicts, found, sides, seconds)
        write_report(options["report"], report.as_plain())
        self.stdout.write(report.as_text())
        if options["save"] is not None:
            self._save(options["save"], found.best)

    def _show_progress(self, tried: int) -> None:
        if tried % SHOWN_EVERY == 0:
            self.stderr.write(_("%(count)d rules tried") % {"count": tried})

    def _save(self, name: str, rule: Rule) -> None:
        stop, hold = reading_of(rule)
        try:
            calendar = save_calendar(name, rule.spec, actor=SYSTEM)
            goals = [GoalSpec(goal["target_s"], calendar, goal["condition"]) for goal in fitted_policy(rule)]
            policy = save_policy(
                name,
                metric=Metric.RESOLUTION,
                goals=goals,
                actor=SYSTEM,
                pause_condition=None if hold == NO_HOLD else "on_hold",
                is_active=False,
            )
        except VerbError as error:
            raise CommandError(_("The rule cannot be saved: %(reason)s") % {"reason": error.message}) from error
        self.stdout.write(
            _("\nSaved the calendar “%(calendar)s” and the policy “%(policy)s”, switched off.")
            % {"calendar": calendar.name, "policy": policy.name}
        )
        if not stop.startswith("resolved"):
            self.stdout.write(
                _("A resolution clock stops when the incident is resolved, the log's at %(stop)s.")
                % {"stop": STOPS[stop]}
            )


def _check_name(name: str) -> None:
    """Refuse, before the search, a name under which nothing can be saved or something else would be changed."""
    if not name.strip():
        raise CommandError(_("--save needs a name for the calendar and the policy."))
    try:
        taken = any(
            model.objects.filter(name=name.strip()).exists() for model in (BusinessCalendar, ServiceLevelPolicy)
        )
    except ProgrammingError as error:
        raise CommandError(_("The database has no tables yet. Run bin/manage prepare first.")) from error
    if taken:
        raise CommandError(
            _("There is a calendar or a policy named “%(name)s” already. Choose another name.") % {"name": name}
        )

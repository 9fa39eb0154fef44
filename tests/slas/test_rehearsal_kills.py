"""Workers of a rehearsal that are killed with SIGKILL, at any moment: no ticket twice, none left out."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.db.models import Count

from incidents.actions import open_incident, resolve
from itsm.tickets.clock import db_now
from slas.actions.trials import Selection, prepare_trial, start_trial
from slas.models import Trial, TrialRow
from slas.plans import current_levels
from slas.rehearsal.running import work
from tests.cast import as_, make_cast
from tests.slas.conftest import MONDAY_NINE, OFFICE, at, make_levels

pytestmark = [pytest.mark.servers, pytest.mark.django_db(transaction=True)]

ROOT = Path(__file__).resolve().parents[2]
TICKETS, KILLS = 60, 8
FIXED = {"resolution_code": "solution_provided", "resolution_notes": "Done."}
WORKER = """
import django; django.setup()
from slas.rehearsal import running
running.BATCH = 3
while running.work(60): pass
"""


def worker() -> subprocess.Popen[bytes]:
    """Start a worker of its own on the tests' database."""
    settings = connection.settings_dict
    address = os.environ["DATABASE_URL"]
    base, _slash, rest = address.rpartition("/")
    _name, mark, query = rest.partition("?")
    environment = os.environ | {
        "DATABASE_URL": f"{base}/{settings['NAME']}{mark}{query}",
        "DJANGO_SETTINGS_MODULE": "itsm.settings",
    }
    return subprocess.Popen([sys.executable, "-c", WORKER], cwd=ROOT, env=environment)


def test_killed_workers_lose_and_double_nothing(transactional_db: None) -> None:
    cast = make_cast()
    make_levels(OFFICE)
    for number in range(TICKETS):
        incident = open_incident(actor=at(cast.imke, MONDAY_NINE), title=f"No. {number}", requester=cast.rita)
        resolve(incident, actor=at(cast.imke, MONDAY_NINE + timedelta(hours=1 + number % 12)), **FIXED)
    prepared = prepare_trial("Try", current_levels(), kind="sla", metric="resolution", actor=as_(cast.sven))
    period = Selection(MONDAY_NINE, MONDAY_NINE + timedelta(days=1))
    trial = start_trial(prepared, period, actor=as_(cast.sven))
    chance = random.Random(7)
    seen = []
    for _kill in range(KILLS):
        running = worker()
        started = time.monotonic()
        done = Trial.objects.get(pk=trial.pk).done
        while (
            Trial.objects.get(pk=trial.pk).done == done and running.poll() is None and time.monotonic() - started < 30
        ):
            time.sleep(0.01)
        time.sleep(chance.random() * 0.05)
        running.kill()
        running.wait()
        seen.append(Trial.objects.get(pk=trial.pk).done)
        Trial.objects.filter(pk=trial.pk, state="running").update(
            lease_until=db_now() - timedelta(seconds=1), attempts=0
        )
    while work():
        pass
    trial.refresh_from_db()
    assert seen[0] < TICKETS, "no worker was killed in the middle"
    assert (trial.state, trial.done, trial.failures) == ("done", TICKETS, 0)
    rows = TrialRow.objects.filter(trial=trial)
    assert rows.values("ticket").distinct().count() == TICKETS
    assert not rows.values("ticket").annotate(n=Count("pk")).filter(n__gt=1).exists()
    assert trial.result["whole"]["would"] == trial.result["whole"]["did"]

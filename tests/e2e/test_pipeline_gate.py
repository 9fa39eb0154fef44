"""The script of docs/changes.md, run as it stands there against the served product (CH-14)."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from django.conf import settings

from tests.e2e.product import ON_ONE_WORKER, Product

pytestmark = ON_ONE_WORKER
LIBRARY = """
from changes.actions.library import approve_version, propose_template
from itsm.accounts.models import User
from itsm.tickets.actors import Actor, Channel, SYSTEM
agent = User.objects.get(email="agent@demo.example")
plans = dict.fromkeys(("justification", "implementation_plan", "backout_plan", "test_plan"), "By the pipeline.")
content = {"title": "Deploy", "affected_other": ["The web shop"], "team": agent.teams.first(), **plans}
actor = Actor(agent, Channel.DESK)
version = propose_template(actor=actor, name="Deploy from the pipeline", key="pipeline-deploy", content=content)
approve_version(version, actor=SYSTEM, track="standard")
"""


def script() -> str:
    """Return the shell example of the guide."""
    page = (Path(settings.BASE_DIR) / "docs" / "changes.md").read_text(encoding="utf-8")
    found = re.findall(r"```sh\n(.*?)```", page, re.S)
    assert len(found) == 1
    return str(found[0])


@pytest.mark.skipif(shutil.which("curl") is None, reason="the example uses curl")
def test_the_example_of_the_guide_runs(product: Product) -> None:
    product.shell(LIBRARY)
    call = product.caller("agent")
    own = {"URL": product.url, "TOKEN": call.token, "TEMPLATE": "pipeline-deploy", "WAIT": "1"}
    surroundings = {**os.environ, **own}
    for deploy, code in (("true", "successful"), ("false", "unsuccessful")):
        done = subprocess.run(
            ["/bin/sh", "-c", script()],
            env={**surroundings, "DEPLOY": deploy},
            capture_output=True,
            text=True,
            timeout=120,
        )
        if code == "successful":
            assert done.returncode == 0, done.stderr + done.stdout
            number = re.findall(r"opened (CHG\d+)", done.stdout)[0]
            assert f"closed {number}: {code}" in done.stdout
            change = call.get(f"changes/{number}/")
            assert (change["status"], change["close_code"], change["change_type"]) == ("closed", code, "standard")
        else:
            assert f": {code}" in done.stdout, done.stderr + done.stdout
    # The failure has demoted the template: its next change needs people, and the gate stays shut.
    once = subprocess.run(
        ["/usr/bin/timeout", "20", "/bin/sh", "-c", script()],
        env={**surroundings, "DEPLOY": "true"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert once.returncode != 0
    assert "closed" not in once.stdout
    number = re.findall(r"opened (CHG\d+)", once.stdout)[0]
    assert call.get(f"changes/{number}/")["status"] == "assess"

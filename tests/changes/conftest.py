"""Changes at every state of every type, made by the verbs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from changes.actions import open_change, perform
from changes.actions.library import approve_version, open_from_template, propose_template
from changes.models import Change, ChangeTemplate, Track
from changes.statuses import ChangeType, Status
from itsm.accounts.models import User
from itsm.accounts.roles import Role
from itsm.tickets.actors import SYSTEM
from itsm.tickets.clock import db_now
from tests.cast import PASSWORD, Cast, as_

PLANS = {
    "justification": "The certificate expires on Sunday.",
    "implementation_plan": "1. Copy it. 2. Reload the gateway.",
    "backout_plan": "Put the old one back and reload.",
    "test_plan": "Sign in from outside.",
}
WAYS: dict[str, tuple[str, ...]] = {
    ChangeType.NORMAL: ("request_approval", "assessed", "authorised", "start", "finish", "close"),
    ChangeType.EMERGENCY: ("request_authorisation", "authorised", "start", "finish", "close"),
    ChangeType.STANDARD: ("schedule", "start", "finish", "close"),
}
CLOSING = {"close_code": "successful", "close_notes": "Done as planned.", "review_notes": "Nothing to add."}


@pytest.fixture
def mona(cast: Cast) -> User:
    """Mona manages changes."""
    return User.objects.create_user(
        "mona@example.com", PASSWORD, display_name="Mona Example", roles=[Role.REQUESTER, Role.CHANGE_MANAGER]
    )


Template = Callable[..., ChangeTemplate]


@pytest.fixture
def make_template(cast: Cast, mona: User) -> Template:
    """Return a function that puts an approved template into the library."""

    def make(name: str = "Renew a certificate", track: str = Track.NORMAL, **content: Any) -> ChangeTemplate:
        said = {"title": name, "services": [cast.vpn], "team": cast.network, **PLANS, **content}
        tasks = said.pop("tasks", [])
        key = name.lower().replace(" ", "-")
        version = propose_template(actor=as_(cast.anna), name=name, key=key, content=said, tasks=tasks)
        return approve_version(version, actor=as_(mona), track=track).template

    return make


@dataclass
class Maker:
    """Makes changes of every type and brings them to every state."""

    cast: Cast
    make_template: Template

    def open(self, kind: str = ChangeType.NORMAL, **values: Any) -> Change:
        """Return a new change with its plans, in a window that is open now."""
        now = db_now()
        window = {"planned_start": now - timedelta(hours=1), "planned_end": now + timedelta(hours=2)}
        if kind == ChangeType.STANDARD:
            template = ChangeTemplate.objects.filter(track=Track.STANDARD, retired_at=None).first()
            template = template or self.make_template("Standard renewal", Track.STANDARD)
            return open_from_template(template, actor=as_(self.cast.anna), **{**window, **values})
        if values.get("is_retroactive"):
            window = {"actual_start": now - timedelta(hours=3), "actual_end": now - timedelta(hours=2)}
        said = {
            "title": "Renew the certificate",
            "service": self.cast.vpn,
            "plans": PLANS,
            "requester": self.cast.rita,
            **window,
        }
        return open_change(actor=as_(self.cast.anna), change_type=kind, **{**said, **values})

    def at(self, kind: str, status: str, *, held: bool = False, **values: Any) -> Change:
        """Return a change of the type at the status; the system decides in the place of approvers."""
        change = self.open(kind, **values)
        if status == Status.CANCELLED:
            return perform(change, "cancel", actor=SYSTEM, fields={"reason": "Not needed."})
        for move in WAYS[kind]:
            if change.status == status:
                break
            step = "authorised_afterwards" if move == "authorised" and change.is_retroactive else move
            if step == "start" and change.status == Status.REVIEW:
                continue
            if step == "finish" and change.status == Status.REVIEW:
                continue
            change = perform(change, step, actor=SYSTEM, fields=CLOSING if step == "close" else {})
        assert change.status == status
        if held:
            change = perform(change, "hold", actor=SYSTEM, fields={"reason": "A part is missing."})
        return change


@pytest.fixture
def maker(cast: Cast, make_template: Template) -> Maker:
    """Return what makes changes."""
    return Maker(cast, make_template)

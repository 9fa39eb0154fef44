"""The demo desk: what somebody finds who looks around in it."""

import pytest

from changes.models import Change, ChangeTemplate, ChangeWindow, CollisionKind, Conflict
from incidents.models import Incident
from itsm.accounts.models import User
from itsm.approvals.models import Ask
from itsm.demo.people import DOMAIN
from itsm.demo.seeding import seed_demo
from itsm.tasking.models import Task
from itsm.tickets.models import Link, LinkKind
from problems.models import Problem
from tests.memory import remembered

pytestmark = pytest.mark.django_db


@pytest.fixture
def demo(db: None) -> None:
    """The demo desk."""
    assert remembered("demo", seed_demo)


def test_the_demo_has_a_month_of_changes_problems_and_families(demo: None) -> None:
    assert seed_demo() is None  # once
    changes = Change.objects.all()
    assert set(changes.values_list("status", flat=True)) == {
        "new",
        "assess",
        "authorise",
        "scheduled",
        "implement",
        "review",
        "closed",
        "cancelled",
    }
    assert set(changes.values_list("change_type", flat=True)) == {"standard", "normal", "emergency"}
    assert changes.filter(close_code="unsuccessful").exclude(review_notes="").exists()
    assert changes.filter(is_on_hold=True).exists()
    assert ChangeTemplate.objects.filter(current__isnull=False).count() == 2
    assert ChangeWindow.objects.count() == 3
    found = set(Conflict.objects.current().values_list("kind", flat=True))
    assert {CollisionKind.SAME_SERVICE, CollisionKind.FREEZE} <= found
    states = set(Problem.objects.values_list("status", "resolution_code"))
    assert {("root_cause_analysis", ""), ("closed", "risk_accepted"), ("resolved", "fix_applied")} <= states
    assert Problem.objects.filter(is_known_error=True, published_at__isnull=False).exists()
    kinds = set(Link.objects.values_list("kind", flat=True))
    assert {LinkKind.FIXED_BY, LinkKind.PROBLEM, LinkKind.CAUSED_BY} <= kinds
    assert {"change", "problem"} <= set(Task.objects.values_list("parent__kind", flat=True))
    assert Incident.objects.filter(child_count=2, outage__withdrawn_at=None).exists()
    by_rule = Incident.objects.get(major_state="proposed")
    assert "3 people are affected" in by_rule.major.proposal
    assert Incident.objects.filter(major_state="accepted", outage__withdrawn_at=None).exists()
    assert Incident.objects.filter(merged_into__isnull=False).exists()


@pytest.mark.parametrize("mailbox", ["lead", "changes"])
def test_something_waits_for_those_who_approve(demo: None, mailbox: str) -> None:
    asked = Ask.objects.filter(state="asked", stage__state="asked", person__email=f"{mailbox}@{DOMAIN}")
    assert asked.exists()


def test_the_past_stays_in_the_past(demo: None) -> None:
    for change in Change.objects.filter(status="closed"):
        times = list(change.events.order_by("seq").values_list("at", flat=True))
        assert times == sorted(times), change
        assert change.opened_at == times[0]
    assert not User.objects.filter(roles__contains=["importer"]).exists()

"""The rules and questions about risk that an installation begins with, and that a change manager then edits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def _leaf(field: str, op: str, value: Any) -> dict[str, Any]:
    return {"field": field, "op": op, "value": value}


ENOUGH = 5  # below so many closed changes a rate says little

RULES: tuple[tuple[str, dict[str, Any], int], ...] = (
    ("A critical service is affected", _leaf("criticality", "eq", 1), 25),
    ("A service of high criticality is affected", _leaf("criticality", "eq", 2), 15),
    ("Five services or more", _leaf("services", "gte", 5), 15),
    ("Two to four services", {"all": [_leaf("services", "gte", 2), _leaf("services", "lte", 4)]}, 5),
    ("Within business hours", _leaf("business_hours", "eq", True), 10),
    ("Less than two days ahead", {"all": [_leaf("lead_hours", "lt", 48), _leaf("type", "ne", "standard")]}, 5),
    ("Emergency", _leaf("type", "eq", "emergency"), 15),
    ("Standard change, proven before", _leaf("type", "eq", "standard"), -15),
    (
        "The team's changes failed often lately",
        {"all": [_leaf("success_rate", "lt", 80), _leaf("closed", "gte", ENOUGH)]},
        15,
    ),
    (
        "The team's changes went well lately",
        {"all": [_leaf("success_rate", "gte", 95), _leaf("closed", "gte", ENOUGH)]},
        -5,
    ),
)


def _question(key: str, text: str, *answers: tuple[str, str, int]) -> dict[str, Any]:
    return {
        "key": key,
        "text": text,
        "answers": [{"key": name, "label": label, "points": points} for name, label, points in answers],
    }


QUESTIONS: tuple[dict[str, Any], ...] = (
    _question(
        "loss",
        "What do people lose while it is made?",
        ("nothing", "Nothing", 0),
        ("part", "Part of the service, or its redundancy", 5),
        ("all", "The whole service", 15),
    ),
    _question(
        "tested",
        "How was it tested?",
        ("twin", "The whole of it, on a system like the real one", 0),
        ("partly", "Partly", 5),
        ("not", "Not at all", 15),
    ),
    _question(
        "undone",
        "How is it undone?",
        ("quick", "In minutes, by what is prepared", 0),
        ("window", "By hand, within the window", 5),
        ("hard", "Hardly, or not within the window", 20),
    ),
    _question(
        "practice",
        "How often has the team done it?",
        ("often", "Often", 0),
        ("few", "A few times", 5),
        ("never", "Never", 10),
    ),
)


POLICIES: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("Technical review of changes", "assess", {"from": "ticket_team"}),
    ("Authorisation of changes", "authorise", {"from": "role", "role": "change_manager"}),
)


def install_policies(model: Callable[[str], Any]) -> None:
    """Store who approves changes, where no approval policy for them is there yet: somebody of the team that makes it,
    then a change manager. `model` gives a model of the approvals by its name."""
    policies = model("ApprovalPolicy")
    if policies.objects.filter(kind="change").exists():
        return
    for name, purpose, source in POLICIES:
        stage = {
            "name": name,
            "approvers": [source],
            "mode": "any",
            "needed": 1,
            "condition": {},
            "remind_hours": 24,
        }
        policy = policies.objects.create(name=name, kind="change", purpose=purpose, order=1000)
        policy.current = model("PolicyVersion").objects.create(policy=policy, number=1, stages=[stage])
        policy.save(update_fields=["current"])


def install(model: Callable[[str], Any]) -> None:
    """Store the rules and the questions where there are none yet. `model` gives a model of this room by its name."""
    if not model("RiskRule").objects.exists():
        model("RiskRule").objects.bulk_create(
            model("RiskRule")(order=10 * place, name=name, condition=condition, points=points)
            for place, (name, condition, points) in enumerate(RULES, start=1)
        )
    if not model("Questionnaire").objects.exists():
        model("Questionnaire").objects.create(number=1, questions=list(QUESTIONS))

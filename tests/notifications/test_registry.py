"""Further rooms add their own events, audiences and words."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from incidents.actions import start
from incidents.models import Incident
from itsm.notifications import audience, defaults, registry
from itsm.notifications.models import Notice
from itsm.notifications.registry import Wording, register_rule, register_wording, rules_for
from itsm.tickets.hooks import consumers_for
from tests.cast import Cast, as_
from tests.notifications.conftest import told


@pytest.fixture
def own_rules(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the test register what it likes; afterwards everything is as before."""
    with monkeypatch.context() as patch:
        patch.setattr(registry, "_rules", {code: list(rules) for code, rules in registry._rules.items()})
        patch.setattr(registry, "_wordings", dict(registry._wordings))
        yield
    registry._subscribe()


def test_a_room_above_adds_a_rule_and_its_event_is_handed_over(
    own_rules: None, incident: Incident, cast: Cast, deliver
) -> None:
    deliver()
    assert "notifications" not in consumers_for("incident.started")
    register_wording(Wording("begun", "Work began: %(title)s", "%(actor)s works on %(number)s."))
    register_rule("incident.started", audience.requester, "begun")
    start(incident, actor=as_(cast.anna))
    [message] = deliver()
    assert message.subject == f"[{incident.number}] Work began: VPN is slow"
    assert message.body.startswith(f"Anna Example works on {incident.number}.")
    assert ("rita@example.com", "begun") in told(incident)
    assert Notice.objects.filter(user=cast.rita, kind="begun").count() == 1


def test_a_rule_needs_words(own_rules: None) -> None:
    with pytest.raises(KeyError):
        register_rule("incident.started", audience.requester, "unheard_of")


def test_the_same_rule_twice_counts_once(own_rules: None) -> None:
    before = len(rules_for("incident.opened"))
    register_rule("incident.opened", audience.requester, "received", also_actor=True)
    assert len(rules_for("incident.opened")) == before


@pytest.mark.parametrize("wording", defaults.WORDINGS, ids=lambda wording: wording.kind)
def test_every_sentence_names_only_what_is_known(wording: Wording) -> None:
    values = dict.fromkeys(("number", "title", "actor", "continued", "said"), "x")
    for text in (wording.subject, wording.lead, wording.by_system, wording.closing):
        assert "%(" not in str(text) % values

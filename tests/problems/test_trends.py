"""Trends: what belongs together is proposed with its cost, what was dismissed stays so; a killed worker is no harm."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from incidents.actions import cancel, open_incident, resolve, start
from incidents.models import Incident
from itsm.tickets.actors import SYSTEM, Channel
from itsm.tickets.errors import IllegalMove, Invalid, Refused
from itsm.tickets.models import Link
from problems.actions import link_incidents, open_problem
from problems.actions.trends import bring_back, dismiss, open_from_candidate, start_run, stop_run
from problems.models import Basis, Dismissal, Problem, RunState, TrendCandidate, TrendItem, TrendRun
from problems.trends import running
from problems.trends.clusters import clusters_of, same_words
from problems.trends.costs import agent_seconds
from problems.trends.words import words_of_title
from tests.cast import Cast, as_


def flood(cast: Cast) -> list[Incident]:
    """Open six incidents about one thing, in different words, and four that share nothing but their category."""
    titles = (
        "VPN drops at noon",
        "vpn drops!",
        "The VPN drops again",
        "VPN 17 drops at noon",
        "vpn drops",
        "Vpn drops noon",
    )
    same = [open_incident(actor=as_(cast.rita, Channel.PORTAL), title=title, service=cast.vpn) for title in titles]
    for title in ("Toner empty", "Paper jam", "Screen flickers", "Mouse lost"):
        open_incident(actor=as_(cast.rita, Channel.PORTAL), title=title, category=cast.hardware)
    return same


def run_over(cast: Cast, least: int = 3) -> TrendRun:
    """Start a run over the last days and let the worker do all of it."""
    now = timezone.now()
    run = start_run(now - timedelta(days=7), now + timedelta(hours=1), least=least, actor=as_(cast.anna))
    while running.work():
        pass
    running.work()
    run.refresh_from_db()
    return run


def test_words_of_titles() -> None:
    assert words_of_title("The VPN drops (again!) 4711") == ("drops", "vpn")
    assert words_of_title("Drucker druckt nicht mehr") == ("druckt", "drucker") or words_of_title(
        "Drucker druckt nicht mehr"
    ) == ("drucker", "druckt")
    assert words_of_title("🔥 12 !!") == ()
    assert len(words_of_title(" ".join(f"word{n}" for n in range(100)))) == 12


def test_clusters_join_what_is_alike_and_nothing_else() -> None:
    counted = {
        ("drops", "vpn"): 5,
        ("drops", "noon", "vpn"): 3,
        ("jam", "paper"): 4,
        ("empty", "toner"): 2,
        ("printer",): 4,
    }
    found = clusters_of(counted, 3)
    assert [(one.words, one.count) for one in found] == [
        (("drops", "vpn"), 8),
        (("jam", "paper"), 4),
        (("printer",), 4),
    ]
    odd = {("odd", f"only{number}", f"here{number}"): 1 for number in range(20)}
    assert clusters_of(odd, 3) == [], "one word in three that recurs is not what these are about"
    assert same_words(["a", "b", "c"], ["a", "b"])
    assert not same_words(["a", "b"], ["a", "c"])
    assert not same_words([], ["a"])


def test_a_flood_is_proposed_with_what_it_cost(cast: Cast) -> None:
    same = flood(cast)
    start(same[0], actor=as_(cast.anna))
    resolve(same[0], actor=as_(cast.anna), resolution_code="user_error", resolution_notes="x")
    Incident.objects.filter(pk=same[1].pk).update(opened_at=timezone.now() - timedelta(days=2))
    run = run_over(cast)
    assert (run.state, run.done, run.total) == (RunState.DONE, 10, 10)
    assert not TrendItem.objects.exists()
    words = run.candidates.get(basis=Basis.WORDS)
    assert words.ticket_ids == sorted(one.pk for one in same)
    assert (words.count, words.service, "vpn" in words.words) == (6, cast.vpn, True)
    assert words.title in {one.title for one in same}
    assert 60 <= words.agent_s < 70
    assert words.wait_s >= 2 * 86400
    places = {(one.service, one.category, one.count) for one in run.candidates.filter(basis=Basis.PLACE)}
    assert places == {(cast.vpn, None, 6), (None, cast.hardware, 4)}


def test_agent_time_counts_visits_and_short_gaps_of_the_desk_only(cast: Cast) -> None:
    one, untouched = (open_incident(actor=as_(cast.rita, Channel.PORTAL), title="x") for _ in range(2))
    start(one, actor=as_(cast.anna))
    assert agent_seconds([one.pk, untouched.pk]) == {one.pk: 60}


def test_what_a_problem_has_or_was_cancelled_is_left_out(cast: Cast) -> None:
    same = flood(cast)
    cancel(same[0], actor=as_(cast.anna), reason="x")
    open_problem(actor=as_(cast.anna), title="Known", incidents=same[1:3])
    assert run_over(cast).candidates.get(basis=Basis.WORDS).count == 3


def test_one_click_opens_one_problem_with_all_incidents(cast: Cast) -> None:
    same = flood(cast)
    candidate = run_over(cast).candidates.get(basis=Basis.WORDS)
    for person in (cast.rita, cast.olaf):
        with pytest.raises(Refused):
            open_from_candidate(candidate, actor=as_(person))
    problem = open_from_candidate(candidate, actor=as_(cast.anna))
    assert open_from_candidate(candidate, actor=as_(cast.ben)) == problem
    assert Problem.objects.count() == 1
    assert {row.source_id for row in Link.objects.filter(target=problem)} == {one.pk for one in same}
    assert (problem.title, problem.service) == (candidate.title, cast.vpn)
    with pytest.raises(IllegalMove):
        dismiss(candidate, actor=as_(cast.anna))
    assert not run_over(cast).candidates.filter(basis=Basis.WORDS).exists()


def test_dismissed_is_remembered_by_later_runs(cast: Cast) -> None:
    flood(cast)
    first = run_over(cast)
    for candidate in first.candidates.all():
        dismiss(candidate, actor=as_(cast.anna), reason="Known and cheap")
        dismiss(candidate, actor=as_(cast.ben))
    assert Dismissal.objects.count() == 3
    open_incident(actor=as_(cast.rita, Channel.PORTAL), title="VPN drops badly", service=cast.vpn)
    second = run_over(cast)
    assert second.candidates.count() == 3
    assert not second.candidates.filter(dismissed_at=None).exists()
    back = bring_back(second.candidates.get(basis=Basis.WORDS), actor=as_(cast.anna))
    assert back.dismissed_at is None
    assert run_over(cast).candidates.get(dismissed_at=None).basis == Basis.WORDS


def test_a_killed_worker_is_no_harm(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    flood(cast)
    monkeypatch.setattr(running, "BATCH", 4)
    now = timezone.now()
    run = start_run(now - timedelta(days=7), now + timedelta(hours=1), least=3, actor=as_(cast.anna))
    whole = running.agent_seconds

    def killed(ids: list[int]) -> dict[int, int]:
        if TrendItem.objects.exists():
            raise KeyboardInterrupt
        return whole(ids)

    monkeypatch.setattr(running, "agent_seconds", killed)
    with pytest.raises(KeyboardInterrupt):
        running.work()
    run.refresh_from_db()
    assert (run.state, run.done) == (RunState.RUNNING, 4)
    assert running.work() == 0, "its lease has not run out"
    monkeypatch.setattr(running, "agent_seconds", whole)
    TrendRun.objects.update(lease_until=now - timedelta(minutes=1))
    assert running.work() == 6
    run.refresh_from_db()
    assert (run.state, run.done) == (RunState.DONE, 10)
    assert TrendCandidate.objects.filter(basis=Basis.WORDS).get().count == 6


def test_what_goes_wrong_again_and_again_fails_with_a_sentence(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    flood(cast)
    run = start_run(timezone.now() - timedelta(days=7), timezone.now(), least=3, actor=as_(cast.anna))

    def broken(ids: list[int]) -> dict[int, int]:
        raise RuntimeError("broken")

    monkeypatch.setattr(running, "agent_seconds", broken)
    for _attempt in range(running.MOST_ATTEMPTS):
        assert running.work() == 0
        TrendRun.objects.filter(state=RunState.RUNNING).update(lease_until=timezone.now() - timedelta(minutes=1))
    run.refresh_from_db()
    assert run.state == RunState.FAILED
    assert "went wrong" in run.error


def test_starting_and_stopping(cast: Cast) -> None:
    now = timezone.now()
    for begin, end, least in ((now, now, 3), (now - timedelta(days=999), now, 3), (now - timedelta(days=1), now, 1)):
        with pytest.raises(Invalid):
            start_run(begin, end, least=least, actor=as_(cast.anna))
    for actor in (as_(cast.rita), as_(cast.olaf), SYSTEM):
        with pytest.raises(Refused):
            start_run(now - timedelta(days=1), now, least=3, actor=actor)
    run = start_run(now - timedelta(days=1), now, least=3, actor=as_(cast.anna))
    assert start_run(now - timedelta(days=1), now, least=3, actor=as_(cast.anna)) == run
    with pytest.raises(Refused):
        stop_run(run, actor=as_(cast.ben))
    assert stop_run(run, actor=as_(cast.anna)).state == RunState.STOPPED
    assert running.work() == 0
    with pytest.raises(IllegalMove):
        stop_run(run, actor=as_(cast.anna))
    TrendRun.objects.update(created_at=now - timedelta(days=91))
    assert running.delete_old() == 1


def test_linking_to_a_problem_that_is_resolved_lets_the_cluster_come_back(cast: Cast, problem: Problem) -> None:
    same = flood(cast)
    link_incidents(problem, same, actor=as_(cast.anna))
    assert not run_over(cast).candidates.filter(basis=Basis.WORDS).exists()
    Problem.objects.filter(pk=problem.pk).update(closed_at=timezone.now())
    assert run_over(cast).candidates.get(basis=Basis.WORDS).count == 6

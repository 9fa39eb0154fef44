"""From what was read of the incidents to candidates: what they share, what they cost, whether it was dismissed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from cmdb.models import Service
from itsm.tickets.models import Category, Ticket
from problems.models import Basis, Dismissal, TrendCandidate, TrendItem, TrendRun
from problems.trends.clusters import Words, clusters_of, same_words

MOST_OF_A_BASIS = 50
SHARED = 0.6
SEPARATOR = " "


@dataclass(frozen=True, slots=True)
class Item:
    """One incident as the job read it."""

    ticket_id: int
    words: Words
    service_id: int | None
    category_id: int | None
    wait_s: int
    agent_s: int


def items_of(run: TrendRun) -> list[Item]:
    """Return what the run has read."""
    rows = TrendItem.objects.filter(run=run).order_by("ticket_id")
    columns = ("ticket_id", "words", "service_id", "category_id", "wait_s", "agent_s")
    return [
        Item(pk, tuple(words.split(SEPARATOR)) if words else (), *rest)
        for pk, words, *rest in rows.values_list(*columns).iterator(chunk_size=10_000)
    ]


def candidates_of(run: TrendRun, items: Sequence[Item]) -> list[TrendCandidate]:
    """Return the candidates, not stored: clusters of similar words, and of the same service and category."""
    found = [*_by_words(run, items), *_by_place(run, items)]
    dismissed = list(Dismissal.objects.all())
    for candidate in found:
        same = next((one for one in dismissed if is_same(candidate, one)), None)
        candidate.dismissed_at = same.dismissed_at if same is not None else None
    return found


def is_same(candidate: TrendCandidate, dismissal: Dismissal) -> bool:
    """Return whether the candidate is what was dismissed: the same place, or mostly the same words."""
    if candidate.basis != dismissal.basis:
        return False
    if candidate.basis == Basis.WORDS:
        return same_words(candidate.words, dismissal.words)
    return (candidate.service_id, candidate.category_id) == (dismissal.service_id, dismissal.category_id)


def _by_words(run: TrendRun, items: Sequence[Item]) -> list[TrendCandidate]:
    by_words: dict[Words, list[Item]] = defaultdict(list)
    for item in items:
        if item.words:
            by_words[item.words].append(item)
    clusters = clusters_of({words: len(group) for words, group in by_words.items()}, run.least)
    found = []
    for cluster in clusters[:MOST_OF_A_BASIS]:
        members = [item for words in cluster.members for item in by_words[words]]
        most = max(cluster.members.items(), key=lambda pair: (pair[1], pair[0]))[0]
        candidate = _candidate(run, Basis.WORDS, members)
        candidate.words = list(cluster.words)
        candidate.service_id = _shared(item.service_id for item in members)
        candidate.category_id = _shared(item.category_id for item in members)
        candidate.title = str(by_words[most][0].ticket_id)  # until the titles are read, all at once
        found.append(candidate)
    titles = dict(Ticket.objects.filter(pk__in=[int(one.title) for one in found]).values_list("pk", "title"))
    for candidate in found:
        candidate.title = titles.get(int(candidate.title), SEPARATOR.join(candidate.words))[:200]
    return found


def _by_place(run: TrendRun, items: Sequence[Item]) -> list[TrendCandidate]:
    groups: dict[tuple[Any, Any], list[Item]] = defaultdict(list)
    for item in items:
        if item.service_id is not None or item.category_id is not None:
            groups[item.service_id, item.category_id].append(item)
    large = [(place, members) for place, members in groups.items() if len(members) >= run.least]
    large.sort(key=lambda pair: (-len(pair[1]), str(pair[0])))
    services = Service.objects.in_bulk([place[0] for place, _members in large if place[0]])
    categories = Category.objects.in_bulk([place[1] for place, _members in large if place[1]])
    found = []
    for (service_id, category_id), members in large[:MOST_OF_A_BASIS]:
        candidate = _candidate(run, Basis.PLACE, members)
        candidate.service_id, candidate.category_id = service_id, category_id
        names = [str(services[service_id])] if service_id in services else []
        names += [str(categories[category_id])] if category_id in categories else []
        candidate.title = (" · ".join(names) or _("Recurring incidents"))[:200]
        found.append(candidate)
    return found


def _candidate(run: TrendRun, basis: Basis, members: Sequence[Item]) -> TrendCandidate:
    return TrendCandidate(
        run=run,
        basis=basis,
        ticket_ids=sorted(item.ticket_id for item in members),
        count=len(members),
        wait_s=sum(item.wait_s for item in members),
        agent_s=sum(item.agent_s for item in members),
    )


def _shared(values: Iterable[int | None]) -> int | None:
    """Return the value that most of them have, None when there is none that three in five share."""
    counted = Counter(values)
    value, count = counted.most_common(1)[0]
    return value if count >= SHARED * counted.total() else None

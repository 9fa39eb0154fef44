"""Putting titles together that say the same in nearly the same words.

Each distinct set of words is compared with the clusters that share one of its rarest words, largest clusters first; it
joins the one to which it is most alike, or begins its own. Alike is the cosine of the two, where rare words weigh more
than frequent ones (inverse document frequency). A word that fewer incidents have than a cluster needs is left out: it
cannot be what they share; a title of which less than half is left says something of its own and joins nothing. The
outcome depends on nothing but the items, so that a run done again gives the same.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

ALIKE = 0.6
ASKED_WORDS = 4
ASKED_CLUSTERS = 40

Words = tuple[str, ...]


@dataclass
class Cluster:
    """Sets of words that belong together; `words`: those of the set that began it, `members`: how often each occurs."""

    words: Words
    members: dict[Words, int] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many items it has."""
        return sum(self.members.values())


def weights_of(counted: Mapping[Words, int], least: int) -> dict[str, float]:
    """Return the weight of each word that at least so many items have: the rarer, the heavier."""
    frequency: Counter[str] = Counter()
    total = 0
    for words, count in counted.items():
        total += count
        for word in words:
            frequency[word] += count
    return {word: math.log(1 + total / count) for word, count in frequency.items() if count >= least}


def likeness(one: frozenset[str], other: frozenset[str], weights: Mapping[str, float]) -> float:
    """Return how alike two sets of words are, from 0 to 1: the cosine of their weights."""
    shared = sum(weights[word] ** 2 for word in one & other)
    if not shared:
        return 0.0
    lengths = (sum(weights[word] ** 2 for word in words) for words in (one, other))
    return shared / math.sqrt(math.prod(lengths))


def clusters_of(counted: Mapping[Words, int], least: int) -> list[Cluster]:
    """Return the clusters of at least so many items, the largest first. `counted`: how many items have each set."""
    weights = weights_of(counted, least)
    cores: dict[Words, list[Words]] = defaultdict(list)
    sizes: Counter[Words] = Counter()
    for words, count in counted.items():
        core = tuple(word for word in words if word in weights)
        if core and 2 * len(core) >= len(words):
            cores[core].append(words)
            sizes[core] += count
    found: list[Cluster] = []
    sets: list[frozenset[str]] = []
    by_word: dict[str, list[int]] = defaultdict(list)
    for core, _count in sorted(sizes.items(), key=lambda pair: (-pair[1], pair[0])):
        asked = frozenset(core)
        best = _nearest(asked, sets, by_word, weights)
        if best is None:
            best = len(found)
            found.append(Cluster(core))
            sets.append(asked)
            for word in core:
                by_word[word].append(best)
        for member in cores[core]:
            found[best].members[member] = counted[member]
    large = [cluster for cluster in found if cluster.count >= least]
    return sorted(large, key=lambda cluster: (-cluster.count, cluster.words))


def _nearest(
    words: frozenset[str],
    sets: Sequence[frozenset[str]],
    by_word: Mapping[str, list[int]],
    weights: Mapping[str, float],
) -> int | None:
    asked: set[int] = set()
    for word in sorted(words, key=lambda one: (-weights[one], one))[:ASKED_WORDS]:
        asked.update(by_word.get(word, ())[:ASKED_CLUSTERS])
    best, how = None, ALIKE
    for index in sorted(asked):
        alike = likeness(words, sets[index], weights)
        if alike > how:
            best, how = index, alike
    return best


def same_words(one: Iterable[str], other: Iterable[str]) -> bool:
    """Return whether two clusters are about the same, by their words alone: more than half of them are shared."""
    first, second = frozenset(one), frozenset(other)
    if not first or not second:
        return first == second
    return 2 * len(first & second) > len(first | second)

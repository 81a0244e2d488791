"""Which cases, classes and pairs of readers disagreement comes from, over a whole question.

Two readers differ on a case where they say another class or set of classes, draw a finding that
the other did not, or are a tenth or more apart in score or paint (less is nobody's opinion).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from math import sqrt
from typing import Any, TypeAlias

from overread.app.analysis.disputes import Dispute, classes_named, dispute
from overread.app.analysis.project_reads import Said, fits
from overread.labels import Kind
from overread.protocol import Question

Pair: TypeAlias = tuple[str, str]
"""Two readers, in the order of their ids."""

_APART = {Kind.SCORE: 0.1, Kind.MASK: 0.1}
_Z = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Apart:
    """What a case is about. Args: classes: at stake; pairs: of readers who differ."""

    classes: tuple[str, ...]
    pairs: tuple[Pair, ...]


@dataclass(frozen=True, slots=True)
class Share:
    """How many of how many.

    Args:
        count: cases that are disputed.
        of: cases that could be.
        low, high: 95 % interval of the share (Wilson 1927).
    """

    count: int
    of: int
    low: float
    high: float

    @property
    def value(self) -> float:
        """The share itself."""
        return self.count / self.of if self.of else 0.0


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Where readers differ in one question.

    Args:
        disputes: case -> what they differ on; those that they agree on are left out.
        apart: case -> classes and pairs, of the same cases.
        double: cases with two reads or more.
        by_class: class -> cases in which it is disputed, of those where anybody named it.
        by_pair: pair -> cases that they differ on, of those that both read.
    """

    disputes: Mapping[str, Dispute] = field(default_factory=dict[str, Dispute])
    apart: Mapping[str, Apart] = field(default_factory=dict[str, Apart])
    double: int = 0
    by_class: Mapping[str, Share] = field(default_factory=dict[str, Share])
    by_pair: Mapping[Pair, Share] = field(default_factory=dict[Pair, Share])


def disagreement(question: Question, said: Iterable[Said]) -> Disagreement:
    """Find where readers differ.

    Args:
        said: one of each reader and case; the masks among them as runs.
    """
    by_case: dict[str, list[Said]] = {}
    for one in said:
        if one.value is None or question.kind is Kind.MASK or fits(question, one.value):
            by_case.setdefault(one.case, []).append(one)
    found: dict[str, Dispute] = {}
    apart: dict[str, Apart] = {}
    named, disputed = Counter[str](), Counter[str]()
    both, differ = Counter[Pair](), Counter[Pair]()
    double = 0
    for case, reads in by_case.items():
        if len(reads) < 2:
            continue
        double += 1
        reads.sort(key=lambda one: one.reader)
        values = [one.value for one in reads]
        classes = [classes_named(question, one) for one in values]
        named.update(set().union(*classes))
        both.update(combinations([one.reader for one in reads], 2))
        this = dispute(question, values)
        if this.share <= 0:
            continue
        pairs = tuple(_differing(question, reads))
        at_stake = tuple(sorted(_at_stake(values, classes)))
        found[case], apart[case] = this, Apart(at_stake, pairs)
        disputed.update(at_stake)
        differ.update(pairs)
    return Disagreement(
        found,
        apart,
        double,
        {name: share(disputed[name], count) for name, count in named.items()},
        {pair: share(differ[pair], count) for pair, count in both.items()},
    )


def _differing(question: Question, reads: Sequence[Said]) -> Iterator[Pair]:
    least = _APART.get(question.kind, 0.0)
    for one, other in combinations(reads, 2):
        if one.value is None or other.value is None:
            differ = one.value is not other.value
        elif question.kind in {Kind.NOMINAL, Kind.ORDINAL}:
            differ = one.value != other.value
        else:
            apart = dispute(question, [one.value, other.value]).share
            differ = apart > least if not least else apart >= least
        if differ:
            yield one.reader, other.reader


def _at_stake(values: Sequence[Any], classes: Sequence[set[str]]) -> Iterable[str]:
    """Classes that some of those who could read it named, and others did not, or elsewhere."""
    heard = [named for value, named in zip(values, classes, strict=True) if value is not None]
    every = set[str]().union(*heard)
    not_all = {name for name in every if any(name not in one for one in heard)}
    # found by all, and yet disputed: drawn in another place, or not as often
    return not_all or every


def share(count: int, of: int) -> Share:
    """A share with its interval.

    Source:
        Wilson 1927, J. Am. Stat. Assoc. 22:209-212.
    """
    if not of:
        return Share(0, 0, 0.0, 1.0)
    p, z2 = count / of, _Z * _Z
    middle = (p + z2 / (2 * of)) / (1 + z2 / of)
    reach = _Z * sqrt(p * (1 - p) / of + z2 / (4 * of * of)) / (1 + z2 / of)
    return Share(count, of, max(0.0, middle - reach), min(1.0, middle + reach))

"""Seconds of reading, counted once: what is kept of them answers any question about effort.

Seconds are kept in narrow bins of equal ratio (4 %), so that medians, quartiles and sums without
idle time follow from a few hundred numbers a reader, however many reads there are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from math import exp, floor, log
from typing import Any

import numpy as np

from overread.store import Store
from overread.store.study.effort import Spent, spent_rows

_RATIO = log(1.04)
_PAGE = 20_000
_NO_TIME = -(10**9)  # a bin that no time has
_FENCE = 3.0  # interquartile ranges of the logarithm, above which seconds are idle (Tukey 1977)
_FREE: AbstractContextManager[Any] = nullcontext()
_LEAST = 8  # reads from which on a fence is drawn

FIRST, CORRECTED, AGAIN, TRIED, DECIDED = (
    "reading",
    "corrections",
    "again",
    "onboarding",
    "deciding",
)
"""Kinds of work: first reads, corrections of them, reads asked for again, dry runs, decisions."""


def bin_of(seconds: float) -> int | None:
    """The bin of a time; None where none was taken."""
    return floor(log(seconds) / _RATIO) if seconds > 0 else None


@dataclass(slots=True)
class Seconds:
    """Times of one kind. Args: bins: number of a bin -> how many; unknown: without any time."""

    bins: dict[int, int] = field(default_factory=dict[int, int])
    unknown: int = 0

    def add(self, seconds: float, count: int = 1) -> None:
        """Count a time."""
        self.put(bin_of(seconds), count)

    def put(self, place: int | None, count: int = 1) -> None:
        """Count into a bin; None is no time."""
        if place is None:
            self.unknown += count
        else:
            self.bins[place] = self.bins.get(place, 0) + count

    @property
    def count(self) -> int:
        """How many have a time."""
        return sum(self.bins.values())

    def quantile(self, share: float) -> float | None:
        """Seconds below which a share of the times lie; None where there is none."""
        wanted, seen = share * self.count, 0
        for place, count in sorted(self.bins.items()):
            if seen + count >= wanted:
                return exp((place + (wanted - seen) / count) * _RATIO)
            seen += count
        return None

    def fence(self) -> float | None:
        """Seconds above which somebody was away; None where too few tell."""
        if self.count < _LEAST:
            return None
        low, high = self.quantile(0.25), self.quantile(0.75)
        if low is None or high is None:
            return None
        return exp(log(high) + _FENCE * max(log(high) - log(low), _RATIO))

    def moments(self, fence: float | None = None) -> tuple[float, float]:
        """Sum and sum of squares of the times, each at most the fence."""
        total = squares = 0.0
        for place, count in self.bins.items():
            middle = exp((place + 0.5) * _RATIO)
            middle = middle if fence is None else min(middle, fence)
            total += count * middle
            squares += count * middle * middle
        return total, squares

    @property
    def hours(self) -> float:
        """Without idle time."""
        return self.moments(self.fence())[0] / 3600


def times_of(seconds: Iterable[float]) -> Seconds:
    """Count times."""
    made = Seconds()
    for one in seconds:
        made.add(one)
    return made


def _in(kept: dict[str, Seconds], name: str) -> Seconds:
    found = kept.get(name)
    if found is None:
        found = kept[name] = Seconds()
    return found


def _under(kept: dict[str, dict[str, Seconds]], name: str) -> dict[str, Seconds]:
    found = kept.get(name)
    if found is None:
        found = kept[name] = {}
    return found


def _alike(rows: Sequence[tuple[int, str, str, int, int, float, str]]) -> Counter[Any]:
    """How many submissions are alike in all that counts: reader, modality, kind, day, bin."""
    _, readers, modalities, revisions, rounds, seconds, days = zip(*rows, strict=True)
    times = np.asarray(seconds, dtype=np.float64)
    some = times > 0
    places = np.full(times.size, _NO_TIME, dtype=np.int64)
    places[some] = np.floor(np.log(times[some]) / _RATIO)
    corrected, again = (
        (np.asarray(one) > least).tolist() for one, least in ((revisions, 1), (rounds, 0))
    )
    return Counter(zip(readers, modalities, corrected, again, days, places.tolist(), strict=True))


@dataclass(slots=True)
class Ledger:
    """The reading time of a project.

    Args:
        until: last event of the log that is in it.
        work: reader -> kind of work -> times.
        cases: modality -> times of first reads.
        days: day ("2026-11-21") -> reader -> times of reads, corrections left out.
    """

    project: str
    until: int = 0
    work: dict[str, dict[str, Seconds]] = field(default_factory=dict)
    cases: dict[str, Seconds] = field(default_factory=dict)
    days: dict[str, dict[str, Seconds]] = field(default_factory=dict)

    def take(self, one: Spent) -> None:
        """Count a submission."""
        self._put(
            one.reader, one.kind, one.revision > 1, one.again, one.submitted[:10],
            bin_of(one.seconds), 1,
        )  # fmt: skip
        self.until = one.event

    def _put(  # noqa: PLR0917 - what tells submissions apart
        self, reader: str, modality: str, corrected: bool, again: bool, day: str,
        place: int | None, count: int,
    ) -> None:  # fmt: skip
        kind = CORRECTED if corrected else AGAIN if again else FIRST
        _in(_under(self.work, reader), kind).put(place, count)
        if kind != CORRECTED:
            _in(_under(self.days, day), reader).put(place, count)
        if kind == FIRST:
            _in(self.cases, modality).put(place, count)

    def catch_up(self, store: Store, lock: AbstractContextManager[Any] = _FREE) -> None:
        """Count what was submitted since. Args: lock: held while numbers change."""
        while True:
            found = spent_rows(store, self.project, after=self.until, limit=_PAGE)
            if found:
                counts = _alike(found)
                with lock:
                    for (reader, modality, corrected, again, day, place), count in counts.items():
                        at = None if place == _NO_TIME else place
                        self._put(reader, modality, corrected, again, day, at, count)
                    self.until = found[-1][0]
            if len(found) < _PAGE:
                return

    def first_reads(self) -> Mapping[str, Seconds]:
        """Reader -> times of first reads."""
        return {who: kinds[FIRST] for who, kinds in self.work.items() if FIRST in kinds}

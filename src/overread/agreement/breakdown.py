"""The shape of an agreement study: overall, by class, pair, reader and subgroup."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from overread.agreement.estimate import Estimate
from overread.arrays import Floats, Ints


@dataclass(frozen=True, slots=True, eq=False)
class PairMatrix:
    """One measure for every two readers.

    Args:
        key, name: the measure.
        readers: names, the order of rows and columns.
        value, low, high: (readers, readers); nan where two readers share no case, or where there
            is no interval. The diagonal is a reader against their own repeats where the measure
            has them, else nan. Measures with a sign read "row against column".
        n_cases: (readers, readers) cases that both read (on the diagonal: read twice).
        level: nominal coverage. interval: how the intervals were made.
        words: what to look at.
        unit: as in :class:`Estimate`.
        missing: why a figure may be missing although there are common cases.
    """

    key: str
    name: str
    readers: tuple[str, ...]
    value: Floats
    low: Floats
    high: Floats
    n_cases: Ints
    level: float
    interval: str
    words: str
    unit: str = ""
    missing: str = "nothing to compare"

    def estimates(self) -> tuple[Estimate, ...]:
        """One estimate a pair, scope "R1 | R2": the first against the second."""
        found = []
        for g, h in zip(*np.triu_indices(len(self.readers), 1), strict=True):
            value, n = float(self.value[g, h]), int(self.n_cases[g, h])
            lost = self.missing if n else "no case was read by both"
            found.append(
                Estimate(
                    self.name,
                    self.key,
                    value,
                    float(self.low[g, h]),
                    float(self.high[g, h]),
                    self.level,
                    self.interval,
                    self.unit,
                    n,
                    2,
                    scope=f"{self.readers[g]} | {self.readers[h]}",
                    undefined=lost if math.isnan(value) else "",
                )
            )
        return tuple(found)


@dataclass(frozen=True, slots=True, eq=False)
class Breakdown:
    """All figures of one agreement study.

    Args:
        overall: over all readers and cases.
        by_class: one measure and class after another.
        against_rest: each reader against all others.
        within: each reader against their own repeat reads, and all of them pooled.
        by_subgroup: overall, for the cases of each subgroup.
        pairs: one matrix a measure.
    """

    overall: tuple[Estimate, ...]
    by_class: tuple[Estimate, ...] = ()
    against_rest: tuple[Estimate, ...] = ()
    within: tuple[Estimate, ...] = ()
    by_subgroup: tuple[Estimate, ...] = ()
    pairs: tuple[PairMatrix, ...] = ()

    def estimates(self) -> tuple[Estimate, ...]:
        """All single figures, in the order of the fields."""
        return self.overall + self.by_class + self.against_rest + self.within + self.by_subgroup

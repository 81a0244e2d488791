"""The shape of an agreement study: overall, by class, pair, reader and subgroup."""

from __future__ import annotations

from dataclasses import dataclass

from overread.agreement.estimate import Estimate
from overread.arrays import Floats, Ints


@dataclass(frozen=True, slots=True, eq=False)
class PairMatrix:
    """One measure for every pair of readers.

    Args:
        name, key, unit: as in :class:`Estimate`.
        readers: names of rows and columns.
        value, low, high: (readers, readers) figure and interval; nan where two readers share no
            case, or where there is no interval. The diagonal is a reader against their own
            repeats, nan without repeats. Signed measures read "row minus (or over) column".
        n: (readers, readers) cases that both have read.
        level: nominal coverage.
        interval: how the intervals were made.
    """

    name: str
    key: str
    unit: str
    readers: tuple[str, ...]
    value: Floats
    low: Floats
    high: Floats
    n: Ints
    level: float
    interval: str


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

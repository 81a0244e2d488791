"""Which reads of one case meet: pairs of readers, and a reader with their own repeats."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from overread.arrays import Bools, Ints, grouped
from overread.geometry.pairing import pair_rows
from overread.labels import ReadIndex


@dataclass(frozen=True, slots=True, eq=False)
class Comparisons:
    """Pairs of reads of one case, one row a pair.

    Args:
        case: (rows,) code of the case.
        first, second: (rows,) readers; ``first < second`` between readers, equal within one.
        one, two: (rows,) the reads (rows of the index) of the first and the second reader.
        weight: (rows,) 1 / number of rows of this case and pair of readers, so that a pair of
            readers counts once a case, however often they repeat it.
    """

    case: Ints
    first: Ints
    second: Ints
    one: Ints
    two: Ints
    weight: np.ndarray[tuple[int], np.dtype[np.float64]]

    def select(self, rows: Bools | Ints) -> Comparisons:
        """These rows only."""
        return Comparisons(
            self.case[rows],
            self.first[rows],
            self.second[rows],
            self.one[rows],
            self.two[rows],
            self.weight[rows],
        )

    def swapped(self) -> Comparisons:
        """The same rows seen from the other reader."""
        return replace(self, first=self.second, second=self.first, one=self.two, two=self.one)


def comparisons(index: ReadIndex, readable: Bools | None = None) -> Comparisons:
    """List every pair of readable reads of one case, between readers and within one.

    Args:
        index: who read which case.
        readable: (reads,) false leaves a read out ("cannot be read"); None keeps all.
    """
    rows = np.arange(index.n_reads) if readable is None else np.flatnonzero(readable)
    order, start = grouped(index.case[rows].astype(np.int64), index.n_cases)
    rows = rows[order]
    many = np.flatnonzero(np.diff(start) > 1)
    _, left, right = pair_rows(start, many, many)
    keep = left < right
    one, two = rows[left[keep]], rows[right[keep]]
    turn = index.reader[one] > index.reader[two]
    one, two = np.where(turn, two, one), np.where(turn, one, two)
    case, first, second = index.case[one], index.reader[one], index.reader[two]
    n = max(index.n_readers, 1)
    key = (case.astype(np.int64) * n + first) * n + second
    _, group, size = np.unique(key, return_inverse=True, return_counts=True)
    return Comparisons(case, first, second, one, two, 1.0 / size[group])


def unit_of(index: ReadIndex) -> tuple[Ints, str]:
    """(cases,) what to draw in a bootstrap, and its name: the group (patient) where known."""
    if index.group is not None:
        return index.group, "groups"
    return np.arange(index.n_cases), "cases"

"""What each reader says of each case, repeats averaged: the table all coefficients start from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from overread.arrays import Floats, Ints
from overread.labels import ClassReads


@dataclass(frozen=True, slots=True, eq=False)
class Votes:
    """One row for each class that a reader said of a case, sorted by case.

    A reader who read a case m times and said class k in q of these reads has the weight q / m
    there: a reader is one voice per case, however often they read it.

    Args:
        case, reader, label: (rows,) codes.
        weight: (rows,) the reader's share for this class; sums to 1 over a case and reader.
        n_cases, n_readers, n_classes: sizes of the code ranges.
        n_reads: answers behind the rows, repeats counted.
        n_unreadable: "cannot be read" answers, left out.
    """

    case: Ints
    reader: Ints
    label: Ints
    weight: Floats
    n_cases: int
    n_readers: int
    n_classes: int
    n_reads: int
    n_unreadable: int

    @property
    def whole(self) -> bool:
        """Whether every reader said one class a case (no repeat that differs)."""
        return bool((self.weight == 1).all())

    def counts(self) -> Floats:
        """(cases, classes) voices for each class."""
        flat = self.case.astype(np.int64) * self.n_classes + self.label
        size = self.n_cases * self.n_classes
        said = np.bincount(flat, None if self.whole else self.weight, minlength=size)
        return said.astype(np.float64, copy=False).reshape(self.n_cases, self.n_classes)

    def of_cases(self, chosen: NDArray[np.bool_]) -> Votes:
        """The rows of the cases marked in ``chosen`` (cases,); codes stay."""
        return self._rows(chosen[self.case])

    def of_readers(self, chosen: NDArray[np.bool_]) -> Votes:
        """The rows of the readers marked in ``chosen`` (readers,); codes stay."""
        return self._rows(chosen[self.reader])

    def _rows(self, keep: NDArray[np.bool_]) -> Votes:
        weight = self.weight[keep]
        return Votes(
            self.case[keep],
            self.reader[keep],
            self.label[keep],
            weight,
            self.n_cases,
            self.n_readers,
            self.n_classes,
            round(float(weight.sum())),
            self.n_unreadable,
        )

    def binary(self, label: int) -> Votes:
        """The same voices, asked only whether they say class ``label`` (1) or another (0)."""
        yes = (self.label == label).astype(np.int8)
        sizes = (self.n_cases, self.n_readers, 2)
        return merged(self.case, self.reader, yes, self.weight, sizes=sizes, base=self)


def votes_of(reads: ClassReads) -> Votes:
    """Average the repeats of each reader and leave "cannot be read" out.

    Args:
        reads: class reads of any design; readers may miss cases and may repeat them.
    Returns:
        The voices, sorted by case, then reader.
    """
    answered = reads.answered()
    index = answered.index
    sizes = (index.n_cases, index.n_readers, answered.n_classes)
    order = np.lexsort((index.reader, index.case)) if _unsorted(index.case, index.reader) else None
    case = index.case if order is None else index.case[order]
    reader = index.reader if order is None else index.reader[order]
    label = answered.label if order is None else answered.label[order]
    left_out = reads.index.n_reads - index.n_reads
    same = (case[1:] == case[:-1]) & (reader[1:] == reader[:-1])
    if not same.any():
        weight = np.ones(case.size)
        return Votes(case, reader, label, weight, *sizes, index.n_reads, left_out)
    pair = np.r_[0, np.cumsum(~same)]
    weight = 1.0 / np.bincount(pair)[pair]
    base = Votes(case, reader, label, weight, *sizes, index.n_reads, left_out)
    return merged(case, reader, label, weight, sizes=sizes, base=base)


def merged(
    case: Ints,
    reader: Ints,
    label: Ints,
    weight: Floats,
    *,
    sizes: tuple[int, int, int],
    base: Votes,
) -> Votes:
    """Sum the weights of equal (case, reader, label) rows; rows come sorted by case and reader."""
    same = (case[1:] == case[:-1]) & (reader[1:] == reader[:-1])
    if same.any():
        order = np.lexsort((label, reader, case))
        case, reader, label, weight = case[order], reader[order], label[order], weight[order]
        new = np.r_[
            True,
            (case[1:] != case[:-1]) | (reader[1:] != reader[:-1]) | (label[1:] != label[:-1]),
        ]
        weight = np.add.reduceat(weight, np.flatnonzero(new))
        weight = np.where(np.abs(weight - 1) < 1e-9, 1.0, weight)
        case, reader, label = case[new], reader[new], label[new]
    return Votes(case, reader, label, weight, *sizes, base.n_reads, base.n_unreadable)


def _unsorted(case: Ints, reader: Ints) -> bool:
    step = np.diff(case.astype(np.int64))
    return bool(((step < 0) | ((step == 0) & (np.diff(reader.astype(np.int64)) < 0))).any())

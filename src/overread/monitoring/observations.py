"""What is watched: one observation for each read that can be compared with something.

A read is compared with the reads of *others* on its case (its own answer never counts), and with
the gold answer where there is one. Each metric of each read is one number.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from overread.arrays import Bools, Floats, Ints, Names
from overread.labels import ReadIndex

Form = Literal["number", "rate"]
Harm = Literal["both", "high", "low"]
Scale = Literal["plain", "log", "share"]


@dataclass(frozen=True, slots=True)
class Metric:
    """One thing that is measured of every overlap read.

    Args:
        key: short name ("log_area").
        name: in words ("size of the boxes").
        higher, lower: what it means when it is too high or too low, as in "boxes {higher}"; the
            size of the change is put at ``{}``.
        form: "number", or "rate" (in 0 .. 1, watched by its odds).
        harm: the side on which a change is an alarm.
        scale: "log" is told in percent, "share" in points of percent, "plain" in ``unit``.
        unit: of the plain value.
        charted: whether it has a chart of its own; if not, it only explains the others.
    """

    key: str
    name: str
    higher: str
    lower: str
    form: Form = "number"
    harm: Harm = "both"
    scale: Scale = "plain"
    unit: str = ""
    charted: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Observations:
    """The metrics of each read that can be compared, in the order in which they were read.

    Args:
        metrics: the columns of ``value``.
        row: (n,) row of the read table.
        case, reader: (n,) whole numbers, index into ``cases``, ``readers``.
        cases, readers: names.
        value: (n, metrics); nan where a read has no such figure (no box to measure).
        reference_class: (n,) what the others (or gold) say, as a class; -1 where that is none.
        size: (n,) how large the case's reference is (log area, a score); nan where unknown.
        doubt: (n,) how much the *others* disagree among themselves; nan where there is but one.
        others: (n,) number of other reads of the case; 0 where gold alone tells.
        answer, reference: (n,) the read and its reference as one number each, to see whether
            they are related at all; nan where that has no meaning.
        ordered_by: "order" (as given), "time", or "row" where reads have no time.
        lacking: why there is nothing to observe, or what cannot be seen; "" if all can.
    """

    metrics: tuple[Metric, ...]
    row: Ints
    case: Ints
    reader: Ints
    cases: Names
    readers: tuple[str, ...]
    value: Floats
    reference_class: Ints
    size: Floats
    doubt: Floats
    others: Ints
    answer: Floats
    reference: Floats
    ordered_by: str = "row"
    lacking: str = ""

    @property
    def n(self) -> int:
        """Number of observed reads."""
        return int(self.row.size)

    def column(self, key: str) -> Floats:
        """(n,) the values of the metric called ``key``."""
        return np.asarray(self.value[:, [one.key for one in self.metrics].index(key)])

    def select(self, rows: Bools | Ints) -> Observations:
        """These observations only, in this order."""
        return replace(
            self,
            row=self.row[rows],
            case=self.case[rows],
            reader=self.reader[rows],
            value=self.value[rows],
            reference_class=self.reference_class[rows],
            size=self.size[rows],
            doubt=self.doubt[rows],
            others=self.others[rows],
            answer=self.answer[rows],
            reference=self.reference[rows],
        )


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """What the observers of a label kind hand over, one entry a read of the table.

    Args:
        metrics: as in :class:`Observations`.
        value: (reads, metrics).
        reference_class, size, doubt, answer, reference: (reads,) as in :class:`Observations`.
    """

    metrics: tuple[Metric, ...]
    value: Floats
    reference_class: Ints
    size: Floats
    doubt: Floats
    answer: Floats
    reference: Floats


SECONDS = Metric(
    "log_seconds", "seconds a case", "{} slower", "{} faster", scale="log", unit="seconds"
)


def gather(
    index: ReadIndex,
    measured: Measured,
    counted: Bools,
    gold: Bools,
    *,
    trusted: Bools,
    order: Ints | Floats | None = None,
) -> Observations:
    """Put measured reads in order, and leave out those that nothing can be compared with.

    Args:
        index: of the read table.
        measured: by the label kind's observer.
        counted: (reads,) first answers that count as somebody's read of a case.
        gold: (cases,) whether the case has a gold answer.
        trusted: (reads,) whether others may be compared with the read.
        order: (reads,) rank of each read in time, where it is known otherwise than by its time.
    """
    others = np.where(counted, _others(index, counted & trusted), 0)
    seconds = _log_seconds(index, counted, trusted)
    metrics, value = measured.metrics, measured.value
    if seconds is not None:
        metrics, value = (*metrics, SECONDS), np.column_stack([value, seconds])
    known = counted & ((others > 0) | gold[index.case])
    rows = np.flatnonzero(known & ~np.isnan(value).all(axis=1))
    timed = index.time is not None and not np.isnat(index.time).any()
    rank = order if order is not None else index.time if timed else None
    if rank is not None:
        rows = rows[np.argsort(rank[rows], kind="stable")]
    return Observations(
        metrics=metrics,
        row=rows,
        case=index.case[rows],
        reader=index.reader[rows],
        cases=index.cases,
        readers=index.readers,
        value=value[rows],
        reference_class=measured.reference_class[rows],
        size=measured.size[rows],
        doubt=measured.doubt[rows],
        others=others[rows],
        answer=measured.answer[rows],
        reference=measured.reference[rows],
        ordered_by="order" if order is not None else "time" if timed else "row",
        lacking="" if rows.size else _why_none(index, counted),
    )


def loo_median(
    value: Floats, case: Ints, counted: Bools, trusted: Bools | None = None
) -> tuple[Floats, Floats]:
    """Median and range of the others' values on the case of each read.

    Args:
        value: (reads,) numbers.
        case: (reads,) case of each.
        counted: (reads,) reads that count.
        trusted: (reads,) those that count as others' reads too; by default all.
    Returns:
        (reads,) median of the others, nan where there are none; (reads,) their range, nan where
        there are fewer than two.
    Example:
        >>> loo_median(np.array([1.0, 2, 5]), np.zeros(3, int), np.ones(3, bool))[0].tolist()
        [3.5, 3.0, 1.5]
    """
    median, spread = np.full(value.size, np.nan), np.full(value.size, np.nan)
    usable = counted & ~np.isnan(value)
    sure = usable if trusted is None else usable & trusted
    rows = np.flatnonzero(sure)
    rows = rows[np.argsort(case[rows], kind="stable")]
    for row in np.flatnonzero(usable & ~sure):
        rest = value[rows[slice(*np.searchsorted(case[rows], (case[row], case[row] + 1)))]]
        if rest.size:
            median[row] = np.median(rest)
            spread[row] = np.ptp(rest) if rest.size > 1 else np.nan
    count = np.bincount(case[rows], minlength=int(case.max(initial=-1)) + 1)
    for n in np.unique(count[count > 1]):
        block = rows[count[case[rows]] == n].reshape(-1, n)
        said = value[block]
        for place in range(n):
            rest = np.delete(said, place, axis=1)
            median[block[:, place]] = np.median(rest, axis=1)
            if n > 2:
                spread[block[:, place]] = np.ptp(rest, axis=1)
    return median, spread


def first_reads(index: ReadIndex, answered: Bools) -> NDArray[np.bool_]:
    """(reads,) the first answered read of each reader on each case: the one that counts."""
    rows = np.flatnonzero(answered)
    counted = np.zeros(index.n_reads, dtype=np.bool_)
    counted[rows] = index.select(rows).repeat_of() == 0
    return counted


def _others(index: ReadIndex, sure: Bools) -> NDArray[np.int64]:
    return np.bincount(index.case[sure], minlength=index.n_cases)[index.case] - sure


def _log_seconds(index: ReadIndex, counted: Bools, trusted: Bools) -> Floats | None:
    """(reads,) log seconds, less the others' median on the case where they have one."""
    if index.seconds is None:
        return None
    known = index.seconds > 0
    if not known.any():
        return None
    value = np.full(index.n_reads, np.nan)
    value[known] = np.log(index.seconds[known].astype(float))
    usual, _ = loo_median(value, index.case, counted, trusted)
    return np.where(np.isnan(usual), np.nan, value - usual)


def _why_none(index: ReadIndex, counted: Bools) -> str:
    if not index.n_reads:
        return "there are no reads"
    readers = np.unique(index.reader[counted]).size
    if readers < 2:
        return (
            "all answered reads are of one reader and no gold answer is known for their cases: "
            "there is nothing to compare them with. Give gold answers, or let others read some of "
            "the cases"
        )
    return (
        "no case was read by two readers and none has a gold answer: there is no overlap to watch. "
        "Give gold answers, or let several readers read some of the same cases"
    )

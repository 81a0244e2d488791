"""One door for the observations of all label kinds."""

from __future__ import annotations

from typing import Any

import numpy as np

from overread.arrays import Bools, Floats, Ints
from overread.labels import (
    BoxReads,
    ClassReads,
    InstanceReads,
    MaskReads,
    MultiLabelReads,
    Reads,
    ScoreReads,
)
from overread.monitoring.observations import Observations, gather
from overread.monitoring.observe_classes import measure_classes, measure_scores, measure_sets
from overread.monitoring.observe_findings import measure_findings
from overread.monitoring.observe_masks import measure_masks


def observe(
    reads: Reads,
    *,
    gold: Any = None,
    order: Ints | Floats | None = None,
    distrust: Bools | None = None,
) -> Observations:
    """Measure every read that others read too, or whose case has a gold answer.

    Args:
        reads: any label kind.
        gold: right answers beside the reads: (cases,) class codes, -1 where unknown (classes,
            grades); (cases, classes) 1, 0 or -1 (sets of classes); (cases,) numbers, nan where
            unknown (scores); the reads of one reader on the same cases and classes (boxes,
            outlines); (cases,) arrays of class codes or None (masks).
        order: (reads,) rank of each read in time; by default its time, else its row.
        distrust: (reads,) reads that nobody shall be compared with: those of a reader who
            drifts, which would make the others look as if they moved the other way.
    Returns:
        one row a read, in order of time where all reads have one, else in row order. A reader's
        second read of a case is left out: it is no second opinion. None at all is no error:
        ``lacking`` says why.
    Example:
        >>> from overread.labels import class_reads
        >>> reads = class_reads(["a", "a", "b"], ["R1", "R2", "R1"], ["yes", "no", "yes"])
        >>> found = observe(reads)
        >>> found.n, found.column("disagreement").tolist()
        (2, [1.0, 1.0])
    """
    trusted = np.ones(reads.index.n_reads, np.bool_) if distrust is None else ~distrust
    measured, counted = _measure(reads, gold, trusted)
    known = _known(reads, gold)
    return gather(reads.index, measured, counted, known, trusted=trusted, order=order)


def _measure(reads: Reads, gold: Any, trusted: Bools) -> Any:
    if isinstance(reads, ClassReads):
        return measure_classes(reads, gold, trusted)
    if isinstance(reads, MultiLabelReads):
        return measure_sets(reads, gold, trusted)
    if isinstance(reads, ScoreReads):
        return measure_scores(reads, gold, trusted)
    if isinstance(reads, (BoxReads, InstanceReads)):
        return measure_findings(reads, gold, trusted)
    return measure_masks(reads, gold, trusted)


def _known(reads: Reads, gold: Any) -> Any:
    """(cases,) whether a gold answer is known."""
    known = np.zeros(reads.index.n_cases, dtype=np.bool_)
    if gold is None:
        return known
    if isinstance(reads, ClassReads):
        return np.asarray(gold) >= 0
    if isinstance(reads, MultiLabelReads):
        return (np.asarray(gold) >= 0).any(axis=1)
    if isinstance(reads, ScoreReads):
        return ~np.isnan(gold)
    if isinstance(reads, MaskReads):
        return np.array([one is not None for one in gold], dtype=np.bool_)
    known[gold.index.case] = True
    return known

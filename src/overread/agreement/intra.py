"""Agreement of each reader with themselves, from repeat reads of one case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from overread.agreement.classes import Settings, chosen_measures, estimates
from overread.agreement.estimate import Estimate
from overread.agreement.votes import Votes
from overread.arrays import frozen, smallest_int
from overread.labels import ClassReads


def intra_reader(
    reads: ClassReads, *, measures: Sequence[str] | None = None, **settings: Any
) -> tuple[Estimate, ...]:
    """How far a reader's repeat reads of one case say the same, for each reader and pooled.

    The first, second, ... read of a case by a reader take the place of different readers; cases
    read once by that reader do not count. Pooled, the unit is one reader's repeats of one case.

    Args:
        reads: with repeats kept (``repeats="keep"``).
        measures: as for :func:`overread.agreement.classes.agreement`; by default percent, Fleiss
            (repeats are exchangeable) and AC1; grades add quadratic AC2 and ordinal alpha.
        settings: ``level``, ``interval``, ``draws``, ``seed``.
    Returns:
        For every reader with repeats, then for all ("all readers, each with themselves"), one
        estimate a measure. Without any repeats: undefined estimates that say so.
    """
    if measures is None:
        ordered = "alpha_ordinal" in [one.key for one in chosen_measures(reads, None)]
        measures = ("percent", "fleiss", "ac1", *(("alpha_ordinal", "ac2_quadratic") * ordered))
    chosen = chosen_measures(reads, measures)
    readers = reads.index.readers
    found: list[Estimate] = []
    for code, name in enumerate(readers):
        votes = _repeats(reads, reads.index.reader == code)
        if votes.case.size:
            scope = f"{name} with themselves"
            found += estimates(votes, chosen, Settings(**settings), _ungrouped(reads), scope=scope)
    votes = _repeats(reads, np.ones(reads.index.n_reads, dtype=np.bool_))
    pooled = estimates(
        votes, chosen, Settings(**settings), _ungrouped(reads),
        scope="all readers, each with themselves",
    )  # fmt: skip
    if not votes.case.size:
        pooled = tuple(replace(one, undefined=_NO_REPEATS) for one in pooled)
    return (*found, *pooled)


_NO_REPEATS = (
    "no reader read a case twice: hide some repeats in the reading list, and load the table with "
    "repeats kept"
)


def _ungrouped(reads: ClassReads) -> ClassReads:
    return replace(reads, index=replace(reads.index, group=None, groups=None))


def _repeats(reads: ClassReads, rows: Any) -> Votes:
    """Voices with (case, reader) as the case and the number of the repeat as the reader."""
    answered = reads.select(rows).answered()
    index = answered.index
    pair = index.case.astype(np.int64) * index.n_readers + index.reader
    distinct, unit = np.unique(pair, return_inverse=True)
    kept = np.bincount(unit, minlength=distinct.size)[unit] > 1
    order = np.argsort(unit[kept], kind="stable")
    _, case = np.unique(unit[kept][order], return_inverse=True)
    repeat = index.repeat_of()[kept][order]
    label = answered.label[kept][order]
    top = int(repeat.max(initial=0)) + 1
    n_cases = int(case.max(initial=-1)) + 1
    left_out = int((reads.select(rows).label < 0).sum())
    return Votes(
        frozen(case), repeat.astype(smallest_int(top)), label, np.ones(case.size),
        n_cases, top, reads.n_classes, int(case.size), left_out,
    )  # fmt: skip

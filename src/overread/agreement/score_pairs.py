"""Scores of two readers, of one against the rest, and of one read twice."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from overread.agreement.bland_altman import BlandAltman, Replicates, bland_altman
from overread.agreement.breakdown import PairMatrix
from overread.agreement.estimate import Estimate
from overread.agreement.icc import components, f_ends, sums_of
from overread.arrays import Floats, Ints
from overread.labels import ScoreReads


@dataclass(frozen=True, slots=True)
class ScoreSettings:
    """Settings that all parts share.

    Args:
        level, draws, seed: of the intervals.
        unit: of the scores.
        averaged: number of reads averaged in ICC(., k); None takes that of the table.
    """

    level: float
    draws: int
    seed: int
    unit: str
    averaged: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _Cells:
    """Repeats of each reader and case. Args: (cells,) each; ``squares`` around the cell's mean."""

    reader: Ints
    case: Ints
    count: Ints
    squares: Floats


def _cells(scores: ScoreReads) -> _Cells:
    index = scores.index
    key = index.case.astype(np.int64) * max(index.n_readers, 1) + index.reader
    distinct, cell, count = np.unique(key, return_inverse=True, return_counts=True)
    mean = np.bincount(cell, scores.value, minlength=distinct.size) / np.maximum(count, 1)
    off = (scores.value - mean[cell]) ** 2
    squares: Floats = np.bincount(cell, off, minlength=distinct.size).astype(np.float64)
    width = max(index.n_readers, 1)
    return _Cells(distinct % width, distinct // width, count, squares)


def pair_differences(
    scores: ScoreReads, mean: Floats, settings: ScoreSettings
) -> tuple[BlandAltman, ...]:
    """Bland-Altman of every two readers with a common case.

    Args:
        mean: (cases, readers) mean score of each reader's repeats; nan where there is none.
    """
    cells = _cells(scores)
    names = scores.index.readers
    out = []
    for a in range(len(names)):
        for b in range(a + 1, len(names)):
            both = np.isfinite(mean[:, a]) & np.isfinite(mean[:, b])
            if both.any():
                repeats = _replicates(cells, a, both), _replicates(cells, b, both)
                out.append(
                    bland_altman(
                        mean[both, a],
                        mean[both, b],
                        (names[a], names[b]),
                        repeats=repeats if max(one.df for one in repeats) else None,
                        unit=settings.unit,
                        level=settings.level,
                    )
                )
    return tuple(out)


def _replicates(cells: _Cells, reader: int, cases: np.ndarray) -> Replicates:
    mine = (cells.reader == reader) & cases[cells.case]
    df = int((cells.count[mine] - 1).sum())
    if not df:
        return Replicates()
    return Replicates(
        float(cells.squares[mine].sum() / df), df, float((1 / cells.count[mine]).mean())
    )


def against_rest(scores: ScoreReads, mean: Floats, settings: ScoreSettings) -> tuple[Estimate, ...]:
    """Bias and limits of each reader against the mean of the others on the same cases.

    Args:
        mean: (cases, readers) mean score of each reader's repeats; nan where there is none.
    """
    there = np.isfinite(mean)
    total = np.where(there, mean, 0.0)
    out: list[Estimate] = []
    for reader, name in enumerate(scores.index.readers):
        others = there.sum(axis=1) - there[:, reader]
        rows = np.flatnonzero(there[:, reader] & (others > 0))
        if not there[:, reader].any():
            continue
        rest = (total[rows].sum(axis=1) - total[rows, reader]) / np.maximum(others[rows], 1)
        found = bland_altman(
            mean[rows, reader],
            rest,
            (name, "the mean of the others"),
            unit=settings.unit,
            level=settings.level,
            scope=f"{name} against the rest",
        )
        out += found.estimates()
    return tuple(out)


def within_readers(scores: ScoreReads, settings: ScoreSettings) -> tuple[Estimate, ...]:
    """Within-reader SD, repeatability coefficient and test-retest ICC: pooled, then by reader.

    Source:
        Bland & Altman 1996, BMJ 313:744 (within-subject SD); intervals by the chi-square of the
        pooled variance.
    """
    cells = _cells(scores)
    if not (cells.count > 1).any():
        return ()
    out: list[Estimate] = []
    every = np.ones(cells.reader.size, dtype=np.bool_)
    scopes = [("within readers", every)] + [
        (f"{name} | {name}", cells.reader == reader)
        for reader, name in enumerate(scores.index.readers)
        if (cells.count[cells.reader == reader] > 1).any()
    ]
    for scope, chosen in scopes:
        twice = chosen & (cells.count > 1)
        base = Estimate(
            "",
            "",
            0.0,
            level=settings.level,
            interval="exact, chi-square",
            unit=settings.unit,
            n_cases=int(np.unique(cells.case[twice]).size),
            n_readers=int(np.unique(cells.reader[twice]).size),
            n_reads=int(cells.count[twice].sum()),
            scope=scope,
        )
        out += _repeatability(base, cells, twice)
        if chosen is not every:
            out.append(_retest(base, scores, int(cells.reader[twice][0])))
    return tuple(out)


def _repeatability(base: Estimate, cells: _Cells, twice: np.ndarray) -> tuple[Estimate, Estimate]:
    df = int((cells.count[twice] - 1).sum())
    squares = float(cells.squares[twice].sum())
    tail = (1 - base.level) / 2
    sd = math.sqrt(squares / df)
    low, high = (math.sqrt(squares / float(special.chdtri(df, p))) for p in (tail, 1 - tail))
    factor = float(special.ndtri(0.975)) * math.sqrt(2)
    shown = f"{factor * sd:.3g} {base.unit}".rstrip()
    few = f"It rests on {df} repeats only." if df < 10 else ""
    if sd == 0:
        few = "All repeats are equal: were they read blind to the first read?"
    return (
        replace(
            base,
            name="Within-reader standard deviation",
            key="within_sd",
            value=sd,
            low=low,
            high=high,
            words=f"A reader's own repeats scatter by {sd:.3g} {base.unit}".rstrip() + " (1 SD).",
            warning=few,
        ),
        replace(
            base,
            name="Repeatability coefficient",
            key="repeatability",
            value=factor * sd,
            low=factor * low,
            high=factor * high,
            words=f"95 % of the time a reader's two reads of a case differ by less than {shown}; a "
            "smaller change between two examinations may be the reader alone.",
            warning=few,
        ),
    )


def _retest(base: Estimate, scores: ScoreReads, reader: int) -> Estimate:
    """One-way ICC of a reader's first two reads of each case."""
    mine = scores.index.reader == reader
    turn = scores.index.repeat_of()
    table = np.full((scores.index.n_cases, 2), np.nan)
    for k in (0, 1):
        rows = mine & (turn == k)
        table[scores.index.case[rows], k] = scores.value[rows]
    table = table[np.isfinite(table).all(axis=1)]
    named = replace(base, name="ICC(1,1) of a reader's two reads", key="icc_retest", unit="")
    value = float("nan")
    if len(table) > 1:
        value = float(components(sums_of(table), np.ones((1, len(table)))).forms(2)[0, 0])
    if math.isnan(value):
        why = "two or more cases, read twice and differing, are needed"
        return replace(named, value=value, undefined=why, interval="")
    low, high = f_ends(table, 2, base.level)
    return replace(
        named,
        value=value,
        low=float(low[0]),
        high=float(high[0]),
        n_cases=len(table),
        n_reads=2 * len(table),
        interval="exact, F distribution",
        words=f"{100 * value:.3g} % of the variance of this reader's scores is true difference "
        "between cases.",
    )


def matrices(
    scores: ScoreReads, first: Floats, pairs: tuple[BlandAltman, ...], settings: ScoreSettings
) -> tuple[PairMatrix, ...]:
    """ICC(A,1) and bias of every two readers.

    Args:
        first: (cases, readers) first score of each reader; nan where there is none.
        pairs: see :func:`pair_differences`.
    """
    names = scores.index.readers
    at = {name: k for k, name in enumerate(names)}
    icc, bias = (np.full((3, len(names), len(names)), np.nan) for _ in range(2))
    n_cases = np.zeros((len(names), len(names)), dtype=np.int64)
    for pair in pairs:
        a, b = at[pair.first], at[pair.second]
        n_cases[a, b] = n_cases[b, a] = pair.difference.size
        one = pair.bias
        bias[:, a, b] = one.value, one.low, one.high
        bias[:, b, a] = -one.value, -one.high, -one.low
        table = first[:, [a, b]]
        table = table[np.isfinite(table).all(axis=1)]
        if len(table) > 1:
            value = components(sums_of(table), np.ones((1, len(table)))).forms(2)[0, 1]
            low, high = f_ends(table, 2, settings.level)
            icc[:, a, b] = icc[:, b, a] = value, low[1], high[1]
    shared = (names, n_cases, settings)
    return (
        _matrix("icc_2_1", "ICC(A,1), absolute agreement", icc, "exact, F distribution", *shared),
        _matrix("bias", "Bias (row minus column)", bias, "t distribution", *shared),
    )


def _matrix(  # noqa: PLR0917 - the fields of one table
    key: str,
    name: str,
    table: Floats,
    interval: str,
    readers: tuple[str, ...],
    n_cases: Ints,
    settings: ScoreSettings,
) -> PairMatrix:
    bad = np.abs(table[0]) if key == "bias" else -table[0]
    usable = np.triu(np.isfinite(bad) & (n_cases >= 10), 1)
    words = "No two readers share 10 cases or more: the single figures say little."
    if usable.any():
        g, h = divmod(int(np.argmax(np.where(usable, bad, -np.inf))), len(readers))
        words = f"Look first at {readers[g]} and {readers[h]}: {table[0, g, h]:.3g}"
    return PairMatrix(
        key,
        name,
        readers,
        table[0],
        table[1],
        table[2],
        n_cases,
        settings.level,
        interval,
        words,
        settings.unit if key == "bias" else "",
        "the scores do not vary, or too few common cases",
    )

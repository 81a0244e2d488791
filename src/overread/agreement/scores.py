"""Agreement of scores: intraclass correlations, Bland-Altman, repeatability."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from overread.agreement.bland_altman import BlandAltman
from overread.agreement.bootstrap import acceleration_of, bca_ends, draw_units
from overread.agreement.breakdown import PairMatrix
from overread.agreement.comparisons import unit_of
from overread.agreement.estimate import Estimate
from overread.agreement.icc import FORMS, Sums, complete, components, f_ends, long_tails, sums_of
from overread.agreement.score_pairs import (
    ScoreSettings,
    against_rest,
    matrices,
    pair_differences,
    within_readers,
)
from overread.arrays import Bools, Floats, Ints
from overread.errors import InputError
from overread.labels import ClassReads, Kind, LabelSchema, ScoreReads

MOST_READERS = 64
"""With more readers the two-way forms are left out: their cost grows with the cube."""

_NAMES = {
    "icc_1_1": "ICC(1,1), one-way, single read",
    "icc_2_1": "ICC(2,1) or ICC(A,1), absolute agreement, single read",
    "icc_3_1": "ICC(3,1) or ICC(C,1), consistency, single read",
    "icc_1_k": "ICC(1,k), one-way, mean of {k} reads",
    "icc_2_k": "ICC(2,k) or ICC(A,k), absolute agreement, mean of {k} reads",
    "icc_3_k": "ICC(3,k) or ICC(C,k), consistency, mean of {k} reads",
    "sem": "Standard error of one read",
    "reproducibility": "Reproducibility coefficient (two readers)",
}


@dataclass(frozen=True, slots=True, eq=False)
class ScoreAgreement:
    """How far readers agree on a number.

    Args:
        overall: the six intraclass correlations, the standard error of one read and the
            reproducibility coefficient.
        by_subgroup: the same for the cases of each subgroup.
        bland_altman: every two readers with a common case, in order.
        against_rest: each reader against the mean of the others: bias and limits.
        within: within-reader SD, repeatability coefficient and test-retest ICC, from repeats.
        pairs: matrices of ICC(A,1) and of the bias (row minus column).
    """

    overall: tuple[Estimate, ...]
    by_subgroup: tuple[Estimate, ...]
    bland_altman: tuple[BlandAltman, ...]
    against_rest: tuple[Estimate, ...]
    within: tuple[Estimate, ...]
    pairs: tuple[PairMatrix, ...]

    def estimates(self) -> tuple[Estimate, ...]:
        """All single figures, in the order of the fields."""
        pairs = tuple(one for pair in self.bland_altman for one in pair.estimates())
        return self.overall + self.by_subgroup + pairs + self.against_rest + self.within


def score_agreement(
    reads: ScoreReads | ClassReads,
    *,
    averaged: float | None = None,
    unit: str = "",
    subgroup: Ints | None = None,
    subgroups: Sequence[str] = (),
    level: float = 0.95,
    draws: int = 2000,
    seed: int = 0,
) -> ScoreAgreement:
    """Measure how far readers agree on a number.

    The intervals of the intraclass correlations come from F distributions: exact where every
    reader read every case, approximate in other designs, wider where a few cases stand far out.
    Where cases come in groups (patients) they are a bootstrap over groups.
    Between readers the first read counts for the correlations and the mean of the repeats for the
    differences; repeats themselves give the within-reader figures. "Cannot be read" is left out.

    Args:
        reads: scores; or ordinal grades, taken as the numbers that they are (0, 1, 2, ... if a
            grade is no number).
        averaged: number of reads averaged in ICC(., k); by default the harmonic mean number of
            readers a case.
        unit: of the scores ("mm", "HU"), for the words.
        subgroup, subgroups: (cases,) code of each case's subgroup, below 0 in none; the names.
        level, draws, seed: of the intervals.
    Returns:
        Figures that cannot be had (one reader, no common case, no spread) say why.
    Raises:
        InputError: nominal classes, or a level out of range.
    Source:
        Shrout & Fleiss 1979; McGraw & Wong 1996; Bland & Altman 1986, 1999; Koo & Li 2016,
        J. Chiropr. Med. 15:155-163 (words).
    """
    if not 0 < level < 1:
        raise InputError("level", "lie between 0 and 1", level)
    scores = as_scores(reads).answered()
    ask = ScoreSettings(level, draws, seed, unit, averaged)
    first, mean = _tables(scores)
    by_subgroup: list[Estimate] = []
    if subgroup is not None:
        if subgroup.shape != (scores.index.n_cases,):
            rule = f"have {scores.index.n_cases} entries, one a case"
            raise InputError("subgroup", rule, subgroup.shape)
        for code in range(int(subgroup.max(initial=-1)) + 1):
            name = subgroups[code] if code < len(subgroups) else f"subgroup {code}"
            by_subgroup += _correlations(scores, first, subgroup == code, ask, name)
    every = np.ones(scores.index.n_cases, dtype=np.bool_)
    pairs = pair_differences(scores, mean, ask)
    return ScoreAgreement(
        _correlations(scores, first, every, ask, "overall"),
        tuple(by_subgroup),
        pairs,
        against_rest(scores, mean, ask),
        within_readers(scores, ask),
        matrices(scores, first, pairs, ask),
    )


def as_scores(reads: ScoreReads | ClassReads) -> ScoreReads:
    """Ordinal grades as scores: their names where all are numbers, else 0, 1, 2, ...

    Raises:
        InputError: the classes have no order.
    """
    if isinstance(reads, ScoreReads):
        return reads
    if reads.schema.kind is not Kind.ORDINAL:
        raise InputError("reads", "be scores or ordinal grades", f"{reads.schema.kind} classes")
    try:
        grade = np.array([float(name) for name in reads.schema.names])
    except ValueError:
        grade = np.arange(reads.n_classes, dtype=float)
    value = np.where(reads.label >= 0, np.append(grade, np.nan)[reads.label], np.nan)
    return ScoreReads(reads.index, value, LabelSchema(Kind.SCORE))


def _tables(scores: ScoreReads) -> tuple[Floats, Floats]:
    """(cases, readers) first score and mean score of each reader; nan where there is none."""
    index = scores.index
    shape = (index.n_cases, index.n_readers)
    cell = index.case.astype(np.int64) * max(index.n_readers, 1) + index.reader
    first = np.full(shape[0] * shape[1], np.nan)
    first[cell[::-1]] = scores.value[::-1]
    count = np.bincount(cell, minlength=first.size)
    total = np.bincount(cell, scores.value, minlength=first.size)
    mean = np.divide(total, count, out=np.full(first.size, np.nan), where=count > 0)
    return first.reshape(shape), mean.reshape(shape)


def _correlations(
    scores: ScoreReads, first: Floats, chosen: Bools, ask: ScoreSettings, scope: str
) -> tuple[Estimate, ...]:
    """The intraclass correlations and the errors of one read, of the chosen cases."""
    there = np.isfinite(first) & chosen[:, None]
    cases = np.flatnonzero(there.any(axis=1))
    table = first[cases][:, there.any(axis=0)]
    per_case = np.isfinite(table).sum(axis=1)
    base = Estimate(
        "", "", 0.0, level=ask.level, n_cases=cases.size, n_readers=table.shape[1],
        n_reads=int(per_case.sum()), scope=scope,
    )  # fmt: skip
    k = ask.averaged or (float(cases.size / (1 / per_case).sum()) if cases.size else 1.0)
    reason = _too_little(per_case, table.shape[1])
    if reason:
        gone = replace(base, value=math.nan, undefined=reason)
        return tuple(_named(gone, key, k, ask) for key in _NAMES)
    crowded = table.shape[1] > MOST_READERS
    if crowded:
        table = _packed(table)
    unit, drawn = unit_of(scores.index)
    value, low, high = _bootstrapped(sums_of(table), unit[cases], k, ask)
    how = np.full(value.size, f"BCa bootstrap over {drawn}, {ask.draws} draws", dtype=object)
    if not crowded and drawn == "cases":
        excess = long_tails(table)
        low[:6], high[:6] = f_ends(table, k, ask.level, excess=excess)
        how[:6] = "exact, F distribution"
        if not complete(np.isfinite(table)):
            how[:6] = "F distribution, effective numbers of reads"
        if excess:
            how[:6] += ", widened for long tails"
    if crowded:
        value[[1, 2, 4, 5, 6, 7]] = np.nan
    out = []
    for i, key in enumerate(_NAMES):
        if math.isnan(value[i]):
            why = (
                f"left out with more than {MOST_READERS} readers: use the one-way forms"
                if crowded
                else "the scores do not vary, or too few cases share readers to tell them apart"
            )
            out.append(_named(replace(base, value=math.nan, undefined=why), key, k, ask))
        else:
            ends = (float(value[i]), float(low[i]), float(high[i]))
            out.append(_worded(_named(base, key, k, ask), *ends, str(how[i])))
    return tuple(out)


def _too_little(per_case: Ints, n_readers: int) -> str:
    if n_readers < 2:
        return f"agreement needs two readers; there is {'one' if n_readers else 'none'}"
    if per_case.size < 2:
        return "agreement needs two cases or more"
    if per_case.max() < 2:
        return "no case was read by two readers"
    return ""


def _packed(table: Floats) -> Floats:
    """The scores of each case moved to the left: readers no longer told apart."""
    there = np.isfinite(table)
    order = np.argsort(~there, axis=1, kind="stable")
    return np.take_along_axis(table, order, axis=1)[:, : int(there.sum(axis=1).max())]


def _figures(sums: Sums, times: Floats, k: float) -> Floats:
    """(draws, 8) in the order of the names; in blocks, as each draw holds a reader matrix."""
    out = []
    block = max(1, 4_000_000 // (sums.n_readers**2 + 1))
    for begin in range(0, len(times), block):
        got = components(sums, times[begin : begin + block])
        noise = got.reader + got.rest
        sem = np.sqrt(np.where(noise >= 0, noise, 0.0))
        out.append(np.column_stack([got.forms(k), sem, special.ndtri(0.975) * math.sqrt(2) * sem]))
    return np.concatenate(out)


def _bootstrapped(
    sums: Sums, unit: Ints, k: float, ask: ScoreSettings
) -> tuple[Floats, Floats, Floats]:
    """(8,) values, low and high ends."""
    distinct, code = np.unique(unit, return_inverse=True)
    column = np.zeros((distinct.size, sums.column.shape[1]))
    np.add.at(column, code, sums.column)
    merged = Sums(column, sums.n_readers)
    n = distinct.size
    value = _figures(merged, np.ones((1, n)), k)[0]
    times = draw_units(np.random.default_rng(ask.seed), ask.draws, n)
    drawn = _figures(merged, times, k)
    few = min(n, 2000)  # the skewness of 2000 cases is that of all
    without = np.ones((few, n))
    without[np.arange(few), np.arange(few)] = 0.0
    acceleration = acceleration_of(_figures(merged, without, k))
    low, high = bca_ends(value, drawn, acceleration, np.full(value.size, n), ask.level)
    return value, low, high


def _named(base: Estimate, key: str, k: float, ask: ScoreSettings) -> Estimate:
    unit = "" if key in FORMS else ask.unit
    return replace(base, name=_NAMES[key].format(k=f"{k:.3g}"), key=key, unit=unit)


def _worded(one: Estimate, value: float, low: float, high: float, interval: str) -> Estimate:
    warning = ""
    if one.key == "sem":
        words = f"One read is off by {value:.3g} {one.unit}".rstrip() + " (1 SD), bias included."
    elif one.key == "reproducibility":
        words = f"95 % of the time two readers differ by less than {value:.3g} {one.unit}".rstrip()
        words += "."
    else:
        grade = "poor" if low < 0.5 else "moderate" if low < 0.75 else "good" if low < 0.9 else ""
        words = f"{grade or 'excellent'} reliability, by the low end of the interval".capitalize()
        words += {
            "poor": "; train the readers on shared cases, or average more reads.",
            "moderate": "; average several reads where single ones decide.",
        }.get(grade, ".")
        if value < 0:
            warning = "Below 0: readers agree less than by chance; check for swapped scales."
    if one.n_cases < 30 and not warning:
        warning = f"It rests on {one.n_cases} cases only; 30 or more are advised."
    return replace(
        one, value=value, low=low, high=high, interval=interval, words=words, warning=warning
    )

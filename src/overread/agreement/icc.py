"""Intraclass correlations: variance components of any design, exact intervals where balanced.

A score is ``mean + case + reader + rest``. The components are estimated by analysis of variance
(Henderson's method 3), which needs no balance, no iteration and no normal distribution, and gives
Shrout and Fleiss' forms exactly where every reader read every case.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import special

from overread.arrays import Bools, Floats

FORMS: Final = ("icc_1_1", "icc_2_1", "icc_3_1", "icc_1_k", "icc_2_k", "icc_3_k")


@dataclass(frozen=True, slots=True, eq=False)
class Components:
    """Variance components, one entry a draw of cases. All may be below 0 by chance.

    Args:
        case, reader, rest: (draws,) of the two-way model.
        one_way, within: (draws,) between and within cases when readers are not told apart.
    """

    case: Floats
    reader: Floats
    rest: Floats
    one_way: Floats
    within: Floats

    def forms(self, k: float) -> Floats:
        """(draws, 6) the ICC in the order of :data:`FORMS`; nan where nothing varies.

        Args:
            k: number of reads averaged in the last three.
        """
        out = []
        for many in (1.0, k):
            noises = (self.within, self.reader + self.rest, self.rest)
            for signal, noise in zip((self.one_way, self.case, self.case), noises, strict=True):
                out.append(_share(signal, signal + noise / many))
        return np.stack(out, axis=-1)


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """Sums over each case, from which the components of any draw of cases follow.

    Args:
        column: (cases, columns) additive parts; see :func:`sums_of`.
        n_readers: R.
    """

    column: Floats
    n_readers: int


def sums_of(score: Floats) -> Sums:
    """Sum up each case of a table.

    Args:
        score: (cases, readers), nan where there is no read.
    """
    there = np.isfinite(score)
    # Far from 0 the squares would cancel.
    y = (
        np.where(there, score - np.mean(score[there]), 0.0)
        if there.any()
        else np.zeros(score.shape)
    )
    n = there.sum(axis=1).astype(float)
    safe = np.maximum(n, 1)
    total = y.sum(axis=1)
    seen = there.astype(float)
    cross = -seen[:, :, None] * seen[:, None, :] / safe[:, None, None]
    centred = seen * (y - (total / safe)[:, None])
    squares = (y**2).sum(axis=1)
    parts = [n, (n > 0).astype(float), squares, total**2 / safe, total, n**2]
    return Sums(
        np.hstack(
            [
                np.stack(parts, axis=1),
                seen,
                y,
                centred,
                cross.reshape(len(score), score.shape[1] ** 2),
            ]
        ),
        score.shape[1],
    )


def components(sums: Sums, times: Floats) -> Components:
    """Variance components of weighted tables.

    Args:
        sums: of the table.
        times: (draws, cases) how often each case counts; copies count as further cases.
    Returns:
        Entries are nan where a draw leaves too little to tell the components apart.
    Source:
        Searle, Casella & McCulloch 1992, Variance Components, sections 3.6 and 5.5.
    """
    r = sums.n_readers
    got = times @ sums.column
    n, cases, squares, by_case, total, n_squared = got[:, :6].T
    reads, sum_by_reader, rhs = (got[:, 6 + k * r : 6 + (k + 1) * r] for k in range(3))
    normal = got[:, 6 + 3 * r :].reshape(-1, r, r) + np.eye(r) * reads[:, None, :]
    by_reader = _ratio(sum_by_reader**2, reads).sum(axis=1)
    readers = (reads > 0).sum(axis=1)
    inverse = _inverse(normal)
    rank = np.rint(np.einsum("dij,dji->d", inverse, normal))
    explained = np.einsum("di,dij,dj->d", rhs, inverse, rhs)
    rest_sum = squares - by_case - explained
    floor = 1e-12 * np.maximum(squares, 0.0)
    rest_sum = np.where(rest_sum < floor, 0.0, rest_sum)
    rest = _ratio(rest_sum, n - cases - rank)
    reader = _ratio(explained - rank * rest, n - cases)
    pieces = readers - rank
    case = _ratio(squares - rest_sum - by_reader - (cases - pieces) * rest, n - readers)
    within = _ratio(squares - by_case, n - cases)
    between = by_case - total**2 / np.maximum(n, 1)
    one_way = _ratio(between - (cases - 1) * within, n - n_squared / np.maximum(n, 1))
    return Components(case, reader, rest, one_way, within)


def _inverse(normal: Floats) -> Floats:
    """Generalised inverses: readers without reads and designs in pieces leave them singular."""
    if len(normal) == 1:
        return np.asarray(np.linalg.pinv(normal, rcond=1e-10, hermitian=True))
    # A tiny ridge is 50 times faster; the right-hand side has no part in the null space.
    ridge = 1e-9 * np.maximum(np.trace(normal, axis1=1, axis2=2), 1.0) / normal.shape[1]
    return np.asarray(np.linalg.inv(normal + np.eye(normal.shape[1]) * ridge[:, None, None]))


def long_tails(score: Floats) -> float:
    """Excess kurtosis of the cases' means where it is beyond chance (2 SE); else 0.

    Args:
        score: (cases, readers), nan where there is no read. Fewer than 20 cases cannot tell.
    """
    there = np.isfinite(score)
    count = there.sum(axis=1)
    if np.count_nonzero(count) < 20:
        return 0.0
    mean = (np.where(there, score, 0.0).sum(axis=1) / np.maximum(count, 1))[count > 0]
    gap = mean - mean.mean()
    variance = float((gap**2).mean())
    if variance <= 0:
        return 0.0
    n = mean.size
    excess = float((gap**4).mean()) / variance**2 - 3
    excess = (n - 1) / ((n - 2) * (n - 3)) * ((n + 1) * excess + 6)
    return excess if excess > 2 * np.sqrt(24 / n) else 0.0


def f_ends(score: Floats, k: float, level: float, *, excess: float = 0.0) -> tuple[Floats, Floats]:
    """Intervals of the six forms from F distributions.

    Exact where every reader read every case (with Satterthwaite's approximation for absolute
    agreement, as published). In other designs the mean squares are written with the effective
    numbers of readers a case and of cases a reader, which is an approximation.

    Args:
        score: (cases, readers), nan where there is no read.
        k: number of reads averaged in the last three forms.
        level: nominal coverage.
        excess: kurtosis of the cases above a normal distribution's; it takes degrees of freedom
            from the variance between cases (Box 1953, Biometrika 40:318-335).
    Returns:
        (6,) low and (6,) high ends in the order of :data:`FORMS`; nan where nothing varies or a
        component cannot be told.
    Source:
        Shrout & Fleiss 1979, Psychol. Bull. 86:420-428; McGraw & Wong 1996, Psychol. Methods
        1:30-46, table 7; effective numbers: Searle et al. 1992, Variance Components, section 3.6.
    """
    there = np.isfinite(score)
    score = score[there.any(axis=1)][:, there.any(axis=0)]
    there = np.isfinite(score)
    (n, r), reads = score.shape, int(there.sum())
    one = components(sums_of(score), np.ones((1, n)))
    case, reader, rest, alone, within = (
        float(part[0]) for part in (one.case, one.reader, one.rest, one.one_way, one.within)
    )
    per_case = there.sum(axis=1)
    df_rest = reads - n - r + 1
    df_case = (n - 1) / (1 + max(excess, 0.0) / 2)
    single = np.full((3, 2), np.nan)
    if n > 1 and reads > n:
        wide = (reads - float((per_case**2).sum()) / reads) / (n - 1)
        single[0] = _consistency_ends(
            wide * alone + within, within, wide, (df_case, reads - n), level
        )
    if n > 1 and r > 1 and df_rest > 0:
        wide, tall = (reads - r) / (n - 1), (reads - n) / (r - 1)
        rows, columns = wide * case + rest, tall * reader + rest
        design = _Design(wide, tall, df_case, r - 1, df_rest)
        single[1] = _agreement_ends(rows, columns, rest, design, level)
        single[2] = _consistency_ends(rows, rest, wide, (df_case, df_rest), level)
    averaged = np.full_like(single, np.nan)
    np.divide(k * single, 1 + (k - 1) * single, out=averaged, where=1 + (k - 1) * single > 0)
    low, high = np.concatenate([single, averaged]).T
    return low, high


@dataclass(frozen=True, slots=True)
class _Design:
    """Effective reads a case (wide) and a reader (tall), and degrees of freedom."""

    wide: float
    tall: float
    df_case: float
    df_reader: int
    df_rest: int


def _consistency_ends(
    rows: float, noise: float, k: float, df: tuple[float, int], level: float
) -> tuple[float, float]:
    """Ends from the F ratio of mean squares; noise 0 means perfect agreement."""
    if not noise > 0:
        return (1.0, 1.0) if rows > 0 else (float("nan"), float("nan"))
    ratio, tail = rows / noise, (1 + level) / 2
    low = ratio / special.fdtri(df[0], df[1], tail)
    high = ratio * special.fdtri(df[1], df[0], tail)
    return float((low - 1) / (low + k - 1)), float((high - 1) / (high + k - 1))


def _agreement_ends(
    rows: float, columns: float, rest: float, design: _Design, level: float
) -> tuple[float, float]:
    n, k = design.tall, design.wide
    signal = (rows - rest) / k
    whole = signal + (columns - rest) / n + rest
    if not whole > 0:
        return float("nan"), float("nan")
    icc = signal / whole
    if icc >= 1 - 1e-12:
        return 1.0, 1.0
    a, b = k * icc / (n * (1 - icc)), 1 + k * icc * (n - 1) / (n * (1 - icc))
    spread = (a * columns) ** 2 / design.df_reader + (b * rest) ** 2 / design.df_rest
    df = (a * columns + b * rest) ** 2 / spread if spread > 0 else 1.0
    tail = (1 + level) / 2
    f_low, f_high = special.fdtri(design.df_case, df, tail), special.fdtri(df, design.df_case, tail)
    noise = k * columns + (k * n - k - n) * rest
    low = n * (rows - f_low * rest) / (f_low * noise + n * rows)
    high = n * (f_high * rows - rest) / (noise + n * f_high * rows)
    return float(low), float(high)


def complete(there: Bools) -> bool:
    """Whether every reader with reads read every case with reads, and there are two of each."""
    used = there[there.any(axis=1)][:, there.any(axis=0)]
    return bool(used.all()) and min(used.shape) >= 2


def _ratio(top: Floats, bottom: Floats) -> Floats:
    out = np.full(np.broadcast(top, bottom).shape, np.nan)
    np.divide(top, bottom, out=out, where=bottom > 1e-9)
    return out


def _share(part: Floats, whole: Floats) -> Floats:
    out = np.full(part.shape, np.nan)
    np.divide(part, whole, out=out, where=whole > 0)
    return out

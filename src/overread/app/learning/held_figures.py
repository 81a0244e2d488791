"""How good the model is on the labels set apart, in more than one figure.

An accuracy alone hides that one class is never found, that a grade is missed by three, or that
the model is surer than it should be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from overread.arrays import Floats, Ints
from overread.labels import Kind
from overread.selection.quality import calibration_error, quality_of

_DRAWS = 200
_LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure with its interval. Args: low, high: 95 %, by resampled cases."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class HeldFigures:
    """Of the model of all labels, on the labels set apart.

    Args:
        cases: labels compared.
        kappa, mae: of grades: quadratic kappa, and by how many grades the middle of the model's
            chances is off; None of classes without an order, kappa also where one grade alone
            occurs.
        ece: expected calibration error, a share; by_luck: what a model whose chances are just
            right stays below in 95 of 100 such sets.
        surer: on average it is surer than it is right.
    """

    cases: int
    kappa: Figure | None
    mae: Figure | None
    ece: float
    by_luck: float
    surer: bool


def figures_of(
    chances: Sequence[Floats], truth: Sequence[Ints], *, kind: Kind, seed: int = 0
) -> HeldFigures | None:
    """Measure what a model says against what readers said.

    Args:
        chances: (cases, classes) of each part of the question.
        truth: (cases,) codes of each part; -1 where nobody said.
        kind: of the question; grades get kappa and mean error too.
        seed: of the resampled cases.
    Returns:
        None where nothing can be compared.
    """
    pairs = [(p[t >= 0], t[t >= 0]) for p, t in zip(chances, truth, strict=True)]
    count = sum(len(t) for _, t in pairs)
    if not count:
        return None
    rng = np.random.default_rng(seed)
    kappa, mae = _grades(*pairs[0], rng) if kind is Kind.ORDINAL else (None, None)
    confidence = np.concatenate([p.max(axis=1) for p, _ in pairs])
    right = np.concatenate([p.argmax(axis=1) == t for p, t in pairs]).astype(np.float64)
    luck = rng.random((_DRAWS, count)) < confidence  # as often right as it says
    by_luck = [calibration_error(confidence, one.astype(np.float64)) for one in luck]
    ece = calibration_error(confidence, right)
    below = float(np.quantile(by_luck, _LEVEL))
    return HeldFigures(count, kappa, mae, ece, below, surer=bool(confidence.mean() > right.mean()))


def _grades(chances: Floats, truth: Ints, rng: np.random.Generator) -> tuple[Figure | None, Figure]:
    """Quadratic kappa and mean absolute error of the median grade."""
    drawn = [np.arange(len(truth)), *rng.integers(len(truth), size=(_DRAWS, len(truth)))]
    found = [quality_of(chances[rows], truth[rows], ordinal=True) for rows in drawn]
    mae = _figure([one.mae for one in found])
    if len(np.unique(truth)) < 2:
        return None, mae
    several = [True, *(len(np.unique(truth[rows])) > 1 for rows in drawn[1:])]
    return _figure([one.kappa for one, kept in zip(found, several, strict=True) if kept]), mae


def _figure(values: Sequence[float]) -> Figure:
    """The first with the interval of the others."""
    tail = (1 - _LEVEL) / 2
    low, high = np.quantile(values[1:], [tail, 1 - tail]) if len(values) > 1 else (np.nan, np.nan)
    return Figure(values[0], float(low), float(high))

"""How good predicted classes are, where the truth is known: never one figure alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from overread.arrays import Floats, Ints
from overread.errors import InputError

BINS = 15
"""Bins of equal width of the expected calibration error."""


@dataclass(frozen=True, slots=True)
class Quality:
    """Figures of predictions on cases with a known class.

    Args:
        cases: how many.
        accuracy: share right. balanced: mean recall of the classes that occur.
        recall: of each class, nan where it does not occur.
        ece: expected calibration error of the surest class. nll: nats.
        kappa, mae: of grades, quadratic kappa and mean absolute error of the median grade; nan of
            nominal classes.
    """

    cases: int
    accuracy: float
    balanced: float
    recall: tuple[float, ...]
    ece: float
    nll: float
    kappa: float = float("nan")
    mae: float = float("nan")


def quality_of(probabilities: Floats, truth: Ints, *, ordinal: bool = False) -> Quality:
    """Measure predictions.

    Args:
        probabilities: (cases, classes); truth: (cases,) classes from 0.
        ordinal: the classes are grades, from least to most.
    """
    n, k = np.shape(probabilities)
    if not n or len(truth) != n or np.min(truth) < 0 or np.max(truth) >= k:
        raise InputError(
            "truth", f"be one class 0 .. {k - 1} for each of {n} cases", np.shape(truth)
        )
    said = probabilities.argmax(axis=1)
    right = said == truth
    recall = [
        float(right[truth == c].mean()) if (truth == c).any() else float("nan") for c in range(k)
    ]
    lost = -np.log(np.maximum(probabilities[np.arange(n), truth], 1e-12))
    kappa, mae = _grade_figures(probabilities, truth) if ordinal else (float("nan"),) * 2
    return Quality(
        n, float(right.mean()), float(np.nanmean(recall)), tuple(recall),
        calibration_error(probabilities.max(axis=1), right), float(lost.mean()), kappa, mae,
    )  # fmt: skip


def calibration_error(confidence: Floats, right: Floats) -> float:
    """Expected calibration error over :data:`BINS` bins of equal width.

    Source:
        Naeini et al. 2015, AAAI; Guo et al. 2017, ICML.
    """
    which = np.minimum((np.asarray(confidence) * BINS).astype(np.intp), BINS - 1)
    apart = np.bincount(which, weights=np.asarray(confidence) - right, minlength=BINS)
    return float(np.abs(apart).sum() / len(which))


def _grade_figures(probabilities: Floats, truth: Ints) -> tuple[float, float]:
    """Quadratic kappa (Cohen 1968) and mean absolute error of the median grade."""
    n, k = probabilities.shape
    median = np.minimum((np.cumsum(probabilities, axis=1) < 0.5).sum(axis=1), k - 1)
    step = np.subtract.outer(np.arange(k), np.arange(k)) ** 2
    table = np.zeros((k, k))
    np.add.at(table, (median, truth), 1.0)
    chance = float((step * np.outer(table.sum(axis=1), table.sum(axis=0))).sum()) / n
    kappa = 1 - float((step * table).sum()) / chance if chance > 0 else 1.0
    return kappa, float(np.abs(median - truth).mean())

"""The images of a project on a plane: which look alike, and what is known of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from overread.app.learning.learner import Learner, probabilities_of
from overread.arrays import Floats, Ints
from overread.store.learning import Asked

COLOURS = ("label", "uncertainty", "split")
"""What the points of a map may show."""

SPLIT = ("teaches", "tests", "asked", "unread")
"""Codes of a map by split, in this order."""

MOST = 1_500
LEVELS = 5


@dataclass(frozen=True, slots=True, eq=False)
class CaseMap:
    """A sample of the cases on a plane.

    Args:
        rows: (points,) of the cases; x, y: (points,) in 0 .. 1.
        code: (points,) of what is shown: a class, a level of doubt, or a split; -1 for unread.
        guess: (points,) class that the model says; -1 before there is a model.
        doubt: (points,) chance that it is wrong by its own word; nan before.
        share: of the variance of the latents that the plane shows.
    """

    rows: Ints
    x: Floats
    y: Floats
    code: Ints
    guess: Ints
    doubt: Floats
    share: float


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """Places of a sample of cases. Args: as of :class:`CaseMap`."""

    rows: Ints
    x: Floats
    y: Floats
    share: float


def plane_of(values: NDArray[np.floating], *, seed: int = 0, most: int = MOST) -> Plane:
    """The two main axes of the latents.

    Args:
        values: (cases, latents).
        seed: of the sample of a large project.
        most: points that a page can show.
    Source:
        Jolliffe 2002, Principal Component Analysis.
    """
    rows = np.sort(np.random.default_rng(seed).permutation(len(values))[:most])
    part = np.asarray(values[rows], dtype=np.float64)
    centred = part - part.mean(axis=0) if len(part) else part
    _, strength, axes = np.linalg.svd(centred, full_matrices=False)
    place = np.zeros((len(rows), 2))
    kept = min(2, len(axes))
    place[:, :kept] = centred @ axes[:kept].T
    whole = float((strength**2).sum())
    share = float((strength[:kept] ** 2).sum()) / whole if whole > 0 else 0.0
    return Plane(rows, _squeezed(place[:, 0]), _squeezed(place[:, 1]), share)


def map_of(learner: Learner, plane: Plane, asked: dict[str, Asked], *, by: str) -> CaseMap:
    """Colour the points of a plane.

    Args:
        learner: what is known.
        plane: of its cases.
        asked: cases that were asked for.
        by: of :data:`COLOURS`; of a set of classes the first is shown.
    """
    rows = plane.rows
    said = np.asarray(learner.said()[rows])
    guess = np.full(len(rows), -1, dtype=np.int64)
    doubt: Floats = np.full(len(rows), np.nan)
    if learner.can_choose:
        sure = probabilities_of(learner, rows=rows)
        guess = np.asarray(sure.argmax(axis=1), dtype=np.int64)
        doubt = np.asarray(1 - sure.max(axis=1))
    if by == "split":
        code: Ints = np.array([_split(learner, int(row), asked) for row in rows], dtype=np.int64)
    elif by == "uncertainty":
        top = 1 - 1 / len(learner.setup.classes)
        level = np.nan_to_num(doubt / top * LEVELS, nan=-1.0)
        code = np.where(np.isnan(doubt), -1, np.clip(level.astype(np.int64), 0, LEVELS - 1))
    else:
        code = said
    return CaseMap(rows, plane.x, plane.y, code, guess, doubt, plane.share)


def _split(learner: Learner, row: int, asked: dict[str, Asked]) -> int:
    if row in learner.heard:
        return 1 if learner.held[row] else 0
    return 2 if learner.latents.cases[row] in asked else 3


def _squeezed(values: Floats) -> Floats:
    """Into 0 .. 1, by the middle 98 %: one odd image must not crowd all others."""
    if not len(values):
        return values
    low, high = np.quantile(values, [0.01, 0.99])
    return np.asarray(np.clip((values - low) / max(float(high - low), 1e-12), 0, 1))

"""What is usual for the drawings of a class, from the set itself, and how far one is off.

The figures of a class are taken to scatter around a centre; centre and covariance are estimated
from the tight three quarters (minimum covariance determinant), so that loose drawings among them
do not hide themselves. A score is a linear combination of the figures, its weights those of
Fisher's discriminant for the shift that a looser contour makes by geometry: no labels of loose
and tight drawings are needed, and none are used.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from scipy import stats

from overread.arrays import Bools, Floats
from overread.monitoring.rules.figures import DrawnFigures

LEAST = 20
"""Drawings of a class from which on it is its own measure."""

_DESIGN = 0.23  # of the reach: the offset of a contour drawn 30 % too wide
_KEPT = 0.75
_STEPS = 12


@dataclass(frozen=True, slots=True, eq=False)
class Population:
    """The usual drawings of one class.

    Args:
        n: drawings that it was made from.
        centre: (3,) log area, -log(1 - share), offset / reach.
        covariance: (3, 3).
        shift: (3,) what a contour 30 % too wide adds, by geometry.
        scale: median and upper spread of the score over the class; the spread is at least 1.
        log_area: median and spread (as a standard deviation) of the log area.
        texture: texture length of the class in pixels, from its larger drawings.
        lengths: texture lengths along the side that half of the drawings hold.
    """

    n: int
    centre: Floats
    covariance: Floats
    shift: Floats
    scale: tuple[float, float]
    log_area: tuple[float, float]
    texture: float
    lengths: float


Populations: TypeAlias = Mapping[int, Population]
"""Class code -> its population; classes with few drawings are left out."""


def populations(figures: DrawnFigures, *, least: int = LEAST) -> dict[int, Population]:
    """Learn what is usual from a set of drawings.

    Args:
        figures: of the whole set, good and bad.
        least: drawings that a class needs.
    """
    found = {}
    for label in np.unique(figures.label).tolist():
        mine = (figures.label == label) & (figures.area > 0)
        if mine.sum() >= least:
            found[int(label)] = _population(figures, mine)
    return found


def vectors(figures: DrawnFigures) -> Floats:
    """(n, 3) log area, -log(1 - share), offset / reach; nan where unknown."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.stack(
            [
                np.log(figures.area),
                -np.log1p(-np.minimum(figures.share, 0.999)),
                figures.offset / figures.radius,
            ],
            axis=1,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Looseness:
    """How loose some drawings of a class are.

    Args:
        score: (rows,) of all figures, in standard deviations of the class's usual drawings; nan
            where the image gives none.
        seen: (rows,) the same of the figures that the image gives, without the area.
        n: drawings that the class was known from.
    """

    score: Floats
    seen: Floats
    n: int

    def limit(self, false_alarm: float) -> float:
        """Score that a usual drawing exceeds with this probability; small sets allowed for."""
        kept = max(int(self.n * _KEPT), 3)
        return float(stats.t.isf(false_alarm, kept - 1) * np.sqrt(1 + 1 / kept))


def looseness(figures: DrawnFigures, rows: Bools, usual: Population) -> Looseness:
    """Score some drawings.

    Args:
        rows: (n,) drawings of the population's class.
    """
    x = vectors(figures)[rows] - usual.centre
    blind = np.isnan(x[:, 1:]).all(axis=1)
    x = np.nan_to_num(x)
    level, spread = usual.scale
    score = (_projected(x, usual, slice(0, 3)) - level) / spread
    seen = _projected(x, usual, slice(1, 3))
    return Looseness(np.where(blind, np.nan, score), np.where(blind, np.nan, seen), usual.n)


def _projected(x: Floats, usual: Population, which: slice) -> Floats:
    covariance, shift = usual.covariance[which, which], usual.shift[which]
    weight = np.linalg.solve(covariance, shift)
    # a figure counts for looseness or not at all: a negative weight would excuse a wide contour
    weight = np.maximum(weight, 0)
    return np.asarray(x[:, which] @ weight / np.sqrt(weight @ covariance @ weight))


def _population(figures: DrawnFigures, mine: Bools) -> Population:
    x = vectors(figures)[mine]
    log_area = x[:, 0]
    known = ~np.isnan(x)
    middle = np.array([np.median(c[k]) if k.any() else 0.0 for c, k in zip(x.T, known.T)])  # noqa: B905 - both have three rows
    centre, covariance = _core(np.where(known, x, middle))
    spread = 1.4826 * float(np.median(np.abs(log_area - np.median(log_area))))
    texture, lengths = _texture(figures, mine)
    whole = Population(
        int(mine.sum()),
        centre,
        covariance,
        _shift(figures, mine),
        (0.0, 1.0),
        (float(np.median(log_area)), max(spread, 0.02)),
        texture,
        lengths,
    )
    return replace(whole, scale=_scale(looseness(figures, mine, whole).score))


def _scale(score: Floats) -> tuple[float, float]:
    """Median and upper spread: real scores have a longer tail above than below."""
    known = score[~np.isnan(score)]
    if known.size < 5:
        return 0.0, 1.0
    middle, above = np.quantile(known, [0.5, 0.7])
    return float(middle), max(1.0, float((above - middle) / stats.norm.ppf(0.7)))


def _shift(figures: DrawnFigures, mine: Bools) -> Floats:
    out = _DESIGN * figures.radius[mine] * figures.perimeter[mine] / figures.area[mine]
    grown = -np.log1p(-min(float(np.nanmedian(out)), 0.8))
    return np.array([grown, grown, _DESIGN])


def _core(x: Floats) -> tuple[Floats, Floats]:
    """Centre and covariance of the tight part (n, d) of a set."""
    floor = np.diag([0.02, 0.02, 0.01][: x.shape[1]]) ** 2
    centre = np.median(x, axis=0)
    spread = 1.4826 * np.median(np.abs(x - centre), axis=0)
    covariance = np.diag(spread**2) + floor
    kept = max(int(_KEPT * len(x)), x.shape[1] + 2)
    for _ in range(_STEPS):
        distance = _distances(x, centre, covariance)
        part = x[np.argsort(distance, kind="stable")[:kept]]
        centre = part.mean(axis=0)
        covariance = np.cov(part.T) + floor
    distance = _distances(x, centre, covariance)
    wide = float(np.median(distance)) / stats.chi2.median(x.shape[1])
    return centre, covariance * max(wide, 0.05)


def _distances(x: Floats, centre: Floats, covariance: Floats) -> Floats:
    off = x - centre
    return np.asarray((off * np.linalg.solve(covariance, off.T).T).sum(axis=1))


def _texture(figures: DrawnFigures, mine: Bools) -> tuple[float, float]:
    """Texture length from the larger half, which shows it best, and how many the median holds."""
    area, length = figures.area[mine], figures.texture[mine]
    large = (area >= np.median(area)) & (length > 0)
    if large.sum() < 5:
        return float("nan"), float("nan")
    typical = float(np.median(length[large]))
    return typical, float(np.sqrt(np.median(area)) / typical)

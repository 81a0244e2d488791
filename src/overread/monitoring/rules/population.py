"""What is usual for the drawings of a class, from the set itself, and how far one is off.

The figures of a class scatter around their medians. Some drawings of the set are drawn 30 % too
wide on purpose and measured again (probes): the median of what that changes is the shift. A score
is a linear combination of the figures, its weights those of Fisher's discriminant for the shift and
the covariance of the class. No labels of loose and tight drawings are needed, and none are used.
A figure counts up to twice the shift: real figures have long tails, and loose drawings among the
usual ones must not hide themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from scipy import stats

from overread.arrays import Bools, Floats
from overread.monitoring.rules.figures import DrawnFigures, Probes

LEAST = 20
"""Drawings of a class from which on it is its own measure."""

_DESIGN = 0.23  # of the reach: the offset of a contour drawn 30 % too wide
_PROBES = 10
_WHOLE = 2.0
_LEAST_SCALE = 0.5
_LEAST_SHIFT = np.array([0.02, 0.02, 0.01])


@dataclass(frozen=True, slots=True, eq=False)
class Population:
    """The usual drawings of one class.

    Args:
        n: drawings that it was made from.
        centre: (3,) log area, -log(1 - share), offset / reach.
        covariance: (3, 3).
        shift: (3,) what a contour 30 % too wide adds: median of the probes, or by geometry.
        probed: (probes,) scores of the probes; empty where there were few.
        scale: median and spread of the score over the class; the spread is at least 0.5.
        log_area: median of the log area, and its spreads below and above as standard deviations,
            from the quantiles between 10 and 90 %.
        texture: texture length of the class in pixels, from its larger drawings.
        lengths: texture lengths along the side that half of the drawings hold.
    """

    n: int
    centre: Floats
    covariance: Floats
    shift: Floats
    probed: Floats
    scale: tuple[float, float]
    log_area: tuple[float, float, float]
    texture: float
    lengths: float

    def limit(self, false_alarm: float) -> float:
        """Score that a usual drawing exceeds with this probability; small sets allowed for."""
        return float(stats.t.isf(false_alarm, self.n - 1) * np.sqrt(1 + 1 / self.n))


Populations: TypeAlias = Mapping[int, Population]
"""Class code -> its population; classes with few drawings are left out."""


def populations(
    figures: DrawnFigures, probes: Probes | None = None, *, least: int = LEAST
) -> dict[int, Population]:
    """Learn what is usual from a set of drawings.

    Args:
        figures: of the whole set, good and bad.
        probes: drawings drawn too wide on purpose; without them the shift that a looser contour
            makes is taken from geometry.
        least: drawings that a class needs.
    """
    found = {}
    for label in np.unique(figures.label).tolist():
        mine = (figures.label == label) & (figures.area > 0)
        if mine.sum() >= least:
            found[int(label)] = _population(figures, mine, probes)
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
    """

    score: Floats
    seen: Floats


def looseness(figures: DrawnFigures, rows: Bools, usual: Population) -> Looseness:
    """Score some drawings.

    Args:
        rows: (n,) drawings of the population's class.
    """
    x = vectors(figures)[rows] - usual.centre
    blind = np.isnan(x[:, 1:]).all(axis=1)
    x = _clipped(x, usual.shift)
    level, spread = usual.scale
    score = (_projected(x, usual, slice(0, 3)) - level) / spread
    seen = _projected(x, usual, slice(1, 3))
    return Looseness(np.where(blind, np.nan, score), np.where(blind, np.nan, seen))


def _projected(x: Floats, usual: Population, which: slice) -> Floats:
    covariance, shift = usual.covariance[which, which], usual.shift[which]
    weight = np.linalg.solve(covariance, shift)
    # a figure counts for looseness or not at all: a negative weight would excuse a wide contour
    weight = np.maximum(weight, 0)
    return np.asarray(x[:, which] @ weight / np.sqrt(weight @ covariance @ weight))


def _population(figures: DrawnFigures, mine: Bools, probes: Probes | None) -> Population:
    x = vectors(figures)[mine]
    log_area = x[:, 0]
    known = ~np.isnan(x)
    middle = np.array(
        [np.median(c[k]) if k.any() else 0.0 for c, k in zip(x.T, known.T, strict=True)]
    )
    label = int(figures.label[mine][0])
    wide = None if probes is None else probes.after.label == label
    probed = None if probes is None or wide is None else _probed_shift(probes, wide)
    shift = _shift(figures, mine) if probed is None else np.maximum(probed, _LEAST_SHIFT)
    covariance = np.cov(_clipped(x - middle, shift).T) + np.diag(_LEAST_SHIFT**2)
    texture, lengths = _texture(figures, mine)
    whole = Population(
        int(mine.sum()),
        middle,
        covariance,
        shift,
        np.empty(0),
        (0.0, 1.0),
        _spreads(log_area),
        texture,
        lengths,
    )
    whole = replace(whole, scale=_scale(looseness(figures, mine, whole).score))
    if probes is None or wide is None or probed is None:
        return whole
    return replace(whole, probed=looseness(probes.after, wide, whole).score)


def _probed_shift(probes: Probes, mine: Bools) -> Floats | None:
    moved = (vectors(probes.after) - vectors(probes.before))[mine]
    known = ~np.isnan(moved)
    if known.sum(axis=0).min() < _PROBES:
        return None
    return np.array([np.median(c[k]) for c, k in zip(moved.T, known.T, strict=True)])


def _spreads(value: Floats) -> tuple[float, float, float]:
    """Median and the two spreads: sizes of real things are often skewed."""
    low, left, middle, right, high = np.quantile(value, [0.1, 0.25, 0.5, 0.75, 0.9])
    near, far = stats.norm.ppf(0.75), stats.norm.ppf(0.9)
    below = max((middle - left) / near, (middle - low) / far, 0.02)
    above = max((right - middle) / near, (high - middle) / far, 0.02)
    return float(middle), float(below), float(above)


def _scale(score: Floats) -> tuple[float, float]:
    """Median and spread, the middle of three that few loose drawings move little."""
    known = score[~np.isnan(score)]
    if known.size < 5:
        return 0.0, 1.0
    low, left, middle, above, right = np.quantile(known, [0.16, 0.25, 0.5, 0.7, 0.75])
    spreads = (
        (above - middle) / stats.norm.ppf(0.7),
        (right - left) / 2 / stats.norm.ppf(0.75),
        (middle - low) / stats.norm.ppf(0.84),
    )
    return float(middle), max(_LEAST_SCALE, float(np.median(spreads)))


def _shift(figures: DrawnFigures, mine: Bools) -> Floats:
    out = _DESIGN * figures.radius[mine] * figures.perimeter[mine] / figures.area[mine]
    grown = -np.log1p(-min(float(np.nanmedian(out)), 0.8))
    return np.array([grown, grown, _DESIGN])


def _clipped(x: Floats, shift: Floats) -> Floats:
    """Figures off their centre, each within twice of what a probe shows: no figure rules alone."""
    return np.asarray(np.clip(np.nan_to_num(x), -_WHOLE * shift, _WHOLE * shift))


def _texture(figures: DrawnFigures, mine: Bools) -> tuple[float, float]:
    """Texture length from the larger half, which shows it best, and how many the median holds."""
    area, length = figures.area[mine], figures.texture[mine]
    large = (area >= np.median(area)) & (length > 0)
    if large.sum() < 5:
        return float("nan"), float("nan")
    typical = float(np.median(length[large]))
    return typical, float(np.sqrt(np.median(area)) / typical)

"""What is usual for the drawings of a class, from the set itself, and how far one is off.

Figures of a drawing (area, share and offset, and the curves of background and edges across its
contour) scatter around their medians. Some drawings of the set are drawn 30 % and 50 % too wide on
purpose and measured again (probes). The score is Fisher's linear discriminant between the two:
weights for the probes' mean shift, and the covariance of the class plus that of the shifts, shrunk
to its diagonal the more, the fewer drawings there are. No labels of loose and tight are used. Each
drawing is scored by weights that were learnt without it, and a class is learnt again without
what would be listed: loose drawings among the usual ones must not hide.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from scipy import stats

from overread.arrays import Bools, Floats, Ints
from overread.monitoring.rules.figures import PROBES, DrawnFigures, Probes
from overread.monitoring.rules.profile import as_if_wider

LEAST = 20
"""Drawings of a class from which on it is its own measure."""

_PROBES = 6  # fewer are not asked: geometry says what a wider contour changes
_FOLDS = 5
_FEW = 10  # drawings that weights are learnt from
_CLIP = 4.0  # spreads of a figure that count: real figures have long tails
_RIDGE = 1e-3
_PASSES = 3
_TRIM = 0.01  # false-alarm rate beyond which a drawing teaches no more what is usual
_DEGREES = 4.0  # of Student's t: the upper tail of the scores of usual drawings is a long one
_LEAST_SCALE = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Population:
    """The usual drawings of one class.

    Args:
        n: drawings that it was made from.
        middle, spread: (k,) of each figure, see :func:`vectors`.
        weight: (folds, k) of each figure in the score; fold f was learnt without the drawings
            that fall to f.
        level: (folds, 3) median of the scores that a fold was learnt from, distance of their
            quartiles, and median of the part that the image gives.
        scale: median and spread of the scores of the class, each by the fold without it.
        probed: (probes,) scores of the probes that are 30 % too wide; empty where there were few.
        log_area: median of the log area, and its spreads below and above as standard deviations,
            from the quantiles between 10 and 90 %.
        texture: texture length of the class in pixels, from its larger drawings.
        lengths: texture lengths along the side that half of the drawings hold.
    """

    n: int
    middle: Floats
    spread: Floats
    weight: Floats
    level: Floats
    scale: tuple[float, float]
    probed: Floats
    log_area: tuple[float, float, float]
    texture: float
    lengths: float

    def limit(self, false_alarm: float) -> float:
        """Score that a usual drawing exceeds with this probability; small sets allowed for."""
        return _limit(self.n, false_alarm)


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
            found[int(label)] = _population(figures.rows(mine), _probes_of(probes, label))
    return found


def vectors(figures: DrawnFigures) -> Floats:
    """(n, 3 + N_PROFILE) log area, -log(1 - share), offset / reach, profile; nan if unknown."""
    with np.errstate(divide="ignore", invalid="ignore"):
        plain = [
            np.log(figures.area),
            -np.log1p(-np.minimum(figures.share, 0.999)),
            figures.offset / figures.radius,
        ]
    return np.concatenate([np.stack(plain, axis=1), figures.profile], axis=1)


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
    some = figures.rows(rows)
    x = vectors(some)
    blind = np.isnan(x[:, 1:3]).all(axis=1)
    raw, seen = _projected(_standard(x, usual.middle, usual.spread), _fold(some), usual)
    score = (raw - usual.scale[0]) / usual.scale[1]
    return Looseness(np.where(blind, np.nan, score), np.where(blind, np.nan, seen))


def _fold(figures: DrawnFigures) -> Ints:
    """(n,) fold of each drawing, by its figures alone: the order of a set changes nothing."""
    mixed = 9973 * figures.share + 101.7 * figures.offset + 577 * np.log(figures.area)
    return np.asarray(np.floor(np.nan_to_num(mixed)).astype(np.int64) % _FOLDS)


def _standard(x: Floats, middle: Floats, spread: Floats) -> Floats:
    return np.asarray(np.clip(np.nan_to_num((x - middle) / spread), -_CLIP, _CLIP))


def _projected(z: Floats, fold: Ints, usual: Population) -> tuple[Floats, Floats]:
    weight, level = usual.weight[fold], usual.level[fold]
    raw = ((z * weight).sum(axis=1) - level[:, 0]) / level[:, 1]
    seen = ((z[:, 1:] * weight[:, 1:]).sum(axis=1) - level[:, 2]) / level[:, 1]
    return raw, seen


def _limit(n: int, false_alarm: float) -> float:
    tail = stats.t(min(_DEGREES, n - 1))
    # the spread is that of the middle of the scores, told as a normal's
    wide = stats.norm.ppf(_NEAR) / tail.ppf(_NEAR)
    return float(tail.isf(false_alarm) * wide * np.sqrt(1 + 1 / n))


_NEAR = 0.7


def _probes_of(probes: Probes | None, label: int) -> Probes | None:
    if probes is None:
        return None
    mine = probes.before.label == label
    if mine.sum() < _PROBES:
        return None
    return Probes(*(one.rows(mine) for one in (probes.before, probes.after, probes.further)))


def _population(figures: DrawnFigures, probes: Probes | None) -> Population:
    x, fold = vectors(figures), _fold(figures)
    usual = _learnt(figures, x, fold, probes, np.ones(figures.n, dtype=np.bool_))
    for _ in range(_PASSES - 1):
        raw, _ = _projected(_standard(x, usual.middle, usual.spread), fold, usual)
        kept = (raw - usual.scale[0]) / usual.scale[1] <= usual.limit(_TRIM)
        if kept.all() or kept.sum() < max(LEAST, figures.n / 2):
            break
        usual = _learnt(figures, x, fold, probes, kept)
    return usual


def _learnt(
    figures: DrawnFigures, x: Floats, fold: Ints, probes: Probes | None, kept: Bools
) -> Population:
    middle, spread = _robust(x[kept])
    z = _standard(x, middle, spread)
    moved, of = _shifts(x, fold, probes, middle, spread)
    weight, level = np.zeros((_FOLDS, x.shape[1])), np.zeros((_FOLDS, 3))
    for at in range(_FOLDS):
        some, others = kept & (fold != at), of != at
        some = some if some.sum() >= _FEW else kept
        others = others if others.sum() >= _FEW else np.ones_like(others)
        weight[at] = _discriminant(z[some], moved[others])
        score = z[some] @ weight[at]
        seen = z[some, 1:] @ weight[at, 1:]
        left, middle_of, right = np.quantile(score, [0.25, 0.5, 0.75])
        level[at] = middle_of, max(right - left, 1e-9), np.median(seen)
    texture, lengths = _texture(figures)
    made = Population(
        figures.n, middle, spread, weight, level, (0.0, 1.0), np.empty(0),
        _spreads(x[:, 0]), texture, lengths,
    )  # fmt: skip
    raw, _ = _projected(z, fold, made)
    made = replace(made, scale=_scale(raw[kept]))
    if probes is None:
        return made
    every = np.ones(probes.after.n, dtype=np.bool_)
    return replace(made, probed=looseness(probes.after, every, made).score)


def _robust(x: Floats) -> tuple[Floats, Floats]:
    """(k,) medians and spreads; of a figure that nobody has 0 and 1."""
    known = ~np.isnan(x)
    middle, spread = np.zeros(x.shape[1]), np.ones(x.shape[1])
    for at in np.flatnonzero(known.any(axis=0)).tolist():
        value = x[known[:, at], at]
        middle[at] = np.median(value)
        spread[at] = 1.4826 * np.median(np.abs(value - middle[at])) + 1e-6
    return middle, spread


def _shifts(
    x: Floats, fold: Ints, probes: Probes | None, middle: Floats, spread: Floats
) -> tuple[Floats, Ints]:
    """(shifts, k) what drawing wider changes, and the fold of each."""
    if probes is None:
        before, wide, of = x, [_wider(x, by) for by in PROBES], fold
    else:
        before, of = vectors(probes.before), _fold(probes.before)
        wide = [vectors(probes.after), vectors(probes.further)]
    plain = _standard(before, middle, spread)
    moved = np.concatenate([_standard(one, middle, spread) - plain for one in wide])
    return moved, np.concatenate([of] * len(wide))


def _wider(x: Floats, by: float) -> Floats:
    """Figures of the same drawings, were they drawn too wide; by geometry alone."""
    grown = 2 * np.log1p(by)
    made = x.copy()
    made[:, 0] += grown
    made[:, 1] += grown  # the thing inside stays as large as it is
    made[:, 2] = (x[:, 2] + by) / (1 + by)
    made[:, 3:] = as_if_wider(x[:, 3:], by)
    return made


def _discriminant(z: Floats, moved: Floats) -> Floats:
    """(k,) weights of Fisher's discriminant, shrunk for few drawings."""
    n, k = z.shape
    covariance = np.cov(z.T) + np.cov(moved.T)
    shrunk = k / (k + n)
    covariance = (1 - shrunk) * covariance + shrunk * np.diag(np.diag(covariance))
    return np.asarray(np.linalg.solve(covariance + _RIDGE * np.eye(k), moved.mean(axis=0)))


def _spreads(value: Floats) -> tuple[float, float, float]:
    """Median and the two spreads: sizes of real things are often skewed."""
    low, left, middle, right, high = np.quantile(value, [0.1, 0.25, 0.5, 0.75, 0.9])
    near, far = stats.norm.ppf(0.75), stats.norm.ppf(0.9)
    below = max((middle - left) / near, (middle - low) / far, 0.02)
    above = max((right - middle) / near, (high - middle) / far, 0.02)
    return float(middle), float(below), float(above)


def _scale(score: Floats) -> tuple[float, float]:
    """Median and spread, the middle of three that few loose drawings move little."""
    low, left, middle, above, right = np.quantile(score, [0.16, 0.25, 0.5, _NEAR, 0.75])
    spreads = (
        (above - middle) / stats.norm.ppf(_NEAR),
        (right - left) / 2 / stats.norm.ppf(0.75),
        (middle - low) / stats.norm.ppf(0.84),
    )
    return float(middle), max(_LEAST_SCALE, float(np.median(spreads)))


def _texture(figures: DrawnFigures) -> tuple[float, float]:
    """Texture length from the larger half, which shows it best, and how many the median holds."""
    area, length = figures.area, figures.texture
    large = (area >= np.median(area)) & (length > 0)
    if large.sum() < 5:
        return float("nan"), float("nan")
    typical = float(np.median(length[large]))
    return typical, float(np.sqrt(np.median(area)) / typical)

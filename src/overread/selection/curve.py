"""The learning curve: how the error falls with labels, with an interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from overread.arrays import Bools, Floats
from overread.errors import InputError

_POWERS = np.geomspace(0.05, 2.0, 60)
_FEWEST = 3


@dataclass(frozen=True, slots=True, eq=False)
class LearningCurve:
    """Error as floor + scale * labels^-power, and resampled fits around it.

    Args:
        floor, scale, power: of the fit.
        draws: (fits, 3) the same of resampled measurements: what else the curve could be.
        last: labels at the last measurement.
    """

    floor: float
    scale: float
    power: float
    draws: Floats
    last: int

    def error(self, labels: Floats | float) -> Floats:
        """Expected error at so many labels, same shape."""
        return np.asarray(self.floor + self.scale * np.asarray(labels, float) ** -self.power)

    def between(self, labels: Floats, *, level: float = 0.95) -> tuple[Floats, Floats]:
        """Lower and upper error at each of (points,) labels."""
        at = np.asarray(labels, dtype=np.float64)[:, None] ** -self.draws[:, 2]
        every = self.draws[:, 0] + self.draws[:, 1] * at
        tail = (1 - level) / 2
        return np.quantile(every, tail, axis=1), np.quantile(every, 1 - tail, axis=1)

    def labels_for(self, error: float, *, most: int) -> tuple[int | None, int | None, int | None]:
        """Labels at which the error is first at most this: likely, at best, at worst.

        Args:
            most: the pool; None stands where the error is not reached within it.
        """
        points = np.unique(np.geomspace(1, max(most, 1), 400).round())
        low, high = self.between(points)
        likely = _first(points, self.error(points) <= error)
        return likely, _first(points, low <= error), _first(points, high <= error)


def fit_curve(
    labels: Floats, wrong: Floats, tested: Floats, *, draws: int = 200, seed: int = 0
) -> LearningCurve:
    """Fit the curve to errors measured on held-back cases, or cases chosen by lot.

    Args:
        labels: (steps,) at least 3 different numbers above 0.
        wrong, tested: (steps,) errors and cases tested at each step.
        draws: resampled fits, for the interval.
        seed: of them.
    Source:
        Figueroa et al. 2012, BMC Med. Inform. Decis. Mak. 12:8 (inverse power law).
    """
    labels, wrong, tested = (np.asarray(x, dtype=np.float64) for x in (labels, wrong, tested))
    if len(np.unique(labels)) < _FEWEST or (labels <= 0).any():
        raise InputError("labels", f"be above 0, at {_FEWEST} steps or more", labels.tolist())
    if (tested <= 0).any() or (wrong < 0).any() or (wrong > tested).any():
        raise InputError("wrong and tested", "be counts, 0 <= wrong <= tested > 0", "others")
    share = (wrong + 0.5) / (tested + 1)
    weight = np.sqrt((tested + 1) / (share * (1 - share)))
    rng = np.random.default_rng(seed)
    # the same held-back cases are tested at every step: their luck is common to all steps
    common = rng.normal(size=(draws, 1)) * 0.8 + rng.normal(size=(draws, len(labels))) * 0.6
    resampled = np.clip(share + common / weight, 0, 1)
    fits = _best_fits(labels, np.vstack([share, resampled]), weight)
    floor, scale, power = fits[0].tolist()
    return LearningCurve(floor, scale, power, fits[1:], int(labels.max()))


def _best_fits(labels: Floats, shares: Floats, weight: Floats) -> Floats:
    """(fits, 3) floor, scale and power of least squares, floor and scale at least 0.

    Args:
        shares: (fits, steps).
    """
    fits = len(shares)
    rows = np.arange(fits)
    best, least = np.zeros((fits, 3)), np.full(fits, np.inf)
    w = weight**2
    for power in _POWERS:
        x = labels**-power
        sums = w.sum(), w @ x, w @ x**2
        y, xy = shares @ w, shares @ (w * x)
        scale = (sums[0] * xy - sums[1] * y) / (sums[0] * sums[2] - sums[1] ** 2)
        floor = (y - scale * sums[1]) / sums[0]
        no_floor = np.column_stack([np.zeros(fits), np.maximum(xy / sums[2], 0)])
        no_fall = np.column_stack([np.maximum(y / sums[0], 0), np.zeros(fits)])
        inside = np.column_stack([floor, scale])
        inside[(floor < 0) | (scale < 0)] = np.inf  # the best is then on an edge
        every = np.stack([inside, no_floor, no_fall])
        with np.errstate(invalid="ignore"):
            left = (w * (shares - every[..., :1] - every[..., 1:] * x) ** 2).sum(axis=-1)
        left = np.where(np.isfinite(left), left, np.inf)
        which = left.argmin(axis=0)
        better = left[which, rows] < least
        least = np.where(better, left[which, rows], least)
        found = np.column_stack([every[which, rows], np.full(fits, power)])
        best[better] = found[better]
    return best


def _first(points: Floats, reached: Bools) -> int | None:
    place = np.flatnonzero(reached)
    return int(points[place[0]]) if len(place) else None

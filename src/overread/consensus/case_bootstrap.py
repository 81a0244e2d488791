"""Intervals of figures that are ratios of sums over cases, by bootstrap over cases."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from overread.arrays import Floats


def ratios(top: Floats, bottom: Floats) -> Floats:
    """(figures,) ``top`` over ``bottom``, both (cases, figures), summed; nan where nothing counts.

    Example:
        >>> ratios(np.array([[1.0, 0], [2, 0]]), np.array([[2.0, 0], [4, 0]])).tolist()
        [0.5, nan]
    """
    return _ratio(top.sum(axis=0), bottom.sum(axis=0))


def ratio_bounds(
    names: Sequence[str], top: Floats, bottom: Floats, *, draws: int, level: float, seed: int
) -> tuple[dict[str, float], dict[str, float]]:
    """Low and high end of the percentile interval of each of :func:`ratios`.

    Args:
        names: (figures,). top, bottom: (cases, figures).
        draws: of the bootstrap; with 0 there are no intervals.
        level: in (0, 1). seed: of the draws.
    """
    if not draws:
        return {}, {}
    rng = np.random.default_rng(seed)
    n = len(top)
    found = np.empty((draws, top.shape[1]))
    for draw in range(draws):
        times = np.bincount(rng.integers(0, n, n), minlength=n).astype(np.float64)
        found[draw] = _ratio(times @ top, times @ bottom)
    tail = (1 - level) / 2
    ends = np.full((2, top.shape[1]), np.nan)
    known = ~np.isnan(found).all(axis=0)
    if known.any():
        ends[:, known] = np.nanquantile(found[:, known], [tail, 1 - tail], axis=0)
    low, high = (dict(zip(names, end.tolist(), strict=True)) for end in ends)
    return low, high


def _ratio(top: Floats, bottom: Floats) -> Floats:
    out = np.full(top.shape, np.nan)
    np.divide(top, bottom, out=out, where=bottom > 0)
    return out

"""Intervals of figures of cases, above all of ratios of sums, by bootstrap over cases."""

from __future__ import annotations

from collections.abc import Callable, Sequence

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
    return figure_bounds(
        names,
        lambda times: _ratio(times @ top, times @ bottom),
        len(top),
        draws=draws,
        level=level,
        seed=seed,
    )


def figure_bounds(
    names: Sequence[str],
    figures: Callable[[Floats], Floats],
    n_cases: int,
    *,
    draws: int,
    level: float,
    seed: int,
) -> tuple[dict[str, float], dict[str, float]]:
    """Low and high end of the percentile interval of any figures of cases.

    Args:
        names: (figures,).
        figures: (cases,) how often each case is drawn -> (figures,), nan where nothing counts.
        n_cases, draws, level, seed: as in :func:`ratio_bounds`.
    """
    if not draws:
        return {}, {}
    rng = np.random.default_rng(seed)
    found = np.empty((draws, len(names)))
    for draw in range(draws):
        drawn = rng.integers(0, n_cases, n_cases)
        found[draw] = figures(np.bincount(drawn, minlength=n_cases).astype(np.float64))
    ends = percentile_ends(found, level)
    low, high = (dict(zip(names, end.tolist(), strict=True)) for end in ends)
    return low, high


def percentile_ends(found: Floats, level: float) -> Floats:
    """(2, figures) ends of the middle ``level`` of (draws, figures); nan where all draws are."""
    tail = (1 - level) / 2
    ends = np.full((2, found.shape[1]), np.nan)
    known = ~np.isnan(found).all(axis=0)
    if known.any():
        ends[:, known] = np.nanquantile(found[:, known], [tail, 1 - tail], axis=0)
    return ends


def _ratio(top: Floats, bottom: Floats) -> Floats:
    out = np.full(top.shape, np.nan)
    np.divide(top, bottom, out=out, where=bottom > 0)
    return out

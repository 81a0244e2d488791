"""Average run lengths: how many reads a chart runs before it alarms, and the limit that gives it.

A chart's increments may have any distribution, given by its cumulative distribution function, so
that the limit of a skewed metric is not the one of the normal textbook case.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr

from overread.arrays import Floats
from overread.errors import InputError, MethodError

Cdf = Callable[[Floats], Any]
"""Distribution of one standardised observation: (n,) values to P(observation <= value)."""

_STATES = 81  # near enough, and below the size at which BLAS begins to use threads
_REACH, _FINE = 16.0, 500  # a sample's distribution is kept as a table with steps of 1 / _FINE
_HIGHEST = 400.0


def shifted_normal(shift: float = 0.0) -> Cdf:
    """Distribution of a normal observation of variance 1 whose mean is ``shift``."""
    return lambda value: ndtr(value - shift)


def mixture(values: Floats, *, weight: Floats | None = None, normals: float = 0.0) -> Cdf:
    """Distribution of a sample, blended with as much of a standard normal as ``normals`` values.

    Args:
        values: (n,) sample.
        weight: (n,) weight of each; 1 by default.
        normals: weight of the normal, in numbers of values.
    """
    atoms = np.clip(np.asarray(values, dtype=float), -_REACH, _REACH)
    place = np.ceil((atoms + _REACH) * _FINE).astype(np.int64)
    mass = np.bincount(place, weight, minlength=round(2 * _REACH * _FINE) + 1)
    below = np.cumsum(mass)
    whole = below[-1] + normals

    def cdf(value: Floats) -> Floats:
        step = np.floor((np.clip(value, -_REACH, _REACH) + _REACH) * _FINE).astype(np.int64)
        return np.asarray(
            (np.where(value < -_REACH, 0.0, below[step]) + normals * ndtr(value)) / whole
        )

    return cdf


def cusum_arl(
    limit: float, *, k: float, cdf: Cdf | None = None, start: float = 0.0, states: int = _STATES
) -> float:
    """Average run length of the one-sided CUSUM S = max(0, S + x - k), alarm at S > limit.

    Args:
        limit: decision interval h, above 0.
        k: reference value taken from each observation.
        cdf: distribution of the observation x; standard normal by default.
        start: first value of S; limit / 2 is the fast initial response.
        states: of the Markov chain.
    Source:
        Brook & Evans 1972, Biometrika 59:539-549 (the chain); Lucas & Crosier 1982, Technometrics
        24:199-205 (head start).
    Example:
        >>> round(cusum_arl(4, k=0.5, cdf=shifted_normal(1)), 1)
        8.4
    """
    _refuse_limit(limit)
    width = 2.0 * limit / (2 * states - 1)
    centre = width * np.arange(states)  # of state i; the first is cut at 0
    edge = width * (np.arange(states) + 0.5)
    reach = (cdf or shifted_normal())(edge[None, :] - centre[:, None] + k)
    runs = _runs(np.diff(reach, axis=1, prepend=0.0))
    return float(np.interp(start, centre, runs))


def ewma_arl(
    limit: float,
    *,
    smoothing: float,
    cdf: Cdf | None = None,
    one_sided: bool = False,
    states: int = _STATES,
) -> float:
    """Average run length of the EWMA E = (1 - smoothing) E + smoothing x from E = 0.

    Args:
        limit: alarm at |E| > limit, where the limit is in standard deviations of the settled E,
            sqrt(smoothing / (2 - smoothing)).
        smoothing: weight of the newest observation, in (0, 1].
        cdf: distribution of the observation x; standard normal by default.
        one_sided: E never falls below 0, and alarms at the upper limit alone.
        states: of the Markov chain.
    Source:
        Lucas & Saccucci 1990, Technometrics 32:1-12.
    Example:
        >>> round(ewma_arl(2.814, smoothing=0.1), -1)
        500.0
    """
    _refuse_limit(limit)
    if not 0 < smoothing <= 1:
        raise InputError("smoothing", "be above 0 and at most 1", smoothing)
    top = limit * settled_sd(smoothing)
    low = 0.0 if one_sided else -top
    edge = np.linspace(low, top, states + 1)
    centre = (edge[:-1] + edge[1:]) / 2
    kept = (1 - smoothing) * centre[:, None]
    reach = np.array((cdf or shifted_normal())((edge[None, :] - kept) / smoothing))
    if one_sided:
        reach[:, 0] = 0.0  # all that would fall below 0 stays in the first state
    runs = _runs(np.diff(reach, axis=1))
    return float(np.interp(0.0, centre, runs))


def settled_sd(smoothing: float) -> float:
    """Standard deviation of an EWMA of independent observations of variance 1, long after start."""
    return math.sqrt(smoothing / (2 - smoothing))


def siegmund_arl(limit: float, *, k: float, shift: float = 0.0) -> float:
    """Siegmund's closed form of :func:`cusum_arl` for normal observations of mean ``shift``.

    Source:
        Siegmund 1985, Sequential Analysis, Springer: b = h + 1.166.
    Example:
        >>> round(siegmund_arl(5, k=0.5), 1)
        938.2
    """
    drift, b = shift - k, limit + 1.166
    if abs(drift) < 1e-9:
        return b * b
    return (math.exp(-2 * drift * b) + 2 * drift * b - 1) / (2 * drift * drift)


def two_sided(*arls: float) -> float:
    """Run length of charts that run side by side: their alarm rates add up (Kemp 1961).

    Exact for the two sides of a CUSUM without head start; for other charts a lower bound near the
    truth, whatever their correlation.
    """
    return 1.0 / sum(1.0 / arl for arl in arls)


def cusum_limit(arl: float, *, k: float, cdf: Cdf | None = None) -> float:
    """Decision interval h at which the one-sided CUSUM has this average run length in control.

    Raises:
        MethodError: no limit gives it (the observations drift towards the alarm by themselves).
    Example:
        >>> round(cusum_limit(930.9, k=0.5), 2)
        5.0
    """
    return _solve(lambda h: cusum_arl(h, k=k, cdf=cdf), arl)


def ewma_limit(
    arl: float, *, smoothing: float, cdf: Cdf | None = None, one_sided: bool = False
) -> float:
    """Limit of the EWMA, in its standard deviations, for this average run length in control.

    Raises:
        MethodError: no limit gives it.
    """
    return _solve(lambda h: ewma_arl(h, smoothing=smoothing, cdf=cdf, one_sided=one_sided), arl)


def _runs(stay: Floats) -> Floats:
    """(states,) expected steps until the chain of (states, states) transitions leaves them."""
    whole = np.eye(len(stay)) - stay
    try:
        runs = np.linalg.solve(whole, np.ones(len(stay)))
    except np.linalg.LinAlgError:
        return np.full(len(stay), math.inf)
    # beyond what floating point can tell the chain never leaves
    return np.where((runs >= 1 - 1e-9) & (runs < 1e14), runs, math.inf)


def _solve(arl_at: Callable[[float], float], arl: float) -> float:
    if not arl > 1:
        raise InputError("average run length", "be above 1 read", arl)

    def gap(limit: float) -> float:
        return math.log(min(arl_at(limit), 1e15)) - math.log(arl)

    low, high = 1e-3, math.log(arl)  # the log run length is nearly linear in the limit
    while gap(high) < 0:
        low, high = high, 1.3 * high
        if high > _HIGHEST:
            raise MethodError(
                "no control limit gives the run length asked for: the observations drift without "
                "any change. Ask for a shorter run length."
            )
    if low < 0.01:
        low = next((part * high for part in (0.8, 0.5, 0.1) if gap(part * high) < 0), low)
    if gap(low) >= 0:
        return low
    return float(brentq(gap, low, high, xtol=3e-3))


def _refuse_limit(limit: float) -> None:
    if not limit > 0:
        raise InputError("control limit", "be above 0", limit)

"""Kernel of the calibrated likelihood interval: which values of a coefficient the reads allow.

Each case shows one of J patterns of answers. For a trial value of the coefficient, the most likely
pattern shares that have this value are found (empirical likelihood, Owen 1988); the likelihood
ratio of the observed patterns is then compared with what it would be in samples drawn from these
very shares, ties counted half (mid-p, Lancaster 1961). No normal approximation is involved.
"""

from __future__ import annotations

import math

import numba as nb
import numpy as np

from overread.arrays import Floats

_BIG = 1e300


@nb.njit(cache=True, error_model="numpy")  # type: ignore[misc, unused-ignore]
def _constraint(  # noqa: PLR0917 - a numba kernel takes plain arrays, by position
    w: Floats,
    d: Floats,
    e: Floats,
    x: Floats,
    y: Floats,
    q: Floats,
    constant: float,
    rest: float,
    z: Floats,
) -> tuple[float, float]:
    """h(w) = rest * expected - observed, and its gradient z; ``rest`` is 1 - coefficient.

    With several terms (mean over reader pairs) h = rest - mean(observed / expected).
    """
    terms, cells, features = x.shape
    z[:] = 0.0
    h = 0.0 if terms == 1 else rest
    ratio = 0.0
    shares = np.empty(features)
    base = np.empty(features)
    slope = np.empty(features)
    for t in range(terms):
        disagree = 0.0
        pairs = 0.0
        shares[:] = 0.0
        base[:] = 0.0
        for j in range(cells):
            disagree += w[j] * d[t, j]
            pairs += w[j] * e[t, j]
            for a in range(features):
                shares[a] += w[j] * x[t, j, a]
                base[a] += w[j] * y[t, j, a]
        observed = disagree / pairs
        for a in range(features):
            shares[a] /= base[a]
        expected = constant
        for a in range(features):
            s = 0.0
            for b in range(features):
                s += q[a, b] * shares[b]
            expected += shares[a] * s
            slope[a] = 2 * s / base[a]
        ratio += observed / expected / terms
        if terms == 1:
            h = rest * expected - observed
            on_expected, on_observed = rest, 1.0
        else:
            h -= observed / expected / terms
            on_expected, on_observed = (
                observed / expected**2 / terms,
                1 / expected / terms,
            )
        for j in range(cells):
            v = 0.0
            for a in range(features):
                v += slope[a] * (x[t, j, a] - shares[a] * y[t, j, a])
            z[j] += on_expected * v - on_observed * (d[t, j] - observed * e[t, j]) / pairs
    return h, ratio


@nb.njit(cache=True, error_model="numpy")  # type: ignore[misc, unused-ignore]
def _multiplier(m: Floats, y: Floats) -> float:
    """Root l of sum m y / (1 + l y) = 0; nan when all y have one sign."""
    top = y.max()
    bottom = y.min()
    if top <= 0 or bottom >= 0:
        return math.nan
    low = -1 / top
    high = -1 / bottom
    width = high - low
    here = 0.0
    for _ in range(80):
        s = 0.0
        slope = 0.0
        for j in range(m.size):
            part = y[j] / (1 + here * y[j])
            s += m[j] * part
            slope -= m[j] * part * part
        if s > 0:
            low = here
        else:
            high = here
        after = here - s / slope
        if not (after > low and after < high):
            after = 0.5 * (low + high)
        if abs(after - here) < 1e-10 * width:
            return after
        here = after
    return here


@nb.njit(cache=True, error_model="numpy")  # type: ignore[misc, unused-ignore]
def _ratio(  # noqa: C901, PLR0917 - a numba kernel: plain arrays, one loop
    m: Floats,
    d: Floats,
    e: Floats,
    x: Floats,
    y: Floats,
    q: Floats,
    constant: float,
    rest: float,
    w: Floats,
) -> float:
    """-2 log likelihood ratio of the counts m under coefficient 1 - rest; shares left in w."""
    total = 0.0  # loops: array expressions take seconds to compile
    for j in range(m.size):
        total += m[j]
    for j in range(m.size):
        w[j] = m[j] / total
    z = np.empty(m.size)
    lin = np.empty(m.size)
    for turn in range(60):
        h, _ = _constraint(w, d, e, x, y, q, constant, rest, z)
        multiplier = math.nan
        step = 1.0
        for _ in range(12):
            for j in range(m.size):
                lin[j] = z[j] + h * step
            multiplier = _multiplier(m, lin)
            if not math.isnan(multiplier):
                break
            step *= 0.5
        if math.isnan(multiplier):
            return math.inf
        moved = 0.0
        summed = 0.0
        for j in range(m.size):
            new = m[j] / (total * (1 + multiplier * lin[j]))
            if turn > 15:
                new = 0.5 * (new + w[j])
            moved = max(moved, abs(new - w[j]))
            w[j] = new
            summed += new
        for j in range(m.size):
            w[j] /= summed
        if moved < 1e-6 and step == 1.0:
            break
    log_ratio = 0.0
    for j in range(m.size):
        log_ratio += m[j] * math.log(m[j] / (total * w[j]))
    return 2 * log_ratio


@nb.njit(cache=True, error_model="numpy")  # type: ignore[misc, unused-ignore]
def _binomial(n: int, p: float, u: float, normal: float) -> int:
    """Binomial quantile at u (normal = its normal quantile); inversion, or normal when large."""
    if p <= 0 or n == 0:
        return 0
    if p >= 1:
        return n
    if p > 0.5:
        return n - _binomial(n, 1 - p, 1 - u, -normal)
    if n * p > 40:
        k = round(n * p + math.sqrt(n * p * (1 - p)) * normal)
        return min(max(k, 0), n)
    odds = p / (1 - p)
    mass = math.exp(n * math.log1p(-p))
    total = mass
    k = 0
    while u > total and k < n:
        mass *= odds * (n - k) / (k + 1)
        total += mass
        k += 1
        if mass < 1e-18 and k > n * p:
            break
    return k


@nb.njit(cache=True, error_model="numpy")  # type: ignore[misc, unused-ignore]
def p_value(  # noqa: PLR0917 - a numba kernel takes plain arrays, by position
    m: Floats,
    extra: Floats,
    d: Floats,
    e: Floats,
    x: Floats,
    y: Floats,
    q: Floats,
    constant: float,
    rest: float,
    u: Floats,
    normal: Floats,
    alpha: float,
) -> float:
    """Mid-p value of the coefficient 1 - rest; stops early once it surely exceeds ``alpha``."""
    cells = m.size
    w = np.empty(cells)
    other = np.empty(cells)
    drawn = np.empty(cells)
    n = round(m.sum())
    seen = _ratio(m + extra, d, e, x, y, q, constant, rest, w)
    if math.isinf(seen):
        return 0.0
    slack = 1e-6 * (1 + seen)
    above = 0.0
    draws = u.shape[0]
    for b in range(draws):
        left = n
        share = 1.0
        for j in range(cells - 1):
            k = _binomial(left, w[j] / share if share > w[j] else 1.0, u[b, j], normal[b, j])
            drawn[j] = k + extra[j]
            left -= k
            share -= w[j]
        drawn[cells - 1] = left + extra[cells - 1]
        ratio = _ratio(drawn, d, e, x, y, q, constant, rest, other)
        if ratio > seen + slack:
            above += 1
        elif ratio > seen - slack:
            above += 0.5
        if above >= alpha * draws:
            return 1.0
    return float(above / draws)


@nb.njit(cache=True, error_model="numpy")  # type: ignore[misc, unused-ignore]
def end(  # noqa: PLR0917 - a numba kernel takes plain arrays, by position
    m: Floats,
    extra: Floats,
    d: Floats,
    e: Floats,
    x: Floats,
    y: Floats,
    q: Floats,
    constant: float,
    edge: float,
    u: Floats,
    normal: Floats,
    alpha: float,
    chi: float,
) -> float:
    """One end of the interval, on the scale log(1 - coefficient), towards ``edge``.

    The end of the uncalibrated interval (chi-square) is the first guess; from there the search
    goes out until a value is refused, then halves.
    """
    w = np.empty(m.size)
    smooth = m + extra
    _, ratio = _constraint(smooth / smooth.sum(), d, e, x, y, q, constant, 1.0, np.empty(m.size))
    start = math.log(max(ratio, 1e-300))
    way = 1.0 if edge > 0 or edge > start else -1.0
    if (edge - start) * way <= 0:
        return edge
    guess, far = start, edge
    for _ in range(14):
        middle = 0.5 * (guess + far)
        if _ratio(smooth, d, e, x, y, q, constant, math.exp(middle), w) > chi:
            far = middle
        else:
            guess = middle
    inside, outside = start, guess
    step = max(abs(guess - start), 0.1) * 0.25
    trial = guess
    for _ in range(12):
        p = p_value(m, extra, d, e, x, y, q, constant, math.exp(trial), u, normal, alpha)
        if p < alpha:
            outside = trial
            break
        inside = trial
        if trial == edge:
            return edge
        trial = trial + way * step
        step *= 2
        if (edge - trial) * way <= 0:
            trial = edge
    for _ in range(7):
        middle = 0.5 * (inside + outside)
        p = p_value(m, extra, d, e, x, y, q, constant, math.exp(middle), u, normal, alpha)
        if p < alpha:
            outside = middle
        else:
            inside = middle
    return 0.5 * (inside + outside)

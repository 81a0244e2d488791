"""Run lengths against published tables, Siegmund's formula and simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from overread.errors import InputError, MethodError
from overread.monitoring.design import rate_limit
from overread.monitoring.run_length import (
    cusum_arl,
    cusum_limit,
    ewma_arl,
    ewma_limit,
    mixture,
    shifted_normal,
    siegmund_arl,
    two_sided,
)

# Montgomery, Introduction to Statistical Quality Control, 6th ed., table 9.3 (two-sided, k = 1/2);
# the values are those of Hawkins 1993, J. Qual. Technol. 25:248-261.
MONTGOMERY = [
    (4, 0.0, 168), (4, 0.25, 74.2), (4, 0.5, 26.6), (4, 0.75, 13.3), (4, 1.0, 8.38),
    (4, 1.5, 4.75), (4, 2.0, 3.34), (5, 0.0, 465), (5, 0.25, 139), (5, 0.5, 38.0),
    (5, 0.75, 17.0), (5, 1.0, 10.4), (5, 1.5, 5.75), (5, 2.0, 4.01),
]  # fmt: skip

# Lucas & Saccucci 1990, table 3 (two-sided EWMA): smoothing, limit, shift, run length.
LUCAS_SACCUCCI = [
    (0.4, 3.054, 0.0, 500), (0.4, 3.054, 0.5, 71.2), (0.4, 3.054, 1.0, 14.3),
    (0.25, 2.998, 0.0, 500), (0.25, 2.998, 0.25, 170), (0.25, 2.998, 0.5, 48.2),
    (0.25, 2.998, 1.0, 11.1), (0.2, 2.962, 0.0, 500), (0.2, 2.962, 0.5, 41.8),
    (0.2, 2.962, 1.0, 10.5), (0.1, 2.814, 0.0, 500), (0.1, 2.814, 0.25, 106),
    (0.1, 2.814, 0.5, 31.3), (0.1, 2.814, 1.0, 10.3), (0.1, 2.814, 2.0, 4.36),
    (0.05, 2.615, 0.0, 500), (0.05, 2.615, 0.25, 84.1), (0.05, 2.615, 0.5, 28.8),
    (0.05, 2.615, 1.0, 11.4),
]  # fmt: skip


@pytest.mark.parametrize(("h", "shift", "published"), MONTGOMERY)
def test_cusum_run_length_is_the_published_one(h, shift, published):
    sides = [cusum_arl(h, k=0.5, cdf=shifted_normal(s * shift)) for s in (1, -1)]
    assert two_sided(*sides) == pytest.approx(published, rel=0.01)


@pytest.mark.parametrize(("smoothing", "limit", "shift", "published"), LUCAS_SACCUCCI)
def test_ewma_run_length_is_the_published_one(smoothing, limit, shift, published):
    found = ewma_arl(limit, smoothing=smoothing, cdf=shifted_normal(shift))
    assert found == pytest.approx(published, rel=0.01)


def test_head_start_is_the_published_one():
    # Lucas & Crosier 1982, table 3: h = 4, k = 0.5, head start 2
    start = cusum_arl(4, k=0.5, cdf=shifted_normal(1), start=2)
    assert start == pytest.approx(5.29, rel=0.02)
    assert cusum_arl(4, k=0.5, start=2) < cusum_arl(4, k=0.5)


@pytest.mark.parametrize("shift", [0.0, 0.25, 1.0, 2.0])
@pytest.mark.parametrize("h", [4.0, 8.0, 12.0])
def test_cusum_run_length_is_near_siegmunds(h, shift):
    exact = cusum_arl(h, k=0.5, cdf=shifted_normal(shift))
    assert siegmund_arl(h, k=0.5, shift=shift) == pytest.approx(exact, rel=0.05)


def run_lengths(draw, step, start, beyond, runs, rng, longest=20_000):  # noqa: PLR0917
    """Simulated run lengths of many charts at once."""
    state, alive = np.full(runs, start), np.arange(runs)
    found = np.full(runs, longest)
    for n in range(1, longest):
        state = step(state, draw(rng, state.size))
        out = beyond(state)
        found[alive[out]] = n
        state, alive = state[~out], alive[~out]
        if not alive.size:
            break
    return found


def test_cusum_of_a_skewed_sample_runs_as_simulated():
    atoms = np.random.default_rng(1).exponential(size=400) - 1
    atoms /= atoms.std()
    h = cusum_limit(200, k=0.4, cdf=mixture(atoms))
    found = run_lengths(
        lambda rng, n: rng.choice(atoms, n),
        lambda s, x: np.maximum(0, s + x - 0.4), 0.0, lambda s: s > h, 3000,
        np.random.default_rng(2),
    )  # fmt: skip
    assert found.mean() == pytest.approx(200, rel=0.08)
    assert h > cusum_limit(200, k=0.4)  # the normal limit would alarm too often


def test_ewma_one_sided_runs_as_simulated():
    limit = ewma_limit(150, smoothing=0.1, one_sided=True) * math.sqrt(0.1 / 1.9)
    found = run_lengths(
        lambda rng, n: rng.normal(size=n),
        lambda s, x: np.maximum(0, 0.9 * s + 0.1 * x), 0.0, lambda s: s > limit, 3000,
        np.random.default_rng(3),
    )  # fmt: skip
    assert found.mean() == pytest.approx(150, rel=0.08)


@pytest.mark.parametrize("odds", [2.5, 0.4])
def test_rate_chart_runs_as_simulated(odds):
    p = np.array([0.05, 0.1, 0.3])
    limit = rate_limit(300.0, p, odds)
    assert limit <= math.log(300)

    def draw(rng, n):
        own = rng.choice(p, n)
        said = rng.random(n) < own
        return said * math.log(odds) - np.log(1 - own + odds * own)

    found = run_lengths(
        draw, lambda s, x: np.maximum(0, s + x), 0.0, lambda s: s > limit, 3000,
        np.random.default_rng(4),
    )  # fmt: skip
    # log(arl) is an upper bound of the limit; below it the chain decides
    assert found.mean() == pytest.approx(300, rel=0.1) or limit == math.log(300)


@settings(deadline=None, max_examples=20)
@given(
    st.floats(50, 1e6), st.floats(0.2, 1.0), st.integers(0, 10_000), st.floats(0.0, 200.0)
)  # fmt: skip
def test_limits_and_run_lengths_are_inverse(arl, k, seed, normals):
    cdf = mixture(np.random.default_rng(seed).normal(size=500) * 0.8, normals=normals)
    h = cusum_limit(arl, k=k, cdf=cdf)
    assert cusum_arl(h, k=k, cdf=cdf) == pytest.approx(arl, rel=0.15) or h <= 1e-2


def test_sample_distribution_is_its_own():
    cdf = mixture(np.array([-1.0, 0.0, 0.0, 2.0]))
    assert cdf(np.array([-1.5, -0.5, 0.5, 1.9, 2.1, 99.0, -99.0])).tolist() == [
        0.0, 0.25, 0.75, 0.75, 1.0, 1.0, 0.0,
    ]  # fmt: skip
    blended = mixture(np.array([0.0]), normals=1e9)(np.array([1.0]))
    assert blended == pytest.approx(norm.cdf(1.0), abs=1e-6)


def test_what_cannot_be_is_refused():
    with pytest.raises(InputError, match="control limit must be above 0"):
        cusum_arl(0, k=0.5)
    with pytest.raises(InputError, match="smoothing"):
        ewma_arl(3, smoothing=0)
    with pytest.raises(InputError, match="average run length"):
        cusum_limit(0.5, k=0.5)
    with pytest.raises(MethodError, match="drift without any change"):
        cusum_limit(1e9, k=0.5, cdf=shifted_normal(2))

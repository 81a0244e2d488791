"""Bland-Altman: published factors, pingouin, coverage, repeats."""

import math

import numpy as np
import pingouin
import pytest

from overread.agreement.bland_altman import Replicates, bland_altman
from overread.agreement.scores import score_agreement
from overread.labels import score_reads

_NAMES = ("R1", "R2")


def _scaled(n):
    """Differences of mean 0 and standard deviation 1."""
    d = np.random.default_rng(n).normal(size=n)
    return (d - d.mean()) / d.std(ddof=1)


@pytest.mark.parametrize(("n", "factor"), [(10, 2.911), (20, 2.396), (50, 2.065)])
def test_exact_ends_are_the_published_tolerance_factors(n, factor):
    # One-sided factors for 95 % of the population with 95 % confidence (ISO 16269-6, table D.4):
    # the upper end, at level .90, of the limit below which 95 % lie.
    d = _scaled(n)
    got = bland_altman(d, np.zeros(n), _NAMES, share=0.9, level=0.9)
    assert got.upper.high == pytest.approx(factor, abs=6e-4)
    assert got.lower.low == pytest.approx(-factor, abs=6e-4)
    assert "Carkeet" in got.upper.interval


def test_limits_equal_pingouin():
    rng = np.random.default_rng(0)
    x = rng.normal(10, 3, 40)
    y = x + rng.normal(0.5, 1, 40)
    got = bland_altman(x, y, _NAMES)
    d = x - y
    assert got.bias.value == pytest.approx(d.mean())
    assert got.upper.value == pytest.approx(d.mean() + 1.959964 * d.std(ddof=1), abs=1e-6)
    test = pingouin.ttest(d, 0)["CI95"].iloc[0]
    np.testing.assert_allclose([got.bias.low, got.bias.high], test, atol=0.0051)
    mirrored = bland_altman(y, x, _NAMES)
    assert mirrored.lower.value == pytest.approx(-got.upper.value)
    assert mirrored.lower.low == pytest.approx(-got.upper.high)


def test_large_and_small_tables_meet():
    small, large = _scaled(499), _scaled(500)
    ends = [bland_altman(d, np.zeros(d.size), _NAMES).upper for d in (small, large)]
    assert ends[0].low == pytest.approx(ends[1].low, abs=0.01)
    assert ends[0].high == pytest.approx(ends[1].high, abs=0.01)


def test_limits_cover():
    rng = np.random.default_rng(5)
    hits = 0
    for _ in range(400):
        got = bland_altman(rng.normal(1, 2, 15), np.zeros(15), _NAMES)
        hits += got.upper.low <= 1 + 1.959964 * 2 <= got.upper.high
    assert 0.92 <= hits / 400 <= 0.98


def test_repeats_widen_the_limits_to_single_reads():
    rng = np.random.default_rng(8)
    hits, width = 0, []
    truth = 1.959964 * math.sqrt(2 * 0.5**2)
    for _ in range(60):
        true = rng.normal(0, 3, 20)
        case = np.repeat(np.arange(20), 4)
        reader = np.tile(["R1", "R1", "R2", "R2"], 20)
        value = true[case] + rng.normal(0, 0.5, 80)
        reads = score_reads(case, reader, value, repeats="keep")
        upper = score_agreement(reads, draws=100).bland_altman[0].upper
        assert "Zou" in upper.interval
        hits += upper.low <= truth <= upper.high
        width.append(upper.value)
    assert np.mean(width) == pytest.approx(truth, rel=0.08)
    assert hits / 60 >= 0.87


def test_no_repeats_in_replicates_is_the_plain_limit():
    d = _scaled(12)
    none = bland_altman(d, np.zeros(12), _NAMES, repeats=(Replicates(), Replicates()))
    assert none.upper.value == pytest.approx(1.959964, abs=1e-6)


def test_growing_difference_is_warned_of():
    x = np.linspace(1, 40, 40)
    assert "changes with the size" in bland_altman(x, 0.8 * x, _NAMES).bias.warning
    assert not bland_altman(_scaled(40) + x, x, _NAMES).bias.warning


def test_one_common_case_is_explained():
    got = bland_altman(np.array([1.0]), np.array([2.0]), _NAMES)
    assert "2 common cases" in got.bias.undefined
    assert got.difference.tolist() == [-1]

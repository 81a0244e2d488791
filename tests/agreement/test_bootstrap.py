"""Bootstrap of ratios: coverage, bounds, equality with drawing rows, reproducibility."""

import numpy as np
import pytest

from overread.agreement.bootstrap import draw_units, ratio_intervals, share_bounds
from overread.agreement.comparisons import comparisons
from overread.errors import InputError
from overread.labels import read_index


def _one(top, bottom, unit=None, **options):
    unit = np.arange(len(top)) if unit is None else unit
    got = ratio_intervals(
        np.asarray(top, float)[:, None], np.asarray(bottom, float)[:, None], unit, **options
    )
    return got.value[0], got.low[0], got.high[0]


@pytest.mark.parametrize("n", [20, 60])
def test_interval_of_f1_covers(n):
    rng = np.random.default_rng(n)
    hits = 0
    for turn in range(300):
        found = rng.poisson(1.0, n)
        more = found + rng.integers(0, 2, n)
        matched = rng.binomial(found, 0.8)
        _, low, high = _one(2 * matched, found + more, draws=600, seed=turn)
        hits += low <= 1.6 / 2.5 <= high
    assert 0.91 <= hits / 300 <= 0.985


def test_rows_of_one_unit_stay_together():
    rng = np.random.default_rng(0)
    top = np.repeat(rng.random(40), 5)
    wide = _one(top, np.ones(200), np.repeat(np.arange(40), 5))
    apart = _one(top, np.ones(200))
    assert wide[0] == pytest.approx(apart[0])
    assert wide[2] - wide[1] > 1.8 * (apart[2] - apart[1])


def test_same_seed_same_interval():
    top = np.random.default_rng(1).random(30)
    assert _one(top, np.ones(30), seed=4) == _one(top, np.ones(30), seed=4)
    assert _one(top, np.ones(30), seed=4) != _one(top, np.ones(30), seed=5)


def test_draws_have_the_right_total_and_spread():
    times = draw_units(np.random.default_rng(2), 4000, 12)
    assert (times.sum(axis=1) == 12).all()
    assert times.mean() == 1
    assert times.var() == pytest.approx(11 / 12, abs=0.02)
    assert draw_units(np.random.default_rng(2), 3, 0).shape == (3, 0)


def test_shares_that_are_all_alike_get_the_exact_bound():
    got = ratio_intervals(
        np.ones((59, 2)), np.ones((59, 2)), np.arange(59), share=np.array([True, False])
    )
    assert got.flat.all()
    assert got.low[0] == pytest.approx(0.025 ** (1 / 59))
    assert np.isnan(got.low[1])
    assert share_bounds(0.0, 59, 0.9)[1] == pytest.approx(1 - 0.05 ** (1 / 59))
    assert np.isnan(share_bounds(0.5, 59, 0.9)[0])


def test_copies_of_a_reader_are_not_compared():
    # Two readers: draws that take one of them twice compare nothing between readers.
    top, bottom = np.arange(20.0)[:, None], np.ones((20, 1))
    readers = np.zeros(20, int), np.ones(20, int)
    got = ratio_intervals(top, bottom, np.arange(20), readers=readers, draws=400)
    assert got.low[0] < got.value[0] < got.high[0]


def test_nothing_to_sum_and_bad_settings():
    none = ratio_intervals(np.zeros((0, 1)), np.zeros((0, 1)), np.zeros(0, int))
    assert np.isnan(none.value[0])
    assert none.units[0] == 0
    with pytest.raises(InputError, match="draws"):
        _one([1.0], [1.0], draws=5)
    with pytest.raises(InputError, match="level"):
        _one([1.0], [1.0], level=2)


def test_comparisons_list_all_pairs_and_share_the_weight():
    index = read_index(list("aaaabb"), ["R2", "R1", "R2", "R3", "R1", "R1"])
    met = comparisons(index)
    rows = sorted(zip(met.case, met.first, met.second, met.one, met.two, met.weight, strict=True))
    assert [tuple(map(float, row)) for row in rows] == [
        (0, 0, 1, 1, 0, 0.5),
        (0, 0, 1, 1, 2, 0.5),
        (0, 0, 2, 1, 3, 1),
        (0, 1, 1, 0, 2, 1),
        (0, 1, 2, 0, 3, 0.5),
        (0, 1, 2, 2, 3, 0.5),
        (1, 0, 0, 4, 5, 1),
    ]
    left = comparisons(index, np.array([True, True, False, True, True, False]))
    assert left.case.tolist() == [0, 0, 0]

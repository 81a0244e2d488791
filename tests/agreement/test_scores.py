"""Scores: the published ICC table, pingouin, brute force, and what cannot be had."""

import math

import numpy as np
import pandas as pd
import pingouin
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overread.agreement.icc import FORMS, components, f_ends, sums_of
from overread.agreement.scores import score_agreement
from overread.errors import InputError
from overread.labels import ScoreReads, class_reads, score_reads

_SHROUT_FLEISS = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float
)
_PUBLISHED = [0.1657, 0.2898, 0.7148, 0.4428, 0.6201, 0.9093]


def _reads(table, **options):
    case, reader = np.nonzero(np.isfinite(table))
    names = [f"R{k}" for k in reader]
    return score_reads([f"c{k}" for k in case], names, table[case, reader], **options)


def _of(figures, key, scope="overall"):
    (one,) = [e for e in figures if e.key == key and e.scope == scope]
    return one


def _forms(table, k):
    return components(sums_of(table), np.ones((1, len(table)))).forms(k)[0]


def test_shrout_and_fleiss():
    got = score_agreement(_reads(_SHROUT_FLEISS), draws=200)
    for key, value in zip(FORMS, _PUBLISHED, strict=True):
        assert round(_of(got.overall, key).value, 4) == value
    assert _of(got.overall, "icc_2_1").interval == "exact, F distribution"
    assert "A,1" in _of(got.overall, "icc_2_1").name


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # pingouin's use of pandas
@pytest.mark.parametrize("seed", range(4))
def test_values_and_intervals_equal_pingouin(seed):
    rng = np.random.default_rng(seed)
    table = rng.normal(0, 2, (12, 1)) + rng.normal(0, 0.8, (1, 4)) + rng.normal(50, 1, (12, 4))
    case, reader = np.indices(table.shape)
    long = pd.DataFrame({"c": case.ravel(), "r": reader.ravel(), "v": table.ravel()})
    want = pingouin.intraclass_corr(long, "c", "r", "v")
    np.testing.assert_allclose(_forms(table, 4), want["ICC"], atol=1e-10)
    low, high = f_ends(table, 4, 0.95)
    np.testing.assert_allclose(np.c_[low, high], np.stack(want["CI95"]), atol=0.0051)


def _brute_components(table):
    """Henderson 3 by least squares on dummy variables."""
    case, reader = np.nonzero(np.isfinite(table))
    y = table[case, reader] - np.nanmean(table)
    z_case, z_reader = np.eye(len(table))[case], np.eye(table.shape[1])[reader]

    def explained(*blocks):
        x = np.hstack(blocks)
        return y @ x @ np.linalg.pinv(x) @ y, np.linalg.matrix_rank(x), x

    full, rank, _ = explained(z_case, z_reader)
    of_case, rank_case, _ = explained(z_case)
    of_reader, rank_reader, _ = explained(z_reader)
    rest = (y @ y - full) / (y.size - rank)
    out = []
    for lost, lost_rank, other, block in (
        (of_reader, rank_reader, z_reader, z_case),
        (of_case, rank_case, z_case, z_reader),
    ):
        project = np.eye(y.size) - other @ np.linalg.pinv(other)
        trace = np.trace(block.T @ project @ block)
        out.append((full - lost - (rank - lost_rank) * rest) / trace)
    return [*out, rest]


@pytest.mark.parametrize("seed", range(6))
def test_missing_reads_equal_henderson_by_brute_force(seed):
    rng = np.random.default_rng(seed)
    table = rng.normal(0, 1, (9, 1)) + rng.normal(0, 1, (1, 4)) + rng.normal(0, 1, (9, 4))
    table[rng.random(table.shape) < 0.3] = np.nan
    table = table[np.isfinite(table).any(axis=1)]
    got = components(sums_of(table), np.ones((1, len(table))))
    want = _brute_components(table)
    np.testing.assert_allclose([got.case[0], got.reader[0], got.rest[0]], want, atol=1e-9)


def test_weights_count_cases_several_times():
    rng = np.random.default_rng(3)
    table = rng.normal(size=(6, 3))
    table[0, 1] = table[4, 2] = np.nan
    times = np.array([0, 2, 1, 1, 3, 1])
    got = components(sums_of(table), times[None].astype(float)).forms(3)[0]
    # The tables are centred by different means, which no component depends on.
    np.testing.assert_allclose(got, _forms(np.repeat(table, times, axis=0), 3), atol=1e-9)


def test_many_draws_at_once_equal_one_by_one():
    rng = np.random.default_rng(7)
    table = rng.normal(size=(15, 5))
    table[rng.random(table.shape) < 0.4] = np.nan
    table[:7, 3:] = table[7:, :3] = np.nan  # two groups of readers that share no case
    sums, times = sums_of(table), rng.integers(0, 3, (6, 15)).astype(float)
    got = components(sums, times)
    for k, one in enumerate(times):
        want = components(sums, one[None])
        for part in ("case", "reader", "rest", "one_way", "within"):
            np.testing.assert_allclose(getattr(got, part)[k], getattr(want, part)[0], atol=1e-6)


@given(st.floats(-1e4, 1e4), st.floats(0.1, 100), st.integers(0, 100))
@settings(deadline=None, max_examples=30)
def test_units_do_not_matter(shift, scale, seed):
    table = np.random.default_rng(seed).normal(size=(8, 3))
    table[2, 1] = np.nan
    np.testing.assert_allclose(_forms(shift + scale * table, 3), _forms(table, 3), atol=1e-6)


def test_interval_covers_with_missing_reads():
    rng = np.random.default_rng(11)
    hits = 0
    for _ in range(300):
        table = rng.normal(0, 1, (40, 1)) + rng.normal(0, 0.5, (1, 6)) + rng.normal(0, 0.7, (40, 6))
        drop = np.argsort(rng.random((40, 6)), axis=1)[:, :3]
        np.put_along_axis(table, drop, np.nan, axis=1)
        low, high = f_ends(table, 3, 0.95)
        hits += low[1] <= 1 / (1 + 0.25 + 0.49) <= high[1]
    assert 0.91 <= hits / 300 <= 0.99


def test_perfect_agreement_and_no_spread():
    table = np.repeat(np.arange(5.0)[:, None], 3, axis=1)
    got = score_agreement(_reads(table), draws=100)
    assert _of(got.overall, "icc_2_1").value == pytest.approx(1)
    assert _of(got.overall, "icc_2_1").low == pytest.approx(1)
    assert _of(got.overall, "sem").value == pytest.approx(0, abs=1e-6)
    flat = score_agreement(_reads(np.full((5, 3), 7.0)), draws=100)
    assert "do not vary" in _of(flat.overall, "icc_1_1").undefined


@pytest.mark.parametrize(
    ("table", "why"),
    [
        (np.arange(4.0)[:, None], "two readers"),
        (np.array([[1.0, 2.0]]), "two cases"),
        (np.array([[1.0, np.nan], [np.nan, 2.0]]), "no case was read by two"),
    ],
)
def test_what_cannot_be_had_is_explained(table, why):
    got = score_agreement(_reads(table), draws=100)
    assert all(why in one.undefined and math.isnan(one.value) for one in got.overall)


def test_no_reads_at_all():
    reads = score_reads(["a"], ["R1"], [1.0]).select(np.zeros(1, bool))
    got = score_agreement(reads, draws=100)
    assert "none" in got.overall[0].undefined
    assert got.bland_altman == got.within == got.against_rest == ()


def test_cannot_be_read_is_left_out():
    reads = score_reads(
        ["a", "a", "b", "b", "c", "c"],
        ["R1", "R2"] * 3,
        ["1", "2", "3", "cannot be read", "5", "6"],
    )
    pair = score_agreement(reads, draws=100).bland_altman[0]
    assert pair.bias.n_cases == 2
    assert pair.bias.value == -1


def test_repeats_give_within_reader_figures():
    case = ["a", "a", "b", "b", "c", "a"]
    reader = ["R1"] * 5 + ["R2"]
    value = [1.0, 3.0, 10.0, 12.0, 5.0, 4.0]
    got = score_agreement(score_reads(case, reader, value, repeats="keep"), unit="mm", draws=100)
    sd = _of(got.within, "within_sd", "within readers")
    assert sd.value == pytest.approx(math.sqrt(2))  # each pair has variance 2
    assert (sd.unit, sd.n_cases, sd.n_reads) == ("mm", 2, 4)
    # chi-square of 2 degrees of freedom: quantile p is -2 ln(1 - p)
    assert sd.low == pytest.approx(math.sqrt(4 / (-2 * math.log(0.025))))
    assert sd.high == pytest.approx(math.sqrt(4 / (-2 * math.log(0.975))))
    both = _of(got.within, "repeatability", "R1 | R1")
    assert both.value == pytest.approx(1.959964 * math.sqrt(2) * math.sqrt(2))
    retest = _of(got.within, "icc_retest", "R1 | R1")
    assert retest.value == pytest.approx(_forms(np.array([[1.0, 3], [10, 12]]), 2)[0])


def test_matrix_against_rest_and_subgroups():
    table = np.random.default_rng(2).normal(size=(12, 3))
    reads = _reads(table)
    half = np.repeat([0, 1], 6)
    got = score_agreement(reads, subgroup=half, subgroups=("X", "Y"), draws=100)
    icc = next(m for m in got.pairs if m.key == "icc_2_1")
    assert icc.value[0, 2] == icc.value[2, 0] == pytest.approx(_forms(table[:, [0, 2]], 2)[1])
    bias = next(m for m in got.pairs if m.key == "bias")
    assert bias.value[2, 0] == pytest.approx((table[:, 2] - table[:, 0]).mean())
    assert bias.low[2, 0] == -bias.high[0, 2]
    rest = _of(got.against_rest, "bias", "R1 against the rest")
    assert rest.value == pytest.approx((table[:, 1] - table[:, [0, 2]].mean(1)).mean())
    part = _of(got.by_subgroup, "icc_3_1", "Y")
    assert part.value == pytest.approx(_forms(table[6:], 3)[2])


def test_groups_are_drawn_whole():
    table = np.random.default_rng(2).normal(size=(12, 3))
    case, reader = np.indices(table.shape)
    group = case.ravel() // 2
    got = score_agreement(
        score_reads(case.ravel(), reader.ravel(), table.ravel(), group=group), draws=200
    )
    assert "groups" in got.overall[0].interval
    assert got.overall[0].low < got.overall[0].value < got.overall[0].high


def test_many_readers_leave_the_two_way_forms_out():
    rng = np.random.default_rng(0)
    case = np.repeat(np.arange(50), 2)
    reads = score_reads(case, rng.permutation(100), rng.normal(size=100) + case)
    got = score_agreement(reads, draws=100)
    assert "one-way" in _of(got.overall, "icc_2_1").undefined
    assert _of(got.overall, "icc_1_1").value > 0.9


def test_grades_count_as_numbers():
    grades = class_reads(["a", "a", "b", "b"], ["R1", "R2"] * 2, ["0", "2", "4", "4"], ordinal=True)
    assert score_agreement(grades, draws=100).bland_altman[0].bias.value == -1
    words = class_reads(["a"], ["R1"], ["mild"], schema=["none", "mild"], ordinal=True)
    assert score_agreement(words, draws=100).overall[0].undefined
    with pytest.raises(InputError, match="ordinal"):
        score_agreement(class_reads(["a"], ["R1"], ["yes"]))


def test_input_is_left_alone():
    reads = _reads(_SHROUT_FLEISS)
    before = reads.value.copy()
    score_agreement(reads, draws=100)
    assert isinstance(reads, ScoreReads)
    np.testing.assert_array_equal(reads.value, before)

"""Assembly of the figures: scopes, undefined values, words, and intervals that behave."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overread.agreement.classes import agreement, by_subgroup, per_class
from overread.agreement.intervals import p_value_of
from overread.agreement.intra import intra_reader
from overread.agreement.matrix import against_rest, pair_matrix
from overread.agreement.measures import MEASURES
from overread.agreement.patterns import cells_of, patterns_of, with_unseen
from overread.agreement.resampling import coefficients
from overread.agreement.votes import votes_of
from overread.errors import InputError
from overread.labels import CANNOT_BE_READ, ClassReads, class_reads

RARE = ("percent", "cohen", "fleiss", "conger", "alpha_nominal", "ac1", "brennan_prediger")


def simulated(
    n: int, readers: int, prevalence: float, *, seed: int, error: float = 0.1
) -> ClassReads:
    rng = np.random.default_rng(seed)
    ill = rng.random(n) < prevalence
    said = ill[:, None] ^ (rng.random((n, readers)) < error)
    case, reader = np.divmod(np.arange(n * readers), readers)
    return class_reads(case, reader, said.ravel().astype(int), schema=["0", "1"])


@pytest.mark.parametrize("key", RARE)
def test_every_figure_has_value_interval_words(key: str) -> None:
    [found] = agreement(simulated(40, 3, 0.3, seed=1), measures=[key])
    assert found.low < found.value < found.high
    assert found.words
    assert found.interval.startswith("likelihood")


@pytest.mark.parametrize("key", RARE)
def test_the_interval_holds_what_the_test_allows(key: str) -> None:
    votes = votes_of(simulated(30, 3, 0.1, seed=5))
    [found] = agreement(simulated(30, 3, 0.1, seed=5), measures=[key])
    for value, allowed in ((found.low - 0.02, False), (found.low + 0.02, True),
                           (found.high - 0.01, True)):  # fmt: skip
        assert (p_value_of(votes, MEASURES[key], value) >= 0.05) == allowed


def test_likelihood_interval_of_percent_is_near_mid_p() -> None:
    """18 of 20 pairs agree: the exact mid-p interval (scipy-free enumeration) is the oracle."""
    reads = class_reads(
        [*range(20)] * 2, ["A"] * 20 + ["B"] * 20, ["x", "y"] * 10 + ["x", "y"] * 9 + ["y", "x"]
    )
    [found] = agreement(reads, measures=["percent"], draws=2000)
    assert found.low == pytest.approx(0.71, abs=0.03)
    assert found.high == pytest.approx(0.985, abs=0.02)


def test_intervals_agree_where_information_is_plenty() -> None:
    reads = simulated(3000, 3, 0.4, seed=3)
    for key in ("percent", "fleiss", "conger", "ac1", "cohen"):
        ends = [
            (found.low, found.high)
            for how in ("likelihood", "linearised", "analytic", "bootstrap")
            for found in agreement(reads, measures=[key], interval=how)
        ]
        assert np.ptp(np.array(ends), axis=0).max() < 0.006
        [chosen] = agreement(reads, measures=[key])
        assert chosen.interval.startswith("first order")


def test_one_class_only_still_has_an_interval() -> None:
    reads = class_reads(
        [*range(30)] * 2, ["A"] * 30 + ["B"] * 30, ["no"] * 60, schema=["no", "yes"]
    )
    kappa, percent, ac1 = agreement(reads, measures=["fleiss", "percent", "ac1"])
    assert math.isnan(kappa.value)
    assert "one class" in kappa.undefined
    assert kappa.low < 0.2
    assert kappa.high == 1
    assert percent.value == 1
    assert 0.85 < percent.low < 0.95
    assert ac1.value == 1


@pytest.mark.parametrize(
    ("case", "reader", "label", "word"),
    [
        ([], [], [], "no case"),
        ([1, 2], ["A", "A"], ["x", "y"], "only one reader"),
        ([1, 2], ["A", "B"], ["x", "y"], "overlap"),
        ([1, 1], ["A", "B"], [CANNOT_BE_READ] * 2, "no case"),
        ([1, 1], ["A", "B"], ["x", "x"], "one class"),
    ],
)
def test_undefined_is_explained(case, reader, label, word: str) -> None:
    reads = class_reads(case, reader, label)
    for found in (*agreement(reads), *agreement(reads, measures=list(MEASURES))):
        assert math.isnan(found.value)
        assert word in found.undefined
    if reads.n_classes > 1:
        assert all(one.undefined for one in per_class(reads))
    assert all(one.undefined for one in intra_reader(reads))
    assert all(one.undefined for one in against_rest(reads, measures=["cohen"]))
    assert np.isnan(pair_matrix(reads).value).all()


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 25), st.integers(1, 5), st.integers(1, 4), st.integers(0, 10**6))
def test_any_table_gives_a_figure_or_a_reason(
    n: int, readers: int, classes: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    rows = max(1, int(rng.integers(1, n * readers + 1)))
    names = [f"c{k}" for k in range(classes)]
    reads = class_reads(
        rng.integers(0, n, rows), rng.integers(0, readers, rows),
        rng.choice([*names, CANNOT_BE_READ], rows), schema=names, ordinal=True, repeats="keep",
    )  # fmt: skip
    keys = ["percent", "cohen", "ac2_ordinal", "alpha_ordinal"]
    every = [*agreement(reads, draws=100, measures=keys)]
    every += agreement(reads, measures=["fleiss", "cohen_linear"], interval="bootstrap", draws=100)
    every += agreement(reads, measures=["fleiss"], over_readers=True, draws=100)
    every += intra_reader(reads, draws=100, measures=["percent", "alpha_ordinal"])
    for one in every:
        assert math.isnan(one.value) == bool(one.undefined)
        assert math.isnan(one.low) == math.isnan(one.high)
        if not math.isnan(one.low):
            assert one.low <= one.high <= 1 + 1e-12


def test_pairs_and_rest_and_subgroups() -> None:
    reads = simulated(60, 3, 0.4, seed=2)
    matrix = pair_matrix(reads)
    assert np.allclose(matrix.value, matrix.value.T, equal_nan=True)
    first = reads.select(reads.index.reader < 2)
    [cohen] = agreement(first, measures=["cohen"])
    assert matrix.value[0, 1] == pytest.approx(cohen.value, abs=1e-12)
    assert (matrix.low[0, 1], matrix.high[0, 1]) == pytest.approx((cohen.low, cohen.high))
    assert [one.scope for one in matrix.estimates()] == ["0 | 1", "0 | 2", "1 | 2"]
    rest = against_rest(reads)
    assert {one.scope for one in rest} == {f"{g} against the rest" for g in range(3)}
    half = by_subgroup(reads, ["a"] * 30 + ["b"] * 30, measures=["percent"])
    assert [one.scope for one in half] == ["subgroup a", "subgroup b"]
    whole = agreement(reads, measures=["percent"])[0].value
    assert whole == pytest.approx(np.mean([one.value for one in half]))


@pytest.mark.parametrize("key", RARE)
def test_pair_matrix_is_agreement_of_two(key: str) -> None:
    reads = simulated(50, 3, 0.3, seed=8)
    matrix = pair_matrix(reads, measure=key)
    for g, h in ((0, 1), (0, 2), (1, 2)):
        two = reads.select((reads.index.reader == g) | (reads.index.reader == h))
        [found] = agreement(two, measures=[key], interval="analytic")
        assert matrix.value[g, h] == pytest.approx(found.value, abs=1e-12)


def test_against_rest_shares_a_tie() -> None:
    reads = class_reads([1] * 3, ["A", "B", "C"], ["x", "x", "y"])
    rest = {one.scope[0]: one.value for one in against_rest(reads, measures=["percent"])}
    assert rest == {"A": 0.5, "B": 0.5, "C": 0.0}


def test_intra_reader_from_repeats() -> None:
    case = [1, 1, 2, 2, 3, 3, 4]
    label = ["x", "x", "y", "x", "y", "y", "x"]
    reads = class_reads(case, ["A"] * 7, label, repeats="keep")
    own, pooled = intra_reader(reads, measures=["percent"])
    assert own.scope == "A with themselves"
    assert own.value == pooled.value == pytest.approx(2 / 3)


def test_groups_of_cases_widen_the_interval() -> None:
    base = simulated(200, 2, 0.4, seed=4)
    copies = 4
    case = np.concatenate([base.index.case + 200 * c for c in range(copies)])
    reader = np.tile(base.index.reader, copies)
    label = np.tile(base.label, copies)
    plain = class_reads(case, reader, label, schema=["0", "1"])
    group = np.tile(base.index.case, copies)
    grouped = class_reads(case, reader, label, schema=["0", "1"], group=group)
    for how in ("auto", "bootstrap"):
        widths = [
            found.high - found.low
            for reads in (plain, grouped)
            for found in agreement(reads, measures=["fleiss"], interval=how)
        ]
        assert widths[1] / widths[0] == pytest.approx(2, rel=0.15)


def test_readers_as_a_sample_widen_the_interval() -> None:
    rng = np.random.default_rng(0)
    ill = rng.random(400) < 0.5
    error = np.array([0.02, 0.05, 0.1, 0.25, 0.4])
    said = ill[:, None] ^ (rng.random((400, 5)) < error)
    case, reader = np.divmod(np.arange(2000), 5)
    reads = class_reads(case, reader, said.ravel().astype(int))
    fixed, sample = (
        agreement(reads, measures=["fleiss"], over_readers=flag)[0] for flag in (False, True)
    )
    assert sample.high - sample.low > 2 * (fixed.high - fixed.low)
    assert sample.value == fixed.value
    [two] = agreement(reads.select(reads.index.reader < 2), measures=["fleiss"], over_readers=True)
    assert "three or more" in two.interval


def test_cells_give_the_same_coefficient_as_the_reads() -> None:
    reads = simulated(80, 4, 0.3, seed=6)
    votes = votes_of(reads)
    for key in ("percent", "fleiss", "conger", "ac1", "cohen", "brennan_prediger"):
        measure = MEASURES[key]
        named = measure.chance == "readers"
        table = with_unseen(patterns_of(votes, named=named), 2, named=named)
        cells = cells_of(table, np.eye(2), measure.chance, by_pair=measure.pairwise)
        assert cells is not None
        value = coefficients(cells.m[None, :], cells)[0]
        assert value == pytest.approx(measure.of(votes).value, abs=1e-12)


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"measures": ["kapa"]}, "measure must be one of"),
        ({"level": 1.0}, "level must be between"),
        ({"draws": 5}, "draws must be at least"),
        ({"interval": "magic"}, "interval must be auto"),
    ],
)
def test_bad_settings_say_so(settings, word: str) -> None:
    with pytest.raises(InputError, match=word):
        agreement(simulated(10, 2, 0.5, seed=0), **settings)


def test_the_same_seed_gives_the_same_interval() -> None:
    reads = simulated(30, 3, 0.1, seed=7)
    assert agreement(reads, seed=3) == agreement(reads, seed=3)


@pytest.mark.parametrize("key", ["fleiss", "cohen", "ac1", "percent"])
def test_coverage_where_textbook_intervals_fail(key: str) -> None:
    """n = 30, 5 % prevalence, two readers, kappa .5: textbook intervals cover 42 - 80 % here."""
    kappa, p = 0.5, 0.05
    both, none = p * p + kappa * p * (1 - p), (1 - p) ** 2 + kappa * p * (1 - p)
    one = (1 - both - none) / 2
    observed = 2 * one
    truth = {
        "fleiss": kappa,
        "cohen": kappa,
        "percent": 1 - observed,
        "ac1": 1 - observed / (1 - 2 * p * (1 - p)),
    }[key]
    rng = np.random.default_rng(1)
    samples, times = np.unique(
        rng.multinomial(30, [none, one, one, both], size=1500), axis=0, return_counts=True
    )
    answers = np.array([(0, 0), (0, 1), (1, 0), (1, 1)])
    held = 0
    for counts, many in zip(samples, times, strict=True):
        said = np.repeat(answers, counts, axis=0)
        case, reader = np.divmod(np.arange(60), 2)
        reads = class_reads(case, reader, said.ravel(), schema=["0", "1"])
        held += many * (p_value_of(votes_of(reads), MEASURES[key], truth, draws=300) >= 0.05)
    assert 0.93 <= held / 1500 <= 0.98

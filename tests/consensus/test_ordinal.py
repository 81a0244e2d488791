from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from overread.consensus.ordinal import consensus_grade, grade_mean, ordinal
from overread.errors import InputError, MethodError
from overread.labels import class_reads
from tests.consensus.simulated import brute_joint, plain_dawid_skene

GRADES = ["0", "1", "2", "3", "4"]


def simulate(seed, *, cases=300, readers=30, reads_a_case=3, thresholds=(0.5, 1.5, 2.5, 3.5)):
    rng = np.random.default_rng(seed)
    truth = rng.choice(5, cases, p=[0.35, 0.2, 0.2, 0.15, 0.1])
    bias, spread = rng.normal(0, 0.4, readers), np.exp(rng.normal(np.log(0.6), 0.4, readers))
    case = np.repeat(np.arange(cases), reads_a_case)
    reader = np.concatenate(
        [rng.choice(readers, reads_a_case, replace=False) for _ in range(cases)]
    )
    seen = truth[case] + bias[reader] + spread[reader] * rng.normal(size=case.size)
    said = np.searchsorted(thresholds, seen)
    names = [f"R{j:03d}" for j in reader]
    reads = class_reads(case, names, said, schema=GRADES, ordinal=True)
    assert reads.index.n_readers == readers
    return reads, truth, bias, spread


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 100), st.booleans())
def test_the_objective_never_falls(seed: int, with_gold: bool) -> None:
    reads, truth, *_ = simulate(seed, cases=60, readers=6)
    gold = np.where(np.arange(60) < 20, truth, -1) if with_gold else None
    history = ordinal(reads, gold=gold, tol=1e-9, max_iterations=60).history
    assert np.diff([step.objective for step in history]).min() > -1e-8


def test_the_posterior_and_the_likelihood_are_those_of_the_model() -> None:
    reads, *_ = simulate(1, cases=40, readers=5)
    result = ordinal(reads, calibrate=False)
    joint = brute_joint(reads, result.prevalence, result.reliability.confusion)
    assert result.posterior == pytest.approx(joint / joint.sum(axis=1, keepdims=True), abs=1e-9)
    assert result.history[-1].log_likelihood == pytest.approx(np.log(joint.sum(axis=1)).sum())


def test_confusions_are_cumulative_probits() -> None:
    reads, *_ = simulate(2, cases=500, readers=4)
    result = ordinal(reads, lapse=1e-9)
    confusion = result.reliability.confusion
    bias, spread = result.reliability.value[:, -2:].T
    below = norm.ppf(np.clip(confusion.cumsum(axis=2)[:, :, :-1], 1e-7, 1 - 1e-7))
    place = below * spread[:, None, None] + (np.arange(5) + bias[:, None])[:, :, None]
    sure = np.abs(below) < 4
    for t in range(4):
        thresholds = place[:, :, t][sure[:, :, t]]
        assert np.ptp(thresholds) < 1e-3


def test_few_reads_a_reader_beat_a_whole_confusion_for_each() -> None:
    loss, hits = np.zeros(2), np.zeros(2)
    for seed in range(4):
        reads, truth, *_ = simulate(seed, cases=150, readers=40)
        plain = plain_dawid_skene(reads).argmax(axis=1)
        ours, nominal = ordinal(reads), ordinal(reads, loss="zero-one")
        loss += [np.abs(ours.value.code - truth).mean() / 4, np.abs(plain - truth).mean() / 4]
        hits += [(nominal.value.code == truth).mean() / 4, (plain == truth).mean() / 4]
    assert loss[0] < 0.7 * loss[1]
    assert hits[0] > hits[1] + 0.07


def test_bias_and_spread_are_found_and_covered() -> None:
    reads, _, bias, spread = simulate(7, cases=2000, readers=12, thresholds=(0.3, 1.7, 2.4, 3.5))
    r = ordinal(reads).reliability
    assert np.corrcoef(r.value[:, -2], bias)[0, 1] > 0.97
    assert np.corrcoef(np.log(r.value[:, -1]), np.log(spread))[0, 1] > 0.9
    assert ((r.low[:, -2] <= bias) & (bias <= r.high[:, -2])).mean() >= 0.75
    assert r.measures[-2:] == ("bias", "spread")


def test_losses_by_hand() -> None:
    p = np.array([[0.4, 0.05, 0.15, 0.4, 0.0], [0.0, 0.0, 0.0, 0.0, 1.0]])
    assert consensus_grade(p, "zero-one").tolist() == [0, 4]
    assert consensus_grade(p, "absolute").tolist() == [2, 4]
    assert grade_mean(p) == pytest.approx([1.55, 4])
    assert consensus_grade(p, "squared").tolist() == [2, 4]


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000))
def test_each_code_has_the_least_expected_loss(seed: int) -> None:
    p = np.random.default_rng(seed).dirichlet(np.full(5, 0.5), 10)
    gap = np.abs(np.arange(5)[:, None] - np.arange(5)).astype(float)
    for name, cost in (("zero-one", gap > 0), ("absolute", gap), ("squared", gap**2)):
        expected = p @ cost
        chosen = expected[np.arange(10), consensus_grade(p, name)]
        assert chosen == pytest.approx(expected.min(axis=1))


def test_gold_and_edges() -> None:
    reads, truth, *_ = simulate(3, cases=60, readers=5)
    gold = np.where(np.arange(60) < 30, truth, -1)
    assert (ordinal(reads, gold=gold).value.code[:30] == truth[:30]).all()
    one = class_reads(["a", "b", "c"], ["R1"] * 3, ["0", "4", "cannot be read"],
                      schema=GRADES, ordinal=True)  # fmt: skip
    alone = ordinal(one)
    assert alone.value.code[2] == -1
    assert alone.value.code[0] < alone.value.code[1]
    assert any("Only one reader" in words for words in alone.warnings)
    same = class_reads(["a", "a"], ["R1", "R2"], ["1", "1"], schema=["1"], ordinal=True)
    assert ordinal(same).posterior.tolist() == [[1.0]]
    with pytest.raises(InputError, match="schema must be ordinal; got nominal"):
        ordinal(class_reads(["a"], ["R1"], ["0"]))
    with pytest.raises(InputError, match="loss must be"):
        ordinal(reads, loss="huber")
    with pytest.raises(MethodError, match="no read that answers"):
        ordinal(class_reads([], [], [], schema=GRADES, ordinal=True))

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overread.consensus.calibration import (
    GOLD_SPREAD,
    INDEPENDENCE,
    apply_temperature,
    fit_temperature,
    from_gold,
    from_held_out,
    temperature,
)
from overread.errors import InputError
from overread.labels import class_reads
from tests.consensus.simulated import brute_joint, simulate


def nll(posterior, truth):
    return -np.log(np.maximum(posterior[np.arange(truth.size), truth], 1e-12)).mean()


def posterior_of(reads, prevalence, confusion):
    joint = brute_joint(reads, prevalence, confusion)
    return joint / joint.sum(axis=1, keepdims=True)


def test_hard_cases_are_found_from_the_reads_alone() -> None:
    reads, truth, confusion = simulate(1, cases=800, reads_a_case=8, readers=12, hard=0.3)
    even = np.full(3, 1 / 3)
    fitted = temperature(reads, even, confusion)
    posterior = posterior_of(reads, even, confusion)
    scores = {t: nll(apply_temperature(posterior, t), truth) for t in np.linspace(0.1, 1, 46)}
    assert fitted.source == "held-out reads"
    assert nll(apply_temperature(posterior, fitted.tau), truth) < 1.03 * min(scores.values())
    assert fitted.tau < 0.6


def test_independent_readers_keep_their_confidence_but_for_the_cap() -> None:
    reads, _, confusion = simulate(2, cases=2000, reads_a_case=3)
    fitted = temperature(reads, np.full(3, 1 / 3), confusion)
    assert fitted.source == "few reads"
    assert fitted.tau == pytest.approx(INDEPENDENCE)
    many, _, confusion = simulate(3, cases=500, reads_a_case=12, readers=12)
    assert 0.8 < temperature(many, np.full(3, 1 / 3), confusion).tau <= 0.9


def test_the_held_out_likelihood_is_the_one_defined() -> None:
    rng = np.random.default_rng(0)
    others, said = rng.normal(size=(400, 3)) * 4, rng.dirichlet(np.ones(3), 400)

    def value(tau):
        p = np.exp(tau * others)
        return np.log(((p / p.sum(axis=1, keepdims=True)) * said).sum(axis=1)).sum()

    taus = np.exp(np.linspace(np.log(0.02), 0, 4000))
    best = taus[np.argmax([value(t) for t in taus])]
    found = from_held_out(others, said, 2).tau
    assert value(found) == pytest.approx(value(min(best, 1.0)), abs=1e-3)


def test_gold_is_a_prior_times_a_likelihood() -> None:
    rng = np.random.default_rng(1)
    joint, truth = rng.normal(size=(30, 3)) * 5, rng.integers(0, 3, 30)

    def value(tau):
        p = np.exp(tau * joint)
        chance = (p / p.sum(axis=1, keepdims=True))[np.arange(30), truth]
        return np.log(chance).sum() - 0.5 * (np.log(tau / 0.7) / GOLD_SPREAD) ** 2

    taus = np.exp(np.linspace(np.log(0.02), 0, 2000))
    found = from_gold(joint, truth, 0.7)
    assert found.tau == pytest.approx(taus[np.argmax([value(t) for t in taus])], rel=0.01)
    assert found.source == "gold"


def test_more_gold_moves_the_temperature_further() -> None:
    reads, truth, confusion = simulate(4, cases=400, reads_a_case=3)
    some = [np.where(np.arange(400) < n, truth, -1) for n in (0, 5, 400)]
    # readers are independent here, so that gold leads back towards 1
    taus = [fit_temperature(reads, np.full(3, 1 / 3), confusion, gold=g) for g in some]
    assert taus[0] == pytest.approx(INDEPENDENCE)
    assert min(taus[1:]) > taus[0] + 0.1
    assert max(taus) <= 1


def test_gold_does_not_flatter_confusions_that_it_taught() -> None:
    """Readers with few reads, their confusions learned from the gold itself: all look sure."""
    reads, truth, _ = simulate(9, cases=200, readers=60, reads_a_case=4, accuracy=(0.4, 0.7))
    counts = np.full((60, 3, 3), 0.05)
    np.add.at(counts, (reads.index.reader, truth[reads.index.case], reads.label), 1.0)
    taught = counts / counts.sum(axis=2, keepdims=True)
    tau = fit_temperature(reads, np.full(3, 1 / 3), taught, gold=truth)
    joint = brute_joint(reads, np.full(3, 1 / 3), taught)
    flattered = from_gold(np.log(joint), truth, 0.7).tau
    assert tau < flattered - 0.2


def test_nothing_to_hold_out_leaves_the_posterior() -> None:
    even, confusion = np.full(2, 0.5), np.full((1, 2, 2), 0.5)
    single = class_reads(["a", "b"], ["R1", "R1"], ["0", "1"])
    fitted = temperature(single, even, confusion)
    assert (fitted.tau, fitted.source) == (1.0, "none")
    assert "no case has reads of two readers" in fitted.words
    repeats = class_reads(["a", "a"], ["R1", "R1"], ["0", "1"], repeats="keep")
    assert fit_temperature(repeats, even, confusion) == 1.0
    unread = class_reads(["a"], ["R1"], ["cannot be read"], schema=["0", "1"])
    assert fit_temperature(unread, even, confusion) == 1.0


def test_impossible_reads_do_not_break_it() -> None:
    reads, _, _ = simulate(5, cases=60)
    sure = np.broadcast_to(np.eye(3), (8, 3, 3)).copy()
    assert 0 < fit_temperature(reads, np.array([1.0, 0.0, 0.0]), sure) <= 1


def test_a_sample_of_many_reads_is_repeatable_and_close() -> None:
    reads, _, confusion = simulate(6, cases=12_000, reads_a_case=10, readers=20, hard=0.3)
    even = np.full(3, 1 / 3)
    first, again = (temperature(reads, even, confusion, seed=s) for s in (0, 0))
    other = temperature(reads, even, confusion, seed=1)
    assert first == again
    assert first.n_used <= 100_000
    assert other.tau == pytest.approx(first.tau, rel=0.05)


def test_votes_are_heard() -> None:
    reads, _, confusion = simulate(7, cases=300, reads_a_case=8, hard=0.3)
    even = np.full(3, 1 / 3)
    none = np.zeros((300, 3))
    loud = np.random.default_rng(0).normal(size=(300, 3)) * 20
    assert fit_temperature(reads, even, confusion, votes=(none,)) == pytest.approx(
        fit_temperature(reads, even, confusion)
    )
    assert fit_temperature(reads, even, confusion, votes=(loud,)) < 0.5


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 1000), st.floats(0.02, 1))
def test_tempering_keeps_the_order(seed: int, tau: float) -> None:
    p = np.random.default_rng(seed).dirichlet(np.full(4, 0.3), 20)
    q = apply_temperature(p, tau)
    assert q.sum(axis=1) == pytest.approx(1)
    assert (q.argmax(axis=1) == p.argmax(axis=1)).all()
    assert q.max(axis=1) == pytest.approx(np.minimum(q.max(axis=1), p.max(axis=1)))


def test_shapes_are_named() -> None:
    reads, _, confusion = simulate(8, cases=20)
    with pytest.raises(InputError, match=r"prevalence must have shape \(3,\); got \(2,\)"):
        fit_temperature(reads, np.ones(2) / 2, confusion)
    with pytest.raises(InputError, match="gold must have shape"):
        fit_temperature(reads, np.ones(3) / 3, confusion, gold=np.zeros(3, dtype=int))
    with pytest.raises(InputError, match=r"tau must be in \(0, 1\]; got 1.5"):
        apply_temperature(np.ones((1, 2)) / 2, 1.5)

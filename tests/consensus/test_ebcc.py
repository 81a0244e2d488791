from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import digamma
from scipy.stats import dirichlet

from overread.consensus.calibration import apply_temperature
from overread.consensus.ebcc import ebcc
from overread.errors import InputError, MethodError
from overread.labels import class_reads
from tests.consensus.simulated import simulate


@settings(deadline=None, max_examples=12)
@given(st.integers(0, 100), st.integers(1, 5), st.booleans())
def test_the_bound_never_falls(seed: int, subtypes: int, with_gold: bool) -> None:
    reads, truth, _ = simulate(seed, cases=60)
    gold = np.where(np.arange(60) < 10, truth, -1) if with_gold else None
    result = ebcc(reads, subtypes=subtypes, starts=1, gold=gold, seed=seed, tol=1e-9)
    bound = np.array([step.objective for step in result.history])
    assert len(bound) > 2
    assert np.diff(bound).min() > -1e-8
    assert result.posterior.sum(axis=1) == pytest.approx(1)


def reference(matrix, classes, groups, z, *, a_pi=0.1, alpha=1.0, a_v=4.0, b_v=1.0, steps=2000):
    """The authors' updates, written with plain loops over a dense matrix; returns the bound too."""
    cases, readers = matrix.shape
    beta = np.eye(classes) * (a_v - b_v) + b_v
    for _ in range(steps):
        eta = a_pi / groups + z.sum(axis=0)
        nu = alpha + z.sum(axis=(0, 2))
        mu = np.zeros((readers, classes, groups, classes)) + beta[None, :, None, :]
        for i in range(cases):
            for j in range(readers):
                if matrix[i, j] >= 0:
                    mu[j, :, :, matrix[i, j]] += z[i]
        log_pi = digamma(eta) - digamma(eta.sum(axis=1, keepdims=True))
        log_tau = digamma(nu) - digamma(nu.sum())
        log_v = digamma(mu) - digamma(mu.sum(axis=3, keepdims=True))
        z = np.zeros_like(z) + log_pi + log_tau[:, None]
        for i in range(cases):
            for j in range(readers):
                if matrix[i, j] >= 0:
                    z[i] += log_v[j, :, :, matrix[i, j]]
        z = np.exp(z - z.max(axis=(1, 2), keepdims=True))
        z /= z.sum(axis=(1, 2), keepdims=True)
    return z, eta, nu, mu


def test_one_subtype_agrees_with_the_authors_updates() -> None:
    reads, _, _ = simulate(3, cases=25, readers=4, reads_a_case=3)
    votes = reads.counts() / reads.counts().sum(axis=1, keepdims=True)
    z, *_ = reference(reads.matrix(), 3, 1, votes[:, :, None], steps=300)
    ours = ebcc(reads, subtypes=1, calibrate=False, tol=1e-14, max_iterations=3000)
    assert ours.posterior == pytest.approx(z[:, :, 0], abs=1e-5)


def test_the_bound_is_the_expected_joint_plus_entropies() -> None:
    reads, _, _ = simulate(4, cases=20, readers=4, reads_a_case=3)
    votes = reads.counts() / reads.counts().sum(axis=1, keepdims=True)
    z, eta, nu, mu = reference(reads.matrix(), 3, 1, votes[:, :, None], steps=300)
    log_pi = digamma(eta) - digamma(eta.sum(axis=1, keepdims=True))
    log_tau = digamma(nu) - digamma(nu.sum())
    log_v = digamma(mu) - digamma(mu.sum(axis=3, keepdims=True))
    beta = np.eye(3) * 3 + 1

    def density(log_x, a):
        return (
            dirichlet(a).logpdf(np.full(a.size, 1 / a.size))
            + ((a - 1) * (log_x + np.log(a.size))).sum()
        )

    bound = density(log_tau, np.ones(3)) + dirichlet(nu).entropy()
    bound += (z.sum(axis=(0, 2)) * log_tau).sum() + (z.sum(axis=0) * log_pi).sum()
    for j in range(4):
        for k in range(3):
            bound += density(log_v[j, k, 0], beta[k]) + dirichlet(mu[j, k, 0]).entropy()
            bound += ((mu[j, k, 0] - beta[k]) * log_v[j, k, 0]).sum()
    bound -= (z * np.log(np.maximum(z, 1e-300))).sum()
    ours = ebcc(reads, subtypes=1, calibrate=False, tol=1e-14, max_iterations=3000)
    assert ours.history[-1].objective == pytest.approx(bound, abs=1e-4)


def test_subtypes_see_errors_that_readers_share() -> None:
    # Part of class 1 looks like class 0 to five of the readers; two see through it.
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 600)
    odd = (truth == 1) & (rng.random(600) < 0.4)
    right = np.full((600, 7), 0.85)
    right[odd, :5] = 0.2
    said = np.where(rng.random((600, 7)) < right, truth[:, None], 1 - truth[:, None])
    reads = class_reads(np.repeat(np.arange(600), 7), np.tile(np.arange(7), 600), said.reshape(-1))
    one, many = (ebcc(reads, subtypes=m, calibrate=False, seed=1) for m in (1, 4))
    assert many.history[-1].objective > one.history[-1].objective + 10
    # To which class the odd sub-type belongs, gold must say.
    gold = np.where(np.arange(600) < 120, truth, -1)
    one, many = (ebcc(reads, subtypes=m, gold=gold, seed=1) for m in (1, 4))
    hit = [(result.value.code == truth)[120:].mean() for result in (one, many)]
    assert hit[1] > hit[0] + 0.02


def test_gold_is_certain_and_teaches() -> None:
    reads, truth, _ = simulate(5, cases=200, accuracy=(0.2, 0.6))
    gold = np.where(np.arange(200) < 100, truth, -1)
    with_gold, without = ebcc(reads, gold=gold), ebcc(reads)
    assert (with_gold.posterior[:100].max(axis=1) == 1).all()
    assert (with_gold.value.code[:100] == truth[:100]).all()
    rest = slice(100, None)
    hit = [(result.value.code[rest] == truth[rest]).mean() for result in (with_gold, without)]
    assert hit[0] >= hit[1]


def test_the_result_is_complete_and_repeatable() -> None:
    reads, _, confusion = simulate(6, cases=500)
    result, again, raw = ebcc(reads), ebcc(reads), ebcc(reads, calibrate=False)
    assert result.provenance == again.provenance != raw.provenance
    assert np.array_equal(result.posterior, again.posterior)
    assert result.posterior == pytest.approx(apply_temperature(raw.posterior, result.temperature))
    assert (result.value.code == raw.value.code).all()
    reliability = result.reliability
    inside = (reliability.low <= reliability.value) & (reliability.value <= reliability.high)
    assert inside.all()
    true_recall = np.einsum("jkk->jk", confusion)
    covered = (reliability.low[:, 1:] <= true_recall) & (true_recall <= reliability.high[:, 1:])
    assert covered.mean() > 0.75
    assert result.reads.tolist() == [4] * 500
    assert result.read_rows.size == 2000
    assert ((result.difficulty >= 0) & (result.difficulty <= 1)).all()


def test_edges() -> None:
    empty = class_reads([], [], [], schema=["0", "1"])
    with pytest.raises(MethodError, match="no read that answers"):
        ebcc(empty)
    one = ebcc(class_reads(["a", "b"], ["R1", "R1"], ["0", "0"]))
    assert one.posterior.tolist() == [[1.0], [1.0]]
    assert any("Only one reader" in words for words in one.warnings)
    some = class_reads(["a", "a", "b"], ["R1", "R2", "R1"], ["0", "1", "cannot be read"])
    result = ebcc(some)
    assert result.value.code[1] == -1
    assert result.reads.tolist() == [2, 0]
    with pytest.raises(InputError, match="subtypes must be 1 or more; got 0"):
        ebcc(some, subtypes=0)
    with pytest.raises(InputError, match=r"row 1: gold must be in 0 \.\. 1 or -1"):
        ebcc(some, gold=np.array([7, -1]))

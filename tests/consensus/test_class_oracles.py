"""Published and independently computed figures of the class models."""

from __future__ import annotations

import itertools
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from crowdkit.aggregation import OneCoinDawidSkene

from overread.consensus import dawid_skene, majority, one_coin
from overread.labels import class_reads
from tests.consensus.tables import anaesthesia, caries, product, rows_of, simulated

_LIKELIHOOD: dict[str, Any] = {
    "prior_reads": 0,
    "prevalence_reads": 0,
    "starts": 1,
    "calibrate": False,
}


@pytest.mark.shared_data
def test_anaesthesia_equals_dawid_and_skene(shared_reads: Path) -> None:
    result = dawid_skene(anaesthesia(shared_reads), **_LIKELIHOOD, tol=1e-14)
    steps = [step.log_likelihood for step in result.history]
    assert steps[0] == pytest.approx(-203.113033, abs=5e-7)
    assert steps[4] == pytest.approx(-190.748340, abs=5e-7)
    assert steps[-1] == pytest.approx(-190.730997, abs=5e-7)
    assert result.prevalence == pytest.approx([0.4000, 0.4216, 0.1118, 0.0667], abs=5e-5)
    assert np.bincount(result.value.code).tolist() == [18, 19, 5, 3]


@pytest.mark.shared_data
def test_anaesthesia_random_starts_find_the_better_optimum_and_say_so(shared_reads: Path) -> None:
    settings = _LIKELIHOOD | {"starts": 60}
    result = dawid_skene(anaesthesia(shared_reads), **settings, tol=1e-12)
    assert result.history[-1].log_likelihood == pytest.approx(-189.4053, abs=5e-5)
    assert any("Local optimum" in warning for warning in result.warnings)


@pytest.mark.shared_data
def test_caries(shared_reads: Path) -> None:
    reads = caries(shared_reads)
    result = dawid_skene(reads, **_LIKELIHOOD, tol=1e-14)
    confusion = result.reliability.confusion
    assert confusion is not None
    assert result.prevalence is not None
    assert result.fit is not None
    assert result.history[-1].log_likelihood == pytest.approx(-7410.941976, abs=5e-7)
    assert result.prevalence[1] == pytest.approx(0.1997, abs=5e-5)
    assert confusion[:, 1, 1] == pytest.approx([0.4037, 0.7059, 0.5905, 0.4854, 0.9134], abs=5e-5)
    assert confusion[:, 0, 0] == pytest.approx([0.9942, 0.8983, 0.9867, 0.9692, 0.6956], abs=5e-5)
    assert (result.value.code == 1).sum() == 641
    assert (majority(reads).value.code == 1).sum() == 520
    assert result.fit.g2 == pytest.approx(129.78, abs=5e-3)
    assert result.fit.df == 20
    assert result.fit.words in result.warnings


@pytest.mark.shared_data
def test_product(shared_reads: Path) -> None:
    reads, truth = product(shared_reads)
    shares = majority(reads, calibrate=False).posterior
    split = np.where(shares.max(axis=1) == 0.5, 0.5, shares.argmax(axis=1) == truth)
    assert split.mean() == pytest.approx(0.897, abs=5e-4)
    plain = dawid_skene(reads, **_LIKELIHOOD)
    assert (plain.value.code == truth).mean() == pytest.approx(0.940, abs=1.5e-3)


@pytest.mark.shared_data
def test_chexpert_three_readers_against_five(shared_reads: Path) -> None:
    """Fourteen findings of 500 studies: accuracy .9217 stays, calibration lowers the NLL.

    (shared/methods.md has NLL .568 -> .284; our prior alone starts below that, near .27.)
    """
    said = rows_of(shared_reads / "chexpert-eight-radiologists.csv")
    truth = {r["Study"]: r for r in rows_of(shared_reads / "chexpert-majority-of-five.csv")}
    three = [r for r in said if r["reader"] in {"bc4", "bc6", "bc8"}]
    right: list[float] = []
    loss: dict[bool, list[float]] = {True: [], False: []}
    for finding in (name for name in said[0] if name not in {"reader", "Study"}):
        reads = class_reads(
            [r["Study"] for r in three],
            [r["reader"] for r in three],
            [str(int(float(r[finding]))) for r in three],
            schema=["0", "1"],
        )
        known = np.array([int(float(truth[case][finding])) for case in reads.index.cases.tolist()])
        for calibrate in (True, False):
            result = dawid_skene(reads, starts=1, calibrate=calibrate)
            right.append((result.value.code == known).mean())
            p = result.posterior[np.arange(500), known]
            loss[calibrate].append(-np.log(p.clip(1e-12)).mean())
    assert np.mean(right[::2]) == pytest.approx(0.9217, abs=5e-5)
    assert right[::2] == right[1::2]
    assert np.mean(loss[True]) < 0.284
    assert np.mean(loss[True]) < np.mean(loss[False]) * 0.9


def test_brute_force_likelihood_posterior_and_objective() -> None:
    reads, _ = simulated(3, cases=6, readers=3, classes=2, per_case=3)
    result = dawid_skene(reads, starts=1, calibrate=False, max_iterations=7, tol=0)
    confusion, prevalence = result.reliability.confusion, result.prevalence
    assert confusion is not None
    assert prevalence is not None
    total = 0.0
    weight = np.zeros((6, 2))
    answers = reads.matrix()
    for truth in itertools.product(range(2), repeat=6):
        chance = np.prod(
            [
                prevalence[t] * np.prod(confusion[np.arange(3), t, answers[i]])
                for i, t in enumerate(truth)
            ]
        )
        total += chance
        for i, t in enumerate(truth):
            weight[i, t] += chance
    assert result.history[-1].log_likelihood == pytest.approx(np.log(total), rel=1e-12)
    assert result.posterior == pytest.approx(weight / total, rel=1e-10)


def test_many_reads_of_one_case_do_not_underflow() -> None:
    """Plain products of 3,000 probabilities vanish; ours are rescaled."""
    n = 3000
    rng = np.random.default_rng(0)
    case = np.repeat([0, 1], n)
    said = np.where(rng.random(2 * n) < 0.6, np.repeat([0, 1], n), np.repeat([1, 0], n))
    reads = class_reads(case, np.tile(np.arange(n), 2), said)
    result = one_coin(reads, starts=1, calibrate=False)
    assert np.isfinite(result.posterior).all()
    assert result.value.code.tolist() == [0, 1]
    assert np.isfinite(result.history[-1].log_likelihood)


def test_one_coin_agrees_with_an_independent_library() -> None:
    import pandas as pd

    reads, _ = simulated(11, cases=400, readers=8, classes=3)
    table = pd.DataFrame(
        {"task": reads.index.case, "worker": reads.index.reader, "label": reads.label}
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the peer's own, about pandas
        peer = OneCoinDawidSkene(n_iter=500, tol=1e-9).fit(table).labels_.sort_index().to_numpy()
    ours = one_coin(reads, prior_reads=0, prevalence_reads=0, starts=1, calibrate=False)
    assert (ours.value.code == peer).mean() > 0.99

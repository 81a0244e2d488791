"""The article's experiment: every published figure of its run, from its own data."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from overread.consensus import Consensus, dawid_skene, majority
from overread.consensus.result import ClassConsensus
from overread.labels import ClassReads, class_reads

_ANNOTATORS = ("Shapiro", "D'Agostino", "Jarque-Bera", "KS", "Random 1", "Random 2", "Random 3",
               "Random 4", "Bad 1", "Bad 2")  # fmt: skip
_PRINTED = {  # accuracy, first P(1|1), first P(0|0), final P(1|1), final P(0|0)
    "Shapiro": (0.990, 0.877, 0.587, 0.994, 0.972),
    "D'Agostino": (0.950, 0.915, 0.614, 0.959, 0.954),
    "Jarque-Bera": (0.960, 0.915, 0.628, 0.950, 0.965),
    "KS": (0.565, 0.330, 0.990, 0.175, 0.995),
    "Random 1": (0.495, 0.689, 0.581, 0.487, 0.507),
    "Random 2": (0.505, 0.708, 0.654, 0.457, 0.577),
    "Random 3": (0.515, 0.708, 0.601, 0.494, 0.535),
    "Random 4": (0.500, 0.632, 0.567, 0.485, 0.515),
    "Bad 1": (0.085, 0.217, 0.440, 0.081, 0.101),
    "Bad 2": (0.110, 0.292, 0.419, 0.130, 0.082),
}


def _answers(rng: np.random.Generator, label: int) -> list[int]:
    sample = (
        stats.skewnorm.rvs(a=14, size=100, random_state=rng) if label else rng.normal(0, 1, 100)
    )
    z = (sample - sample.mean()) / (sample.std(ddof=1) + 1e-12)
    tests = (stats.shapiro(sample), stats.normaltest(sample), stats.jarque_bera(sample),
             stats.kstest(z, "norm", method="asymp"))  # fmt: skip
    said = [int(test.pvalue < 0.05) for test in tests]
    said += [int(rng.integers(0, 2)) for _ in range(4)]
    for _ in range(2):
        said.append(1 - said[0] if rng.random() < 0.8 else int(rng.integers(0, 2)))
    return said


@pytest.fixture(scope="module")
def experiment() -> tuple[NDArray[np.int64], NDArray[np.int64], ClassReads]:
    """Answers (200, 10), truth (200,) and the read table."""
    rng = np.random.default_rng(7)
    truth = rng.integers(0, 2, size=200)
    said = np.array([_answers(rng, label) for label in truth])
    case, reader = np.indices(said.shape).reshape(2, -1)
    names = np.array(_ANNOTATORS)[reader]
    return said, truth, class_reads(case, names, said.reshape(-1), schema=["0", "1"])


@pytest.fixture(scope="module")
def run(
    experiment: tuple[NDArray[np.int64], NDArray[np.int64], ClassReads],
) -> Consensus[ClassConsensus]:
    """Half a pseudo-read in each cell, ties of the first vote to class 0, twelve iterations."""
    return dawid_skene(
        experiment[2], prior_reads=1.0, prior_accuracy=0.5, prevalence_reads=0.0, start="majority",
        ties="first", starts=1, max_iterations=12, calibrate=False, keep_history=True,
    )  # fmt: skip


def test_the_data_are_the_article_s(experiment):
    said, truth, _ = experiment
    digest = hashlib.sha256(said.astype("u1").tobytes()).hexdigest()
    assert digest == "41ae3c9e5ef0b0057e990e14894673080c5a2fc9949d8781ed47de5ae0fc4cf9"
    assert said.sum(axis=0).tolist() == [107, 105, 103, 18, 98, 88, 96, 97, 94, 101]
    assert truth.sum() == 105


def test_consensus_by_iteration(experiment, run):
    truth = experiment[1]
    codes = [step.code for step in run.history]
    accuracy = [(code == truth).mean() for code in codes[:8]]
    assert accuracy == pytest.approx([0.675, 0.9, 0.975, 0.975, 0.975, 0.99, 0.99, 0.99])
    ones = [int(codes[i - 1].sum()) for i in (1, 2, 3, 6)]
    assert ones == [52, 85, 102, 105]
    assert (run.value.code != codes[0]).sum() == 65


@pytest.mark.parametrize("name", _ANNOTATORS)
def test_table_of_annotators(experiment, run, name):
    said, truth, reads = experiment
    row = reads.index.readers.index(name)
    first, last = run.history[0].confusion[row], run.history[-1].confusion[row]
    accuracy = (said[:, _ANNOTATORS.index(name)] == truth).mean()
    ours = [accuracy, first[1, 1], first[0, 0], last[1, 1], last[0, 0]]
    assert ours == pytest.approx(_PRINTED[name], abs=5.01e-4)


def test_the_tie_rule_is_part_of_the_result(experiment):
    truth, reads = experiment[1], experiment[2]
    rules = {rule: majority(reads, ties=rule) for rule in ("first", "last", "none")}
    assert rules["none"].settings["tied_cases"] == 44
    right = {rule: (result.value.code == truth).mean() for rule, result in rules.items()}
    assert right["first"] == pytest.approx(0.675)
    assert right["last"] == pytest.approx(0.745)
    assert right["none"] + 0.5 * 44 / 200 == pytest.approx(0.71)

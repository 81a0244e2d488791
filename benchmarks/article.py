"""The article's experiment: from a majority vote of .675 to an EM consensus of .990, and 200 seeds.

"Engineering for Annotation in the ML Pipeline, Part 2: Creating Consensus and Quality Control"
(RSIP Vision, 2026) simulates ten annotators of 200 cases: four tests for normality, four who answer
at random, two who mostly contradict the first. We draw the same data, run our Dawid-Skene, and ask
what one seed hides: the tie rule, and how the method fares over 200 seeds.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from _common import arguments, finish
from overread.consensus import dawid_skene, majority
from overread.labels import ClassReads, class_reads

ANNOTATORS = (
    "Shapiro", "D'Agostino", "Jarque-Bera", "KS",
    "Random 1", "Random 2", "Random 3", "Random 4", "Bad 1", "Bad 2",
)  # fmt: skip
CLASSES = ("No Pneumonia", "Pneumonia")
DATA_SHA256 = "41ae3c9e5ef0b0057e990e14894673080c5a2fc9949d8781ed47de5ae0fc4cf9"


def answers(seed: int, cases: int = 200) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Draw the article's data: answers (cases, 10) and the truth (cases,).

    The order of the draws is part of the experiment: all truths, then case by case the sample, the
    four random annotators, and for each bad one a coin and, when it fails, a guess.
    """
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, size=cases)
    rows = []
    for label in truth:
        sample = (
            stats.skewnorm.rvs(a=14, size=100, random_state=rng)
            if label
            else rng.normal(0, 1, size=100)
        )
        rows.append(_ten_answers(sample, rng))
    return np.array(rows), truth


def _ten_answers(sample: NDArray[np.float64], rng: np.random.Generator) -> list[int]:
    standard = (sample - sample.mean()) / (sample.std(ddof=1) + 1e-12)
    p_values = (
        stats.shapiro(sample).pvalue,
        stats.normaltest(sample).pvalue,
        stats.jarque_bera(sample).pvalue,
        stats.kstest(standard, "norm", method="asymp").pvalue,
    )
    said = [int(p < 0.05) for p in p_values]
    said += [int(rng.integers(0, 2)) for _ in range(4)]
    for _ in range(2):
        said.append(1 - said[0] if rng.random() < 0.8 else int(rng.integers(0, 2)))
    return said


def as_reads(said: NDArray[np.int64]) -> ClassReads:
    """(cases, 10) answers as a read table."""
    case, reader = np.indices(said.shape)
    names = np.array(ANNOTATORS)[reader.reshape(-1)]
    labels = np.array(CLASSES)[said.reshape(-1)]
    return class_reads(case.reshape(-1), names, labels, schema=CLASSES)

"""Small results of every kind, written by hand."""

from __future__ import annotations

import math

import numpy as np

from overread.arrays import names_array
from overread.consensus.result import (
    ClassConsensus,
    Consensus,
    FindingConsensus,
    Iteration,
    MaskConsensus,
    Reliability,
    ScoreConsensus,
)
from overread.labels import Kind

READERS = Reliability(
    ("A", "=B"), ("accuracy",), np.array([[0.9], [np.nan]]), np.array([[0.8], [np.nan]]),
    np.array([[0.95], [np.nan]]), 0.95, np.array([2, 0]),
)  # fmt: skip


def consensus(kind, value, posterior, cases=("x", "=y"), reads=(2, 0)):
    n = len(cases)
    return Consensus(
        kind, "by_hand", {"ties": "first"}, names_array(cases), value,
        np.array(posterior, dtype=float), np.array([0.5] + [np.nan] * (n - 1)), np.zeros(n),
        READERS, np.array(reads), np.arange(2), history=(Iteration(-2.0, -3.0),), provenance="abc",
    )  # fmt: skip


CLASSES = consensus(
    Kind.NOMINAL, ClassConsensus(np.array([1, -1]), ("no", "yes")), [[0.25, 0.75], [0.5, 0.5]]
)
SCORES = consensus(
    Kind.SCORE,
    ScoreConsensus(np.array([3.0, math.nan]), np.array([1.0, math.nan])),
    np.empty((2, 0)),
)
FINDINGS = consensus(
    Kind.BOX,
    FindingConsensus(
        np.array([0, 0]), np.array([1, 0]), ("mass", "nodule"),
        np.array([[1.0, 1, 4, 5], [0, 0, 1, 1]]), np.ones((2, 4)), np.array([0.9, 0.4]),
        np.array([0, 2, 1]), np.array([0, 2, 3]),
    ),
    [[0.2, 0.8], [0.7, 0.3]],
    reads=(3, 0),
)  # fmt: skip
NO_FINDINGS = consensus(
    Kind.BOX,
    FindingConsensus(
        np.array([], dtype=int), np.array([], dtype=int), ("mass", "nodule"), np.empty((0, 4)),
        np.empty((0, 4)), np.array([]), np.array([], dtype=int), np.array([0]),
    ),
    np.empty((0, 2)),
)  # fmt: skip
MASKS = consensus(
    Kind.MASK,
    MaskConsensus(
        (np.array([[0, 1], [1, 1]]), np.empty(0, dtype=int)),
        (np.full((2, 2, 2), 0.5, dtype=np.float32), np.empty(0, dtype=np.float32)),
        ("background", "organ"),
    ),
    np.empty((2, 0)),
)

"""Reads of simulated readers, for the tests of the class models."""

from __future__ import annotations

from typing import Any

import numpy as np

from overread.labels import ClassReads, Kind, class_reads, schema_of


def simulate(
    seed: int,
    *,
    cases: int = 300,
    readers: int = 8,
    reads_a_case: int = 4,
    classes: int = 3,
    accuracy: tuple[float, float] = (0.55, 0.9),
    hard: float = 0.0,
) -> tuple[ClassReads, np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Reads, truth (cases,) and confusion (readers, truth, said).

    A share ``hard`` of the cases is read by guessing: it makes readers err together.
    """
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, cases)
    right = rng.uniform(*accuracy, readers)
    even = (1 - right) / (classes - 1)
    confusion = np.broadcast_to(even[:, None, None], (readers, classes, classes)).copy()
    confusion[:, np.arange(classes), np.arange(classes)] = right[:, None]
    case = np.repeat(np.arange(cases), reads_a_case)
    reader = np.concatenate(
        [rng.choice(readers, reads_a_case, replace=False) for _ in range(cases)]
    )
    chance = confusion[reader, truth[case]]
    guess = rng.random(cases) < hard
    chance[guess[case]] = 1 / classes
    said = (rng.random((case.size, 1)) > chance.cumsum(axis=1)).sum(axis=1).clip(max=classes - 1)
    schema = schema_of(Kind.NOMINAL, map(str, range(classes)))
    names = [f"R{j:03d}" for j in reader]
    reads = class_reads(case, names, said, schema=schema)
    assert reads.index.n_readers == readers
    return reads, truth, confusion


def brute_joint(
    reads: ClassReads, prevalence: np.ndarray[Any, Any], confusion: np.ndarray[Any, Any]
) -> np.ndarray[Any, Any]:
    """(cases, classes) chance of the reads of a case and each truth, by plain loops."""
    joint = np.tile(prevalence, (reads.index.n_cases, 1)).astype(float)
    for case, reader, said in zip(reads.index.case, reads.index.reader, reads.label, strict=True):
        if said >= 0:
            joint[case] *= confusion[reader, :, said]
    return joint


def plain_dawid_skene(reads: ClassReads, *, iterations: int = 100) -> np.ndarray[Any, Any]:
    """(cases, classes) posterior of Dawid and Skene 1979: maximum likelihood, vote start."""
    index, classes = reads.index, reads.n_classes
    votes = reads.counts().astype(float)
    posterior = votes / np.maximum(votes.sum(axis=1, keepdims=True), 1)
    for _ in range(iterations):
        counts = np.full((index.n_readers, classes, classes), 1e-9)
        np.add.at(counts.transpose(0, 2, 1), (index.reader, reads.label), posterior[index.case])
        confusion = counts / counts.sum(axis=2, keepdims=True)
        logs = np.tile(np.log(posterior.mean(axis=0) + 1e-12), (index.n_cases, 1))
        np.add.at(logs, index.case, np.log(confusion[index.reader, :, reads.label]))
        posterior = np.exp(logs - logs.max(axis=1, keepdims=True))
        posterior /= posterior.sum(axis=1, keepdims=True)
    return posterior

"""Dawid-Skene: consensus and every reader's confusion matrix refine each other.

Source:
    Dawid & Skene 1979, Appl. Stat. 28(1):20-28.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from overread.arrays import Floats, Ints
from overread.consensus.assembly import check_reads
from overread.consensus.em import MStep, Parameters, Progress, Sums
from overread.consensus.fit_classes import ClassModel, Ties, fit_classes
from overread.consensus.kernels import FLOOR
from overread.consensus.result import ClassConsensus, Consensus
from overread.consensus.votes import SoftVotes
from overread.errors import InputError
from overread.labels import ClassReads

Start = Literal["shares", "majority"] | Floats


def dawid_skene(
    reads: ClassReads,
    *,
    gold: Ints | None = None,
    votes: Sequence[SoftVotes] = (),
    prior_reads: float = 2.0,
    prior_accuracy: float = 0.8,
    prevalence_reads: float = 1.0,
    start: Start = "shares",
    starts: int | None = None,
    ties: Ties = "split",
    max_iterations: int = 1000,
    tol: float = 1e-11,
    calibrate: bool = True,
    level: float = 0.95,
    seed: int = 0,
    keep_history: bool = False,
    warm: Consensus[ClassConsensus] | None = None,
    progress: Progress | None = None,
) -> Consensus[ClassConsensus]:
    """Estimate the class of each case and the confusion matrix of each reader, by MAP EM.

    Args:
        reads: nominal or ordinal; repeats count as reads of their own, "cannot be read" not at all.
        gold: (cases,) known classes, -1 elsewhere; they teach the readers' confusions.
        votes: models' class probabilities, as further readers.
        prior_reads: reads that the prior is worth in each row of a confusion matrix, and
        prior_accuracy: the share of them on the diagonal (the rest even). 0 reads is maximum
            likelihood.
        prevalence_reads: cases that an even prior on the prevalence is worth.
        start: "shares" of the votes (as in the paper), the "majority", or a posterior
            (cases, classes).
        starts: runs of the EM from different beginnings, the best of which is kept. By default 10,
            fewer where there are more than 20,000 reads, 1 beyond 200,000.
        ties: of a start from the majority: "split" between the classes, or the
            "first", the "last" or a "random" one of them.
        max_iterations, tol: stop when the log posterior rises by less than ``tol`` nats a read.
        calibrate: temper the posterior (see :mod:`overread.consensus.calibration`).
        level: coverage of the intervals of reader reliability.
        seed: of the further starts and of random ties.
        keep_history: keep codes and confusions of every iteration of the best run.
        warm: an earlier result, from which the first run begins; readers are matched by name.
        progress: called with iterations done and at most.
    Returns:
        Consensus with calibrated posterior, reliability (accuracy, recall by class, confusion),
        fit where every reader read every case, and warnings.
    Raises:
        InputError: a setting or a gold answer out of range.
        MethodError: no read answers.
    Example:
        >>> from overread.labels import class_reads
        >>> reads = class_reads(list("aaabbb"), ["R1", "R2", "R3"] * 2, list("yynnnn"))
        >>> result = dawid_skene(reads)
        >>> [result.value.classes[code] for code in result.value.code]
        ['y', 'n']
    """
    if prior_reads < 0 or prevalence_reads < 0:
        raise InputError("prior_reads", "be 0 or more", min(prior_reads, prevalence_reads))
    if not 0 < prior_accuracy < 1:
        raise InputError("prior_accuracy", "be in (0, 1)", prior_accuracy)
    gold = check_reads(reads, gold)
    prior = diagonal_prior(reads.n_classes, prior_reads, prior_accuracy)
    settings: dict[str, Any] = {
        "prior_reads": prior_reads,
        "prior_accuracy": prior_accuracy,
        "prevalence_reads": prevalence_reads,
    }
    model = ClassModel("dawid_skene", confusion_step(prior, prevalence_reads), prior, settings)
    return fit_classes(
        reads,
        model,
        gold=gold,
        votes=votes,
        start=start,
        starts=starts,
        ties=ties,
        max_iterations=max_iterations,
        tol=tol,
        calibrate=calibrate,
        level=level,
        seed=seed,
        keep_history=keep_history,
        warm=warm,
        progress=progress,
    )


def diagonal_prior(n_classes: int, reads: float, accuracy: float) -> Floats:
    """(classes, classes) pseudo-reads [truth, said] that lean to the diagonal."""
    if n_classes == 1:
        return np.full((1, 1), reads)
    prior = np.full((n_classes, n_classes), reads * (1 - accuracy) / (n_classes - 1))
    np.fill_diagonal(prior, reads * accuracy)
    return prior


def confusion_step(prior: Floats, prevalence_reads: float) -> MStep:
    """M-step with a Dirichlet prior on each row of each reader's confusion matrix.

    Args:
        prior: (classes, classes) or (readers, classes, classes) pseudo-reads [truth, said]: the
            Dirichlet's parameters less 1.
    """
    pseudo = np.swapaxes(prior, -1, -2)
    mean = pseudo if pseudo.ndim == 2 else pseudo.mean(axis=0)

    def step(sums: Sums) -> Parameters:
        table = rows_of(sums.counts + pseudo)
        tables = rows_of(sums.votes + mean)
        prevalence = shares(sums.prevalence, prevalence_reads)
        density = float((pseudo * np.log(table)).sum() + (mean * np.log(tables)).sum())
        density += prevalence_density(prevalence, prevalence_reads)
        return Parameters(table, prevalence, density, tables)

    return step


def rows_of(counts: Floats) -> Floats:
    """Normalise over ``said`` (the last axis but one), no chance below the floor.

    A truth that a reader never met, with no prior, says nothing: all answers alike.
    """
    total = counts.sum(axis=-2, keepdims=True)
    even = 1.0 / counts.shape[-2]
    with np.errstate(invalid="ignore", divide="ignore"):
        table = np.where(total > 0, counts / total, even)
    return np.asarray(np.maximum(table, FLOOR))


def shares(cases: Floats, pseudo: float) -> Floats:
    """Prevalence from expected cases and an even prior."""
    smoothed = cases + pseudo / cases.size
    return np.asarray(np.maximum(smoothed / smoothed.sum(), FLOOR))


def prevalence_density(prevalence: Floats, pseudo: float) -> float:
    """Log density of the prevalence under its prior, up to a constant."""
    return float(pseudo * np.log(prevalence).mean())

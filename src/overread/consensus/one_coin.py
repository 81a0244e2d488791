"""One-coin model: each reader has one accuracy, the same whatever the truth; errors are even.

Source:
    The "one-coin" case of Dawid & Skene 1979; Zhang et al. 2016, JMLR 17(102), section 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from overread.arrays import Floats, Ints
from overread.consensus.assembly import check_reads
from overread.consensus.dawid_skene import (
    Start,
    diagonal_prior,
    prevalence_density,
    shares,
)
from overread.consensus.em import MStep, Parameters, Progress, Sums
from overread.consensus.fit_classes import ClassModel, Ties, fit_classes
from overread.consensus.kernels import FLOOR
from overread.consensus.result import ClassConsensus, Consensus
from overread.consensus.votes import SoftVotes
from overread.errors import InputError
from overread.labels import ClassReads


def one_coin(
    reads: ClassReads,
    *,
    gold: Ints | None = None,
    votes: Sequence[SoftVotes] = (),
    prior_reads: float = 2.0,
    prior_accuracy: float = 0.7,
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
    """Estimate the class of each case and one accuracy for each reader, by MAP EM.

    Args:
        prior_reads: reads that the Beta prior of an accuracy is worth, and
        prior_accuracy: its mean.
        others: as for :func:`overread.consensus.dawid_skene`.
    Raises:
        InputError, MethodError: as there.
    """
    if prior_reads < 0 or not 0 < prior_accuracy < 1:
        raise InputError("prior_reads", "be 0 or more, prior_accuracy in (0, 1)", prior_reads)
    gold = check_reads(reads, gold)
    settings: dict[str, Any] = {
        "prior_reads": prior_reads,
        "prior_accuracy": prior_accuracy,
        "prevalence_reads": prevalence_reads,
    }
    prior = diagonal_prior(reads.n_classes, prior_reads, prior_accuracy) / reads.n_classes
    # One accuracy for all rows: each stands on the reader's reads of every class.
    own = np.bincount(reads.index.reader[reads.label >= 0], minlength=reads.index.n_readers)
    model = ClassModel(
        "one_coin",
        coin_step(prior_reads, prior_accuracy, prevalence_reads),
        prior,
        settings,
        borrowed=np.repeat(own[:, None] + prior_reads, reads.n_classes, axis=1),
    )
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


def coin_step(reads: float, accuracy: float, prevalence_reads: float) -> MStep:
    """M-step of accuracies with a Beta prior (``reads`` pseudo-reads, mean ``accuracy``)."""

    def tables(counts: Floats) -> tuple[Floats, float]:
        k = counts.shape[-1]
        if k == 1:
            return np.ones_like(counts), 0.0
        right = np.einsum("jkk->j", counts) + reads * accuracy
        total = counts.sum(axis=(1, 2)) + reads
        with np.errstate(invalid="ignore"):
            share = np.where(total > 0, right / np.where(total > 0, total, 1), 1 / k)
        share = np.clip(share, FLOOR * k, 1 - FLOOR * k)
        table = np.broadcast_to(((1 - share) / (k - 1))[:, None, None], counts.shape).copy()
        np.einsum("jkk->jk", table)[:] = share[:, None]
        density = reads * (accuracy * np.log(share) + (1 - accuracy) * np.log(1 - share))
        return table, float(density.sum())

    def step(sums: Sums) -> Parameters:
        table, density = tables(sums.counts)
        votes, vote_density = tables(sums.votes)
        prevalence = shares(sums.prevalence, prevalence_reads)
        density += vote_density + prevalence_density(prevalence, prevalence_reads)
        return Parameters(table, prevalence, density, votes)

    return step

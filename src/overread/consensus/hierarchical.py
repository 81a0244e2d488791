"""Hierarchical Dawid-Skene: readers scatter around the group; how widely is learned.

A reader with few reads is drawn to the group's confusion matrix, one with many keeps their own.

Source:
    Paun et al. 2018, TACL 6:571-585 (hierarchical Dawid-Skene); Minka 2000, "Estimating a
    Dirichlet distribution", eq. 55 (fixed point of the Dirichlet-multinomial).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.special import digamma

from overread.arrays import Floats, Ints
from overread.consensus.assembly import check_reads
from overread.consensus.dawid_skene import Start, confusion_step, diagonal_prior
from overread.consensus.em import Progress, climb, shares_start
from overread.consensus.fit_classes import ClassModel, Ties, fit_classes
from overread.consensus.problem import make_problem
from overread.consensus.result import ClassConsensus, Consensus
from overread.consensus.votes import SoftVotes
from overread.labels import ClassReads

_ROUNDS = 8
_ROUND_ITERATIONS = 30
_GROUP_READS = 4.0  # pseudo-reads behind each row of the group's matrix
_LEAST, _MOST = 0.5, 1000.0  # reads that the group may be worth to a reader


def hierarchical(
    reads: ClassReads,
    *,
    gold: Ints | None = None,
    votes: Sequence[SoftVotes] = (),
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
    """Estimate classes and confusions, each reader's drawn to the group's as the data tell.

    Empirical Bayes: the EM runs with a Dirichlet prior on each confusion row, whose mean and
    weight (one a class) are fitted to all readers' expected counts, in eight rounds; the last EM
    has the prior held fixed and is monotone.

    Args:
        all: as for :func:`overread.consensus.dawid_skene`. The weights found are recorded in the
            settings as ``group_reads``.
    Raises:
        InputError, MethodError: as there.
    """
    gold = check_reads(reads, gold)
    prior = _group_prior(reads, gold, prevalence_reads)
    settings: dict[str, Any] = {
        "prevalence_reads": prevalence_reads,
        "group_reads": ", ".join(f"{weight:.1f}" for weight in prior.sum(axis=1)),
    }
    return fit_classes(
        reads,
        ClassModel(
            "hierarchical",
            confusion_step(prior, prevalence_reads),
            prior,
            settings,
            borrowed=np.tile(prior.sum(axis=1), (reads.index.n_readers, 1)),
        ),
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


def _group_prior(reads: ClassReads, gold: Ints | None, prevalence_reads: float) -> Floats:
    """(classes, classes) pseudo-reads [truth, said] of the group, by rounds of EM and fitting."""
    problem = make_problem(reads, gold)
    prior = diagonal_prior(reads.n_classes, _GROUP_READS, 0.7)
    begin: Any = shares_start(problem)
    for _ in range(_ROUNDS):
        run = climb(
            problem,
            confusion_step(prior, prevalence_reads),
            begin,
            max_iterations=_ROUND_ITERATIONS,
            tol=1e-7,
        )
        counts = np.swapaxes(run.sums.counts, 1, 2)
        prior = np.stack([_dirichlet(counts[:, t], t) for t in range(reads.n_classes)])
        begin = run.parameters
    return prior


def _dirichlet(counts: Floats, truth: int) -> Floats:
    """(classes,) Dirichlet parameters of one row, over readers.

    Args:
        counts: (readers, classes) expected reads of cases of this truth, by what was said.
    """
    k = counts.shape[1]
    group = counts.sum(axis=0) + diagonal_prior(k, _GROUP_READS, 0.7)[truth]
    mean = group / group.sum()
    seen = counts[counts.sum(axis=1) > 1e-9]
    if len(seen) < 2:
        return np.asarray(mean * _GROUP_READS)
    total = seen.sum(axis=1)
    weight = _GROUP_READS
    for _ in range(100):  # the mean is the group's; its weight climbs to the maximum
        above = (mean * (digamma(seen + weight * mean) - digamma(weight * mean))).sum()
        below = (digamma(total + weight) - digamma(weight)).sum()
        new = float(np.clip(weight * above / max(below, 1e-300), _LEAST, _MOST))
        if abs(new - weight) < 1e-4 * weight:
            break
        weight = new
    return np.asarray(mean * weight)

"""Majority vote, with a stated tie rule and calibrated probabilities."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from overread.arrays import Floats, Ints
from overread.consensus.assembly import ClassFit, assemble, check_reads, clamp
from overread.consensus.calibration import temperature
from overread.consensus.dawid_skene import diagonal_prior, rows_of
from overread.consensus.em import MStep, Parameters, Sums, climb, shares_start
from overread.consensus.fit_classes import majority_codes
from overread.consensus.kernels import FLOOR
from overread.consensus.one_coin import coin_step
from overread.consensus.problem import make_problem, of_cases
from overread.consensus.result import ClassConsensus, Consensus
from overread.labels import ClassReads

TieRule = Literal["split", "first", "last", "random", "none"]

_WORDS = {
    "split": "a tie shares its probability; the first of the tied classes is named",
    "first": "a tie goes to the first of the tied classes",
    "last": "a tie goes to the last of the tied classes",
    "random": "a tie goes to one of the tied classes at random, by the seed",
    "none": "a tie has no consensus",
}


def majority(
    reads: ClassReads,
    *,
    ties: TieRule = "split",
    gold: Ints | None = None,
    calibrate: bool = True,
    level: float = 0.95,
    seed: int = 0,
) -> Consensus[ClassConsensus]:
    """Take the class that most reads say.

    Args:
        ties: what a tie becomes: its probability is "split" (the first class is named), it goes
            to the "first", the "last" or a "random" class, or has "none" (code -1).
        gold: (cases,) known classes, -1 elsewhere: these are taken as they are.
        calibrate: probabilities of a model in which all readers are equally good, tempered; they
            rise with the votes, so that the order of the classes stays. Else the vote shares.
        level: coverage of the intervals of reader reliability.
        seed: of random ties.
    Returns:
        Consensus whose settings hold the tie rule and the number of tied cases.
    Raises:
        InputError: an unknown tie rule. MethodError: no read answers.
    Example:
        >>> from overread.labels import class_reads
        >>> reads = class_reads(list("aabb"), ["R1", "R2"] * 2, ["yes", "yes", "yes", "no"])
        >>> majority(reads, ties="none").value.code.tolist()
        [1, -1]
    """
    gold = check_reads(reads, gold)
    counts = reads.counts()
    code = majority_codes(counts, ties, np.random.default_rng(seed))
    tied = int(
        ((counts == counts.max(axis=1, keepdims=True)).sum(axis=1) > 1)[counts.any(axis=1)].sum()
    )
    if gold is not None:
        code = np.where(gold >= 0, gold, code)
    posterior, tau = _vote_shares(counts), None
    if calibrate:
        posterior, tau = _equal_readers(reads, gold)
    fit = _against(reads, posterior if ties == "split" else _named(posterior, code), gold)
    warnings: tuple[str, ...] = ()
    if tied:
        warnings = (f"{tied} of {int(counts.any(axis=1).sum())} cases are ties: {_WORDS[ties]}.",)
    settings: dict[str, Any] = {
        "ties": ties,
        "tie_rule": _WORDS[ties],
        "tied_cases": tied,
        "seed": seed,
        "calibrate": calibrate,
    }
    return assemble(
        reads,
        ClassFit(
            posterior, fit.prevalence, fit.counts, fit.prior, fit.confusion, warnings=warnings
        ),
        method="majority",
        settings=settings,
        temperature=tau,
        gold=gold,
        code=code,
        level=level,
    )


def _vote_shares(counts: Ints) -> Floats:
    total = counts.sum(axis=1, keepdims=True)
    even = 1.0 / counts.shape[1]
    return np.asarray(np.where(total > 0, counts / np.maximum(total, 1), even))


def _equal_readers(reads: ClassReads, gold: Ints | None) -> tuple[Floats, Any]:
    """Posterior when all readers share one accuracy and classes are equally common."""
    problem = make_problem(reads, gold, readers_alike=True)
    k = reads.n_classes
    step = _even_prevalence(coin_step(2.0, 0.7, 0.0))
    run = climb(problem, step, shares_start(problem, majority=True), max_iterations=200, tol=1e-9)
    shape = (reads.index.n_readers, k, k)
    confusion = np.broadcast_to(run.parameters.confusion, shape)
    # All readers share one accuracy: each row stands on everybody's reads.
    borrowed = np.full(shape[:2], float(problem.n_reads))
    tau = temperature(reads, run.parameters.prevalence, confusion, gold=gold, borrowed=borrowed)
    return of_cases(problem, run.posterior), tau


def _even_prevalence(step: MStep) -> MStep:
    def even(sums: Sums) -> Parameters:
        fitted = step(sums)
        k = fitted.prevalence.size
        # Readers worse than chance would turn the vote around; chance is the least here.
        table = (
            fitted.table if fitted.table[0, 0, 0] >= 1 / k else np.full_like(fitted.table, 1 / k)
        )
        return Parameters(table, np.full(k, 1 / k), fitted.log_prior, fitted.votes)

    return even


def _named(posterior: Floats, code: Ints) -> Floats:
    certain = np.array(posterior)
    rows = np.flatnonzero(code >= 0)
    certain[rows] = 0.0
    certain[rows, code[rows]] = 1.0
    return certain


def _against(reads: ClassReads, truth: Floats, gold: Ints | None) -> ClassFit:
    """Confusions of the readers against the consensus, which they had a part in themselves."""
    truth = clamp(truth, gold)
    said = np.flatnonzero(reads.label >= 0)
    k = reads.n_classes
    cell = reads.index.reader[said].astype(np.int64) * k + reads.label[said]
    weight = truth[reads.index.case[said]]
    size = reads.index.n_readers * k
    counts = np.stack([np.bincount(cell, weight[:, t], minlength=size) for t in range(k)], axis=1)
    counts = counts.reshape(reads.index.n_readers, k, k)  # [reader, said, truth]
    prior = diagonal_prior(k, 1.0, 0.7)
    read = reads.counts().any(axis=1)
    prevalence = np.maximum(truth[read].mean(axis=0), FLOOR)
    return ClassFit(
        posterior=truth,
        prevalence=prevalence / prevalence.sum(),
        counts=np.swapaxes(counts, 1, 2),
        prior=prior,
        confusion=np.swapaxes(rows_of(counts + prior.T), 1, 2),
    )

"""From reads and a model's M-step to a complete class consensus: starts, warnings, calibration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from overread.arrays import Floats, Ints
from overread.consensus.assembly import ClassFit, assemble
from overread.consensus.calibration import temperature
from overread.consensus.em import (
    Climb,
    MStep,
    Parameters,
    Progress,
    climb,
    codes_to_rows,
    shares_start,
    vote_evidence,
)
from overread.consensus.goodness import goodness_of_fit
from overread.consensus.information import information
from overread.consensus.kernels import FLOOR
from overread.consensus.problem import Pass, Problem, make_problem, of_cases
from overread.consensus.result import ClassConsensus, Consensus, Setting
from overread.consensus.votes import SoftVotes, check_votes
from overread.errors import InputError
from overread.labels import ClassReads

Ties = Literal["split", "first", "last", "random"]

_SMALL, _MIDDLE = 20_000, 200_000  # reads up to which ten starts, and three, cost little
_BETTER = 0.01  # nats by which another start must win to be worth a warning


@dataclass(frozen=True, slots=True, eq=False)
class ClassModel:
    """A model of classes for :func:`fit_classes`.

    Args:
        name: registered name.
        m_step: from expected counts to parameters.
        prior: pseudo-reads [truth, said] (or by reader), for the intervals of reliability.
        settings: to be recorded.
        readers_alike: the model takes all readers for one.
        borrowed: (readers, classes) reads that a confusion row owes to others than its reader; see
            :func:`overread.consensus.calibration.temperature`.
    """

    name: str
    m_step: MStep
    prior: Floats
    settings: Mapping[str, Setting]
    readers_alike: bool = False
    borrowed: Floats | None = None


def fit_classes(
    reads: ClassReads,
    model: ClassModel,
    *,
    gold: Ints | None,
    votes: Sequence[SoftVotes],
    start: Any,
    starts: int | None,
    ties: Ties,
    max_iterations: int,
    tol: float,
    calibrate: bool,
    level: float,
    seed: int,
    keep_history: bool,
    warm: Consensus[ClassConsensus] | None,
    progress: Progress | None,
) -> Consensus[ClassConsensus]:
    """Run the EM from several starts, keep the best, calibrate and assemble.

    The arguments are those of :func:`overread.consensus.dawid_skene`.
    """
    check_votes(reads, votes)
    problem = make_problem(reads, gold, group=False if votes else None)
    n_starts = _default_starts(problem.n_reads) if starts is None else starts
    if n_starts < 1:
        raise InputError("starts", "be 1 or more", n_starts)

    def run(begin: Floats | Parameters | Pass, *, watched: bool) -> Climb:
        return climb(
            problem,
            model.m_step,
            begin,
            votes=votes,
            max_iterations=max_iterations,
            tol=tol,
            keep_history=keep_history,
            progress=progress if watched else None,
        )

    rng = np.random.default_rng(seed)
    keep = keep_history or bool(votes)
    begin = _begin(reads, problem, start, ties, warm, rng, votes=votes, keep=keep)
    first = run(begin, watched=True)
    others = [
        run(_random_start(problem, len(votes), rng), watched=False) for _ in range(n_starts - 1)
    ]
    best = max([first, *others], key=lambda one: one.objective)
    switched = _switched(reads, best)
    if switched and not _switched(reads, first):
        best = first  # a relabelled optimum answers another question than the readers were asked
    return _finish(
        reads,
        problem,
        model,
        best,
        gold=gold,
        votes=votes,
        calibrate=calibrate,
        level=level,
        warnings=_warnings(first, best, others, switched=_switched(reads, best)),
        settings={
            "start": "warm" if warm else start if isinstance(start, str) else "given",
            "warm": warm.provenance if warm else None,
            "starts": n_starts,
            "start_ties": ties,
            "max_iterations": max_iterations,
            "tol": tol,
            "seed": seed,
            "iterations": len(best.history),
        },
    )


def _finish(
    reads: ClassReads,
    problem: Problem,
    model: ClassModel,
    best: Climb,
    *,
    gold: Ints | None,
    votes: Sequence[SoftVotes],
    calibrate: bool,
    level: float,
    warnings: tuple[str, ...],
    settings: Mapping[str, Setting],
) -> Consensus[ClassConsensus]:
    parameters, n_readers = best.parameters, reads.index.n_readers
    confusion = np.broadcast_to(parameters.confusion, (n_readers, *parameters.confusion.shape[1:]))
    counts = np.swapaxes(best.sums.counts, 1, 2)
    tau = None
    if calibrate:
        soft = [np.nan_to_num(vote.probability) for vote in votes]
        evidence = (vote_evidence(parameters, soft),) if soft else ()
        tau = temperature(
            reads,
            parameters.prevalence,
            confusion,
            gold=gold,
            votes=evidence,
            borrowed=model.borrowed,
        )
    fit = goodness_of_fit(reads, problem, best)
    if fit is not None and fit.p < 0.01:
        warnings = (*warnings, fit.words)
    return assemble(
        reads,
        ClassFit(
            posterior=of_cases(problem, best.posterior),
            prevalence=parameters.prevalence,
            counts=np.broadcast_to(counts, (n_readers, *counts.shape[1:])),
            prior=model.prior,
            confusion=confusion,
            history=best.history,
            warnings=warnings,
            fit=fit,
            problem=problem,
            information=information(problem, best, model.prior),
            votes=tuple(
                (vote.name, vote.n_votes, vote_counts.T, vote_table.T)
                for vote, vote_counts, vote_table in zip(
                    votes, best.sums.votes, parameters.votes, strict=True
                )
            ),
        ),
        method=model.name,
        settings={**model.settings, **settings, "calibrate": calibrate},
        temperature=tau,
        gold=gold,
        level=level,
    )


def _default_starts(n_reads: int) -> int:
    return 10 if n_reads <= _SMALL else 3 if n_reads <= _MIDDLE else 1


def _begin(  # noqa: PLR0917 - one thing each, in the order of the caller's
    reads: ClassReads,
    problem: Problem,
    start: Any,
    ties: Ties,
    warm: Consensus[ClassConsensus] | None,
    rng: np.random.Generator,
    *,
    votes: Sequence[SoftVotes],
    keep: bool,
) -> Floats | Parameters | Pass:
    if warm is not None:
        return _warm_parameters(reads, warm, [vote.name for vote in votes])
    if not isinstance(start, str):
        posterior = np.asarray(start, dtype=np.float64)
        shape = (reads.index.n_cases, reads.n_classes)
        if posterior.shape != shape or not np.allclose(posterior.sum(axis=1), 1, atol=1e-6):
            raise InputError("start", f"be a posterior of shape {shape}", posterior.shape)
        return _rows(problem, posterior)
    if start not in ("shares", "majority"):
        raise InputError("start", 'be "shares", "majority" or a posterior', f"{start!r}")
    if start == "shares":
        return shares_start(problem, keep_posterior=keep)
    if ties == "split":
        return shares_start(problem, majority=True, keep_posterior=keep)
    return codes_to_rows(problem, majority_codes(reads.counts(), ties, rng))


def _rows(problem: Problem, posterior: Floats) -> Floats:
    if problem.row_of_case is None:
        return posterior.copy()
    rows = np.empty((problem.n_rows, problem.n_classes))
    rows[problem.row_of_case] = posterior
    return rows


def majority_codes(counts: Ints, ties: str, rng: np.random.Generator) -> Ints:
    """(cases,) class with the most votes under a tie rule; -1 where nobody answered.

    Args:
        counts: (cases, classes).
        ties: "first" (also for "split"), "last", "random", or "none" (-1 for a tie).
    """
    if ties not in ("split", "first", "last", "random", "none"):
        raise InputError("ties", "be split, first, last, random or none", f"{ties!r}")
    top = counts == counts.max(axis=1, keepdims=True)
    code = top.argmax(axis=1)
    tied = np.flatnonzero(top.sum(axis=1) > 1)
    if ties == "last":
        code[tied] = counts.shape[1] - 1 - top[tied, ::-1].argmax(axis=1)
    elif ties == "random":
        code[tied] = np.where(top[tied], rng.random((tied.size, counts.shape[1])), -1).argmax(
            axis=1
        )
    elif ties == "none":
        code[tied] = -1
    return np.where(counts.sum(axis=1) > 0, code, -1)


def _random_start(problem: Problem, n_votes: int, rng: np.random.Generator) -> Parameters:
    """Readers of random skill, most of them better than chance."""
    k = problem.n_classes

    def tables(n: int) -> Floats:
        noise = rng.dirichlet(np.ones(k), size=(n, k))
        skill = rng.uniform(0, 1, size=(n, 1, 1))
        return np.swapaxes(np.maximum(skill * np.eye(k) + (1 - skill) * noise, FLOOR), 1, 2)

    return Parameters(
        tables(problem.n_readers), rng.dirichlet(np.full(k, 2.0)) if k > 1 else np.ones(1), 0.0,
        tables(n_votes) if n_votes else np.empty((0, k, k)),
    )  # fmt: skip


def _warm_parameters(
    reads: ClassReads, warm: Consensus[ClassConsensus], models: Sequence[str]
) -> Parameters:
    """Confusions of an earlier result, by name; readers and models new to it take their mean."""
    before, confusion = warm.reliability, warm.reliability.confusion
    if warm.value.classes != reads.schema.names or confusion is None:
        raise InputError("warm", "be a result on the same classes", ", ".join(warm.value.classes))
    known = {name: row for row, name in enumerate(before.readers)}
    active = confusion[before.reads > 0]
    average = active.mean(axis=0) if len(active) else confusion.mean(axis=0)

    def tables(names: Sequence[str]) -> Floats:
        rows = [confusion[known[n]] if n in known else average for n in names]
        shape = (len(names), reads.n_classes, reads.n_classes)
        return np.maximum(np.swapaxes(np.reshape(rows, shape), 1, 2), FLOOR)

    prevalence = warm.prevalence if warm.prevalence is not None else np.ones(reads.n_classes)
    return Parameters(
        tables(reads.index.readers), prevalence / prevalence.sum(), 0.0, tables(models)
    )


def _switched(reads: ClassReads, run: Climb) -> bool:
    """Whether reads say less often the truth's own class than some other, over all readers."""
    said_by_truth = run.sums.counts.sum(axis=0)  # (said, truth)
    if reads.n_classes < 2 or not said_by_truth.sum():
        return False
    return bool(
        (said_by_truth.argmax(axis=0) != np.arange(reads.n_classes))[_met(said_by_truth)].any()
    )


def _met(said_by_truth: Floats) -> Any:
    """Truths that hold one read in a hundred or more; the others prove nothing."""
    share = said_by_truth.sum(axis=0) / said_by_truth.sum()
    return share >= 0.01


def _warnings(
    first: Climb, best: Climb, others: Sequence[Climb], *, switched: bool
) -> tuple[str, ...]:
    words = []
    top = max((run.objective for run in others), default=-np.inf)
    if top > first.objective + _BETTER:
        gain = top - first.objective
        kept = "it is used" if best is not first else "it renames the classes, so it is not used"
        words.append(
            f"Local optimum: a random start ends {gain:.2f} nats above the start from the votes; "
            f"{kept}."
        )
    if switched:
        words.append(
            "Label switch: for some class most reads say another one. Either most readers are "
            "wrong about it, or it is too rare to be told apart. Gold answers would settle it."
        )
    if not best.converged:
        words.append(f"Stopped after {len(best.history)} iterations, before it had converged.")
    return tuple(words)

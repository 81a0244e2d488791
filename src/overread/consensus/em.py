"""The one EM loop of the class models: monotone, with history, the same for all of them.

A model is its M-step: from expected counts to confusions, prevalence and the log density of its
prior. The loop alternates it with the pass over the reads until the log posterior rises no more.

Source:
    Dawid & Skene 1979, Appl. Stat. 28(1):20-28; MAP form: Raykar et al. 2010, JMLR 11:1297-1322.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from overread.arrays import Floats, Ints
from overread.consensus.kernels import FLOOR
from overread.consensus.problem import (
    Pass,
    Problem,
    of_cases,
    sums_of,
    sums_of_votes,
    sweep,
)
from overread.consensus.result import Iteration
from overread.consensus.votes import SoftVotes
from overread.errors import InputError

Progress: TypeAlias = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, eq=False)
class Parameters:
    """Parameters of a class model.

    Args:
        table: (readers, said, truth) chance of what is said; each column sums to 1 over said.
        prevalence: (classes,).
        log_prior: log density of the prior at these values, up to a constant.
        votes: (votes, said, truth) the same for soft votes.
    """

    table: Floats
    prevalence: Floats
    log_prior: float
    votes: Floats

    @property
    def confusion(self) -> Floats:
        """(readers, truth, said)."""
        return np.swapaxes(self.table, 1, 2)


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """Expected counts of one pass: reads (readers, said, truth), cases (classes,), votes."""

    counts: Floats
    prevalence: Floats
    votes: Floats


MStep: TypeAlias = Callable[[Sums], Parameters]


@dataclass(frozen=True, slots=True, eq=False)
class Climb:
    """Where one run of the EM ended.

    Args:
        parameters: fitted; sums: expected counts at them; posterior: (rows, classes).
        objective: log posterior; log_likelihood: its part from the reads.
        history: by iteration, when kept the codes and confusions too.
        converged: whether the rise fell below the tolerance.
    """

    parameters: Parameters
    sums: Sums
    posterior: Floats
    objective: float
    log_likelihood: float
    history: tuple[Iteration, ...]
    converged: bool


def climb(
    problem: Problem,
    m_step: MStep,
    begin: Floats | Parameters | Pass,
    *,
    votes: Sequence[SoftVotes] = (),
    max_iterations: int,
    tol: float,
    keep_history: bool = False,
    progress: Progress | None = None,
) -> Climb:
    """Run the EM from a posterior (rows, classes), from its sums, or from parameters.

    Args:
        max_iterations: passes over the reads at most.
        tol: stop when the log posterior rises by less than this many nats a read.
        keep_history: keep each iteration's codes and confusions, not the likelihoods only.
    """
    if max_iterations < 1:
        raise InputError("max_iterations", "be 1 or more", max_iterations)
    soft = [np.nan_to_num(vote.probability) for vote in votes]
    if isinstance(begin, Parameters):
        # One pass turns any parameters into the M-step's own, whose prior density is known.
        done = _pass(problem, begin, soft)
    elif isinstance(begin, Pass):
        done = begin
    else:
        done = replace(sums_of(problem, begin), posterior=begin)
    posterior = done.posterior
    parameters = m_step(_with_votes(done, posterior, problem, soft))
    history: list[Iteration] = []
    least_rise = tol * max(problem.n_reads, 1)
    converged = False
    for iteration in range(max_iterations):
        last = iteration + 1 == max_iterations
        kept = keep_history or last
        done = _pass(problem, parameters, soft, keep=kept)
        objective = done.log_likelihood + parameters.log_prior
        history.append(_step(problem, done, objective, posterior, parameters, keep=keep_history))
        posterior = done.posterior
        if progress is not None:
            progress(iteration + 1, max_iterations)
        rise = objective - history[-2].objective if iteration else np.inf
        converged = bool(rise < least_rise)
        if converged or last:
            break
        parameters = m_step(_with_votes(done, posterior, problem, soft))
    if posterior is None:
        done = _pass(problem, parameters, soft)
        posterior = done.posterior
    sums = _with_votes(done, posterior, problem, soft)
    return Climb(
        parameters,
        sums,
        np.asarray(posterior),
        objective,
        done.log_likelihood,
        tuple(history),
        converged,
    )


def _step(
    problem: Problem,
    done: Pass,
    objective: float,
    before: Floats | None,
    parameters: Parameters,
    *,
    keep: bool,
) -> Iteration:
    step = Iteration(done.log_likelihood, objective)
    if not keep:
        return step
    code = None if before is None else of_cases(problem, before.argmax(axis=1))
    return replace(step, code=code, confusion=parameters.confusion)


def _pass(
    problem: Problem,
    parameters: Parameters,
    soft: Sequence[Floats],
    *,
    keep: bool = True,
) -> Pass:
    """E-step; what soft votes say is part of each case's prior, and of the likelihood."""
    if not soft:
        prior = np.maximum(parameters.prevalence, FLOOR)
        return sweep(problem, prior, parameters.table, keep_posterior=keep)
    logs = np.log(np.maximum(parameters.prevalence, FLOOR)) + vote_evidence(parameters, soft)
    top = logs.max(axis=1, keepdims=True)
    prior = np.maximum(np.exp(logs - top), FLOOR)
    done = sweep(problem, prior, parameters.table, keep_posterior=True)
    return replace(done, log_likelihood=done.log_likelihood + float(top.sum()))


def vote_evidence(parameters: Parameters, soft: Sequence[Floats]) -> Floats:
    """(cases, classes) log likelihood of all soft votes by truth."""
    tables = np.log(np.maximum(parameters.votes, FLOOR))
    return np.asarray(sum(q @ table for q, table in zip(soft, tables, strict=True)))


def _with_votes(
    done: Pass, posterior: Floats | None, problem: Problem, soft: Sequence[Floats]
) -> Sums:
    k = problem.n_classes
    votes = np.zeros((len(soft), k, k))
    if posterior is not None:
        for v, q in enumerate(soft):
            votes[v] = q.T @ posterior
    return Sums(done.counts, done.prevalence, votes)


def shares_start(problem: Problem, *, majority: bool = False, keep_posterior: bool = False) -> Pass:
    """Sums from vote shares, as Dawid and Skene begin; gold is certain.

    Args:
        majority: equal shares of the classes with the most votes only.
        keep_posterior: for the history, or for soft votes.
    """
    return sums_of_votes(problem, majority=majority, keep_posterior=keep_posterior)


def clamp_rows(problem: Problem, posterior: Floats) -> Floats:
    """Make the rows of gold cases certain."""
    known = np.flatnonzero(problem.gold >= 0)
    if known.size:
        posterior[known] = 0.0
        posterior[known, problem.gold[known]] = 1.0
    return posterior


def codes_to_rows(problem: Problem, code: Ints) -> Floats:
    """(rows, classes) certain posterior of one code a case; -1 is shared by all classes."""
    rows = np.full((problem.n_rows, problem.n_classes), 1.0 / problem.n_classes)
    cases = np.flatnonzero(code >= 0)
    at = cases if problem.row_of_case is None else problem.row_of_case[cases]
    rows[at] = 0.0
    rows[at, code[cases]] = 1.0
    return clamp_rows(problem, rows)

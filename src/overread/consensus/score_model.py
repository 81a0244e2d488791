"""The model of scores: exact posterior of truths and biases, variances by restricted likelihood."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.special import digamma, gammaln

from overread.arrays import Floats, Ints
from overread.consensus.result import Iteration
from overread.consensus.score_variances import off_mean, variances
from overread.labels import ReadIndex, ScoreReads

TAILS = 4.0
"""Degrees of freedom of robust noise."""


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """One row a case and reader, case by case: case p owns rows start[p]:start[p + 1]."""

    case: Ints
    reader: Ints
    value: Floats
    start: Ints
    index: ReadIndex

    @property
    def n_readers(self) -> int:
        """Readers, with reads or without."""
        return self.index.n_readers


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """Variances, and the posterior of the effects (biases, then the mean truth) they give."""

    noise: Floats  # (readers,) variance
    common: float  # what noise is drawn to
    between: float  # variance of truths
    biases: float  # variance of biases
    effects: Floats  # (readers + 1,) posterior means
    covariance: Floats  # (readers + 1, readers + 1)
    total: Floats  # (cases,) precision of the truth given the effects
    known: Ints  # (cases,) 1 where the truth is given
    spread: Floats  # (cases,) posterior variance of the truth
    residual: Floats  # (pairs,) value - bias - truth, posterior mean
    uncertainty: Floats  # (pairs,) posterior variance of that
    log_likelihood: float
    trust: Floats | None  # (pairs,) expected precision of each read, relative to its reader's


def pairs_of(reads: ScoreReads) -> Pairs:
    """One row a case and reader: the mean of the reader's reads of the case."""
    index = reads.index
    key = index.case.astype(np.int64) * index.n_readers + index.reader
    distinct, place = np.unique(key, return_inverse=True)
    value = np.bincount(place, weights=reads.value) / np.bincount(place)
    case, reader = np.divmod(distinct, index.n_readers)
    start = np.zeros(index.n_cases + 1, dtype=np.int64)
    np.cumsum(np.bincount(case, minlength=index.n_cases), out=start[1:])
    return Pairs(case, reader, value, start, index)


def fit(
    pairs: Pairs,
    gold: Floats | None,
    *,
    equal: bool,
    robust: bool,
    prior_reads: float,
    tol: float,
    limit: int,
) -> tuple[State, list[Iteration]]:
    """Maximise the restricted likelihood times the prior by EM; see the public function."""
    floor = 1e-10 * float(pairs.value.var()) + 1e-20
    third = max(float(pairs.value.var()) / 3, floor)
    noise = np.full(pairs.n_readers, third)
    trust = np.ones(pairs.value.size) if robust else None
    state = _expect(pairs, gold, noise, common=third, between=third, biases=third, trust=trust)
    n_pairs = np.bincount(pairs.reader, minlength=pairs.n_readers)
    history: list[Iteration] = []
    while True:
        objective = state.log_likelihood + _prior(state, equal, prior_reads)
        history.append(Iteration(state.log_likelihood, objective))
        rise = objective - history[-2].objective if len(history) > 1 else np.inf
        if rise < tol * pairs.value.size or len(history) > limit:
            return state, history
        square = state.residual**2 + state.uncertainty
        if robust:
            trust = (TAILS + 1) / (TAILS + square / noise[pairs.reader])
            square = square * trust
        misfit = np.bincount(pairs.reader, square, minlength=pairs.n_readers)
        if equal:
            common = max(float(misfit.sum() / pairs.value.size), floor)
            noise = np.full(pairs.n_readers, common)
        else:
            noise = (misfit + prior_reads * state.common) / (n_pairs + prior_reads)
            noise = np.maximum(noise, floor)
            common = float(1 / (1 / noise).mean())
        bias = state.effects[:-1] ** 2 + np.diag(state.covariance)[:-1]
        between = _between(pairs, state, gold)
        biases = max(float(bias.mean()), floor)
        state = _expect(
            pairs, gold, noise, common=common, between=max(between, floor), biases=biases,
            trust=trust,
        )  # fmt: skip


def _prior(state: State, equal: bool, prior_reads: float) -> float:
    """Log prior of the readers' log noise variances: scaled inverse chi-square."""
    if equal:
        return 0.0
    half = prior_reads / 2
    of_reader = half * (np.log(half * state.common / state.noise) - state.common / state.noise)
    return float(of_reader.sum() - state.noise.size * gammaln(half))


def _between(pairs: Pairs, state: State, gold: Floats | None) -> float:
    """Expected squared distance of the truths from their mean; cases without gold."""
    case, reader = pairs.case, pairs.reader
    free = np.diff(pairs.start) > 0
    if gold is not None:
        free &= np.isnan(gold)
    weight = precision_of(pairs, state)
    shift = np.bincount(
        case,
        weight * (pairs.value - state.effects[reader] - state.effects[-1]),
        minlength=free.size,
    )
    total = np.bincount(case, weight, minlength=free.size) + 1 / state.between
    off = shift / total
    spread = off_mean(pairs.start, reader, weight, state.covariance, total)
    return float((off**2 + spread)[free].mean()) if free.any() else state.between


def _expect(
    pairs: Pairs,
    gold: Floats | None,
    noise: Floats,
    *,
    common: float,
    between: float,
    biases: float,
    trust: Floats | None = None,
) -> State:
    """Exact posterior of truths and biases given the variances; the restricted likelihood."""
    case, reader, n_readers = pairs.case, pairs.reader, pairs.n_readers
    n_cases = pairs.index.n_cases
    known = np.zeros(n_cases, dtype=np.bool_) if gold is None else ~np.isnan(gold)
    offset = np.zeros(n_cases) if gold is None else np.where(known, gold, 0.0)
    weight = 1 / noise[reader] if trust is None else trust / noise[reader]
    y = pairs.value - offset[case]
    free = ~known[case]
    rows = np.arange(y.size)
    design = sparse.csr_array(
        (
            np.r_[np.ones(y.size), free.astype(np.float64)],
            (np.r_[rows, rows], np.r_[reader, np.full(y.size, n_readers)]),
        ),
        shape=(y.size, n_readers + 1),
    )
    of_case = sparse.csr_array(
        (weight * free, (case, rows)), shape=(n_cases, y.size)
    )  # gold cases have no random truth
    total = np.bincount(case, weight * free, minlength=n_cases).astype(np.float64) + 1 / between
    pull = of_case @ design  # (cases, readers + 1)
    weighted = design.T.multiply(weight)
    precision = (weighted @ design - pull.T.multiply(1 / total) @ pull).toarray()
    precision[np.arange(n_readers), np.arange(n_readers)] += 1 / biases
    if not free.any():
        precision[n_readers, n_readers] = 1.0  # the mean truth is of no case
    right = weighted @ y - pull.T @ ((of_case @ y) / total)
    covariance = np.linalg.inv(precision)
    effects = covariance @ right
    heard = weight @ y**2 - float((((of_case @ y) ** 2) / total).sum()) - float(right @ effects)
    read = (np.diff(pairs.start) > 0) & ~known
    log_likelihood = -0.5 * (
        -np.log(weight).sum()
        + np.log(between * total[read]).sum()
        + n_readers * math.log(biases)
        + np.linalg.slogdet(precision)[1]
        + heard
        + (y.size - int(free.any())) * math.log(2 * math.pi)
    )
    truth = offset + np.where(known, 0.0, effects[-1] + (of_case @ (y - design @ effects)) / total)
    spread, uncertainty = variances(
        pairs.start, reader, weight, covariance, total, known.astype(np.int8)
    )
    residual = pairs.value - effects[reader] - truth[case]
    if trust is not None:
        log_likelihood += _bound_of_trust(trust)
    return State(
        noise,
        common,
        between,
        biases,
        effects,
        covariance,
        total,
        known.astype(np.int8),
        spread,
        residual,
        uncertainty,
        float(log_likelihood),
        trust,
    )


def precision_of(pairs: Pairs, state: State) -> Floats:
    """(pairs,) precision of each read."""
    precision: Floats = 1 / state.noise[pairs.reader]
    return precision if state.trust is None else state.trust * precision


def _bound_of_trust(trust: Floats) -> float:
    """What the lower bound adds to the likelihood at the expected trust.

    Trust is gamma, prior and posterior; the posterior's shape is known and its mean is ``trust``.
    """
    a, prior = (TAILS + 1) / 2, TAILS / 2
    rate = a / trust
    log_mean = digamma(a) - np.log(rate)
    against = (
        (a - prior) * digamma(a) - gammaln(a) + gammaln(prior)
        + prior * (np.log(rate) - np.log(prior)) + (prior - rate) * trust
    )  # fmt: skip
    return float((0.5 * (log_mean - np.log(trust)) - against).sum())

"""Consensus of numbers: truth of the case, bias and precision of the reader."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.special import chdtr, chdtri, gammaln, ndtri

from overread.arrays import Floats, Ints, digest
from overread.consensus.result import Consensus, Iteration, Reliability, ScoreConsensus, Setting
from overread.consensus.score_variances import off_mean, variances
from overread.errors import InputError, MethodError
from overread.labels import ReadIndex, ScoreReads


def scores(
    reads: ScoreReads,
    *,
    gold: Floats | None = None,
    equal_precision: bool = False,
    prior_reads: float = 4.0,
    tol: float = 1e-7,
    max_iterations: int = 1000,
    level: float = 0.95,
) -> Consensus[ScoreConsensus]:
    """Consensus of scores by a crossed random-effects model (REML by exact EM).

    ``value = truth[case] + bias[reader] + noise``, noise of standard deviation ``sd[reader]``.
    Truths are normal around a free mean, biases normal around 0 (so is their scale identified;
    gold truths pin it down better), and the sd of a reader with few reads is drawn to that of all.
    All variances are estimated from the reads.

    Args:
        reads: repeat reads of one reader on one case count as one read, their mean; their spread
            gives the intra-reader sd.
        gold: (cases,) known truths, nan elsewhere, in the unit of the scores.
        equal_precision: one noise sd for all readers.
        prior_reads: reads that the common sd counts for in a reader's own.
        tol: stop when the objective (nats) rises by less than this times the number of reads.
        max_iterations: at most.
        level: of the intervals.
    Returns:
        Consensus with the posterior mean and sd of each case. ``reliability`` has "bias", "sd" and
        "intra_sd" (nan without repeats), in the unit of the scores; ``difficulty`` is how unusual
        the spread of a case's reads is (the chi-square distribution function of its squared
        standardised residuals, reads - 1 degrees; 0 below two reads). ``history`` has the
        restricted log likelihood and the objective, which adds the prior and never falls.
    Raises:
        InputError: gold or a setting that does not fit.
        MethodError: no read answers.
    Source:
        Laird and Ware 1982, Biometrics 38:963-974 (EM for random effects, REML); with equal
        precision and a balanced table it is the two-way analysis of variance.
    Example:
        >>> from overread.labels import score_reads
        >>> reads = score_reads(list("aabbcc"), ["R1", "R2"] * 3, [1, 2, 5, 6, 8, 9])
        >>> scores(reads).value.mean.round(1).tolist()
        [1.5, 5.5, 8.5]
    """
    used = reads.answered()
    gold = _check(used, gold, prior_reads)
    pairs = _pairs(used)
    state, history = _fit(
        pairs, gold, equal=equal_precision, prior_reads=prior_reads, tol=tol, limit=max_iterations
    )
    mean, sd = _truths(pairs, state, gold)
    settings: dict[str, Setting] = {
        "equal_precision": equal_precision,
        "prior_reads": prior_reads,
        "tol": tol,
        "max_iterations": max_iterations,
        "level": level,
        "repeats": "mean of one reader's reads of a case",
    }
    index = reads.index
    parts = (index.case, index.reader, reads.value, index.cases, index.readers)
    return Consensus(
        kind=reads.schema.kind,
        method="scores",
        settings=settings,
        cases=index.cases,
        value=ScoreConsensus(mean, sd),
        posterior=np.empty((index.n_cases, 0)),
        entropy=0.5 * np.log(2 * math.pi * math.e * np.maximum(sd, 1e-150) ** 2),
        difficulty=_difficulty(pairs, state, mean),
        reliability=_reliability(used, pairs, state, prior_reads, level),
        reads=used.index.reads_per_case(),
        read_rows=np.flatnonzero(~np.isnan(reads.value)),
        history=tuple(history),
        warnings=_warnings(pairs, gold, len(history) > max_iterations),
        provenance=digest(
            *parts, np.empty(0) if gold is None else gold, "scores", sorted(settings.items())
        ),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Pairs:
    """One row a case and reader, case by case: case p owns rows start[p]:start[p + 1]."""

    case: Ints
    reader: Ints
    value: Floats
    start: Ints
    index: ReadIndex

    @property
    def n_readers(self) -> int:
        return self.index.n_readers


@dataclass(frozen=True, slots=True, eq=False)
class _State:
    """Variances, and the posterior of the effects (biases, then the mean truth) they give."""

    noise: Floats  # (readers,) variance
    common: float  # what noise is drawn to
    between: float  # variance of truths
    biases: float  # variance of biases
    effects: Floats  # (readers + 1,) posterior means
    covariance: Floats  # (readers + 1, readers + 1)
    spread: Floats  # (cases,) posterior variance of the truth
    residual: Floats  # (pairs,) value - bias - truth, posterior mean
    uncertainty: Floats  # (pairs,) posterior variance of that
    log_likelihood: float


def _pairs(reads: ScoreReads) -> _Pairs:
    index = reads.index
    key = index.case.astype(np.int64) * index.n_readers + index.reader
    distinct, place = np.unique(key, return_inverse=True)
    value = np.bincount(place, weights=reads.value) / np.bincount(place)
    case, reader = np.divmod(distinct, index.n_readers)
    start = np.zeros(index.n_cases + 1, dtype=np.int64)
    np.cumsum(np.bincount(case, minlength=index.n_cases), out=start[1:])
    return _Pairs(case, reader, value, start, index)


def _fit(
    pairs: _Pairs,
    gold: Floats | None,
    *,
    equal: bool,
    prior_reads: float,
    tol: float,
    limit: int,
) -> tuple[_State, list[Iteration]]:
    floor = 1e-10 * float(pairs.value.var()) + 1e-20
    third = max(float(pairs.value.var()) / 3, floor)
    noise = np.full(pairs.n_readers, third)
    state = _expect(pairs, gold, noise, common=third, between=third, biases=third)
    n_pairs = np.bincount(pairs.reader, minlength=pairs.n_readers)
    history: list[Iteration] = []
    while True:
        objective = state.log_likelihood + _prior(state, equal, prior_reads)
        history.append(Iteration(state.log_likelihood, objective))
        rise = objective - history[-2].objective if len(history) > 1 else np.inf
        if rise < tol * pairs.value.size or len(history) > limit:
            return state, history
        misfit = np.bincount(
            pairs.reader, state.residual**2 + state.uncertainty, minlength=pairs.n_readers
        )
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
            pairs, gold, noise, common=common, between=max(between, floor), biases=biases
        )


def _prior(state: _State, equal: bool, prior_reads: float) -> float:
    """Log prior of the readers' log noise variances: scaled inverse chi-square."""
    if equal:
        return 0.0
    half = prior_reads / 2
    of_reader = half * (np.log(half * state.common / state.noise) - state.common / state.noise)
    return float(of_reader.sum() - state.noise.size * gammaln(half))


def _between(pairs: _Pairs, state: _State, gold: Floats | None) -> float:
    """Expected squared distance of the truths from their mean; cases without gold."""
    case, reader = pairs.case, pairs.reader
    free = np.diff(pairs.start) > 0
    if gold is not None:
        free &= np.isnan(gold)
    weight = 1 / state.noise[reader]
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
    pairs: _Pairs,
    gold: Floats | None,
    noise: Floats,
    *,
    common: float,
    between: float,
    biases: float,
) -> _State:
    """Exact posterior of truths and biases given the variances; the restricted likelihood."""
    case, reader, n_readers = pairs.case, pairs.reader, pairs.n_readers
    n_cases = pairs.index.n_cases
    known = np.zeros(n_cases, dtype=np.bool_) if gold is None else ~np.isnan(gold)
    offset = np.zeros(n_cases) if gold is None else np.where(known, gold, 0.0)
    weight = 1 / noise[reader]
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
    total = np.bincount(case, weight * free, minlength=n_cases) + 1 / between
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
        np.log(noise[reader]).sum()
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
    return _State(
        noise,
        common,
        between,
        biases,
        effects,
        covariance,
        spread,
        residual,
        uncertainty,
        float(log_likelihood),
    )


def _truths(pairs: _Pairs, state: _State, gold: Floats | None) -> tuple[Floats, Floats]:
    """Posterior mean and sd of each case's truth; nan where unread, gold as it is."""
    n_cases = pairs.index.n_cases
    mean = np.full(n_cases, np.nan)
    mean[pairs.case] = pairs.value - state.effects[pairs.reader] - state.residual
    sd = np.where(np.diff(pairs.start) > 0, np.sqrt(state.spread), np.nan)
    if gold is None:
        return mean, sd
    known = ~np.isnan(gold)
    return np.where(known, gold, mean), np.where(known, 0.0, sd)


def _difficulty(pairs: _Pairs, state: _State, mean: Floats) -> Floats:
    standard = (pairs.value - state.effects[pairs.reader] - mean[pairs.case]) ** 2
    standard /= state.noise[pairs.reader]
    total = np.bincount(pairs.case, standard, minlength=mean.size)
    n_reads = np.diff(pairs.start)
    return np.where(n_reads > 1, chdtr(np.maximum(n_reads - 1, 1), total), 0.0)


def _reliability(
    reads: ScoreReads, pairs: _Pairs, state: _State, prior_reads: float, level: float
) -> Reliability:
    n_readers = pairs.n_readers
    tail = (1 - level) / 2
    bias = state.effects[:-1]
    reach = ndtri(1 - tail) * np.sqrt(np.diag(state.covariance)[:-1])
    # A read tells of the noise only as far as truth and bias are known.
    n_pairs = np.bincount(pairs.reader, minlength=n_readers)
    unknown = np.bincount(pairs.reader, state.uncertainty, minlength=n_readers) / state.noise
    df = np.maximum(n_pairs + prior_reads - unknown, 1.0)
    columns = [
        np.stack([bias, bias - reach, bias + reach], axis=1),
        _sd_interval(state.noise, df, tail),
        _intra(reads, pairs, tail),
    ]
    table = np.stack(columns, axis=1)  # (readers, measures, value / low / high)
    table[n_pairs == 0] = np.nan
    return Reliability(
        readers=reads.index.readers,
        measures=("bias", "sd", "intra_sd"),
        value=table[:, :, 0],
        low=table[:, :, 1],
        high=table[:, :, 2],
        level=level,
        reads=np.bincount(reads.index.reader, minlength=n_readers),
    )


def _sd_interval(variance: Floats, df: Floats, tail: float) -> Floats:
    """(readers, 3) sd and its chi-square interval."""
    ends = [variance * df / chdtri(df, p) for p in (tail, 1 - tail)]
    return np.sqrt(np.stack([variance, *ends], axis=1))


def _intra(reads: ScoreReads, pairs: _Pairs, tail: float) -> Floats:
    """(readers, 3) sd between repeats of one case by one reader; nan without repeats."""
    index = reads.index
    key = index.case.astype(np.int64) * index.n_readers + index.reader
    place = np.searchsorted(pairs.case * index.n_readers + pairs.reader, key)
    square = (reads.value - pairs.value[place]) ** 2
    misfit = np.bincount(index.reader, square, minlength=index.n_readers)
    df = np.bincount(index.reader, minlength=index.n_readers).astype(np.float64)
    df -= np.bincount(pairs.reader, minlength=index.n_readers)
    table = np.full((index.n_readers, 3), np.nan)
    some = df > 0
    table[some] = _sd_interval(misfit[some] / df[some], df[some], tail)
    return table


def _check(reads: ScoreReads, gold: Floats | None, prior_reads: float) -> Floats | None:
    if not reads.index.n_reads:
        raise MethodError("there is no read that answers, so there is no consensus to find")
    if not prior_reads > 0:
        raise InputError("prior_reads", "be above 0", prior_reads)
    if gold is None:
        return None
    gold = np.asarray(gold, dtype=np.float64)
    if gold.shape != (reads.index.n_cases,):
        raise InputError("gold", f"have {reads.index.n_cases} entries, one a case", gold.shape)
    if np.isinf(gold).any():
        raise InputError("gold", "be finite, or nan where unknown", "inf")
    return None if np.isnan(gold).all() else gold


def _warnings(pairs: _Pairs, gold: Floats | None, unfinished: bool) -> tuple[str, ...]:
    words = []
    if unfinished:
        words.append("The objective still rose at the last iteration allowed.")
    if np.unique(pairs.reader).size == 1:
        words.append("Only one reader: bias and precision cannot be told from the cases.")
    elif np.diff(pairs.start).max(initial=0) < 2 and gold is None:
        words.append(
            "No case has two readers: truth, bias and noise cannot be told apart. "
            "Let readers overlap."
        )
    return tuple(words)

"""Consensus of numbers: truth of the case, bias and precision of the reader."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import chdtr, chdtri, ndtri

from overread.arrays import Floats, digest
from overread.consensus.result import Consensus, Reliability, ScoreConsensus, Setting
from overread.consensus.score_model import TAILS, Pairs, State, fit, pairs_of, precision_of
from overread.consensus.score_variances import information
from overread.errors import InputError, MethodError
from overread.labels import ScoreReads

_NORMAL_SCALE = 0.8310  # of a Student t of 4 fitted to normal errors of sd 1
_TRUST_IN_PRIOR = 0.5  # in intervals: how unlike readers are is itself not known


def scores(
    reads: ScoreReads,
    *,
    gold: Floats | None = None,
    equal_precision: bool = False,
    robust: bool = False,
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
        robust: noise is Student t with 4 degrees of freedom: a typing error moves the truth
            little. The sd is then that of usual reads. A warning says when this would help.
        prior_reads: reads that the common sd counts for in a reader's own.
        tol: stop when the objective (nats) rises by less than this times the number of reads.
        max_iterations: at most.
        level: of the intervals.
    Returns:
        Consensus with the posterior mean and sd of each case. ``reliability`` has "bias", "sd" and
        "intra_sd" (nan without repeats), in the unit of the scores; ``difficulty`` is how unusual
        the spread of a case's reads is (the chi-square distribution function of its squared
        standardised residuals, reads - 1 degrees; 0 below two reads). ``history`` has the
        restricted log likelihood and the objective, which adds the prior and never falls; when
        robust, both hold the variational lower bound in its place.
    Raises:
        InputError: gold or a setting that does not fit.
        MethodError: no read answers.
    Source:
        Laird and Ware 1982, Biometrics 38:963-974 (EM for random effects, REML); with equal
        precision and a balanced table it is the two-way analysis of variance. Lange, Little and
        Taylor 1989, JASA 84:881-896 (Student t).
    Example:
        >>> from overread.labels import score_reads
        >>> reads = score_reads(list("aabbcc"), ["R1", "R2"] * 3, [1, 2, 5, 6, 8, 9])
        >>> scores(reads).value.mean.round(1).tolist()
        [1.5, 5.5, 8.5]
    """
    used = reads.answered()
    gold = _check(used, gold, prior_reads)
    pairs = pairs_of(used)
    state, history = fit(
        pairs, gold, equal=equal_precision, robust=robust, prior_reads=prior_reads, tol=tol,
        limit=max_iterations,
    )  # fmt: skip
    mean, sd = _truths(pairs, state, gold)
    settings: dict[str, Setting] = {
        "equal_precision": equal_precision,
        "robust": robust,
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
        reliability=_reliability(
            used, pairs, state, np.inf if equal_precision else prior_reads, level
        ),
        reads=used.index.reads_per_case(),
        read_rows=np.flatnonzero(~np.isnan(reads.value)),
        history=tuple(history),
        warnings=_warnings(pairs, gold, len(history) > max_iterations) + _tails(pairs, state),
        provenance=digest(
            *parts, np.empty(0) if gold is None else gold, "scores", sorted(settings.items())
        ),
    )


def _truths(pairs: Pairs, state: State, gold: Floats | None) -> tuple[Floats, Floats]:
    """Posterior mean and sd of each case's truth; nan where unread, gold as it is."""
    n_cases = pairs.index.n_cases
    mean = np.full(n_cases, np.nan)
    mean[pairs.case] = pairs.value - state.effects[pairs.reader] - state.residual
    sd = np.where(np.diff(pairs.start) > 0, np.sqrt(state.spread), np.nan)
    if gold is None:
        return mean, sd
    known = ~np.isnan(gold)
    return np.where(known, gold, mean), np.where(known, 0.0, sd)


def _difficulty(pairs: Pairs, state: State, mean: Floats) -> Floats:
    standard = (pairs.value - state.effects[pairs.reader] - mean[pairs.case]) ** 2
    standard /= state.noise[pairs.reader]
    total = np.bincount(pairs.case, standard, minlength=mean.size)
    n_reads = np.diff(pairs.start)
    return np.where(n_reads > 1, chdtr(np.maximum(n_reads - 1, 1), total), 0.0)


def _reliability(
    reads: ScoreReads, pairs: Pairs, state: State, prior_reads: float, level: float
) -> Reliability:
    n_readers = pairs.n_readers
    tail = (1 - level) / 2
    bias = state.effects[:-1]
    reach = ndtri(1 - tail) * np.sqrt(np.diag(state.covariance)[:-1])
    n_pairs = np.bincount(pairs.reader, minlength=n_readers)
    df = _degrees(pairs, state, prior_reads)
    usual = state.noise if state.trust is None else state.noise / _NORMAL_SCALE**2
    columns = [
        np.stack([bias, bias - reach, bias + reach], axis=1),
        _sd_interval(usual, df, tail),
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


def _degrees(pairs: Pairs, state: State, prior_reads: float) -> Floats:
    """(readers,) degrees of freedom of the noise variances: 2 / variance of their logarithm.

    What one reader's reads say of the noise depends on what is known of the others': two readers
    who differ do not tell which of them errs. The prior draws readers to each other and says
    nothing of what they have in common.

    Source:
        Satterthwaite 1946, Biometrics Bull. 2:110-114; Searle, Casella & McCulloch 1992, Variance
        Components, section 6.6 (information of REML).
    """
    n = pairs.n_readers
    table = information(
        pairs.start, pairs.reader, precision_of(pairs, state), state.covariance, state.total,
        state.known,
    )  # fmt: skip
    if state.trust is not None:
        table *= TAILS / (TAILS + 3)
    table[n] *= state.between
    table[:, n] *= state.between  # of the logarithm, as the others are
    table[n, n] += 1e-9 + 0.5 * (table[n, n] <= 0)
    if np.isinf(prior_reads):  # one noise for all
        every = np.column_stack([np.r_[np.ones(n), 0.0], np.r_[np.zeros(n), 1.0]])
        shared = np.linalg.inv(every.T @ table @ every + 1e-12 * np.eye(2))[0, 0]
        return np.full(n, max(2 / shared, 1.0))
    drawn = np.zeros_like(table)
    drawn[:n, :n] = _TRUST_IN_PRIOR * prior_reads / 2 * (np.eye(n) - 1 / n)
    drawn[np.arange(n), np.arange(n)] += 1e-6
    variance = np.diag(np.linalg.inv(table + drawn))[:n]
    return np.maximum(2 / variance, 1.0)


def _sd_interval(variance: Floats, df: Floats, tail: float) -> Floats:
    """(readers, 3) sd and its chi-square interval."""
    ends = [variance * df / chdtri(df, p) for p in (tail, 1 - tail)]
    return np.sqrt(np.stack([variance, *ends], axis=1))


def _intra(reads: ScoreReads, pairs: Pairs, tail: float) -> Floats:
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


def _tails(pairs: Pairs, state: State) -> tuple[str, ...]:
    """Advice to be robust, where a few reads lie much farther off than normal noise puts them."""
    if state.trust is not None:
        return ()
    free = state.noise[pairs.reader] - state.uncertainty
    sure = free > 0.05 * state.noise[pairs.reader]
    if sure.sum() < 30:
        return ()
    z = state.residual[sure] ** 2 / free[sure]
    excess = float((z**2).mean() / z.mean() ** 2) - 3
    if excess < max(1.0, 4 * math.sqrt(24 / z.size)):
        return ()
    words = (
        f"Some reads lie far off (excess kurtosis {excess:.1f}; normal noise has 0): typing "
        "errors, or another structure measured. Look at the most difficult cases, and use "
        "robust=True (--robust), which such reads move little."
    )
    return (words,)


def _warnings(pairs: Pairs, gold: Floats | None, unfinished: bool) -> tuple[str, ...]:
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

"""What every model of classes adds to its posterior: reliability, difficulty, provenance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import betaincinv

from overread.arrays import Floats, Ints, digest
from overread.consensus.calibration import Temperature
from overread.consensus.information import Information
from overread.consensus.kernels import heat_rows, reads_of_readers, tally_reads, tally_rows
from overread.consensus.problem import Problem, in_threads, slices
from overread.consensus.result import (
    ClassConsensus,
    Consensus,
    Fit,
    Iteration,
    Reliability,
    Setting,
)
from overread.errors import InputError, MethodError
from overread.labels import ClassReads

FEW_READS = 10
"""A reader with fewer reads than this is warned about."""


@dataclass(frozen=True, slots=True, eq=False)
class ClassFit:
    """What a fitted model of classes knows.

    Args:
        posterior: (cases, classes), not yet tempered.
        prevalence: (classes,).
        counts: (readers, classes, classes) expected reads by reader, truth and said.
        prior: (classes, classes) pseudo-reads behind a reader's confusion, for the intervals; or
            (readers, classes, classes).
        confusion: (readers, classes, classes) [reader, truth, said].
        history: by iteration.
        warnings: in plain words.
        fit: goodness of fit, where it can be had.
        votes: soft votes: name, cases voted on, counts and confusion (classes, classes) of each.
        problem: the reads as sorted for the fit, where they were; it saves a walk in read order.
        information: what the unknown truth leaves to the intervals; None takes truth for known.
    """

    posterior: Floats
    prevalence: Floats
    counts: Floats
    prior: Floats
    confusion: Floats
    history: tuple[Iteration, ...] = ()
    warnings: tuple[str, ...] = ()
    fit: Fit | None = None
    votes: tuple[tuple[str, int, Floats, Floats], ...] = ()
    problem: Problem | None = None
    information: Information | None = None


def assemble(
    reads: ClassReads,
    fit: ClassFit,
    *,
    method: str,
    settings: Mapping[str, Setting],
    temperature: Temperature | None,
    gold: Ints | None,
    code: Ints | None = None,
    level: float = 0.95,
) -> Consensus[ClassConsensus]:
    """Build the complete result of a model of classes.

    Args:
        temperature: applied to the posterior; None leaves it.
        gold: (cases,) known codes, -1 elsewhere; these cases become certain.
        code: (cases,) consensus classes; by default the most probable, the first of equals.
    """
    tau = 1.0 if temperature is None else temperature.tau
    posterior, spread, best = heated(fit.posterior, tau)
    if gold is not None and (gold >= 0).any():
        posterior = clamp(posterior, gold)
        spread[gold >= 0] = 0.0
        best = np.where(gold >= 0, gold, best)
    index = reads.index
    n_reads, hits = _tally(reads, posterior, fit.problem)
    reads_of = reads_of_readers(index.reader, reads.label, index.n_readers)
    known = n_reads > 0 if gold is None else (n_reads > 0) | (gold >= 0)
    code = best if code is None else code
    settings = {"tie_rule": "first class"} | dict(settings) | {"level": level}
    notes = () if temperature is None else (f"temperature {tau:.2f}: {temperature.words}",)
    settings |= {"calibration": "; ".join(notes) or "none"}
    gold_part = np.empty(0) if gold is None else gold
    return Consensus(
        kind=reads.schema.kind,
        method=method,
        settings=settings,
        cases=reads.index.cases,
        value=ClassConsensus(np.where(known, code, -1), reads.schema.names),
        posterior=posterior,
        entropy=spread,
        difficulty=difficulty(posterior, n_reads, hits, fit),
        reliability=reliability(reads, fit, level, reads_of),
        reads=n_reads,
        read_rows=_rows_that_answer(reads, int(n_reads.sum())),
        history=fit.history,
        fit=fit.fit,
        warnings=fit.warnings + reader_warnings(reads_of),
        temperature=tau,
        provenance=digest(
            reads.index.case,
            reads.index.reader,
            reads.label,
            reads.index.cases,
            reads.index.readers,
            reads.schema.names,
            gold_part,
            *(part for vote in fit.votes for part in (vote[0], vote[2])),
            method,
            sorted(settings.items()),
        ),
        prevalence=fit.prevalence,
    )


def check_reads(reads: ClassReads, gold: Ints | None) -> Ints | None:
    """Refuse reads that no model can use; return gold as a checked array."""
    if not (reads.label >= 0).any():
        raise MethodError("there is no read that answers, so there is no consensus to find")
    if gold is None:
        return None
    gold = np.asarray(gold)
    if gold.shape != (reads.index.n_cases,):
        raise InputError("gold", f"have {reads.index.n_cases} entries, one a case", gold.shape)
    bad = np.flatnonzero((gold < -1) | (gold >= reads.n_classes))
    if bad.size:
        rule = f"be in 0 .. {reads.n_classes - 1} or -1 (unknown)"
        raise InputError("gold", rule, int(gold[bad[0]]), rows=bad + 1)
    return gold


def clamp(posterior: Floats, gold: Ints | None) -> Floats:
    """Make the gold cases certain; the others stay."""
    if gold is None or not (gold >= 0).any():
        return posterior
    rows = np.flatnonzero(gold >= 0)
    certain = posterior.copy()
    certain[rows] = 0.0
    certain[rows, gold[rows]] = 1.0
    return certain


def heated(posterior: Floats, tau: float) -> tuple[Floats, Floats, Ints]:
    """(rows, classes) posterior at a temperature, (rows,) its entropy in nats and first best."""
    out, spread = np.empty(posterior.shape), np.empty(len(posterior))
    best = np.empty(len(posterior), dtype=np.int64)

    def part(rows: slice) -> None:
        heat_rows(posterior[rows], tau, out[rows], spread[rows], best[rows])

    in_threads(part, slices(len(posterior), posterior.size))
    return out, spread, best


def _tally(reads: ClassReads, posterior: Floats, problem: Problem | None) -> tuple[Ints, Floats]:
    """(cases,) reads that answer, and (cases,) expected reads among them that say the truth."""
    n, k = posterior.shape
    n_reads, hits = np.zeros(n, np.int64), np.zeros(n)
    if problem is None:
        tally_reads(reads.index.case, reads.label, posterior, n_reads, hits)
        return n_reads, hits
    said = np.tile(np.arange(k), problem.n_readers)
    row_of_case = np.empty(0, np.int64) if problem.row_of_case is None else problem.row_of_case

    def part(p: slice) -> None:
        tally_rows(
            p.start, p.stop, problem.start, problem.cell, row_of_case, said, posterior, n_reads,
            hits,
        )  # fmt: skip

    in_threads(part, slices(n, problem.n_reads))
    return n_reads, hits


def difficulty(posterior: Floats, n_reads: Ints, hits: Floats, fit: ClassFit) -> Floats:
    """(cases,) expected share of reads that miss the truth; of an average reader if unread.

    Args:
        hits: (cases,) expected reads that say the truth.
    """
    missed = 1 - hits / np.maximum(n_reads, 1)
    unread = np.flatnonzero(n_reads == 0)
    if unread.size:
        weight = fit.counts.sum(axis=2)
        diagonal = np.einsum("jkk->jk", fit.confusion)
        average = (weight * diagonal).sum(axis=0) / np.maximum(weight.sum(axis=0), 1e-12)
        missed[unread] = 1 - posterior[unread] @ average
    return np.asarray(np.clip(missed, 0.0, 1.0), dtype=np.float64)


def _rows_that_answer(reads: ClassReads, n_answered: int) -> Ints:
    n = reads.index.n_reads
    kind = np.int32 if n < 1 << 31 else np.int64
    if n_answered == n:
        return np.arange(n, dtype=kind)
    return np.flatnonzero(reads.label >= 0).astype(kind)


def reliability(reads: ClassReads, fit: ClassFit, level: float, n_reads: Ints) -> Reliability:
    """Accuracy and recall by class of each reader, with intervals of the Dirichlet posterior.

    Recall has a Beta posterior, worth as many reads as the unknown truth leaves. Accuracy is their
    mean by prevalence; its interval is of the Beta with the same mean and variance.
    """
    names, confusion, prior = reads.index.readers, fit.confusion, fit.prior
    counts = fit.counts
    if fit.votes:
        names = (*names, *(vote[0] for vote in fit.votes))
        n_reads = np.r_[n_reads, [vote[1] for vote in fit.votes]]
        counts = np.concatenate([counts, np.stack([vote[2] for vote in fit.votes])])
        confusion = np.concatenate([confusion, np.stack([vote[3] for vote in fit.votes])])
        prior = prior if prior.ndim == 2 else prior.mean(axis=0)
    pseudo = counts + prior
    hits = np.einsum("jkk->jk", pseudo)
    total = pseudo.sum(axis=2)
    share, known = _left(fit, len(names))
    hits, total = hits * share, total * share
    mean = np.einsum("jkk->jk", confusion)
    spread = mean * (1 - mean) / (total + 1)
    accuracy = mean @ fit.prevalence
    variance = np.fmax(spread @ fit.prevalence**2, known)
    size = np.maximum(accuracy * (1 - accuracy) / np.maximum(variance, 1e-300) - 1, 1e-6)
    a = np.column_stack([accuracy * size, hits])
    b = np.column_stack([(1 - accuracy) * size, total - hits])
    tail = (1 - level) / 2
    tiny = 1e-9  # a class alone has no misses to count
    low, high = (betaincinv(np.maximum(a, tiny), np.maximum(b, tiny), q) for q in (tail, 1 - tail))
    value = np.column_stack([accuracy, mean])
    idle = n_reads == 0
    value, low, high = (np.where(idle[:, None], np.nan, column) for column in (value, low, high))
    return Reliability(
        readers=names,
        measures=("accuracy", *(f"recall {name}" for name in reads.schema.names)),
        value=value,
        low=np.minimum(low, value),
        high=np.maximum(high, value),
        level=level,
        reads=n_reads,
        confusion=confusion,
    )


def _left(fit: ClassFit, n: int) -> tuple[Floats, Floats]:
    """(readers, classes) share of information, (readers,) variance of accuracy or nan.

    Soft votes are readers as well; they lose what the readers lose on average.
    """
    share, variance = np.ones((n, fit.prevalence.size)), np.full(n, np.nan)
    if fit.information is not None:
        n_readers = len(fit.information.recall)
        share[:n_readers] = fit.information.recall
        share[n_readers:] = fit.information.recall.mean(axis=0)
        variance[:n_readers] = fit.information.accuracy
    return share, variance


def reader_warnings(n_reads: Ints) -> tuple[str, ...]:
    """Warnings about designs in which reliability rests on little; n_reads (readers,)."""
    active = int((n_reads > 0).sum())
    words = []
    if active == 1:
        words.append("Only one reader: the consensus rests on the prior and on this reader alone.")
    few = int(((n_reads > 0) & (n_reads < FEW_READS)).sum())
    if few:
        words.append(
            f"{few} of {active} readers have fewer than {FEW_READS} reads: their reliability is "
            "mostly the prior's."
        )
    return tuple(words)

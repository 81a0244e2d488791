"""EBCC: Dawid-Skene with sub-types of each class, so that readers may err together."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numba
import numpy as np
from scipy.special import digamma, gammaln, logsumexp, softmax

from overread.arrays import Floats, Ints
from overread.consensus.assembly import ClassFit, assemble, check_reads, clamp
from overread.consensus.calibration import Temperature, from_gold, from_held_out
from overread.consensus.problem import in_threads
from overread.consensus.result import ClassConsensus, Consensus, Iteration
from overread.errors import InputError
from overread.labels import ClassReads
from overread.words import percent

_HELD_OUT = 50_000  # reads used to fit the temperature


def ebcc(
    reads: ClassReads,
    *,
    subtypes: int = 10,
    gold: Ints | None = None,
    calibrate: bool = True,
    starts: int = 4,
    prior_prevalence: float = 1.0,
    prior_subtype: float = 0.1,
    prior_right: float = 4.0,
    prior_wrong: float = 1.0,
    tol: float = 1e-5,
    max_iterations: int = 500,
    seed: int = 0,
) -> Consensus[ClassConsensus]:
    """Consensus by Enhanced Bayesian Classifier Combination (mean-field variational Bayes).

    Every class falls into sub-types (easy, hard, atypical ones), and a reader has one confusion
    row for each. Given the class alone, readers are then dependent: a sub-type that misleads one
    reader misleads others.

    Args:
        reads: repeats count as reads of their own; "cannot be read" is left out.
        subtypes: of each class; unused ones stay empty.
        gold: (cases,) known codes, -1 elsewhere.
        calibrate: temper the posterior; see :func:`overread.consensus.calibration.temperature`.
        starts: random starts; the one of the highest bound is kept.
        prior_prevalence: pseudo-cases of each class.
        prior_subtype: pseudo-cases of a class, spread over its sub-types.
        prior_right, prior_wrong: pseudo-reads on and off the diagonal of each confusion.
        tol: stop when the bound (nats) rises by less than this times the number of reads.
        max_iterations: of each start.
        seed: of the starts.
    Returns:
        Consensus; ``history`` holds the variational bound as ``objective`` (it never falls) and
        as ``log_likelihood``, for which it stands.
    Raises:
        InputError: a setting outside its range, or gold that does not fit.
        MethodError: no read answers.
    Source:
        Li, Rubinstein and Cohn 2019, ICML, "Exploiting Worker Correlation for Label Aggregation
        in Crowdsourcing", eq. 5-9; settings of their experiments.
    Example:
        >>> from overread.labels import class_reads
        >>> reads = class_reads(list("aabbcc"), ["R1", "R2"] * 3, list("110011"))
        >>> ebcc(reads).value.code.tolist()
        [1, 0, 1]
    """
    gold = check_reads(reads, gold)
    for name, value in (("subtypes", subtypes), ("starts", starts), ("iterations", max_iterations)):
        if value < 1:
            raise InputError(name, "be 1 or more", value)
    prior = _Prior(prior_prevalence, prior_subtype, prior_right, prior_wrong)
    used = reads.answered()
    ended: dict[int, _Run] = {}

    def run(start: int) -> None:
        rng = np.random.default_rng([seed, start])
        ended[start] = _run(
            used,
            gold,
            subtypes=subtypes,
            prior=prior,
            tol=tol,
            max_iterations=max_iterations,
            rng=rng,
        )

    in_threads(run, range(starts))
    runs = [ended[start] for start in range(starts)]
    best = max(runs, key=lambda run: run.bound[-1])
    tau = _temperature(used, best, gold, seed) if calibrate else None
    fit = _class_fit(used, best, gold, prior=prior, runs=runs, max_iterations=max_iterations)
    settings = {
        "subtypes": subtypes,
        "starts": starts,
        "prior_prevalence": prior_prevalence,
        "prior_subtype": prior_subtype,
        "prior_right": prior_right,
        "prior_wrong": prior_wrong,
        "tol": tol,
        "max_iterations": max_iterations,
        "seed": seed,
        "calibrate": calibrate,
    }
    return assemble(reads, fit, method="ebcc", settings=settings, temperature=tau, gold=gold)


@dataclass(frozen=True, slots=True)
class _Prior:
    prevalence: float
    subtype: float
    right: float
    wrong: float

    def __post_init__(self) -> None:
        for name in ("prevalence", "subtype", "right", "wrong"):
            if not getattr(self, name) > 0:
                raise InputError(f"prior_{name}", "be above 0", getattr(self, name))

    def confusion(self, n_classes: int) -> Floats:
        """(classes, said) pseudo-reads."""
        return np.full((n_classes, n_classes), self.wrong) + np.eye(n_classes) * (
            self.right - self.wrong
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Run:
    """One start: q (cases, classes, subtypes); expected logs of the parameters; the bound."""

    q: Floats
    log_weight: Floats  # (classes, subtypes) of prevalence x sub-type
    pseudo: Floats  # (readers, said, classes, subtypes) Dirichlet parameters of the confusions
    log_confusion: Floats  # likewise, expected logs
    bound: list[float]


def _run(
    reads: ClassReads,
    gold: Ints | None,
    *,
    subtypes: int,
    prior: _Prior,
    tol: float,
    max_iterations: int,
    rng: np.random.Generator,
) -> _Run:
    case, reader, label = reads.index.case, reads.index.reader, reads.label
    n_cases, n_classes = reads.index.n_cases, reads.n_classes
    counts = reads.counts() + 1e-9  # an unread case starts even
    votes = clamp(counts / counts.sum(axis=1, keepdims=True), gold)
    q = rng.dirichlet(np.ones(subtypes), (n_cases, n_classes)) * votes[:, :, None]
    beta = prior.confusion(n_classes).T[None, :, :, None]
    surprise = -float(np.sum(q * np.log(np.where(q > 0, q, 1.0))))
    bound: list[float] = []
    while True:
        # eq. 6-8: Dirichlet posteriors of prevalence, sub-types and confusions
        prevalence = prior.prevalence + q.sum(axis=(0, 2))
        subtype = prior.subtype / subtypes + q.sum(axis=0)
        pseudo = np.zeros((reads.index.n_readers, n_classes, n_classes * subtypes))
        _add_counts(pseudo, case, reader, label, q.reshape(n_cases, -1))
        pseudo = pseudo.reshape(*pseudo.shape[:2], n_classes, subtypes) + beta
        bound.append(_bound(surprise, prevalence, subtype, pseudo, prior))
        log_weight = (digamma(prevalence) - digamma(prevalence.sum()))[:, None]
        log_weight = log_weight + digamma(subtype) - digamma(subtype.sum(axis=1, keepdims=True))
        log_confusion = digamma(pseudo) - digamma(pseudo.sum(axis=1, keepdims=True))
        run = _Run(q, log_weight, pseudo, log_confusion, bound)
        rise = bound[-1] - bound[-2] if len(bound) > 1 else np.inf
        if rise < tol * label.size or len(bound) > max_iterations:
            return run
        # eq. 5 (the cases, gold clamped)
        q = _joint(reads, log_weight, log_confusion, gold)
        surprise = float(_normalise(q.reshape(n_cases, -1)))


def _joint(
    reads: ClassReads, log_weight: Floats, log_confusion: Floats, gold: Ints | None
) -> Floats:
    """(cases, classes, subtypes) expected log joint; -inf off the gold class."""
    n_cases = reads.index.n_cases
    joint = np.tile(log_weight.reshape(-1), (n_cases, 1))
    flat = log_confusion.reshape(*log_confusion.shape[:2], -1)
    _add_logs(joint, reads.index.case, reads.index.reader, reads.label, flat)
    joint = joint.reshape(n_cases, *log_weight.shape)
    if gold is not None:
        rows = np.flatnonzero(gold >= 0)
        kept = joint[rows, gold[rows]].copy()
        joint[rows] = -np.inf
        joint[rows, gold[rows]] = kept
    return joint


def _bound(
    surprise: float, prevalence: Floats, subtype: Floats, pseudo: Floats, prior: _Prior
) -> float:
    """Evidence lower bound right after the parameters' update: ratios of Dirichlet constants.

    Args:
        surprise: entropy of q, in nats, over all cases.
    """
    n_classes, subtypes = subtype.shape
    beta = np.broadcast_to(prior.confusion(n_classes).T[None, :, :, None], pseudo.shape)
    gain = _log_constant(prevalence, 0) - _log_constant(np.full(n_classes, prior.prevalence), 0)
    start = np.full_like(subtype, prior.subtype / subtypes)
    gain += (_log_constant(subtype, 1) - _log_constant(start, 1)).sum()
    gain += (_log_constant(pseudo, 1) - _log_constant(beta, 1)).sum()
    return float(gain + surprise)


def _log_constant(parameters: Floats, axis: int) -> Floats:
    return np.asarray(gammaln(parameters).sum(axis=axis) - gammaln(parameters.sum(axis=axis)))


def _temperature(reads: ClassReads, run: _Run, gold: Ints | None, seed: int) -> Temperature:
    """Held-out reads, then gold, as in :mod:`overread.consensus.calibration`."""
    joint = _joint(reads, run.log_weight, run.log_confusion, None)
    index = reads.index
    rows = np.flatnonzero(index.reads_per_case()[index.case] > 1)
    if rows.size > _HELD_OUT:
        rows = np.sort(np.random.default_rng(seed).choice(rows, _HELD_OUT, replace=False))
    case, reader, label = index.case[rows], index.reader[rows], reads.label[rows]
    others = joint[case] - run.log_confusion[reader, label]
    chance = (run.pseudo / run.pseudo.sum(axis=1, keepdims=True))[reader, label]
    said = (softmax(others, axis=2) * chance).sum(axis=2)
    per_case = index.reads_per_case()[case]
    n_cases = max(round(float((1 / per_case).sum())), 1)
    without = from_held_out(logsumexp(others, axis=2), said, n_cases)
    known = np.flatnonzero((gold >= 0) & (index.reads_per_case() > 0)) if gold is not None else None
    if gold is None or known is None or not known.size:
        return without
    return from_gold(logsumexp(joint[known], axis=2), gold[known], without.tau)


def _class_fit(
    reads: ClassReads,
    run: _Run,
    gold: Ints | None,
    *,
    prior: _Prior,
    runs: list[_Run],
    max_iterations: int,
) -> ClassFit:
    """Marginalise the sub-types: posterior of the class, confusion by class."""
    n_classes = reads.n_classes
    beta = prior.confusion(n_classes)
    counts = (run.pseudo - beta.T[None, :, :, None]).sum(axis=3).transpose(0, 2, 1)
    confusion = counts + beta
    confusion = confusion / confusion.sum(axis=2, keepdims=True)
    posterior = run.q.sum(axis=2)
    weight = posterior.sum(axis=0) + prior.prevalence
    words = []
    if len(run.bound) > max_iterations:
        words.append(f"The bound still rose after {max_iterations} iterations.")
    ends = [other.q.sum(axis=2).argmax(axis=1) for other in runs]
    differ = max(float((end != posterior.argmax(axis=1)).mean()) for end in ends)
    if differ > 0.01:
        words.append(
            f"Other starts end elsewhere (up to {percent(differ)} of the cases differ): the best "
            f"of {len(runs)} starts was kept, more may find better."
        )
    history = tuple(Iteration(value, value) for value in run.bound)
    return ClassFit(
        clamp(posterior / posterior.sum(axis=1, keepdims=True), gold),
        weight / weight.sum(),
        counts,
        beta,
        confusion,
        history,
        tuple(words),
    )


@numba.njit(cache=True, nogil=True)
def _add_counts(pseudo, case, reader, label, q):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    for row in range(case.size):
        of_reader = pseudo[reader[row], label[row]]
        of_case = q[case[row]]
        for c in range(of_case.size):
            of_reader[c] += of_case[c]


@numba.njit(cache=True, nogil=True)
def _add_logs(joint, case, reader, label, log_confusion):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    for row in range(case.size):
        of_case = joint[case[row]]
        of_reader = log_confusion[reader[row], label[row]]
        for c in range(of_case.size):
            of_case[c] += of_reader[c]


@numba.njit(cache=True, nogil=True)
def _normalise(joint):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Log joint (cases, parts) to probabilities, in place; returns their entropy in nats."""
    entropy = 0.0
    for i in range(joint.shape[0]):
        row = joint[i]
        most = row.max()
        total, weighted = 0.0, 0.0
        for c in range(row.size):
            log = row[c] - most
            chance = math.exp(log) if log > -700.0 else 0.0
            row[c] = chance
            total += chance
            if chance > 0.0:
                weighted += chance * log
        for c in range(row.size):
            row[c] /= total
        entropy += math.log(total) - weighted / total
    return entropy

"""Consensus of grades: each reader has a bias and a spread on one latent scale of severity."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy.special import logsumexp, ndtr, ndtri, softmax

from overread.arrays import Floats, Ints
from overread.consensus.assembly import ClassFit, assemble, check_reads, clamp
from overread.consensus.calibration import apply_temperature, temperature
from overread.consensus.result import ClassConsensus, Consensus, Iteration, Reliability
from overread.errors import InputError
from overread.labels import ClassReads, Kind

Loss = Literal["zero-one", "absolute", "squared"]

_SPREAD = 0.6  # grades; start of the spread: a right grade in 60 % of the reads
_SPREAD_SD = 0.5  # of log spread over readers
_THRESHOLD_SD = 0.5  # grades, of a threshold around its even place
_STEP = 1e-3  # of numerical derivatives


def ordinal(
    reads: ClassReads,
    *,
    gold: Ints | None = None,
    loss: Loss = "absolute",
    calibrate: bool = True,
    bias_sd: float = 0.5,
    lapse: float = 0.02,
    prior_prevalence: float = 1.0,
    tol: float = 1e-6,
    max_iterations: int = 200,
    level: float = 0.95,
) -> Consensus[ClassConsensus]:
    """Consensus of ordinal grades by a cumulative-probit Dawid-Skene model.

    A case of true grade k looks to reader j like ``k + bias_j + spread_j * noise``; the reader
    says the grade between whose thresholds that falls, or, with the chance ``lapse``, any. Two
    numbers a reader, instead of a whole confusion matrix: fewer reads suffice.

    Args:
        reads: of an ordinal schema, grades from least to most.
        gold: (cases,) known codes, -1 elsewhere.
        loss: what the consensus grade minimises: "zero-one" takes the most probable grade,
            "absolute" the posterior median, "squared" the rounded posterior mean.
        calibrate: temper the posterior; see :func:`overread.consensus.calibration.temperature`.
        bias_sd: grades; how far readers' biases are expected to differ.
        lapse: share of reads that say any grade at random, in (0, 1).
        prior_prevalence: pseudo-cases of each grade.
        tol: stop when the objective (nats) rises by less than this times the number of reads.
        level: of the reliability intervals.
    Returns:
        Consensus. ``reliability`` also has "bias" and "spread" in grades; a bias above 0 reads too
        high. ``history`` has the log likelihood and the objective, which never falls.
    Raises:
        InputError: the schema is not ordinal, a setting is out of range, or gold does not fit.
        MethodError: no read answers.
    Source:
        Cumulative link: McCullagh 1980, J. R. Stat. Soc. B 42:109-142; reader bias and precision on
        a latent scale: Johnson 1996, J. Am. Stat. Assoc. 91:42-51; EM: Dawid and Skene 1979.
    Example:
        >>> from overread.labels import class_reads
        >>> said = ["0", "1", "1", "3", "3", "2"]
        >>> reads = class_reads(list("aaabbb"), ["R1", "R2", "R3"] * 2, said,
        ...                     schema=["0", "1", "2", "3"], ordinal=True)
        >>> ordinal(reads).value.code.tolist()
        [1, 3]
    """
    gold = check_reads(reads, gold)
    _check(reads, loss, {"bias_sd": bias_sd, "prior_prevalence": prior_prevalence}, lapse)
    used = reads.answered()
    model, fit = _fit(
        used,
        gold,
        bias_sd=bias_sd,
        lapse=lapse,
        prior_prevalence=prior_prevalence,
        tol=tol,
        max_iterations=max_iterations,
    )
    heat = temperature(used, fit.prevalence, fit.confusion, gold=gold) if calibrate else None
    posterior = clamp(apply_temperature(fit.posterior, heat.tau if heat else 1.0), gold)
    result = assemble(
        reads,
        fit,
        method="ordinal",
        settings={
            "loss": loss,
            "calibrate": calibrate,
            "bias_sd": bias_sd,
            "lapse": lapse,
            "prior_prevalence": prior_prevalence,
            "tol": tol,
            "max_iterations": max_iterations,
        },
        temperature=heat,
        gold=gold,
        code=consensus_grade(posterior, loss),
        level=level,
    )
    bend = _information(used, model, fit, gold)
    return replace(result, reliability=_with_bias(result.reliability, model, bend, level))


def consensus_grade(posterior: Floats, loss: Loss = "absolute") -> Ints:
    """Grade of least expected loss.

    Args:
        posterior: (cases, grades), rows sum to 1.
        loss: "zero-one" (mode), "absolute" (median; the lower of two) or "squared" (rounded mean).
    Returns:
        (cases,) grade codes.
    Example:
        >>> p = np.array([[0.4, 0.05, 0.15, 0.4]])
        >>> [int(consensus_grade(p, loss)[0]) for loss in ("zero-one", "absolute", "squared")]
        [0, 2, 2]
    """
    if loss == "zero-one":
        return np.asarray(posterior.argmax(axis=1))
    if loss == "absolute":
        return np.asarray((posterior.cumsum(axis=1) >= 0.5 - 1e-12).argmax(axis=1))
    return np.asarray(np.floor(grade_mean(posterior) + 0.5), dtype=np.int64)


def grade_mean(posterior: Floats) -> Floats:
    """(cases,) posterior mean grade, counted from 0."""
    return np.asarray(posterior @ np.arange(posterior.shape[1]))


@dataclass(frozen=True, slots=True, eq=False)
class _Model:
    bias: Floats  # (readers,) grades
    log_spread: Floats  # (readers,)
    typical: float  # mean of log_spread over readers
    thresholds: Floats  # (grades - 1,)
    lapse: float
    bias_sd: float

    def confusion(self, shift: float = 0.0, stretch: float = 0.0) -> Floats:
        """(readers, truth, said); biases moved by ``shift``, log spreads by ``stretch``."""
        grades = np.arange(self.thresholds.size + 1)
        at = grades[None, :] + (self.bias + shift)[:, None]
        spread = np.exp(self.log_spread + stretch)[:, None, None]
        below = ndtr((self.thresholds[None, None, :] - at[:, :, None]) / spread)
        edges = np.zeros((*at.shape, 1)), np.ones((*at.shape, 1))
        chance = np.diff(np.concatenate([edges[0], below, edges[1]], axis=2), axis=2)
        return np.asarray((1 - self.lapse) * chance + self.lapse / grades.size)

    def fitness(self, counts: Floats, shift: float = 0.0, stretch: float = 0.0) -> Floats:
        """(readers,) expected log chance of the reads plus log prior of bias and spread."""
        chance = np.log(self.confusion(shift, stretch))
        off = self.log_spread + stretch - self.typical
        prior = ((self.bias + shift) / self.bias_sd) ** 2 + (off / _SPREAD_SD) ** 2
        return np.asarray((counts * chance).sum(axis=(1, 2)) - prior / 2)

    def threshold_prior(self) -> float:
        even = np.arange(self.thresholds.size) + 0.5
        return -0.5 * float((((self.thresholds - even) / _THRESHOLD_SD) ** 2).sum())


def _fit(
    reads: ClassReads,
    gold: Ints | None,
    *,
    bias_sd: float,
    lapse: float,
    prior_prevalence: float,
    tol: float,
    max_iterations: int,
) -> tuple[_Model, ClassFit]:
    n_readers, n_grades = reads.index.n_readers, reads.n_classes
    start = np.full(n_readers, np.log(_SPREAD))
    even: Floats = np.arange(n_grades - 1, dtype=np.float64) + 0.5
    model = _Model(np.zeros(n_readers), start, float(np.log(_SPREAD)), even, lapse, bias_sd)
    prevalence = np.full(n_grades, 1 / n_grades)
    history: list[Iteration] = []
    while True:
        joint = _joint(reads, prevalence, model.confusion())
        log_likelihood = _log_likelihood(joint, gold)
        prior = prior_prevalence * np.log(prevalence).sum() + model.threshold_prior()
        prior += model.fitness(np.zeros((n_readers, n_grades, n_grades))).sum()
        history.append(Iteration(log_likelihood, log_likelihood + float(prior)))
        posterior = clamp(softmax(joint, axis=1), gold)
        counts = _expected(reads, posterior)
        if len(history) > max_iterations or (
            len(history) > 1
            and history[-1].objective - history[-2].objective < tol * reads.label.size
        ):
            break
        prevalence = posterior.sum(axis=0) + prior_prevalence
        prevalence = prevalence / prevalence.sum()
        model = _better_thresholds(_better_readers(model, counts), counts)
        model = replace(model, typical=float(model.log_spread.mean()))
    confusion = model.confusion()
    weight = counts.sum(axis=2, keepdims=True)
    words = (
        (f"The objective still rose after {max_iterations} iterations.",)
        if len(history) > max_iterations
        else ()
    )
    fit = ClassFit(
        posterior, prevalence, confusion * weight, confusion, confusion, tuple(history), words
    )
    return model, fit


def _joint(reads: ClassReads, prevalence: Floats, confusion: Floats) -> Floats:
    """(cases, grades) log chance of the reads and each truth."""
    index, n_grades = reads.index, reads.n_classes
    of_read = index.reader.astype(np.int64) * n_grades + reads.label
    logs = np.log(confusion).transpose(0, 2, 1).reshape(-1, n_grades)
    joint = np.empty((index.n_cases, n_grades))
    for grade in range(n_grades):
        evidence = np.bincount(index.case, weights=logs[of_read, grade], minlength=index.n_cases)
        joint[:, grade] = np.log(prevalence[grade]) + evidence
    return joint


def _log_likelihood(joint: Floats, gold: Ints | None) -> float:
    of_case = logsumexp(joint, axis=1)
    if gold is not None:
        known = np.flatnonzero(gold >= 0)
        of_case[known] = joint[known, gold[known]]
    return float(of_case.sum())


def _expected(reads: ClassReads, posterior: Floats) -> Floats:
    """(readers, truth, said) expected reads."""
    n_readers, n_grades = reads.index.n_readers, reads.n_classes
    of_read = reads.index.reader.astype(np.int64) * n_grades + reads.label
    counts = np.empty((n_grades, n_readers * n_grades))
    for grade in range(n_grades):
        weight = posterior[reads.index.case, grade]
        counts[grade] = np.bincount(of_read, weights=weight, minlength=n_readers * n_grades)
    return counts.reshape(n_grades, n_readers, n_grades).transpose(1, 0, 2)


def _curvature(model: _Model, counts: Floats) -> tuple[Floats, Floats]:
    return _derivatives(lambda shift, stretch: model.fitness(counts, shift, stretch))


def _derivatives(value: Callable[[float, float], Floats]) -> tuple[Floats, Floats]:
    """Gradient (readers, 2) and minus the Hessian (readers, 2, 2) in bias and log spread."""
    h = _STEP
    f = {(i, j): value(i * h, j * h) for i in (-1, 0, 1) for j in (-1, 0, 1)}
    gradient = np.stack([f[1, 0] - f[-1, 0], f[0, 1] - f[0, -1]], axis=1) / (2 * h)
    bend = np.empty((*f[0, 0].shape, 2, 2))
    bend[:, 0, 0] = 2 * f[0, 0] - f[1, 0] - f[-1, 0]
    bend[:, 1, 1] = 2 * f[0, 0] - f[0, 1] - f[0, -1]
    cross = (f[1, 1] + f[-1, -1] - f[1, -1] - f[-1, 1]) / 4
    bend[:, 0, 1] = bend[:, 1, 0] = -cross
    return gradient, bend / h**2


def _better_readers(model: _Model, counts: Floats) -> _Model:
    """One Newton step a reader, halved until it climbs; a reader that cannot climb stays."""
    gradient, bend = _curvature(model, counts)
    # Far from the top the surface may bend the wrong way: make the step one of ascent.
    value, vector = np.linalg.eigh(bend)
    along = np.einsum("rji,rj->ri", vector, gradient) / np.maximum(np.abs(value), 1.0)
    step = np.clip(np.einsum("rij,rj->ri", vector, along), -1.0, 1.0)
    now = model.fitness(counts)
    size = np.ones(len(now))
    for _ in range(8):
        bias = model.bias + size * step[:, 0]
        tried = replace(model, bias=bias, log_spread=model.log_spread + size * step[:, 1])
        worse = tried.fitness(counts) < now
        if not worse.any():
            return tried
        size = np.where(worse, size / 2, size)
    bias = np.where(worse, model.bias, tried.bias)
    return replace(model, bias=bias, log_spread=np.where(worse, model.log_spread, tried.log_spread))


def _better_thresholds(model: _Model, counts: Floats) -> _Model:
    """One Newton step for each shared threshold in turn, halved until it climbs."""

    def value(one: _Model) -> float:
        return float(one.fitness(counts).sum()) + one.threshold_prior()

    for t in range(model.thresholds.size):
        unit = np.eye(model.thresholds.size)[t]
        down, now, up = (
            value(replace(model, thresholds=model.thresholds + d * _STEP * unit))
            for d in (-1, 0, 1)
        )
        bend = max(abs(2 * now - up - down) / _STEP**2, 1.0)
        step = float(np.clip((up - down) / (2 * _STEP) / bend, -0.5, 0.5))
        for _ in range(8):
            tried = replace(model, thresholds=model.thresholds + step * unit)
            if np.all(np.diff(tried.thresholds) > 0) and value(tried) >= now:
                model = tried
                break
            step /= 2
    return model


def _information(reads: ClassReads, model: _Model, fit: ClassFit, gold: Ints | None) -> Floats:
    """(readers, 2, 2) observed information of bias and log spread, the other readers as fitted.

    The truth of a case is unknown: each read is weighed by what the *other* reads say of it.
    """
    index, label = reads.index, reads.label
    joint = _joint(reads, fit.prevalence, fit.confusion)
    others = joint[index.case] - np.log(fit.confusion[index.reader, :, label])
    weight = clamp(softmax(others, axis=1), None if gold is None else gold[index.case])
    none = np.zeros_like(fit.counts)

    def value(shift: float, stretch: float) -> Floats:
        chance = model.confusion(shift, stretch)[index.reader, :, label]
        heard = np.log((weight * chance).sum(axis=1))
        of_reader = np.bincount(index.reader, weights=heard, minlength=index.n_readers)
        return np.asarray(of_reader + model.fitness(none, shift, stretch))

    return _derivatives(value)[1]


def _with_bias(base: Reliability, model: _Model, bend: Floats, level: float) -> Reliability:
    """Add bias and spread, with intervals from the curvature at the top (Laplace)."""
    floor = np.array([1 / model.bias_sd**2, 1 / _SPREAD_SD**2])  # the prior's own
    cross = bend[:, 0, 1]
    diagonal = np.maximum(np.stack([bend[:, 0, 0], bend[:, 1, 1]], axis=1), floor)
    # variance of one, the other unknown: inverse of its Schur complement
    lost = cross[:, None] ** 2 / diagonal[:, ::-1]
    sd = 1 / np.sqrt(np.maximum(diagonal - lost, floor))
    reach = ndtri((1 + level) / 2) * sd
    centre = np.stack([model.bias, model.log_spread], axis=1)
    idle = (base.reads == 0)[:, None]
    columns = [np.array(c) for c in (centre, centre - reach, centre + reach)]
    for column in columns:
        column[:, 1] = np.exp(column[:, 1])
    value, low, high = (np.where(idle, np.nan, column) for column in columns)
    return replace(
        base,
        measures=(*base.measures, "bias", "spread"),
        value=np.hstack([base.value, value]),
        low=np.hstack([base.low, low]),
        high=np.hstack([base.high, high]),
    )


def _check(reads: ClassReads, loss: str, positive: dict[str, float], lapse: float) -> None:
    if reads.schema.kind is not Kind.ORDINAL:
        raise InputError(
            "schema",
            "be ordinal",
            reads.schema.kind,
            remedy="Say that the classes are grades (ordinal), or use dawid_skene.",
        )
    if loss not in ("zero-one", "absolute", "squared"):
        raise InputError("loss", "be zero-one, absolute or squared", f"{loss!r}")
    for name, value in positive.items():
        if not value > 0:
            raise InputError(name, "be above 0", value)
    if not 0 < lapse < 1:
        raise InputError("lapse", "be in (0, 1)", lapse)
